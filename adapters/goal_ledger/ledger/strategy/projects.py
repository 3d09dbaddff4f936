"""Projects: what is to be built, how much of it is done, and what is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec

from goal_ledger.domain.base import Event
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.strategy import project as rules
from goal_ledger.domain.strategy.project import PROJECT, BugSeverity, Project
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.projections.strategy.projects import ProjectRow, projects

P = ParamSpec("P")


class Projects(Rows[ProjectRow]):
    """The projects of a ledger. Every method that writes returns the project as it then stands."""

    kind = Kind(projects, "project_", "project")

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

        feature_id: the one with this title by default, or the next of f1, f2 …. done: as it is by default.

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

        severity: as it is by default, and major of a new one. bug_id: the one with this title by default, or the next
        of b1, b2 ….

        Rejected: no_title, no_id. NotFound: unknown_project.
        """
        return self._act(project_id, rules.report_bug, title=title, severity=severity, bug_id=bug_id, reason=reason)

    def resolve(self, project_id: str, bug_id: str, *, reason: str | None = None) -> ProjectRow:
        """Say that a bug is gone. NotFound: unknown_project, unknown_bug."""
        return self._act(project_id, rules.resolve_bug, bug_id=bug_id, reason=reason)

    # --- Reading

    def list(self, *, after: Cursor | None = None, limit: int | None = None) -> Page[ProjectRow]:
        """Projects, the one changed last first."""
        return self._page(after=after, limit=limit)

    # --- Shared

    def _act(
        self,
        project_id: str,
        decide: Callable[Concatenate[Project, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> ProjectRow:
        recorded = self._engine.act(require_id("project_", project_id), PROJECT, decide, *args, **wish)
        return self._answer(project_id, recorded)
