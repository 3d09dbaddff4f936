"""A project: what is to be built, how much of it is done, and what is broken."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, NotFound, Rejected
from goal_ledger.domain.ids import derived_id

# --- Words


class BugSeverity(StrEnum):
    CRITICAL = "critical"
    BLOCKER = "blocker"
    MAJOR = "major"
    MINOR = "minor"


Severity = Annotated[BugSeverity, Field(strict=False)]


def project_id(name: str) -> str:
    """The id of the project with this name, whoever registers it: case and white space make no difference."""
    return derived_id("project_", "project", _folded(name), None)


# --- Events


class ProjectRegistered(Event):
    """A project is known by its name."""

    stored = "project.registered"

    name: str
    description: str = ""


class ProjectAmended(Event):
    """The project is described anew."""

    stored = "project.amended"

    description: str


class FeatureRecorded(Event):
    """A feature is planned, or done. The last word on a feature_id counts."""

    stored = "project.feature_recorded"

    feature_id: str
    title: str
    done: bool


class BugReported(Event):
    """A bug was found, came back, or turned out to be of another severity. The last word on a bug_id counts."""

    stored = "project.bug_reported"

    bug_id: str
    title: str
    severity: Severity


class BugResolved(Event):
    """A bug is gone."""

    stored = "project.bug_resolved"

    bug_id: str


# --- State


class Feature(NamedTuple):
    title: str
    done: bool


class Bug(NamedTuple):
    title: str
    severity: BugSeverity
    is_open: bool = True


class Project(NamedTuple):
    """features, bugs: by their ids; the bugs that were resolved too."""

    name: str | None = None
    description: str = ""
    features: Mapping[str, Feature] = {}
    bugs: Mapping[str, Bug] = {}


PROJECT = Decider("project", Project())


@PROJECT.on(ProjectRegistered)
def _registered(_: Project, event: ProjectRegistered) -> Project:
    return Project(event.name, event.description)


@PROJECT.on(ProjectAmended)
def _amended(project: Project, event: ProjectAmended) -> Project:
    return project._replace(description=event.description)


@PROJECT.on(FeatureRecorded)
def _recorded(project: Project, event: FeatureRecorded) -> Project:
    return project._replace(features={**project.features, event.feature_id: Feature(event.title, event.done)})


@PROJECT.on(BugReported)
def _reported(project: Project, event: BugReported) -> Project:
    return project._replace(bugs={**project.bugs, event.bug_id: Bug(event.title, event.severity)})


@PROJECT.on(BugResolved)
def _resolved(project: Project, event: BugResolved) -> Project:
    bug = project.bugs.get(event.bug_id)
    if bug is None:
        return project
    return project._replace(bugs={**project.bugs, event.bug_id: bug._replace(is_open=False)})


# --- Decisions


@operation("project.register")
def register(project: Project, *, name: str, description: str | None = None, reason: str | None = None) -> list[Event]:
    """Make a project known. Quiet when it is, unless it is described in other words.

    Rejected: no_name, already_exists.
    """
    if not name.strip():
        raise Rejected("no_name", "a project needs a name that is not blank")
    if project.name is None:
        return [ProjectRegistered(name=name.strip(), description=description or "", reason=reason)]
    if description in (None, project.description):
        return []
    raise Rejected(
        "already_exists",
        f"there is a project {project.name!r} with another description",
        hint=Hint("project", "amend", STREAM, description=Blank()),
    )


@operation("project.amend")
def amend(project: Project, *, description: str, reason: str | None = None) -> list[Event]:
    """Describe it anew; it keeps its name. NotFound: unknown_project."""
    existing(project)
    return [] if description == project.description else [ProjectAmended(description=description, reason=reason)]


@operation("project.record_feature")
def record_feature(
    project: Project, *, title: str, feature_id: str | None = None, done: bool | None = None, reason: str | None = None
) -> list[Event]:
    """Plan a feature, or say that it is done.

    feature_id: the one with this title by default, or the next of f1, f2 …. done: as it is by default, and False of
    a new one.

    Rejected: no_title, no_id. NotFound: unknown_project.
    """
    existing(project)
    name, title = _which(project.features, feature_id, title, "f")
    known = project.features.get(name)
    feature = Feature(title, done if done is not None else known is not None and known.done)
    if feature == known:
        return []
    return [FeatureRecorded(feature_id=name, title=feature.title, done=feature.done, reason=reason)]


@operation("project.report_bug")
def report_bug(
    project: Project,
    *,
    title: str,
    severity: BugSeverity | None = None,
    bug_id: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Say that something is broken; a bug that was resolved is open again.

    bug_id: the one with this title by default, or the next of b1, b2 …. severity: as it is by default, and major of
    a new one.

    Rejected: no_title, no_id. NotFound: unknown_project.
    """
    existing(project)
    name, title = _which(project.bugs, bug_id, title, "b")
    known = project.bugs.get(name)
    bug = Bug(title, severity or (BugSeverity.MAJOR if known is None else known.severity))
    return [] if bug == known else [BugReported(bug_id=name, title=bug.title, severity=bug.severity, reason=reason)]


@operation("project.resolve_bug")
def resolve_bug(project: Project, *, bug_id: str, reason: str | None = None) -> list[Event]:
    """Say that a bug is gone. NotFound: unknown_project, unknown_bug."""
    existing(project)
    bug = project.bugs.get(bug_id)
    if bug is None:
        raise NotFound(
            "unknown_bug", f"the project has no bug {bug_id!r}", hint=Hint("project", "show", STREAM) + " lists them"
        )
    return [BugResolved(bug_id=bug_id, reason=reason)] if bug.is_open else []


# --- Rules shared by the decisions


def existing(project: Project) -> str:
    """The project's name. NotFound: unknown_project."""
    if project.name is None:
        raise NotFound("unknown_project", "there is no such project", hint=Hint("project", "list"))
    return project.name


def _which(known: Mapping[str, Any], given: str | None, title: str, letter: str) -> tuple[str, str]:
    """The id that is meant, and its title: as given, of the one with this title, or the next free number."""
    if not title.strip():
        raise Rejected("no_title", "a title is needed that is not blank")
    if given is not None:
        if not given.strip():
            raise Rejected("no_id", "the id is blank; leave it out to have one made")
        return given.strip(), title.strip()
    for name, one in known.items():
        if _folded(one.title) == _folded(title):
            return name, one.title
    number = len(known) + 1
    while f"{letter}{number}" in known:
        number += 1
    return f"{letter}{number}", title.strip()


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
