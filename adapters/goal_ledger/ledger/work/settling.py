"""What the end of a run means for its goal: another attempt, the end of the last one, an occurrence that is done."""

from __future__ import annotations

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals import goal as goals
from goal_ledger.domain.goals import maintenance
from goal_ledger.domain.goals.goal import GOAL, Goal
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.goals.maintenance import OccurrenceCompleted
from goal_ledger.domain.runs.run import RUN, LocalOutcome, RunFinished, RunInterrupted
from goal_ledger.domain.work import dispatch as rules
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.loops import open_retry
from goal_ledger.ledger.work.dispatch import is_busy
from goal_ledger.projections.runs.goal_runs import goal_runs


def settle(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """Schedule the next attempt after a failure or a loss, or let the goal fail after the last one.

    While another attempt may come, the goal has a pending retry. A success closes the oldest open occurrence of a
    maintenance goal. A run that another took the place of settles nothing; one that never began only when it was the
    last attempt.
    """
    event, run = recorded.event, tx.load(recorded.stream, RUN)
    goal = tx.load(run.goal_id, GOAL)
    if goal.status is None:
        return
    match event:
        case RunFinished(local_outcome=LocalOutcome.SUCCEEDED):
            if not _completed_an_occurrence(tx, run.goal_id, recorded.stream):
                tx.act(run.goal_id, GOAL, maintenance.complete_by_run, run_id=recorded.stream)
        case RunFinished(local_outcome=LocalOutcome.FAILED):
            _try_again(engine, tx, recorded.stream, run.goal_id)
        case RunInterrupted(successor=None) if run.has_begun or _was_the_last_chance(tx, goal):
            _try_again(engine, tx, recorded.stream, run.goal_id)


def complete_in(
    tx: Tx, run_id: str, goal_id: str, *, evidence: str | None, caveats: str | None, reason: str | None
) -> None:
    """Complete the goal of a run that succeeded, with the run as evidence by default.

    Goals that go on after a success are not completed by it; of maintenance, the oldest open occurrence is.

    Rejected: not_allowed, no_caveats.
    """
    match tx.load(goal_id, GOAL).goal_type:
        case GoalType.MAINTENANCE:
            tx.act(goal_id, GOAL, maintenance.complete_by_run, run_id=run_id, evidence=evidence, caveats=caveats)
        case GoalType.WATCHDOG | GoalType.EXPERIMENT:
            pass
        case _:
            tx.act(goal_id, GOAL, goals.complete, evidence=evidence or run_id, caveats=caveats, reason=reason)


def _was_the_last_chance(tx: Tx, goal: Goal) -> bool:
    """Whether the run that left the queue had the last number, and the attempt before it did not succeed."""
    limit = goal.contract.get("max_attempts")
    if limit is None or goal.attempts < limit or not goal.running:
        return False
    row = tx.fold(goal_runs, goal.running[-1])
    return row is not None and row.local_outcome is not LocalOutcome.SUCCEEDED


def _completed_an_occurrence(tx: Tx, goal_id: str, run_id: str) -> bool:
    """Whether whoever finished the run has completed one already."""
    events = (one.event for one in tx.gathered(goal_id))
    return any(isinstance(event, OccurrenceCompleted) and event.run_id == run_id for event in events)


def _try_again(engine: Engine, tx: Tx, run_id: str, goal_id: str) -> None:
    busy, now = is_busy(tx, tx.load(goal_id, GOAL)), tx.now or tx.at
    tx.act(goal_id, GOAL, rules.after_failure, run_id=run_id, is_busy=busy, now=now, settings=engine.settings)
    open_retry(tx, run_id)
