"""Sessions: between a start and a stop work is handed out; the next start reconciles unfinished work."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Count, Decider, Event, Payload, Texts, operation
from goal_ledger.domain.errors import Hint, NotFound, Rejected
from goal_ledger.domain.goals.contract import CatchUp
from goal_ledger.domain.times import utc_text

LISTED = 100
"""How many ids a report names; the count and the digest speak of all."""

# --- Words


class SessionStatus(StrEnum):
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"


class LastStop(StrEnum):
    """How the session before ended. none: there was none before."""

    NONE = "none"
    CLEAN = "clean"
    UNCLEAN = "unclean"


def session_stream(ledger_id: str) -> str:
    """The stream of a ledger's sessions: one for all of them, named after the ledger."""
    return "session_" + ledger_id.removeprefix("meta_")


# --- What the events hold


class Listed(Payload):
    """Some ids. count: of all. ids: of many the first. digest: sha256 over all, each on a line of its own."""

    count: Count
    ids: Texts
    digest: str


class LeftRun(Payload):
    """A checkpointed run that was not resumed, and why."""

    run_id: str
    goal_id: str
    why: str


class MissedCadence(Payload):
    """Occurrences of a goal's cadence that fell between two sessions. became: what was made of them."""

    goal_id: str
    policy: Annotated[CatchUp, Field(strict=False)]
    missed: Count
    became: str


class KeyResultValue(Payload):
    """What a key result stood at; value None when it was never measured."""

    goal_id: str
    value: float | None = None


class OpenLoops(Payload):
    """The loops that are open, by kind."""

    pending_retry: Listed
    clarification: Listed
    follow_up: Listed


Runs = Annotated[tuple[LeftRun, ...], Field(strict=False)]
Cadences = Annotated[tuple[MissedCadence, ...], Field(strict=False)]
Values = Annotated[tuple[KeyResultValue, ...], Field(strict=False)]


class GoalReconciliationReport(Payload):
    """What a start found, and what it did about it.

    position: of the last event that it took into account. last_clean_shutdown_at: of the last session that was stopped.
    active_goals, blocked_goals, running_runs, checkpointed_runs: as they were found. orphaned_runs: found running with
    nobody who works on them, interrupted now. left_runs: the first checkpointed ones that were not resumed. lessons:
    those that apply to the types of the active goals. rules: those that are in force, the ones on trial marked
    `(canary)`. errors: what could not be reconciled, in words. actions: what was done, in words; of many the first, and
    how many more.
    """

    position: Count
    last_stop: Annotated[LastStop, Field(strict=False)]
    last_clean_shutdown_at: str | None = None
    active_goals: Listed
    blocked_goals: Listed
    running_runs: Listed
    checkpointed_runs: Listed
    orphaned_runs: Listed
    resumed_runs: Listed
    left_runs: Runs = ()
    open_loops: OpenLoops
    closed_loops: Listed
    lessons: Listed
    rules: Texts = ()
    missed_cadences: Cadences = ()
    errors: Texts = ()
    actions: Texts = ()


# --- Events


class SessionEvent(Event):
    """number: of the session, from 1."""

    number: Annotated[int, Field(ge=1)]


class SessionStarted(SessionEvent):
    """Work may be handed out. owner: the process whose life the session has; None when it has a life of its own."""

    stored = "session.started"

    owner: str | None = None
    report: GoalReconciliationReport


class SessionDraining(SessionEvent):
    """No new work is handed out; what is under way may end."""

    stored = "session.draining"


class SessionStopped(SessionEvent):
    """The session stopped, its running work checkpointed. summary: what was happening, in words.

    stopped_at: the next start's last_clean_shutdown_at. checkpointed_runs: those of now. key_results: what the
    active ones stood at.
    """

    stored = "session.stopped"

    stopped_at: str | None = None
    summary: str
    checkpointed_runs: Listed
    active_goals: Listed
    blocked_goals: Listed
    key_results: Values = ()
    open_loops: OpenLoops


# --- State


