"""Projects: what is to be built, how much of it is done, and what is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, NamedTuple, ParamSpec

from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.strategy import project as rules
from goal_ledger.domain.strategy.project import PROJECT, BugSeverity, Project
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Place, select_page
from goal_ledger.projections.strategy.projects import ProjectRow, projects

P = ParamSpec("P")


class Page(NamedTuple):
    """Some projects, and where the next page begins: None when there are no more."""

    projects: Sequence[ProjectRow]
    next: Place | None


class Projects:
    """The projects of a ledger. Every method that writes returns the project as it then stands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- Writing

    def create(self, name: str, *, description: str | None = None, reason: str | None = None) -> ProjectRow:
        """Make a project known; the same name again is the same project.

        Rejected: no_name, already_exists, with another description.
        """
        return self._act(rules.project_id(name), rules.register, name=name, description=description, reason=reason)

    def amend(self, project_id: str, *, description: str, reason: str | None = None) -> ProjectRow:
        """Describe it anew; it keeps its name."""
        return self._act(project_id, rules.amend, description=description, reason=reason)

    def feature(
        self,
        project_id: str,
        title: str,
        *,
        feature_id: str | None = None,
        done: bool | None = None,
        reason: str | None = None,
    ) -> ProjectRow:
        """Plan a feature, or say that it is done.

        feature_id: the one with this title unless said, or the next of f1, f2 …. done: as it is unless said.

        Rejected: no_title, no_id. NotFound: unknown_project.
        """
        return self._act(project_id, rules.record_feature, title=title, feature_id=feature_id, done=done, reason=reason)

    def bug(
        self,
        project_id: str,
        title: str,
        *,
        severity: BugSeverity | None = None,
        bug_id: str | None = None,
        reason: str | None = None,
    ) -> ProjectRow:
        """Say that something is broken; a bug that was resolved is open again.

        severity: as it is unless said, and major of a new one. bug_id: the one with this title unless said, or the next
        of b1, b2 ….

        Rejected: no_title, no_id. NotFound: unknown_project.
        """
        return self._act(project_id, rules.report_bug, title=title, severity=severity, bug_id=bug_id, reason=reason)

    def resolve(self, project_id: str, bug_id: str, *, reason: str | None = None) -> ProjectRow:
        """Say that a bug is gone. NotFound: unknown_project, unknown_bug."""
        return self._act(project_id, rules.resolve_bug, bug_id=bug_id, reason=reason)

    # --- Reading

    def get(self, project_id: str) -> ProjectRow:
        """One project. NotFound: unknown_project."""
        return _existing(self._engine.fold(projects, require_id("project_", project_id)), project_id)

    def list(self, *, after: Place | None = None, limit: int | None = None) -> Page:
        """Projects, the one changed last first."""
        views, order = self._engine.views, ("position",)
        return Page(*select_page(views, projects, {}, order=order, descending=True, after=after, limit=limit))

    def timeline(self, project_id: str) -> Sequence[Recorded | Unreadable]:
        """The project's events, in order. NotFound: unknown_project."""
        self.get(project_id)
        return self._engine.stream(project_id)

    # --- Shared

    def _act(
        self,
        project_id: str,
        decide: Callable[Concatenate[Project, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> ProjectRow:
        recorded = self._engine.act(require_id("project_", project_id), PROJECT, decide, *args, **wish)
        return _existing(self._engine.answer(projects, project_id, recorded), project_id)


def _existing(row: ProjectRow | None, project_id: str) -> ProjectRow:
    if row is None:
        raise NotFound("unknown_project", f"there is no project {project_id}", hint=Hint("project", "list"))
    return row
