"""Key results: record what they measure, and ask how they went."""

from __future__ import annotations

from datetime import datetime

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.errors import Hint, Rejected
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals import key_result as rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.key_result import KeyResultMeasured, progress_of
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page, page_of
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions
from goal_ledger.projections.goals.key_results import KeyResultValue, key_results

MEASURED = "key_result_measured"
"""The activity that an objective remembers."""


class KeyResults:
    """The key results of a ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @operation("key_result.record")
    def record(
        self,
        goal_id: str,
        value: float,
        *,
        note: str | None = None,
        at: datetime | None = None,
        reason: str | None = None,
    ) -> GoalRow:
        """Note what a key result measures, on it and as an activity of its objective; the goal as it then stands.

        The first value becomes the baseline when none was given. A value that was true before the last one stays
        history. at: when it was true; now, or the ledger's `occurred_at` by default.

        Rejected: not_a_key_result, archived, no_target. NotFound: unknown_goal. Invalid: invalid_value, naive_time.
        """
        engine = self._engine if at is None else self._engine.using(occurred_at=at)

        def work(tx: Tx) -> None:
            measured = tx.act(
                require_id("goal_", goal_id),
                GOAL,
                rules.measure,
                value=value,
                note=note,
                measured_at=None if tx.now is None else utc_text(tx.now),
                reason=reason,
            )
            event = measured[-1].event if measured else None
            if not isinstance(event, KeyResultMeasured) or event.objective_id is None:
                return
            attributes = {"goal_id": goal_id, "value": event.value, "unit": event.unit,
                          "progress": progress_of(event.baseline, event.target, event.value)}  # fmt: skip
            tx.act(event.objective_id, GOAL, goal_rules.record_activity, activity=MEASURED, attributes=attributes)

        wish = {"goal_id": goal_id, "value": value, "note": note, "at": at, "reason": reason}
        recorded = engine.transact(work, operation="key_result.record", arguments=wish)
        row = engine.answer(goal_definitions, goal_id, recorded)
        return self.get(goal_id) if row is None else row

    def get(self, goal_id: str) -> GoalRow:
        """One key result. NotFound: unknown_goal. Rejected: not_a_key_result."""
        row = Goals(self._engine).get(goal_id)
        if row.goal_type is not GoalType.KEY_RESULT:
            raise Rejected(
                "not_a_key_result",
                f"goal {goal_id} is of type {row.goal_type}",
                hint=Hint("goal", "show", goal_id),
            )
        return row

    def list(
        self, *, objective_id: str | None = None, after: Cursor | None = None, limit: int | None = None
    ) -> Page[GoalRow]:
        """Key results by priority, then age: all, or those of one objective."""
        return Goals(self._engine).list(
            goal_type=GoalType.KEY_RESULT, parent_goal_id=objective_id, after=after, limit=limit
        )

    def history(self, goal_id: str, *, after: Cursor | None = None, limit: int | None = None) -> Page[KeyResultValue]:
        """The measurements of a key result, in the order in which they were recorded. Errors of `get`."""
        self.get(goal_id)
        first = 0 if after is None else int(after[0])
        rows = [
            row
            for recorded in self._engine.stream(goal_id)
            if isinstance(recorded, Recorded) and recorded.position > first
            if (row := key_results.fold(None, recorded)) is not None
        ]
        return page_of(lambda most: rows[:most], order=("position",), limit=limit, formerly="values")


def snapshot(tx: Tx, goal_id: str) -> dict[str, float]:
    """The values of the key results around a goal, by their ids: those of the objective above it.

    Without an objective, or before anything was measured: {}.
    """
    goal = tx.load(goal_id, GOAL)
    while goal.goal_type is not GoalType.OBJECTIVE:
        if (above := goal.contract["parent_goal_id"]) is None:  # parents never run in a circle
            return {}
        goal_id, goal = above, tx.load(above, GOAL)
    held = {key_result: tx.load(key_result, GOAL) for key_result in goal.key_results}
    return {
        key_result: state.current
        for key_result, state in held.items()
        if state.current is not None
        and state.status is not GoalStatus.ARCHIVED
        and state.contract["parent_goal_id"] == goal_id  # some were moved elsewhere
    }
