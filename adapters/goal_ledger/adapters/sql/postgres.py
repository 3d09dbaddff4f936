"""PostgreSQL connections as we need them: one writer under a lock, readers beside it, errors in our words."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from goal_ledger.adapters.sql import errors as ours
from goal_ledger.domain.errors import Invalid, LedgerError, Unavailable

Connection = psycopg.Connection[tuple[Any, ...]]

Statement = tuple[str, Sequence[Any]]
"""SQL, and its values."""

_IDLE_READERS = 8
"""As many are kept for the next question; a server's connections are few."""

_IDLE_IN_TRANSACTION = "60s"
"""A writer that is silent for so long inside a transaction is dead to the others: the server takes the lock back."""

_DEFAULTS: dict[str, str | int] = {
    "application_name": "goal-ledger",
    "connect_timeout": 10,
    "keepalives_idle": 30,  # seconds; a host that died is noticed within a minute
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

_SETTINGS = """SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', %s, false),
    set_config('default_transaction_read_only', CASE WHEN %s THEN 'on'
        ELSE current_setting('default_transaction_read_only') END, false),
    set_config('synchronous_commit', CASE WHEN NOT %s THEN 'off'
        WHEN current_setting('synchronous_commit') = 'off' THEN 'on'
        ELSE current_setting('synchronous_commit') END, false)"""

_GOODBYES = {"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04"}
"""The server's last words on a connection, as SQLSTATEs."""


def advisory_lock(name: str) -> str:
    """A lock that is no table's, for `PostgresDatabase(lock=…)`: whoever takes the same name writes alone."""
    key = int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
    return f"SELECT pg_advisory_xact_lock({key})"


class CannotConnect(psycopg.OperationalError):
    """The server was not reached, or let nobody in."""


class PostgresSession:
    """A connection in use, asked with `?` like the other database.

    locked: the row that taking the write lock gave, inside `PostgresDatabase.write`. another: gives a new connection
    when this one is lost; for reading, where asking again is the same as long as nothing was asked in a transaction.
    """

    def __init__(self, connection: Connection, another: Callable[[], Connection] | None = None) -> None:
        self.connection = connection
        self.locked: Any = None
        self._another = another
        self._later: list[tuple[str, Sequence[Any]]] = []

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[tuple[Any, ...]]:
        """Ask or tell; what was put off goes first, in the same round trip."""
        put_off, self._later = self._later, []
        statements = [*put_off, (statement, values)]
        try:
            answer = _execute_all(self.connection, statements)
        except psycopg.Error as error:
            if self._another is None or not was_lost(error):
                raise
            self.connection.close()
            self.connection = self._another()
            answer = _execute_all(self.connection, statements)
        if put_off:
            self._another = None  # what was begun goes with this connection
        return answer

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Tell for every row, without waiting in between."""
        self.flush()
        self.connection.cursor().executemany(_translated(statement), rows)

    def later(self, statement: str, values: Sequence[Any]) -> None:
        """Put a statement off until the next one, or the commit, and send both in one go."""
        self._later.append((statement, values))

    def flush(self, *then: str) -> None:
        """Send what was put off, and then these statements, in one round trip."""
        if self._later or then:
            put_off, self._later = self._later, []
            _execute_all(self.connection, [*put_off, *((statement, ()) for statement in then)])


class PostgresDatabase:
    """One schema of a database, which need not exist yet.

    Threads share it: writers take turns, readers never wait for them. A forked child must open its own. A connection
    that was lost is replaced when the next one is needed.

    name: for people. lock: the statement that takes the write lock at the beginning of a transaction, see
    `advisory_lock`; without one, writers only wait for the rows that they change.
    """

    unstorable: tuple[type[Exception], ...] = (
        OverflowError,
        TypeError,
        ValueError,
        psycopg.DataError,
        psycopg.ProgrammingError,
    )

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        name: str,
        wait_s: float = 30.0,
        durable: bool = True,
        read_only: bool = False,
        lock: str | None = None,
    ) -> None:
        self.name = name
        self.schema = schema
        self.lock = threading.RLock()
        self._url = url
        self._begin = ["BEGIN ISOLATION LEVEL READ COMMITTED", *([lock] if lock else [])]
        self._settings = (schema, f"{max(1, round(wait_s * 1000))}ms", _IDLE_IN_TRANSACTION, read_only, durable)
        self._pid = os.getpid()
        self._readers: deque[Connection] = deque()
        self._writer: Connection | None = None
        self._closed = False

    def write(self) -> AbstractContextManager[PostgresSession]:
        """A transaction that holds the write lock from its first statement; all or nothing."""
        return self._transaction(self._begin)

    @contextmanager
    def creating(self) -> Iterator[PostgresSession]:
        """A transaction in which one process at a time makes the schema, when it lacks, and what belongs in it."""
        with self._transaction([self._begin[0], advisory_lock(f"create {self.schema}")]) as session:
            found = session.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self.schema,)).fetchone()
            if found is None:
                session.execute(f'CREATE SCHEMA "{self.schema}"')
            yield session

    @contextmanager
    def read(self) -> Iterator[PostgresSession]:
        """A session to read with; each statement sees what is committed by then."""
        session = PostgresSession(self._reader(), self.connect)
        try:
            yield session
        finally:
            self._done_with(session.connection)

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSession]:
        """A session that sees one moment for as long as the block lasts."""
        session = PostgresSession(self._reader(), self.connect)
        session.later("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        try:
            yield session
        finally:
            with suppress(psycopg.Error):
                session.connection.execute("ROLLBACK")
            self._done_with(session.connection)

    def words(self) -> AbstractContextManager[None]:
        """Errors of psycopg leave the block as ours."""
        return in_our_words(self.name)

    def connect(self) -> Connection:
        """A connection of the caller's own, which must close it."""
        self._check_open()
        try:
            given = conninfo_to_dict(self._url)
            rest = {name: value for name, value in _DEFAULTS.items() if name not in given}
            conninfo = make_conninfo(self._url, **rest)
        except psycopg.Error:  # its words may hold a part of the password
            hint = "postgresql://user@host:5432/database?schema=team_a"
            raise Invalid("bad_url", "the url of the server cannot be understood", hint=hint) from None
        try:
            connection = psycopg.connect(conninfo, autocommit=True, client_encoding="UTF8")
        except psycopg.Error as error:
            raise CannotConnect(_reason(error)) from error
        try:
            connection.execute(_SETTINGS, self._settings)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close every connection; blocks still reading close theirs."""
        with self.lock:
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            if self._writer is not None:
                self._writer.close()

    # --- The writer

    @contextmanager
    def _transaction(self, begin: Sequence[str]) -> Iterator[PostgresSession]:
        with self.lock:
            session = self._begun(begin)
            try:
                yield session
                session.flush("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _begun(self, statements: Sequence[str]) -> PostgresSession:
        """A transaction on the writer's connection, which is a new one when the old was lost meanwhile."""
        self._check_open()
        if self._writer is not None and self._writer.info.transaction_status is TransactionStatus.INTRANS:
            raise psycopg.ProgrammingError("a transaction is under way in this thread")
        if self._writer is not None:
            try:
                if not _is_lost(self._writer):
                    return _begin(self._writer, statements)
            except psycopg.Error as error:
                if not was_lost(error):
                    self._roll_back()
                    raise
            self._writer.close()
        self._writer = self.connect()
        try:
            return _begin(self._writer, statements)
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        """End the transaction; a connection that cannot is closed, which ends it too."""
        writer = self._writer
        if writer is None:
            return
        with suppress(psycopg.Error):
            if not _is_lost(writer):
                writer.execute("ROLLBACK")
                return
        self._writer = None
        writer.close()

    # --- Readers

    def _reader(self) -> Connection:
        self._check_open()
        while True:
            try:
                reader = self._readers.pop()
            except IndexError:
                return self.connect()
            if not _is_lost(reader):
                return reader
            reader.close()

    def _done_with(self, reader: Connection) -> None:
        if self._closed or _is_lost(reader) or len(self._readers) >= _IDLE_READERS:
            reader.close()
        else:
            self._readers.append(reader)

    def _check_open(self) -> None:
        ours.require_usable(closed=self._closed, opened_by=self._pid)


def was_lost(error: psycopg.Error) -> bool:
    """Whether it was the connection that failed, so that nobody knows what the server did last."""
    if isinstance(error, CannotConnect):
        return False
    return error.sqlstate in _GOODBYES or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None)


