"""What a start finds unfinished and does about it, and what a stop checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from goal_ledger.adapters.process import is_alive
from goal_ledger.domain.continuity import session as rules
from goal_ledger.domain.continuity.session import (
    LISTED,
    SESSION,
    GoalReconciliationReport,
    KeyResultValue,
    LeftRun,
    MissedCadence,
    OpenLoops,
    Session,
    SessionStatus,
    listed,
    told,
)
from goal_ledger.domain.errors import Hint, LedgerError, Rejected
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.contract import CatchUp, Overlap
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import FINISHED, GoalStatus, GoalType
from goal_ledger.domain.goals.loop import LOOP, LoopKind, LoopStatus
from goal_ledger.domain.goals.maintenance import OccurrenceDue, OccurrencesSkipped
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import OPEN, RUN, RunStatus
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.loops import close_retry, pending_retry
from goal_ledger.ledger.learning.context import rules_in_force
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.goals.open_loops import open_loops
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.runs.goal_runs import goal_runs

_PAGE = 5_000
_NAMED = 10  # goals and runs that a summary names
_MEASURED = 1_000  # key results whose values are kept
_RESUMABLE = frozenset({GoalStatus.ACTIVE, GoalStatus.CHECKPOINTED})


class Seen(NamedTuple):
    """What the read models held at a position: ids, in order. What is acted on is looked at again under the lock.

    key_results, repeating: the active ones among the goals; repeating: those of maintenance that have a cadence.
    """

    position: int
    active_goals: Sequence[str]
    blocked_goals: Sequence[str]
    key_results: Sequence[str]
    repeating: Sequence[str]
    runs: Sequence[str]
    loops: Sequence[str]
    lessons: Sequence[str]
    rules: Sequence[str]


def look(engine: Engine) -> Seen:
    """What may have to be reconciled, or checkpointed."""
    position = engine.views.catch_up()
    columns = ("goal_id", "goal_type", "review_cadence")
    active = [*_each(engine, goal_definitions, columns, {"status": GoalStatus.ACTIVE})]
    types = {goal_type for _, goal_type, _ in active}
    return Seen(
        position,
        [goal_id for goal_id, _, _ in active],
        [goal_id for (goal_id,) in _each(engine, goal_definitions, ("goal_id",), {"status": GoalStatus.BLOCKED})],
        [goal_id for goal_id, goal_type, _ in active if goal_type == GoalType.KEY_RESULT],
        [goal_id for goal_id, goal_type, cadence in active if cadence and goal_type == GoalType.MAINTENANCE],
        [run_id for (run_id,) in _each(engine, goal_runs, ("run_id",), {"status": tuple(OPEN)})],
        [loop_id for (loop_id,) in _each(engine, open_loops, ("loop_id",), {"status": LoopStatus.OPEN})],
        [
            lesson_id
            for lesson_id, goal_type in _each(engine, lessons, ("lesson_id", "goal_type"), {"active": True})
            if goal_type in types or (types and goal_type is None)
        ],
        rules_in_force(engine),
    )


# --- Starting


def start_in(
    tx: Tx, stream: str, seen: Seen, *, now: datetime, owner: str | None = None, reason: str | None = None
) -> None:
    """Begin a session inside a transaction, unless one goes on; see `Sessions.start`.

    Runs found running without a live lease are interrupted, and their goals flagged with a pending retry. Checkpointed
    runs go on where their goal allows it. Pending retries of finished goals are closed.

    Rejected: draining.
    """
    tx.act(stream, SESSION, lambda _: [])  # what `if_version` speaks of
    session = tx.load(stream, SESSION)
    found = _Found(tx, seen)
    lost = [run_id for run_id in found.running if not _is_alive(tx, run_id, now)]
    if _goes_on(session, bool(lost)):
        return
    actions = _Actions(tx, session.number + 1)
    for run_id in lost:
        actions.try_to(run_id, actions.interrupt)
    for run_id in reversed(found.checkpointed):  # of several attempts at a goal, the latest one
        actions.try_to(run_id, actions.resume)
    for loop_id in found.loops:
        actions.try_to(loop_id, actions.close_moot_retry)
    for goal_id in seen.repeating:
        actions.try_to(goal_id, lambda repeating: actions.fall_due(repeating, now))
    report = GoalReconciliationReport(
        position=seen.position,
        last_stop=session.last_stop,
        last_clean_shutdown_at=session.last_clean_shutdown_at,
        active_goals=listed(seen.active_goals),
        blocked_goals=listed(seen.blocked_goals),
        running_runs=listed(found.running),
        checkpointed_runs=listed(found.checkpointed),
        orphaned_runs=listed(actions.orphaned),
        resumed_runs=listed(actions.resumed),
        left_runs=tuple(actions.left[:LISTED]),
        open_loops=_still_open(tx, [*found.loops, *actions.opened]),
        closed_loops=listed(actions.closed),
        lessons=listed(seen.lessons),
        rules=tuple(seen.rules[:LISTED]),
        missed_cadences=tuple(actions.missed[:LISTED]),
        errors=told(found.errors + actions.errors),
        actions=told(actions.told),
    )
    tx.act(stream, SESSION, rules.start, report=report, owner=owner, reason=reason)


def _goes_on(session: Session, is_orphaned: bool) -> bool:
    """Whether the latest session has not ended, as far as anybody can tell. Rejected: draining."""
    if session.status in (None, SessionStatus.STOPPED):
        return False
    alive = None if session.owner is None else is_alive(session.owner)
    if session.status is SessionStatus.DRAINING:
        if alive:
            raise Rejected(
                "draining",
                f"session {session.number} is draining, and its process {session.owner} is alive",
                hint="wait for it to stop, or: " + Hint("session", "stop"),
            )
        return False
    return alive or (alive is None and not is_orphaned)


class _Actions:
    """What a start does, one thing at a time: what goes wrong with one is noted, and the rest goes on."""

    def __init__(self, tx: Tx, number: int) -> None:
        self._tx = tx
        self._number = number
        self.orphaned: list[str] = []
        self.resumed: list[str] = []
        self.left: list[LeftRun] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.missed: list[MissedCadence] = []
        self.errors: list[str] = []
        self.told: list[str] = []

    def try_to(self, stream: str, action: Callable[[str], None]) -> None:
        """Do it whole or not at all."""
        try:
            with self._tx.all_or_nothing():
                action(stream)
        except LedgerError as error:
            self.errors.append(f"{stream}: {error.message}")

    def interrupt(self, run_id: str) -> None:
        """Give up a run on which nobody works; its goal is tried again, or fails after the last attempt."""
        tx = self._tx
        tx.act(
            run_id,
            RUN,
            run_rules.interrupt,
            reason=f"orphaned: session {self._number} found nobody at work on it",
            orphaned=True,
        )
        tx.follow()
        loop_id = pending_retry(tx, tx.load(run_id, RUN).goal_id)
        self.orphaned.append(run_id)
        if loop_id is None:
            self.told.append(f"interrupted {run_id}; its goal takes no further attempt")
        else:
            self.opened.append(loop_id)
            self.told.append(f"interrupted {run_id} and opened {loop_id}")

    def resume(self, run_id: str) -> None:
        """Let a checkpointed run go on, where its goal allows it."""
        tx = self._tx
        goal_id = tx.load(run_id, RUN).goal_id
        goal = tx.load(goal_id, GOAL)
        others = [other for other in goal.running if tx.load(other, RUN).status is RunStatus.RUNNING]
        if not goal.contract.get("resume_if_checkpointed", True):
            why = "its goal does not let it: resume_if_checkpointed is off"
        elif goal.status not in _RESUMABLE:
            why = f"its goal is {goal.status}"
        elif others and goal.contract.get("overlap") is not Overlap.ALLOW:
            why = f"{others[0]} of the same goal is running"
        else:
            said = f"session {self._number} began"
            tx.act(goal_id, GOAL, goal_rules.resume, reason=said)
            tx.act(run_id, RUN, run_rules.resume, reason=said)
            self.resumed.append(run_id)
            self.told.append(f"resumed {run_id}")
            return
        self.left.append(LeftRun(run_id=run_id, goal_id=goal_id, why=why))

    def fall_due(self, goal_id: str, now: datetime) -> None:
        """Let come due what a goal's cadence brought while nobody looked, by its policy for what was missed."""
        from goal_ledger.ledger.goals.cadence import fall_due_in  # time zones are slow to import

        events = [recorded.event for recorded in fall_due_in(self._tx, [goal_id], now)]
        due = [event for event in events if isinstance(event, OccurrenceDue)]
        skipped = sum(event.missed for event in events if isinstance(event, OccurrencesSkipped))
        if not events:
            return
        became = f"{len(due)} due" + (f", {skipped} skipped" if skipped else "")
        missed = len(due) + sum(event.missed for event in due) + skipped
        policy = CatchUp(self._tx.load(goal_id, GOAL).contract["catch_up"])
        self.missed.append(MissedCadence(goal_id=goal_id, policy=policy, missed=missed, became=became))
        self.told.append(f"{goal_id}: {missed} occurrences came round, {became}")

    def close_moot_retry(self, loop_id: str) -> None:
        """Close the pending retry of a goal at which nothing more will be tried."""
        tx = self._tx
        loop = tx.load(loop_id, LOOP)
        if loop.kind is not LoopKind.PENDING_RETRY or loop.goal_id is None:
            return
        status = tx.load(loop.goal_id, GOAL).status
        if status in FINISHED and close_retry(tx, loop.goal_id, f"the goal is {status}"):
            self.closed.append(loop_id)
            self.told.append(f"closed {loop_id}: its goal is {status}")


