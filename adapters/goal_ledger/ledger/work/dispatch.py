"""Starting runs and what follows when they end, inside a transaction: what `runs`, `work` and leases share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.continuity.session import SESSION, require_dispatch, session_stream
from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.goal import GOAL, Goal, RunDispatched, RunEnqueued
from goal_ledger.domain.goals.loop import LoopKind
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.policies import Receipt
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, RunContext, RunQueued, RunStarted, RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.domain.work import dispatch as rules
from goal_ledger.domain.work.dispatch import NOTHING_SPENT, Spent
from goal_ledger.domain.work.planning import METHODS, plan
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals import conditions
from goal_ledger.ledger.goals.key_results import snapshot
from goal_ledger.ledger.goals.loops import close_retry, open_in

Briefing = Callable[[Tx, str], RunContext | None]
"""Chooses what the next run of a goal is given to work by; None: nothing. It is asked under the lock."""

Brief = Callable[[Engine], Briefing]
"""Prepares a briefing before the lock is taken. Learning chooses; work knows only that somebody does."""


class Attempt(NamedTuple):
    """What a caller says of the run to be started."""

    agent: str | None = None
    job_id: str | None = None
    plan_summary: str | None = None
    metrics_before: dict[str, Any] | None = None
    lease_s: float | None = None
    reason: str | None = None


def start_in(tx: Tx, goal_id: str, attempt: Attempt, *, overlap: Overlap | None = None, brief: Briefing) -> str:
    """Start the goal's next run, or queue it where the goal says so; the run's id.

    overlap: what happens beside an open run; as the goal says unless given.

    Rejected: not_allowed, open_dependencies, over_budget, no_attempts_left, run_overlap. NotFound: unknown_goal.
    """
    refuse_when_stopped(tx)
    goal = _known(tx, goal_id)
    run_id = tx.new_id("grun_")
    running = _still(tx, goal.running)
    decided = tx.act(
        goal_id,
        GOAL,
        rules.dispatch,
        run_id=run_id,
        agent=attempt.agent,
        running=running,
        queued=_queued(tx, goal),
        dependencies=_dependencies(tx, goal),
        overlap=overlap,
        spent=spent_in(tx, goal_id, goal),
        reason=attempt.reason,
    )
    if isinstance(decided[-1].event, RunEnqueued):
        return _enqueue(tx, goal_id, goal, run_id, attempt)
    for other in running:
        if other not in tx.load(goal_id, GOAL).running:
            _replace(tx, other, run_id, attempt.reason)
    _begin(tx, goal_id, goal, run_id, goal.attempts + 1, attempt, context=brief(tx, goal_id))
    return run_id


def queue_in(tx: Tx, goal_id: str, attempt: Attempt) -> str:
    """Queue the goal's next run for whoever claims work; the run's id. Rejected: no_attempts_left."""
    goal = _known(tx, goal_id)
    run_id = tx.new_id("grun_")
    tx.act(goal_id, GOAL, rules.enqueue, run_id=run_id, reason=attempt.reason)
    return _enqueue(tx, goal_id, goal, run_id, attempt)


def claim_in(tx: Tx, goal_id: str, attempt: Attempt, receipt: Receipt, *, brief: Briefing) -> str:
    """Start the run that a policy chose: the oldest of the goal's queue, or its next one; the run's id.

    Never queues nor replaces a run. Rejected: too_early, and what `start_in` refuses.
    """
    goal = _known(tx, goal_id)
    now = utc_text(tx.now or tx.at)
    if goal.not_before is not None and now < goal.not_before:
        raise Rejected("too_early", f"this goal is tried again at {goal.not_before}")
    running, queue = _still(tx, goal.running), _queued(tx, goal)
    wish: dict[str, Any] = {
        "running": running, "dependencies": _dependencies(tx, goal), "spent": spent_in(tx, goal_id, goal),
        "receipt": receipt, "agent": attempt.agent, "reason": attempt.reason,
    }  # fmt: skip
    if queue:
        run_id = queue[0]
        number = tx.load(run_id, RUN).attempt
        tx.act(goal_id, GOAL, rules.dispatch_queued, run_id=run_id, attempt=number, **wish)
        attempt = _as_queued(tx, run_id, attempt)
    else:
        run_id, number = tx.new_id("grun_"), goal.attempts + 1
        attempt = _with_steps(goal, attempt)
        overlap = Overlap.ALLOW if goal.contract["overlap"] is Overlap.ALLOW else Overlap.FORBID
        tx.act(goal_id, GOAL, rules.dispatch, run_id=run_id, overlap=overlap, **wish)
    _begin(tx, goal_id, goal, run_id, number, attempt, context=brief(tx, goal_id))
    return run_id


def take_over_in(tx: Tx, run_id: str, attempt: Attempt, *, brief: Briefing) -> str:
    """Interrupt an open run and start the next attempt in its place; the new run's id.

    Rejected: not_allowed, no_reason, and what `start_in` refuses.
    """
    refuse_when_stopped(tx)
    old = tx.load(run_id, RUN)
    run_rules.existing(old)
    goal = _known(tx, old.goal_id)
    new = tx.new_id("grun_")
    run_rules.require_open(old, "take-over")
    tx.act(
        old.goal_id,
        GOAL,
        rules.dispatch,
        run_id=new,
        agent=attempt.agent,
        running=[other for other in _still(tx, goal.running) if other != run_id],
        dependencies=_dependencies(tx, goal),
        overlap=Overlap.ALLOW,
        spent=spent_in(tx, old.goal_id, goal),
        reason=attempt.reason,
    )
    tx.act(run_id, RUN, run_rules.interrupt, reason=attempt.reason, successor=new)
    goes_on = goal.contract["resume_if_checkpointed"]
    _begin(tx, old.goal_id, goal, new, goal.attempts + 1, attempt, takes_over=run_id, context=brief(tx, old.goal_id),
           checkpoint_ref=(old.checkpoint_ref or None) if goes_on else None)  # fmt: skip
    return new


def refuse_when_stopped(tx: Tx) -> None:
    """Refuse to hand out work between a drain or a stop and the next start. Rejected: draining, stopped."""
    require_dispatch(tx.load(session_stream(tx.ledger_id), SESSION))


def is_busy(tx: Tx, goal: Goal) -> bool:
    """Whether a run of the goal is open or queued."""
    return bool(_still(tx, goal.running) or _queued(tx, goal))


def begun(recorded: Sequence[Recorded]) -> str:
    """The run that was started or queued last."""
    return next(one.stream for one in reversed(recorded) if isinstance(one.event, RunStarted | RunQueued))


def spent_in(tx: Tx, goal_id: str, goal: Goal) -> Spent:
    """What the goal's runs cost so far, as their streams say; nothing is looked up without a budget."""
    if goal.contract.get("budget_usd") is None:
        return NOTHING_SPENT
    runs = {**dict.fromkeys(_dispatched(tx, goal_id)), **dict.fromkeys(goal.running)}
    costs = [tx.load(run_id, RUN).cost_usd for run_id in runs]
    return Spent(sum((cost for cost in costs if cost is not None), NOTHING_SPENT.usd), costs.count(None))