class Session(NamedTuple):
    """The latest session of a ledger; number 0 when there was none."""

    number: int = 0
    status: SessionStatus | None = None
    owner: str | None = None
    last_clean_shutdown_at: str | None = None

    @property
    def last_stop(self) -> LastStop:
        """How the latest session ended, for whoever starts another."""
        if self.status is None:
            return LastStop.NONE
        return LastStop.CLEAN if self.status is SessionStatus.STOPPED else LastStop.UNCLEAN


SESSION = Decider("session", Session(), recent=3)
"""A session has three events at most, and the first says what must be known of the ones before."""


@SESSION.on(SessionStarted)
def _started(_: Session, event: SessionStarted) -> Session:
    return Session(event.number, SessionStatus.RUNNING, event.owner, event.report.last_clean_shutdown_at)


@SESSION.on(SessionDraining)
def _draining(session: Session, _: SessionDraining) -> Session:
    return session._replace(status=SessionStatus.DRAINING)


@SESSION.on(SessionStopped)
def _stopped(session: Session, event: SessionStopped) -> Session:
    return session._replace(status=SessionStatus.STOPPED, last_clean_shutdown_at=event.stopped_at)


# --- Decisions


@operation("session.start")
def start(
    session: Session, *, report: GoalReconciliationReport, owner: str | None = None, reason: str | None = None
) -> list[Event]:
    """Begin the next session with what was found and done."""
    return [SessionStarted(number=session.number + 1, owner=owner, report=report, reason=reason)]


@operation("session.drain")
def drain(session: Session, *, reason: str | None = None) -> list[Event]:
    """Hand out no new work from now on. Rejected: stopped. NotFound: no_session."""
    match existing(session):
        case SessionStatus.STOPPED:
            raise _over("stopped", f"session {session.number} is stopped; there is nothing to drain")
        case SessionStatus.DRAINING:
            return []
        case SessionStatus.RUNNING:
            return [SessionDraining(number=session.number, reason=reason)]


@operation("session.stop")
def stop(
    session: Session,
    *,
    now: datetime | None,
    summary: str,
    checkpointed_runs: Listed,
    active_goals: Listed,
    blocked_goals: Listed,
    key_results: Sequence[KeyResultValue],
    open_loops: OpenLoops,
    reason: str | None = None,
) -> list[Event]:
    """End the session with what was happening. NotFound: no_session."""
    if existing(session) is SessionStatus.STOPPED:
        return []
    return [
        SessionStopped(
            number=session.number,
            stopped_at=None if now is None else utc_text(now),
            summary=summary,
            checkpointed_runs=checkpointed_runs,
            active_goals=active_goals,
            blocked_goals=blocked_goals,
            key_results=tuple(key_results),
            open_loops=open_loops,
            reason=reason,
        )
    ]


# --- Rules shared by the decisions


def existing(session: Session) -> SessionStatus:
    """The status of the latest session. NotFound: no_session."""
    if session.status is None:
        raise no_session()
    return session.status


def no_session() -> NotFound:
    """The error that no session was ever started."""
    return NotFound("no_session", "no session was ever started", hint=Hint("session", "start"))


def dispatch_allowed(session: Session) -> bool:
    """Whether work may be handed out: always when no session was ever started."""
    return session.status in (None, SessionStatus.RUNNING)


def require_dispatch(session: Session) -> None:
    """Refuse to hand out work while nobody may. Rejected: draining, stopped."""
    if not dispatch_allowed(session):
        raise _over(str(session.status), f"session {session.number} is {session.status}: no new work is handed out")


def listed(ids: Sequence[str]) -> Listed:
    """Ids as an event holds them: in order, of many the first."""
    in_order = sorted(ids)
    digest = sha256("".join(f"{one}\n" for one in in_order).encode()).hexdigest()
    return Listed(count=len(in_order), ids=tuple(in_order[:LISTED]), digest=digest)


def told(actions: Sequence[str]) -> tuple[str, ...]:
    """Sentences as an event holds them: of many the first, and how many more."""
    more = len(actions) - LISTED
    return (*actions[:LISTED], *([f"and {more:,} more"] if more > 0 else []))


def _over(code: str, message: str) -> Rejected:
    return Rejected(code, message, hint=Hint("session", "start"))
