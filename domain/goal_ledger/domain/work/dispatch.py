"""Handing out a goal's attempts: what stands in the way of one, and what follows from one that failed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, Rejected
from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.goal import (
    Goal,
    GoalActivated,
    GoalFailed,
    GoalWaited,
    RetryScheduled,
    RunDispatched,
    RunEnqueued,
    existing,
    refuse_open,
)
from goal_ledger.domain.goals.lifecycle import MOVES, GoalStatus, moves
from goal_ledger.domain.policies import Receipt
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import utc_text

ATTEMPTS_EXHAUSTED = "attempts_exhausted"
BUDGET_EXCEEDED = "budget_exceeded"


class Spent(NamedTuple):
    """What the runs of a goal cost. usd: the sum of the known bills. unknown: runs of which no cost is known."""

    usd: Decimal = Decimal(0)
    unknown: int = 0

    def __str__(self) -> str:
        runs = "1 run" if self.unknown == 1 else f"{self.unknown} runs"
        return f"${self.usd}" + (f", and nobody knows what {runs} cost" if self.unknown else "")


NOTHING_SPENT = Spent()

# --- Decisions


@operation("goal.dispatch")
def dispatch(
    goal: Goal,
    *,
    run_id: str,
    agent: str | None,
    running: Iterable[str],
    dependencies: Mapping[str, Goal],
    queued: Sequence[str] = (),
    overlap: Overlap | None = None,
    spent: Spent = NOTHING_SPENT,
    receipt: Receipt | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Hand out the next attempt, or put it into the queue; a ready goal becomes active with it.

    running, queued: those of `goal.running` and `goal.queued` that still are. overlap: what happens beside an open run;
    as the contract says unless given. spent: what the goal's runs cost so far. receipt: of the policy that chose it.

    Rejected: not_allowed, open_dependencies, over_budget, no_attempts_left, run_overlap.
    """
    started = _free(goal, dependencies, spent)
    attempt = _next_attempt(goal)
    still = tuple(running)
    overlap = overlap or goal.contract.get("overlap", Overlap.FORBID)
    if overlap is Overlap.ENQUEUE and (still or queued):
        return [RunEnqueued(run_id=run_id, attempt=attempt, agent=agent, reason=reason)]
    if still and overlap is Overlap.FORBID:
        raise Rejected(
            "run_overlap",
            f"run {still[0]} of this goal is still open; finish or interrupt it first, or allow the overlap",
            hint=Hint("run", "show", still[0]),
        )
    beside = still if overlap is Overlap.ALLOW else ()
    return [
        *started,
        RunDispatched(
            run_id=run_id, attempt=attempt, agent=agent, running=(*beside, run_id), receipt=receipt, reason=reason
        ),
    ]


@operation("goal.enqueue")
def enqueue(goal: Goal, *, run_id: str, reason: str | None = None) -> list[Event]:
    """Put the next attempt into the queue, where whoever claims work finds it. Rejected: no_attempts_left."""
    existing(goal)
    return [RunEnqueued(run_id=run_id, attempt=_next_attempt(goal), reason=reason)]


