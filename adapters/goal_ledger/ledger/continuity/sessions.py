"""Sessions: start (reconcile unfinished work) and stop (checkpoint running work)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.continuity import session as rules
from goal_ledger.domain.continuity.session import SESSION, SessionEvent, session_stream
from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page, select_page
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.continuity.sessions import SessionRow, sessions

if TYPE_CHECKING:
    from types import FrameType

_TERMINATED = 128 + signal.SIGTERM


class Sessions:
    """The sessions of a ledger, one at a time. Every method that writes returns the session as it then stands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- Writing

    @operation("session.start")
    def start(self, *, owner: str | None = None, reason: str | None = None) -> SessionRow:
        """Reconcile unfinished work, and let work be handed out; see `reconciliation.start_in`.

        Nothing changes while a session runs, unless it has plainly ended without a stop: the process that owned it is
        gone, or, when it had no owner, a run is left with nobody who works on it.

        owner: the process whose life the session has, see `process.this_process`; None for a life of its own.

        Rejected: draining, while its process is alive.
        """
        return self._start(owner, reason)[0]

    def drain(self, *, reason: str | None = None) -> SessionRow:
        """Hand out no new work from now on. Rejected: stopped. NotFound: no_session."""
        return self._answer(self._engine.act(self._stream, SESSION, rules.drain, reason=reason))

    @operation("session.stop")
    def stop(self, *, reason: str | None = None) -> SessionRow:
        """Checkpoint running work, and end the session with what was happening. NotFound: no_session."""
        from goal_ledger.ledger.continuity.reconciliation import look, stop_in  # few commands start or stop

        seen = look(self._engine)

        def work(tx: Tx) -> None:
            stop_in(tx, self._stream, seen, reason=reason)

        return self._answer(self._engine.transact(work, operation="session.stop", arguments={"reason": reason}))

    @contextmanager
    def running(self) -> Iterator[SessionRow]:
        """A session for the length of a `with` block; one that runs already is joined, and left running.

        It is stopped when the block ends, by an error too, and by SIGTERM, which becomes SystemExit in the main thread
        when the program handles it in no way of its own.
        """
        from goal_ledger.adapters.process import this_process

        mine = Sessions(self._engine.using(command_id=None, if_version=None))
        with _terminating():
            row, is_new = mine._start(this_process(), None)
            try:
                yield row
            except BaseException as error:
                if is_new:
                    mine.stop(reason=_ended_by(error))
                raise
            if is_new:
                mine.stop()

    # --- Reading

    def get(self, number: int | None = None) -> SessionRow:
        """One session, the latest by default. NotFound: no_session, unknown_session."""
        return self._row(number, None)

    def list(self, *, after: Cursor | None = None, limit: int | None = None) -> Page[SessionRow]:
        """Sessions, the latest first."""
        return select_page(
            self._engine.views, sessions, {}, order=("number",), descending=True, after=after, limit=limit,
            formerly="sessions",
        )  # fmt: skip

    # --- Shared

    @property
    def _stream(self) -> str:
        return session_stream(self._engine.id)

    def _start(self, owner: str | None, reason: str | None) -> tuple[SessionRow, bool]:
        """The session that runs, and whether it was started now."""
        from goal_ledger.ledger.continuity.reconciliation import look, start_in

        seen, now = look(self._engine), self._engine.now()

        def work(tx: Tx) -> None:
            start_in(tx, self._stream, seen, now=tx.now or now, owner=owner, reason=reason)

        recorded = self._engine.transact(work, operation="session.start", arguments={"owner": owner, "reason": reason})
        return self._answer(recorded), bool(recorded)

    def _answer(self, recorded: tuple[Recorded, ...]) -> SessionRow:
        """The session as it stood right after what was recorded; the latest when that is nothing."""
        numbers = [each.event.number for each in recorded if isinstance(each.event, SessionEvent)]
        return self._row(numbers[-1] if numbers else None, recorded[-1].position if recorded else None)

    def _row(self, number: int | None, up_to: int | None) -> SessionRow:
        row: SessionRow | None = None
        for recorded in self._engine.stream(self._stream):
            if not isinstance(recorded, Recorded) or (up_to is not None and recorded.position > up_to):
                continue
            if isinstance(recorded.event, SessionEvent) and number in (None, recorded.event.number):
                row = sessions.fold(row, recorded)
        if row is None and number is not None:
            raise NotFound("unknown_session", f"there is no session {number}", hint=Hint("session", "list"))
        if row is None:
            raise rules.no_session()
        return row


def _ended_by(error: BaseException) -> str:
    if isinstance(error, SystemExit) and error.code == _TERMINATED:
        return "ended by SIGTERM"
    return f"ended by {type(error).__name__}"


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM ends the block like an error would; only where the program leaves it to the system."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def terminate(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows checkpoints running work
        raise SystemExit(_TERMINATED)

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
