"""An open loop: a question that somebody still owes an answer to, kept until it is closed."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, NotFound, Rejected
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.times import parse_utc, utc_text

# --- Words


class LoopKind(StrEnum):
    """What an open loop waits for: another attempt, an answer, or a look at something later."""

    PENDING_RETRY = "pending_retry"
    CLARIFICATION = "clarification"
    FOLLOW_UP = "follow_up"


class LoopStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


REFUSED = "A reaction was refused"
"""How the question of a follow-up begins that keeps what should have followed from an event, and was refused."""


class Matter(NamedTuple):
    """What a loop is about; goal_id and run_id None when it is about none."""

    kind: LoopKind
    question: str
    goal_id: str | None = None
    run_id: str | None = None


def loop_id(matter: Matter) -> str:
    """The id of the loop about this matter, whoever opens it: the same question is open once.

    Case and white space make no difference. A goal has one pending retry, whatever the question and the run.
    """
    if matter.kind is LoopKind.PENDING_RETRY:
        return derived_id("loop_", matter.kind, matter.goal_id or "", None)
    words = " ".join(matter.question.casefold().split())
    return derived_id("loop_", f"{matter.kind}\0{matter.goal_id or ''}\0{matter.run_id or ''}", words, None)


# --- Events


class LoopOpened(Event):
    """A loop was opened, for the first time or again. due_at: until when, UTC text.

    holds_goal: the goal waits for the answer, which takes it up again.
    """

    stored = "loop.opened"

    kind: Annotated[LoopKind, Field(strict=False)]
    question: str
    goal_id: str | None = None
    run_id: str | None = None
    due_at: str | None = None
    holds_goal: bool = False


class LoopClosed(Event):
    """The loop was closed. answer: what came of it."""

    stored = "loop.closed"

    answer: str


# --- State


class Loop(NamedTuple):
    status: LoopStatus | None = None
    kind: LoopKind | None = None
    goal_id: str | None = None
    holds_goal: bool = False
    answer: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status is LoopStatus.OPEN


LOOP = Decider("loop", Loop())


@LOOP.on(LoopOpened)
def _opened(_: Loop, event: LoopOpened) -> Loop:
    return Loop(LoopStatus.OPEN, event.kind, event.goal_id, event.holds_goal)


@LOOP.on(LoopClosed)
def _closed(loop: Loop, event: LoopClosed) -> Loop:
    return loop._replace(status=LoopStatus.CLOSED, answer=event.answer)


# --- Decisions


@operation("loop.open")
def open(
    loop: Loop,
    *,
    matter: Matter,
    due_at: datetime | str | None = None,
    holds_goal: bool = False,
    reason: str | None = None,
) -> list[Event]:
    """Open a loop. One that was closed is opened again; one that is open stays as it is.

    due_at: until when. holds_goal: the goal waits for it.

    Rejected: no_question, no_goal. Invalid: bad_time, naive_time.
    """
    if not matter.question.strip():
        raise Rejected("no_question", "an open loop needs a question that is not blank")
    if matter.goal_id is None and (holds_goal or matter.kind is LoopKind.PENDING_RETRY):
        raise Rejected(
            "no_goal",
            f"a {matter.kind} needs the goal that it is about",
            hint="name it with " + Hint(goal_id=Blank("")),
        )
    due = None if due_at is None else utc_text(due_at if isinstance(due_at, datetime) else parse_utc(due_at))
    if loop.is_open and (loop.holds_goal or not holds_goal):
        return []
    return [
        LoopOpened(
            kind=matter.kind,
            question=matter.question.strip(),
            goal_id=matter.goal_id,
            run_id=matter.run_id,
            due_at=due,
            holds_goal=holds_goal,
            reason=reason,
        )
    ]


@operation("loop.close")
def close(loop: Loop, *, answer: str, reason: str | None = None) -> list[Event]:
    """Close it with what came of it. Rejected: no_answer, already_closed. NotFound: unknown_loop."""
    existing(loop)
    if not answer.strip():
        raise Rejected("no_answer", "to close a loop, give an answer that is not blank")
    if not loop.is_open:
        if loop.answer == answer.strip():
            return []
        raise Rejected(
            "already_closed",
            "the loop is closed already, with another answer",
            hint=Hint("loop", "show", STREAM) + " says which; open it again to answer it anew",
        )
    return [LoopClosed(answer=answer.strip(), reason=reason)]


# --- Rules shared by the decisions


def existing(loop: Loop) -> LoopStatus:
    """The loop's status. NotFound: unknown_loop."""
    if loop.status is None:
        raise NotFound("unknown_loop", "there is no such loop", hint=Hint("loop", "list"))
    return loop.status


def is_overdue(status: LoopStatus, due_at: str | None, now: str) -> bool:
    """Whether it is open after its time."""
    return status is LoopStatus.OPEN and due_at is not None and due_at < now
