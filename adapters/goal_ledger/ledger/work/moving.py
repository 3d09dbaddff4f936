"""What moves goals by itself: their conditions, and their deadlines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from goal_ledger.domain.errors import LedgerError, Rejected
from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals import watchdog
from goal_ledger.domain.goals.contract import is_exceeded
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.goals.loop import LoopKind
from goal_ledger.domain.runs.run import RUN
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.conditions import InStreams, InViews, Sight, is_met, understood
from goal_ledger.ledger.goals.loops import open_in
from goal_ledger.ledger.work.dispatch import Attempt, queue_in
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions
from goal_ledger.projections.work.agenda import AgendaRow, agenda

T = TypeVar("T")

_PAGE = 500  # goals looked at in one go


def each(things: Iterable[T], do: Callable[[T], Iterable[str]]) -> Iterator[str]:
    """Do something for each of some things; what was done. One that fails stops no other; its error comes last."""
    failed: LedgerError | None = None
    for thing in things:
        try:
            yield from do(thing)
        except LedgerError as error:
            failed = failed or error
    if failed is not None:
        raise failed


# --- Conditions


class Step(StrEnum):
    """What the conditions of a goal make of it."""

    STOP = "stop"
    START = "start"
    FIRE = "fire"
    CLEAR = "clear"


def steps(sight: Sight, goal: GoalRow, *, firing: bool, now: datetime | None) -> list[Step]:
    """What follows from the conditions of a goal as it stands. firing: what it watches for came true before."""

    def met(field: str) -> bool:
        one = understood(field, getattr(goal, field))
        return one is not None and is_met(one.condition, sight, goal, now=now)

    if goal.status is GoalStatus.ARCHIVED:
        return []
    if met("stop_condition"):
        return [Step.STOP]
    if goal.status is GoalStatus.PLANNED and _is_free(sight, goal) and met("start_condition"):
        return [Step.START]
    is_watching = goal.goal_type is GoalType.WATCHDOG and goal.status is GoalStatus.ACTIVE
    if firing != (is_watching and met("watch")):
        return [Step.CLEAR if firing else Step.FIRE]
    return []


def move_goals(engine: Engine, now: datetime) -> Iterator[str]:
    """Do what follows from the conditions of all goals, and from what that changes, until nothing follows.

    What was done, a line each. Candidates come from the read models; each is decided on its streams, under the lock.
    """
    anything = True
    while anything:
        anything = False
        for line in each(_candidates(engine, now), lambda goal: _move(engine, goal)):
            anything = True
            yield line


def _candidates(engine: Engine, now: datetime) -> Iterator[GoalRow]:
    """The goals from whose conditions something follows, as the read models tell."""
    after: tuple[str, ...] | None = None
    while page := engine.views.select(agenda, {"conditional": True}, order=("goal_id",), after=after, limit=_PAGE):
        ids = [row.goal_id for row in page]
        goals = {
            row.goal_id: row for row in engine.views.select(goal_definitions, {"goal_id": ids}, order=("goal_id",))
        }
        sight = InViews(engine, goals)
        for row in page:
            goal = goals.get(row.goal_id)
            if goal is not None and steps(sight, goal, firing=row.firing, now=now):
                yield goal
        after = (page[-1].goal_id,)


def _move(engine: Engine, goal: GoalRow) -> list[str]:
    """Move one goal, in one transaction; what was done."""
    done: list[str] = []

    def work(tx: Tx) -> None:
        row = tx.fold(goal_definitions, goal.goal_id)
        firing = tx.load(goal.goal_id, GOAL).incident is not None
        if row is not None:
            done.extend(_take(tx, row, step) for step in steps(InStreams(tx), row, firing=firing, now=tx.now))

    part = engine.part(f"{goal.goal_id}:{goal.version}")
    part.transact(work, operation="tick.conditions", arguments={"goal_id": goal.goal_id, "version": goal.version})
    return done


def _take(tx: Tx, goal: GoalRow, step: Step) -> str:
    """Take a step; what was done."""
    goal_id = goal.goal_id
    match step:
        case Step.STOP:
            reason = f"stop_condition: {goal.stop_condition}"
            tx.act(goal_id, GOAL, rules.archive, cause=ArchiveCause.STOPPED, reason=reason)
            return f"{goal_id} archived: {reason}"
        case Step.START:
            reason = f"start_condition: {goal.start_condition}"
            dependencies = {other: tx.load(other, GOAL) for other in goal.dependencies}
            tx.act(goal_id, GOAL, rules.ready, dependencies=dependencies, reason=reason)
            return f"{goal_id} ready: {reason}"
        case Step.FIRE:
            condition = goal.watch or ""
            tx.act(goal_id, GOAL, watchdog.fire, incident=tx.new_id("inc_"))
            _recover(tx, goal_id, condition)
            return f"{goal_id} fired: {condition}"
        case Step.CLEAR:
            tx.act(goal_id, GOAL, watchdog.clear)
            return f"{goal_id} cleared: {goal.watch or 'it watches for nothing more'}"


def _recover(tx: Tx, goal_id: str, condition: str) -> None:
    """Ask somebody to look, and queue a run that whoever claims work finds; a goal out of attempts gets none."""
    open_in(tx, kind=LoopKind.FOLLOW_UP, question=f"The watchdog fired: {condition}. What is wrong?", goal_id=goal_id)
    with suppress(Rejected), tx.all_or_nothing():
        queue_in(tx, goal_id, Attempt(plan_summary=f"recover from: {condition}"))


def _is_free(sight: Sight, goal: GoalRow) -> bool:
    """Whether everything that it depends on is done."""
    rows = (sight.row("goal", other) for other in goal.dependencies)
    return all(row is not None and row.done for row in rows)


# --- Deadlines


def fail_exceeded(engine: Engine, now: datetime) -> Iterator[str]:
    """Fail the goals that were started and whose deadline passed; an open run of theirs goes on, and is reported."""
    return each(past_deadline(engine, now, started=True), lambda row: _fail(engine, row))


def past_deadline(engine: Engine, now: datetime, *, started: bool) -> Iterator[AgendaRow]:
    """The goals whose deadline passed, the oldest first. started: those that are known to be unstarted, or the rest."""
    after: tuple[str, ...] | None = None
    order, present = ("time_horizon", "goal_id"), utc_text(now)
    while page := engine.views.select(agenda, {"started": started}, order=order, after=after, limit=_PAGE):
        for row in page:
            if row.time_horizon >= present:  # `ongoing` too, for letters stand behind digits
                return
            yield row
        after = (page[-1].time_horizon, page[-1].goal_id)


def _fail(engine: Engine, row: AgendaRow) -> list[str]:
    done: list[str] = []
    goal_id = row.goal_id

    def work(tx: Tx) -> None:
        goal = tx.load(goal_id, GOAL)
        if goal.status is None or tx.now is None:
            return
        if is_exceeded(goal.status, goal.contract["time_horizon"], utc_text(tx.now)):
            tx.act(goal_id, GOAL, rules.fail, reason="deadline_exceeded")
            still = "".join(f"; run {run} is still open" for run in goal.running if tx.load(run, RUN).is_open)
            done.append(f"{goal_id} failed: deadline_exceeded{still}")

    arguments = {"goal_id": goal_id, "time_horizon": row.time_horizon}
    engine.part(f"{goal_id}:{row.time_horizon}").transact(work, operation="tick.deadlines", arguments=arguments)
    return done
