"""Every session of the ledger: when it was started and stopped, what it found and what was happening at its end."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.continuity.session import (
    LastStop,
    SessionDraining,
    SessionEvent,
    SessionStarted,
    SessionStatus,
    SessionStopped,
)
from goal_ledger.projections.base import Projection


class SessionRow(NamedTuple):
    """One session. clean: whether it was stopped: False while it runs, and for good when it ended in a crash.

    last_stop: how the session before ended. report: of the start, see `GoalReconciliationReport`. snapshot: what the
    stop saw: checkpointed_runs, active_goals, blocked_goals, key_results, open_loops; {} before it. stop_reason: why it
    was stopped, when somebody said so.
    """

    session_id: str
    number: int
    status: SessionStatus
    last_stop: LastStop
    clean: bool
    owner: str | None
    report: dict[str, Any]
    summary: str | None
    snapshot: dict[str, Any]
    stop_reason: str | None
    started_by: str
    started_at: str | None
    draining_at: str | None
    stopped_at: str | None
    position: int


sessions = Projection("sessions", SessionRow, key="session_id", indexes=(("number",),))


def session_key(stream: str, number: int) -> str:
    """The key of one session's row."""
    return f"{stream}:{number}"


def _own_row(recorded: Recorded, event: SessionEvent) -> str:
    return session_key(recorded.stream, event.number)


@sessions.on(SessionStarted, at=_own_row)
def _started(_: SessionRow | None, recorded: Recorded, event: SessionStarted) -> SessionRow:
    return SessionRow(
        session_id=_own_row(recorded, event),
        number=event.number,
        status=SessionStatus.RUNNING,
        last_stop=event.report.last_stop,
        clean=False,
        owner=event.owner,
        report=event.report.model_dump(mode="json"),
        summary=None,
        snapshot={},
        stop_reason=None,
        started_by=recorded.by,
        started_at=recorded.occurred_at,
        draining_at=None,
        stopped_at=None,
        position=recorded.position,
    )


@sessions.on(SessionDraining, at=_own_row)
def _draining(row: SessionRow | None, recorded: Recorded, _: SessionDraining) -> SessionRow | None:
    if row is None:
        return None
    return row._replace(status=SessionStatus.DRAINING, draining_at=recorded.occurred_at, position=recorded.position)


@sessions.on(SessionStopped, at=_own_row)
def _stopped(row: SessionRow | None, recorded: Recorded, event: SessionStopped) -> SessionRow | None:
    if row is None:
        return None
    return row._replace(
        status=SessionStatus.STOPPED,
        clean=True,
        summary=event.summary,
        snapshot=event.model_dump(mode="json", exclude={"number", "stopped_at", "summary", "reason"}),
        stop_reason=event.reason,
        stopped_at=recorded.occurred_at,
        position=recorded.position,
    )
