"""Open loops: pending retries, questions and follow-ups, opened by commands or by work, closed with an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.errors import LedgerError, Rejected
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals import loop as rules
from goal_ledger.domain.goals.goal import GOAL, Goal
from goal_ledger.domain.goals.lifecycle import FINISHED, GoalStatus
from goal_ledger.domain.goals.loop import LOOP, LoopKind, LoopOpened, LoopStatus, Matter
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.goals.open_loops import LoopRow, open_loops

_RETRY = "Try again?"


class Loops(Rows[LoopRow]):
    """The open loops of a ledger. Every method that writes returns the loop as it then stands."""

    kind = Kind(open_loops, "loop_", "loop", order=("due_order", "position"), descending=False)

    # --- Writing

    @operation("loop.open")
    def open(
        self,
        kind: LoopKind,
        question: str,
        *,
        goal_id: str | None = None,
        run_id: str | None = None,
        due_at: datetime | str | None = None,
        reason: str | None = None,
    ) -> LoopRow:
        """Open a loop; one that is open stays as it is, one that was closed is opened again.

        goal_id: that of the run by default. due_at: until when.

        Rejected: no_question, no_goal, other_goal. NotFound: unknown_goal, unknown_run. Invalid: bad_time, naive_time.
        """
        opened: list[str] = []

        def work(tx: Tx) -> None:
            opened.append(
                open_in(tx, kind=kind, question=question, goal_id=goal_id, run_id=run_id, due_at=due_at, reason=reason)
            )

        arguments = {
            "kind": kind, "question": question, "goal_id": goal_id, "run_id": run_id, "due_at": due_at,
            "reason": reason,
        }  # fmt: skip
        recorded = self._engine.transact(work, operation="loop.open", arguments=arguments)
        return self._answer(opened[0] if opened else recorded[0].stream, recorded)

    @operation("loop.close")
    def close(self, loop_id: str, *, answer: str, reason: str | None = None) -> LoopRow:
        """Close it with the answer; a goal that waits for nothing else is taken up again.

        Rejected: no_answer, already_closed. NotFound: unknown_loop.
        """
        row = self.get(loop_id)
        others = self._holding(row.goal_id) if row.goal_id is not None and row.holds_goal else (0, ())

        def work(tx: Tx) -> None:
            holds = tx.load(loop_id, LOOP).holds_goal
            closed = tx.act(loop_id, LOOP, rules.close, answer=answer, reason=reason)
            if closed and holds and row.goal_id is not None:
                _take_up(tx, row.goal_id, loop_id, *others)

        arguments = {"loop_id": loop_id, "answer": answer, "reason": reason}
        return self._answer(loop_id, self._engine.transact(work, operation="loop.close", arguments=arguments))

    # --- Reading

    def list(
        self,
        *,
        status: LoopStatus | None = LoopStatus.OPEN,
        kind: LoopKind | None = None,
        goal_id: str | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[LoopRow]:
        """Loops, the one that is due first, then the one that is open for longest. status: None for every one."""
        return self._page({"status": status, "kind": kind, "goal_id": goal_id}, after=after, limit=limit)

    def counts(self) -> dict[LoopKind, int]:
        """How many are open, by kind."""
        found = Counter(row.kind for row in self.list().rows)
        return {kind: found[kind] for kind in LoopKind}

    def is_overdue(self, row: LoopRow) -> bool:
        """Whether it is open after its time."""
        return rules.is_overdue(row.status, row.due_at, utc_text(self._engine.now()))

    # --- Shared

    def _holding(self, goal_id: str) -> tuple[int, Sequence[str]]:
        """A position, and the loops that held the goal there."""
        views = self._engine.views
        position = views.catch_up()
        rows = views.select(open_loops, {"goal_id": goal_id, "status": LoopStatus.OPEN}, order=("position",))
        return position, [row.loop_id for row in rows if row.holds_goal]


# --- Inside other transactions


def open_in(
    tx: Tx,
    *,
    kind: LoopKind,
    question: str,
    goal_id: str | None = None,
    run_id: str | None = None,
    due_at: datetime | str | None = None,
    holds_goal: bool = False,
    reason: str | None = None,
) -> str:
    """Open a loop inside a transaction; its id. holds_goal: the answer takes the waiting goal up again.

    Errors: those of `Loops.open`.
    """
    if run_id is not None:
        run = tx.load(require_id("grun_", run_id), RUN)
        run_rules.existing(run)
        if goal_id not in (None, run.goal_id):
            raise Rejected("other_goal", f"run {run_id} is an attempt at {run.goal_id}, not at {goal_id}")
        goal_id = run.goal_id
    if goal_id is not None:
        goal_rules.existing(tx.load(require_id("goal_", goal_id), GOAL))
    matter = Matter(LoopKind(kind), question, goal_id, run_id)
    stream = rules.loop_id(matter)
    tx.act(stream, LOOP, rules.open, matter=matter, due_at=due_at, holds_goal=holds_goal, reason=reason)
    return stream


def open_retry(tx: Tx, run_id: str) -> None:
    """Open the pending retry of a goal whose run has just failed or was lost, unless no further attempt may come."""
    if may_retry(tx.load(tx.load(run_id, RUN).goal_id, GOAL)):
        open_in(tx, kind=LoopKind.PENDING_RETRY, question=_RETRY, run_id=run_id)


def pending_retry(tx: Tx, goal_id: str) -> str | None:
    """The goal's pending retry, when it is open."""
    stream = rules.loop_id(Matter(LoopKind.PENDING_RETRY, _RETRY, goal_id))
    return stream if tx.load(stream, LOOP).is_open else None