# --- Stopping


def stop_in(tx: Tx, stream: str, seen: Seen, *, reason: str | None = None) -> None:
    """End the session inside a transaction: runs under way are checkpointed where they stood last.

    NotFound: no_session.
    """
    tx.act(stream, SESSION, lambda _: [])  # what `if_version` speaks of
    session = tx.load(stream, SESSION)
    if rules.existing(session) is SessionStatus.STOPPED:
        return
    tx.act(stream, SESSION, rules.drain, reason=reason)
    found = _Found(tx, seen)
    for run_id in found.running:
        ref = tx.load(run_id, RUN).checkpoint_ref or f"session:{session.number}"
        tx.act(run_id, RUN, run_rules.checkpoint, checkpoint_ref=ref, reason=f"session {session.number} stopped")
    loops = _still_open(tx, found.loops)
    tx.act(
        stream,
        SESSION,
        rules.stop,
        now=tx.now,
        summary=_summary(tx, seen, found.running, loops),
        checkpointed_runs=listed(found.running),
        active_goals=listed(seen.active_goals),
        blocked_goals=listed(seen.blocked_goals),
        key_results=[
            KeyResultValue(goal_id=goal_id, value=tx.load(goal_id, GOAL).current)
            for goal_id in seen.key_results[:_MEASURED]
        ],
        open_loops=loops,
        reason=reason,
    )


