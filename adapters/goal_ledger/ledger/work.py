"""Work: what should be done next, and claiming it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.goals.dispatch import NOTHING_SPENT, Spent
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.goals.router import CLOSED, ROUTER, Choice, route
from goal_ledger.domain.goals.router import Work as Candidate
from goal_ledger.domain.policies import receipt
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.dispatching import Attempt, begun, briefing, claim_in
from goal_ledger.ledger.sessions import refuse_when_stopped
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

_OPEN = tuple(status for status in GoalStatus if status not in CLOSED)
_UNDER_WAY = (RunStatus.RUNNING, RunStatus.CHECKPOINTED)
_BILLED = tuple(status for status in RunStatus if status is not RunStatus.QUEUED)
_AT_ONCE = 500  # ids in one question

Row = dict[str, Any]
_COLUMNS = (
    "goal_id", "title", "goal_type", "status", "priority", "parent_goal_id", "dependencies", "done", "overlap",
    "attempts", "max_attempts", "not_before", "budget_usd", "progress", "incident_open", "open_occurrences",
    "review_cadence",
)  # fmt: skip
"""What the router looks at."""


class Work:
    """The open goals of a ledger, in the order in which they should be served."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def next(self) -> Choice | None:
        """The goal to work on next; None when there is nothing to do. Writes nothing."""
        best = next(iter(self.explain()), None)
        return best if best is not None and best.eligible else None

    def explain(self) -> Sequence[Choice]:
        """Every open goal with what the router thinks of it, the best first, those that cannot be served last."""
        return self._choices(utc_text(self._ledger.now()))

    def claim(
        self, *, agent: str | None = None, lease_s: float | None = None, reason: str | None = None
    ) -> RunRow | None:
        """Start a run on the goal to work on next, so that nobody else gets it; None when there is nothing to do.

        A queued run of that goal is started before a new one. The choice and the start are one transaction; the
        policy's receipt stands in `goal.run_dispatched`. agent: who works on it, the actor unless said. lease_s: how
        long it may be silent before the run may be given to another.

        Rejected: draining, stopped. Invalid: invalid_value.
        """
        self._ledger.views.catch_up()  # not while others wait for the lock
        brief = briefing(self._ledger)

        def work(tx: Tx) -> None:
            refuse_when_stopped(tx)
            attempt = Attempt(agent=agent or tx.by, lease_s=lease_s, reason=reason)
            free = [choice for choice in self._choices(utc_text(tx.now or tx.at)) if choice.eligible]
            ranked = [choice.scored for choice in free]
            for choice in free:
                why = receipt(ROUTER, ranked, choice.goal_id, position=tx.head, settings={})
                try:
                    with tx.all_or_nothing():
                        claim_in(tx, choice.goal_id, attempt, why, brief=brief)
                        return
                except Rejected:  # what the read models show is checked again on the streams: take the next one
                    continue

        recorded = self._ledger.transact(
            work, operation="work.claim", arguments={"agent": agent, "lease_s": lease_s, "reason": reason}
        )
        return self._ledger.answer(goal_runs, begun(recorded), recorded) if recorded else None

    def _choices(self, now: str) -> list[Choice]:
        seen = self._seen({"status": _OPEN})
        running, queued = self._runs(_UNDER_WAY), self._runs((RunStatus.QUEUED,))
        around = self._around(seen)

        def candidate(goal_id: str, row: Row) -> Candidate:
            return Candidate(
                goal_id,
                row["title"],
                row["goal_type"],
                row["status"],
                row["priority"],
                row["parent_goal_id"],
                tuple(other for other in row["dependencies"] if other not in around or not around[other]["done"]),
                tuple(running.get(goal_id, ())),
                tuple(queued.get(goal_id, ())),
                row["overlap"],
                row["attempts"],
                row["max_attempts"],
                row["not_before"],
                row["budget_usd"],
                NOTHING_SPENT if row["budget_usd"] is None else self._spent(goal_id),
                _progress(row),
                _is_due(row),
            )

        return route((candidate(goal_id, row) for goal_id, row in around.items()), now=now)

    def _seen(self, where: Mapping[str, Any]) -> dict[str, Row]:
        """What the router looks at, by goal."""
        rows = self._ledger.views.select_columns(goal_definitions, _COLUMNS, where, order=("goal_id",))
        return {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in rows}

    def _around(self, seen: Mapping[str, Row]) -> dict[str, Row]:
        """Goals with everything above them and what they depend on, closed or not."""
        known = dict(seen)
        new = list(seen.values())
        while new:
            named = {other for row in new for other in (*row["dependencies"], row["parent_goal_id"]) if other}
            further: dict[str, Row] = {}
            missing = sorted(named - known.keys())
            for at in range(0, len(missing), _AT_ONCE):
                further |= self._seen({"goal_id": missing[at : at + _AT_ONCE]})
            known |= further
            new = list(further.values())
        return known

    def _runs(self, status: tuple[RunStatus, ...]) -> dict[str, list[str]]:
        """The runs in these states by goal, the oldest first."""
        columns = ("run_id", "goal_id")
        found: dict[str, list[str]] = {}
        for run_id, goal_id in self._ledger.views.select_columns(
            goal_runs, columns, {"status": status}, order=("run_id",)
        ):
            found.setdefault(goal_id, []).append(run_id)
        return found

    def _spent(self, goal_id: str) -> Spent:
        columns, where = ("cost_usd",), {"goal_id": goal_id, "status": _BILLED}
        costs = [cost for (cost,) in self._ledger.views.select_columns(goal_runs, columns, where, order=("attempt",))]
        return Spent(sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None))


def _progress(row: Row) -> float:
    """How far a key result is, 0 to 1; one without a reading counts as 0."""
    return row["progress"] or 0.0


def _is_due(row: Row) -> bool | None:
    """Whether what a goal watches or repeats asks for a run; None for other goals."""
    if row["goal_type"] is GoalType.WATCHDOG:
        return bool(row["incident_open"])
    if row["goal_type"] is GoalType.MAINTENANCE and row["review_cadence"] is not None:
        return bool(row["open_occurrences"])
    return None