def bill_in(tx: Tx, run_id: str, **bill: Any) -> None:
    """Add a bill to a run; when it goes beyond the budget, the goal waits and somebody is asked."""
    goal_id = run_rules.goal_of(tx.load(run_id, RUN))
    goal = tx.load(goal_id, GOAL)
    before = spent_in(tx, goal_id, goal)
    tx.act(run_id, RUN, run_rules.record_cost, **bill)
    after = spent_in(tx, goal_id, goal)
    if rules.crosses(goal, before, after):
        tx.act(goal_id, GOAL, rules.after_bill, before=before, after=after)
        question = (
            f"The runs of {goal.contract['title']!r} cost {after}; its budget is ${goal.contract['budget_usd']}. "
            "Raise the budget, or stop?"
        )
        open_in(tx, kind=LoopKind.CLARIFICATION, question=question, goal_id=goal_id, run_id=run_id)


def _known(tx: Tx, goal_id: str) -> Goal:
    goal = tx.load(require_id("goal_", goal_id), GOAL)
    goal_rules.existing(goal)
    return goal


def _enqueue(tx: Tx, goal_id: str, goal: Goal, run_id: str, attempt: Attempt) -> str:
    queued = RunQueued(
        goal_id=goal_id,
        attempt=goal.attempts + 1,
        agent=attempt.agent,
        job_id=attempt.job_id,
        task_category=goal.contract["task_category"],
        plan_summary=attempt.plan_summary,
        reason=attempt.reason,
    )
    tx.act(run_id, RUN, run_rules.enqueue, queued=queued)
    return run_id


def _begin(tx: Tx, goal_id: str, goal: Goal, run_id: str, number: int, attempt: Attempt, **more: Any) -> None:
    started = RunStarted(
        goal_id=goal_id,
        attempt=number,
        agent=attempt.agent,
        job_id=attempt.job_id,
        task_category=goal.contract["task_category"],
        plan_summary=attempt.plan_summary,
        metrics_before=attempt.metrics_before or snapshot(tx, goal_id),
        lease_s=attempt.lease_s,
        reason=attempt.reason,
        **more,
    )
    close_retry(tx, goal_id, f"{run_id} began")
    tx.act(run_id, RUN, run_rules.start, started=started)
    conditions.check_constraints(tx, goal_id, run_id)


def _with_steps(goal: Goal, attempt: Attempt) -> Attempt:
    """The attempt with the steps that its goal is broken down into, when a method applies."""
    steps = plan(goal.contract["metadata"], METHODS)
    return attempt if steps is None else attempt._replace(plan_summary=attempt.plan_summary or str(steps))


def _as_queued(tx: Tx, run_id: str, attempt: Attempt) -> Attempt:
    """The attempt with what was said of it when it was queued."""
    said = next(one.event for one in tx.history(run_id) if isinstance(one, Recorded))
    if not isinstance(said, RunQueued):
        return attempt
    return attempt._replace(job_id=said.job_id, plan_summary=said.plan_summary)


def _replace(tx: Tx, run_id: str, successor: str, reason: str | None) -> None:
    why = reason or "another run of the goal was started"
    tx.act(run_id, RUN, run_rules.interrupt, reason=why, successor=successor)


def _dependencies(tx: Tx, goal: Goal) -> dict[str, Goal]:
    return {other: tx.load(other, GOAL) for other in goal.dependencies}


def _still(tx: Tx, run_ids: Sequence[str]) -> list[str]:
    return [run_id for run_id in run_ids if tx.load(run_id, RUN).is_open]


def _queued(tx: Tx, goal: Goal) -> list[str]:
    return [run_id for run_id in goal.queued if tx.load(run_id, RUN).status is RunStatus.QUEUED]


def _dispatched(tx: Tx, goal_id: str) -> list[str]:
    return [
        one.event.run_id
        for one in tx.history(goal_id)
        if isinstance(one, Recorded) and isinstance(one.event, RunDispatched)
    ]