def _summary(tx: Tx, seen: Seen, running: Sequence[str], loops: OpenLoops) -> str:
    """What was happening, in words; the same for the same history."""
    parts = []
    for what, goals in (("active", seen.active_goals), ("blocked", seen.blocked_goals)):
        names = [f"{goal_id} ({tx.load(goal_id, GOAL).contract['title']})" for goal_id in goals[:_NAMED]]
        parts.append(_named(f"{len(goals):,} goals {what}", names, len(goals)))
    names = [f"{run_id} of {tx.load(run_id, RUN).goal_id}" for run_id in running[:_NAMED]]
    parts.insert(0, _named(f"{len(running):,} runs under way", names, len(running)))
    owed = ", ".join(f"{getattr(loops, kind).count:,} {kind.replace('_', ' ')}" for kind in LoopKind)
    text = ". ".join([*parts, f"Owed: {owed}"]) + "."
    return text if len(text) <= tx.text_limit else text[: tx.text_limit - 1] + "…"


def _named(what: str, names: Sequence[str], of: int) -> str:
    more = [f"and {of - len(names):,} more"] if of > len(names) else []
    return f"{what}: {', '.join([*names, *more])}" if names else what


# --- Shared


class _Found:
    """The runs and loops that are open under the lock, in order. errors: those that cannot be read."""

    def __init__(self, tx: Tx, seen: Seen) -> None:
        later = {recorded.stream for recorded in tx.since(seen.position)}
        self.running: list[str] = []
        self.checkpointed: list[str] = []
        self.loops: list[str] = []
        self.errors: list[str] = []
        places = {RunStatus.RUNNING: self.running, RunStatus.CHECKPOINTED: self.checkpointed}
        for run_id in sorted({*seen.runs, *(stream for stream in later if stream.startswith("grun_"))}):
            try:
                status = tx.load(run_id, RUN).status
            except LedgerError as error:  # it holds what only newer code can read
                self.errors.append(f"{run_id}: {error.message}")
                continue
            if status in places:
                places[status].append(run_id)
        for loop_id in [*seen.loops, *sorted(stream for stream in later - {*seen.loops} if stream.startswith("loop_"))]:
            try:
                if tx.load(loop_id, LOOP).is_open:
                    self.loops.append(loop_id)
            except LedgerError as error:
                self.errors.append(f"{loop_id}: {error.message}")


def _still_open(tx: Tx, loops: Sequence[str]) -> OpenLoops:
    by_kind: dict[str, list[str]] = {kind: [] for kind in LoopKind}
    for loop_id in dict.fromkeys(loops):
        loop = tx.load(loop_id, LOOP)
        if loop.is_open and loop.kind is not None:
            by_kind[loop.kind].append(loop_id)
    return OpenLoops(**{kind: listed(ids) for kind, ids in by_kind.items()})


def _is_alive(tx: Tx, run_id: str, now: datetime) -> bool:
    return run_rules.is_alive(tx.load(run_id, RUN), tx.history(run_id), utc_text(now))


def _each(
    engine: Engine, projection: Projection[Any], columns: Sequence[str], where: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Some columns, the key first, of the rows of a question, however many; in order of the key."""
    after: tuple[Any, ...] | None = None
    while found := engine.views.select_columns(projection, columns, where, order=columns[:1], after=after, limit=_PAGE):
        yield from found
        after = found[-1][:1]
