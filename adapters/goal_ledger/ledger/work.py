"""Work: what should be done next, and claiming it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.goals.dispatch import NOTHING_SPENT, Spent
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.goals.router import CLOSED, ROUTER, Choice, route
from goal_ledger.domain.goals.router import Work as Candidate
from goal_ledger.domain.policies import receipt
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.dispatching import Attempt, claim_in
from goal_ledger.ledger.neighbours import refuse_when_stopped
from goal_ledger.projections.goals.board import GoalRow, goal_board
from goal_ledger.projections.runs.runs import RunRow, runs

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

_OPEN = tuple(status for status in GoalStatus if status not in CLOSED)
_UNDER_WAY = (RunStatus.RUNNING, RunStatus.CHECKPOINTED)


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

        def work(tx: Tx) -> None:
            refuse_when_stopped(tx)
            attempt = Attempt(agent=agent or tx.by, lease_s=lease_s, reason=reason)
            free = [choice for choice in self._choices(utc_text(tx.now or tx.at)) if choice.eligible]
            ranked = [choice.scored for choice in free]
            for choice in free:
                why = receipt(ROUTER, ranked, choice.goal_id, position=tx.head, settings={})
                try:
                    with tx.all_or_nothing():
                        claim_in(tx, choice.goal_id, attempt, why)
                        return
                except Rejected:  # what the read models show is checked again on the streams: take the next one
                    continue

        recorded = self._ledger.transact(
            work, operation="work.claim", arguments={"agent": agent, "lease_s": lease_s, "reason": reason}
        )
        return self._ledger.answer(runs, recorded[-1].stream, recorded) if recorded else None

    def _choices(self, now: str) -> list[Choice]:
        views = self._ledger.views
        rows = {row.goal_id: row for row in views.select(goal_board, {"status": _OPEN}, order=("priority", "goal_id"))}
        running = _by_goal(views.select(runs, {"status": _UNDER_WAY}, order=("run_id",)))
        queued = _by_goal(views.select(runs, {"status": RunStatus.QUEUED}, order=("run_id",)))
        around = self._around(rows)

        def candidate(row: GoalRow) -> Candidate:
            return Candidate(
                goal_id=row.goal_id,
                title=row.title,
                goal_type=row.goal_type,
                status=row.status,
                priority=row.priority,
                parent_goal_id=row.parent_goal_id,
                open_dependencies=tuple(
                    other for other in row.dependencies if (known := around.get(other)) is None or not known.done
                ),
                running=tuple(running.get(row.goal_id, ())),
                queued=tuple(queued.get(row.goal_id, ())),
                overlap=row.overlap,
                attempts=row.attempts,
                max_attempts=row.max_attempts,
                not_before=row.not_before,
                budget_usd=row.budget_usd,
                spent=NOTHING_SPENT if row.budget_usd is None else self._spent(row.goal_id),
                progress=_progress(row),
                is_due=_is_due(row),
            )

        return route(map(candidate, around.values()), now=now)

    def _around(self, rows: Mapping[str, GoalRow]) -> dict[str, GoalRow]:
        """The rows with everything above them and what they depend on, closed or not."""
        known = dict(rows)
        wanted = [other for row in rows.values() for other in (*row.dependencies, row.parent_goal_id) if other]
        for goal_id in wanted:
            if goal_id not in known and (row := self._ledger.views.get(goal_board, goal_id)) is not None:
                known[goal_id] = row
                if row.parent_goal_id is not None:
                    wanted.append(row.parent_goal_id)
        return known

    def _spent(self, goal_id: str) -> Spent:
        costs = [row.cost_usd for row in self._ledger.views.select(runs, {"goal_id": goal_id}, order=("attempt",))
                 if row.status is not RunStatus.QUEUED]  # fmt: skip
        return Spent(sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None))


def _progress(row: GoalRow) -> float:
    """How far a key result is, 0 to 1; one without a reading counts as 0."""
    return getattr(row, "progress", None) or 0.0


def _is_due(row: GoalRow) -> bool | None:
    """Whether what a goal watches or maintains asks for a run; None for other goals, and when nobody can say."""
    if row.goal_type is GoalType.WATCHDOG:
        return getattr(row, "incident_open", None)
    if row.goal_type is GoalType.MAINTENANCE:
        return getattr(row, "occurrence_open", None)
    return None


def _by_goal(rows: Iterable[RunRow]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.goal_id, []).append(row.run_id)
    return found
