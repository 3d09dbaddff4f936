"""Roll-up: the goals above a task that moved follow it, in the same transaction; each event names its cause."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import GOAL, Goal, GoalAmended
from goal_ledger.domain.goals.lifecycle import FINISHED
from goal_ledger.domain.goals.loop import LoopKind, Matter
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, RunStatus
from goal_ledger.domain.work import roll_up as rules
from goal_ledger.domain.work.roll_up import Standing
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals import conditions
from goal_ledger.ledger.goals.loops import close_in, close_retry, open_in
from goal_ledger.ledger.work.dispatch import is_busy


def after_move(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A goal moved, and may have waited for this to be completed."""
    _complete(tx, recorded.stream)


def release(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A goal is over: its queued runs and its pending retry wait for nothing any more."""
    goal = tx.load(recorded.stream, GOAL)
    if goal.status not in FINISHED:
        return
    why = f"its goal is {goal.status}"
    for run_id in goal.queued:
        if tx.load(run_id, RUN).status is RunStatus.QUEUED:
            tx.act(run_id, RUN, run_rules.interrupt, reason=why)
    close_retry(tx, recorded.stream, why)


def follow_above(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A goal moved, and the one above follows."""
    goal_id = recorded.stream
    goal = tx.load(goal_id, GOAL)
    above = goal.contract.get("parent_goal_id")
    if above is None or not rules.is_task(goal) or not rules.is_task(tx.load(above, GOAL)):
        return
    tx.act(above, GOAL, rules.fail, task_id=goal_id, task=goal)
    _hold(tx, above)
    _complete(tx, above)


def after_child(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A task was added: there is something to do, or one thing more that is blocked."""
    _hold(tx, recorded.stream)


def after_amendment(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A task was moved elsewhere: the others may be complete, or all of them blocked."""
    above = recorded.event.was.get("parent_goal_id") if isinstance(recorded.event, GoalAmended) else None
    if above is not None:
        _hold(tx, above)
        _complete(tx, above)


def after_run(_: Engine, tx: Tx, recorded: Recorded) -> None:
    """A run ended, which its goal may have waited for."""
    _complete(tx, tx.load(recorded.stream, RUN).goal_id)


def _hold(tx: Tx, goal_id: str) -> None:
    """Block a goal or let it go on, as its tasks say."""
    goal = tx.load(goal_id, GOAL)
    if goal.tasks and goal.status not in FINISHED:
        tx.act(goal_id, GOAL, rules.follow, standing=_standing(tx, goal_id, goal))


def _complete(tx: Tx, goal_id: str) -> None:
    """Complete a goal whose tasks are, or ask whether its criteria are met; a closed one is asked no more."""
    goal = tx.load(goal_id, GOAL)
    if not goal.tasks:
        return
    criteria = rules.open_criteria(goal)
    matter = Matter(LoopKind.FOLLOW_UP, rules.question(criteria), goal_id)
    if goal.status in FINISHED:
        close_in(tx, matter, f"the goal is {goal.status}")
        return
    if _standing(tx, goal_id, goal) is not Standing.COMPLETE or is_busy(tx, goal):
        return
    if criteria:
        open_in(tx, kind=matter.kind, question=matter.question, goal_id=goal_id)
        return
    conditions.check_start(tx, goal_id)
    dependencies = {other: tx.load(other, GOAL) for other in goal.dependencies}
    tx.act(goal_id, GOAL, rules.complete, tasks=list(_tasks(tx, goal_id, goal)), dependencies=dependencies)


def _standing(tx: Tx, goal_id: str, goal: Goal) -> Standing:
    return rules.standing(task for _, task in _tasks(tx, goal_id, goal))


def _tasks(tx: Tx, goal_id: str, goal: Goal) -> Iterator[tuple[str, Goal]]:
    """The tasks of a goal, from both ends: whether they are done in order or the other way, an open one comes early."""
    seen = set()
    for task_id in chain.from_iterable(zip(reversed(goal.tasks), goal.tasks, strict=True)):
        if task_id not in seen:
            seen.add(task_id)
            task = tx.load(task_id, GOAL)
            if task.contract.get("parent_goal_id") == goal_id:  # some were moved elsewhere
                yield task_id, task
