"""Every project: how much of it is done, and what is broken."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.strategy.project import (
    BugReported,
    BugResolved,
    BugSeverity,
    FeatureRecorded,
    ProjectAmended,
    ProjectRegistered,
)
from goal_ledger.projections.base import Projection, updated


class ProjectRow(NamedTuple):
    """One project. percent_complete: share of its features that are done, 0.0 to 100.0; 0.0 without features.

    open_bugs: those that are not resolved. critical_bugs: those of them that are critical. features: `feature_id`,
    `title` and `done` of each; bugs: `bug_id`, `title`, `severity` and `resolved`, in the order in which they came up.
    """

    project_id: str
    name: str
    description: str
    percent_complete: float
    features_done: int
    features_total: int
    open_bugs: int
    critical_bugs: int
    features: tuple[dict[str, Any], ...]
    bugs: tuple[dict[str, Any], ...]
    created_by: str
    created_at: str | None
    updated_at: str | None
    version: int
    position: int


projects = Projection("projects", ProjectRow, key="project_id", noun="project", indexes=(("position",),))


@projects.on(ProjectRegistered)
def _registered(_: ProjectRow | None, recorded: Recorded, event: ProjectRegistered) -> ProjectRow:
    return ProjectRow(
        project_id=recorded.stream,
        name=event.name,
        description=event.description,
        percent_complete=0.0,
        features_done=0,
        features_total=0,
        open_bugs=0,
        critical_bugs=0,
        features=(),
        bugs=(),
        created_by=recorded.by,
        created_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        version=recorded.version,
        position=recorded.position,
    )


@projects.on(ProjectAmended)
def _amended(row: ProjectRow | None, recorded: Recorded, event: ProjectAmended) -> ProjectRow | None:
    return updated(row, recorded, description=event.description)


@projects.on(FeatureRecorded)
def _feature(row: ProjectRow | None, recorded: Recorded, event: FeatureRecorded) -> ProjectRow | None:
    if row is None:
        return None
    feature = {"feature_id": event.feature_id, "title": event.title, "done": event.done}
    features = _with(row.features, feature, "feature_id")
    done = sum(one["done"] for one in features)
    percent = round(100 * done / len(features), 2)
    return updated(
        row, recorded, features=features, features_done=done, features_total=len(features), percent_complete=percent
    )


@projects.on(BugReported)
def _reported(row: ProjectRow | None, recorded: Recorded, event: BugReported) -> ProjectRow | None:
    if row is None:
        return None
    bug = {"bug_id": event.bug_id, "title": event.title, "severity": event.severity.value, "resolved": False}
    return _counted(row, recorded, _with(row.bugs, bug, "bug_id"))


@projects.on(BugResolved)
def _resolved(row: ProjectRow | None, recorded: Recorded, event: BugResolved) -> ProjectRow | None:
    if row is None:
        return None
    bugs = tuple(bug | {"resolved": True} if bug["bug_id"] == event.bug_id else bug for bug in row.bugs)
    return _counted(row, recorded, bugs)


def _counted(row: ProjectRow, recorded: Recorded, bugs: tuple[dict[str, Any], ...]) -> ProjectRow | None:
    severities = [bug["severity"] for bug in bugs if not bug["resolved"]]
    critical = severities.count(BugSeverity.CRITICAL.value)
    return updated(row, recorded, bugs=bugs, open_bugs=len(severities), critical_bugs=critical)


def _with(things: tuple[dict[str, Any], ...], new: dict[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    """The things with a new one, or in the place of the one that has its key."""
    if any(thing[key] == new[key] for thing in things):
        return tuple(new if thing[key] == new[key] else thing for thing in things)
    return (*things, new)
