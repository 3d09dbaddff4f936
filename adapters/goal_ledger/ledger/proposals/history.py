"""The execution history that detectors look at: scheduled tasks, runs that ended, and where active goals stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from goal_ledger.domain.base import operation
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.proposals.detectors.base import Attempt, Check, Standing
from goal_ledger.domain.runs import monitor as rules
from goal_ledger.domain.runs.monitor import MONITOR, monitor_id
from goal_ledger.domain.runs.run import LocalOutcome, RunStatus, VerifierStatus
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page, select_page
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.runs.checks import CheckRow, checks
from goal_ledger.projections.runs.goal_runs import goal_runs

if TYPE_CHECKING:
    from datetime import datetime

_PAGE = 5_000


class History:
    """What was executed, as detectors see it; see `detectors.base.History`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- Writing

    @operation("history.record")
    def record(
        self,
        task: str,
        ok: bool,
        *,
        at: datetime | None = None,
        error: str | None = None,
        duration_seconds: float | None = None,
        source: str = "",
        reason: str | None = None,
    ) -> CheckRow:
        """Note how a scheduled task went that is no goal's run. at: when; now by default. source: who schedules it.

        Rejected: no_task, unexpected_error. Invalid: invalid_value, naive_time.
        """
        engine = self._engine if at is None else self._engine.using(occurred_at=at)
        wish: dict[str, Any] = {
            "task": task, "ok": ok, "error": error, "duration_seconds": duration_seconds, "source": source,
            "reason": reason,
        }  # fmt: skip
        recorded = engine.transact(
            lambda tx: tx.act(monitor_id(source, task.strip()), MONITOR, rules.record, **wish),
            operation="history.record",
            arguments=wish | {"at": at},
        )
        return next(row for one in recorded if (row := checks.fold(None, one)) is not None)

    # --- Reading

    def list(
        self, *, task: str | None = None, ok: bool | None = None, after: Cursor | None = None, limit: int | None = None
    ) -> Page[CheckRow]:
        """Checks, the newest first."""
        return select_page(
            self._engine.views, checks, {"task": task, "ok": ok}, order=("position",), descending=True, after=after,
            limit=limit, formerly="checks",
        )  # fmt: skip

    def checks(self, since: str, until: str) -> Sequence[Check]:
        """Scheduled tasks that ran between two instants, both included, by time."""
        columns = ("task", "ok", "checked_at", "error", "source")
        return [Check(*row) for row in self._between(checks, columns, "checked_at", "position", since, until)]

    def attempts(self, since: str, until: str) -> Sequence[Attempt]:
        """Runs that ended between two instants, both included, by time."""
        columns = (
            "run_id", "goal_id", "agent", "task_category", "local_outcome", "verifier_status", "finished_at",
        )  # fmt: skip
        found = self._between(goal_runs, columns, "finished_at", "run_id", since, until)
        return [
            Attempt(
                run_id,
                goal_id,
                agent,
                task,
                outcome is LocalOutcome.SUCCEEDED and verdict is not VerifierStatus.FAILED,
                at,
            )
            for run_id, goal_id, agent, task, outcome, verdict, at in found
        ]

    def standings(self) -> Sequence[Standing]:
        """The active goals, by id; what is under way counts as something that happens."""
        busy = {
            goal_id
            for (goal_id,) in self._engine.views.select_columns(
                goal_runs, ("goal_id",), {"status": RunStatus.RUNNING}, order=("run_id",)
            )
        }
        columns = (
            "goal_id", "title", "goal_type", "updated_at", "progress", "created_at", "time_horizon",
        )  # fmt: skip
        rows = self._engine.views.select_columns(
            goal_definitions, columns, {"status": GoalStatus.ACTIVE}, order=("goal_id",)
        )
        return [
            Standing(goal_id, title, goal_type, updated_at, progress, created_at, _deadline(horizon))
            for goal_id, title, goal_type, updated_at, progress, created_at, horizon in rows
            if goal_id not in busy and updated_at is not None
        ]

    def _between(
        self, projection: Projection[Any], columns: Sequence[str], when: str, key: str, since: str, until: str
    ) -> Iterator[tuple[Any, ...]]:
        """Columns of the rows whose time lies between two instants, by time."""
        after: tuple[Any, ...] = (since, 0 if key == "position" else "")
        asked = (*columns, when, key)
        while True:
            page = self._engine.views.select_columns(projection, asked, order=(when, key), after=after, limit=_PAGE)
            for row in page:
                if row[-2] is None or row[-2] > until:
                    return
                yield row[:-2]
            if len(page) < _PAGE:
                return
            after = page[-1][-2:]


def _deadline(horizon: str) -> str | None:
    return None if horizon == "ongoing" else horizon