def _reason(error: psycopg.Error) -> str:
    """Why there was no connection, in the server's words or the network's."""
    first = str(error).strip().partition("\n")[0]
    for mark in ("FATAL:", "failed: "):
        _, found, rest = first.rpartition(mark)
        if found:
            return rest.strip()
    return first


def _begin(connection: Connection, statements: Sequence[str]) -> PostgresSession:
    session = PostgresSession(connection)
    cursor = _execute_all(connection, [(statement, ()) for statement in statements])
    session.locked = cursor.fetchone() if len(statements) > 1 else None
    return session


def _is_lost(connection: Connection) -> bool:
    """Whether a connection that nobody uses is of no more use: a server that says something then says goodbye."""
    if connection.closed:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _execute(connection: Connection, statement: str, values: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    if not values:
        return connection.execute(statement.encode(), binary=True)
    return connection.execute(_translated(statement), values, binary=True)


def _execute_all(connection: Connection, statements: Sequence[Statement]) -> psycopg.Cursor[tuple[Any, ...]]:
    """Send statements in one round trip; what the last one gave."""
    if len(statements) == 1:
        return _execute(connection, *statements[0])
    with connection.pipeline():
        return [_execute(connection, *statement) for statement in statements][-1]


@lru_cache(maxsize=1024)
def _translated(statement: str) -> bytes:
    return statement.replace("%", "%%").replace("?", "%s").encode()


# --- Errors


@contextmanager
def in_our_words(name: str) -> Iterator[None]:
    """Turn psycopg's errors into the ledger's. name: of the ledger, for people."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, name) from error


def translated(error: psycopg.Error, name: str) -> LedgerError:
    """The error in our words, with the way out."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    match error:
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            return ours.busy(name)
        case errors.DiskFull():
            return ours.disk_full(name)
        case errors.InsufficientPrivilege():
            return Unavailable("not_writable", f"{name}: {said}", hint="ask its owner for the missing rights")
        case errors.ReadOnlySqlTransaction():
            return Unavailable(
                "not_writable", f"{name} can only be read: {said}", hint="name the primary server, or open it read-only"
            )
        case errors.DataCorrupted() | errors.IndexCorrupted():
            return ours.corrupt(name, said)
        case errors.IoError():
            return ours.io_error(name, said)
        case errors.QueryCanceled():
            return Unavailable("cancelled", f"{name}: {said}; nothing was written", hint="try again")
    if isinstance(error, CannotConnect):
        return Unavailable(
            "cannot_open", f"{name} cannot be reached: {error}", hint="check the url, the password and the server"
        )
    if was_lost(error):
        return Unavailable("connection_lost", f"the connection to {name} was lost: {said}", hint="try again")
    return ours.store_error(name, said)