def note_refusal(tx: Tx, name: str, error: LedgerError, recorded: Recorded | None) -> None:
    """Keep what refused a reaction as a follow-up, about the goal or run whose event it follows where there is one."""
    stream = "" if recorded is None else recorded.stream
    question = _storable(f"{rules.REFUSED}: {name}: {error.message} ({error.code})")
    matter = Matter(
        LoopKind.FOLLOW_UP,
        question if len(question) <= tx.text_limit else question[: tx.text_limit - 1] + "…",
        stream if stream.startswith("goal_") else None,
        stream if stream.startswith("grun_") else None,
    )
    tx.act(rules.loop_id(matter), LOOP, rules.open, matter=matter)


def _storable(text: str) -> str:
    """A text with a mark for what no event may hold: NUL and half a character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def close_retry(tx: Tx, goal_id: str, answer: str) -> str | None:
    """Close the goal's pending retry, when it is open; its id."""
    return close_in(tx, Matter(LoopKind.PENDING_RETRY, _RETRY, goal_id), answer)


def close_in(tx: Tx, matter: Matter, answer: str) -> str | None:
    """Close the loop about a matter, when it is open; its id."""
    stream = rules.loop_id(matter)
    if not tx.load(stream, LOOP).is_open:
        return None
    tx.act(stream, LOOP, rules.close, answer=answer)
    return stream


def wait_for_answer(
    tx: Tx, goal_id: str, question: str, *, due_at: datetime | str | None = None, reason: str | None = None
) -> None:
    """Let a goal wait for the answer to a question. Errors: those of `Loops.open`, and Rejected: not_allowed."""
    tx.act(require_id("goal_", goal_id), GOAL, goal_rules.wait, reason=reason or question)
    open_in(
        tx, kind=LoopKind.CLARIFICATION, question=question, goal_id=goal_id, due_at=due_at, holds_goal=True,
        reason=reason,
    )  # fmt: skip


def may_retry(goal: Goal) -> bool:
    """Whether another attempt at the goal can still come."""
    most = goal.contract.get("max_attempts")
    return goal.status not in FINISHED and (most is None or goal.attempts < most)


def _take_up(tx: Tx, goal_id: str, answered: str, position: int, holding: Sequence[str]) -> None:
    """Let the goal go on, unless it left waiting already, or another question still holds it."""
    later = [
        recorded.stream
        for recorded in tx.since(position)
        if isinstance(recorded, Recorded) and isinstance(recorded.event, LoopOpened)
    ]
    for loop_id in {*holding, *later} - {answered}:
        loop = tx.load(loop_id, LOOP)
        if loop.is_open and loop.holds_goal and loop.goal_id == goal_id:
            return
    if tx.load(goal_id, GOAL).status is GoalStatus.WAITING:
        tx.act(goal_id, GOAL, goal_rules.resume, reason=f"{answered} is answered")