@operation("goal.dispatch_queued")
def dispatch_queued(
    goal: Goal,
    *,
    run_id: str,
    attempt: int,
    agent: str | None,
    running: Iterable[str],
    dependencies: Mapping[str, Goal],
    spent: Spent = NOTHING_SPENT,
    receipt: Receipt | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Hand out the attempt that waits in the queue under this number.

    Rejected: not_allowed, open_dependencies, over_budget, run_overlap.
    """
    started = _free(goal, dependencies, spent)
    if still := tuple(running):
        raise Rejected(
            "run_overlap",
            f"run {still[0]} of this goal is still open; the queue goes on when it has ended",
            hint=Hint("run", "show", still[0]),
        )
    dispatched = RunDispatched(
        run_id=run_id, attempt=attempt, agent=agent, running=(run_id,), receipt=receipt, reason=reason
    )
    return [*started, dispatched]


@operation("goal.record_dispatch")
def record_dispatch(goal: Goal, *, run_id: str, agent: str | None) -> list[Event]:
    """Number an attempt that history tells of: no rule applies to what has already happened."""
    existing(goal)
    return [RunDispatched(run_id=run_id, attempt=goal.attempts + 1, agent=agent, running=goal.running)]


@operation("goal.after_failure")
def after_failure(
    goal: Goal, *, run_id: str, is_busy: bool, now: datetime, settings: Settings, reason: str | None = None
) -> list[Event]:
    """What follows when an attempt failed or was cut off: a retry later, or the end after the last attempt.

    is_busy: whether another run of the goal is open or queued. Nothing follows without `max_attempts`, nor while a
    retry is scheduled.
    """
    limit = goal.contract.get("max_attempts")
    status = existing(goal)
    if limit is None or is_busy:
        return []
    if goal.attempts >= limit:
        can_fail = status in MOVES["fail"].sources
        return [GoalFailed(from_status=status, reason=ATTEMPTS_EXHAUSTED)] if can_fail else []
    if status is not GoalStatus.ACTIVE or goal.not_before is not None:  # it is taken up again by whoever laid it down
        return []
    wait_s = backoff_s(goal.attempts, run_id, settings)
    return [
        RetryScheduled(
            run_id=run_id,
            attempt=goal.attempts + 1,
            not_before=utc_text(now + timedelta(seconds=wait_s)),
            backoff_s=wait_s,
            reason=reason,
        )
    ]


@operation("goal.after_bill")
def after_bill(goal: Goal, *, before: Spent, after: Spent) -> list[Event]:
    """Pause an active goal when a bill went beyond its budget; its runs go on."""
    if goal.status is GoalStatus.ACTIVE and crosses(goal, before, after):
        return [GoalWaited(from_status=GoalStatus.ACTIVE, reason=BUDGET_EXCEEDED)]
    return []


# --- Rules


def backoff_s(failed: int, run_id: str, settings: Settings) -> float:
    """Seconds to wait after so many attempts: exponential, and up to a share shorter by the run's id.

    The share keeps goals that failed together from being tried together (AWS Architecture Blog, "Exponential Backoff
    And Jitter", 2015), and the id keeps it the same in every replay.
    """
    try:
        raw = min(settings.retry_max_s, settings.retry_base_s * settings.retry_factor ** (failed - 1))
    except OverflowError:
        raw = settings.retry_max_s
    chance = int.from_bytes(sha256(run_id.encode()).digest()[:8], "big") / 2**64
    return round(raw * (1 - settings.retry_jitter * chance), 3)


def crosses(goal: Goal, before: Spent, after: Spent) -> bool:
    """Whether the budget held before and does not any more."""
    budget: Decimal | None = goal.contract.get("budget_usd")
    return budget is not None and before.usd <= budget < after.usd


def _free(goal: Goal, dependencies: Mapping[str, Goal], spent: Spent) -> list[Event]:
    """The activation that a ready goal needs first, unless something stands in the way."""
    status = existing(goal)
    if status not in (GoalStatus.READY, GoalStatus.ACTIVE):
        moves(status, "activate")
        raise Rejected(
            "not_allowed",
            f"goal is {status}; to start a run it must be ready or active",
            hint=Hint("goal", "activate", STREAM),
        )
    refuse_open(dependencies)
    budget: Decimal | None = goal.contract.get("budget_usd")
    if budget is not None and spent.usd >= budget:
        raise Rejected(
            "over_budget",
            f"the budget of ${budget} is used up: the runs of this goal cost {spent}",
            hint=Hint("goal", "amend", STREAM, budget_usd=Blank("USD")),
        )
    return [GoalActivated(from_status=status)] if status is GoalStatus.READY else []


def _next_attempt(goal: Goal) -> int:
    attempt = goal.attempts + 1
    limit = goal.contract.get("max_attempts")
    if limit is not None and attempt > limit:
        raise Rejected(
            "no_attempts_left",
            f"all {limit} attempts of this goal are used up",
            hint=Hint("goal", "amend", STREAM, max_attempts=attempt),
        )
    return attempt
