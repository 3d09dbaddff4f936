"""The log in PostgreSQL: a recorder of the eventsourcing library, hardened, with a write path of our own.

The same code decides under the same kind of lock as on SQLite: one row, `ledger_head`, is locked first, counts the
positions, and shows when somebody deleted the tail.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.rows import DictRow, dict_row

from goal_ledger.adapters.sql.postgres import Connection, PostgresDatabase, PostgresSession, translated, was_lost
from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.store.base import Command, Statements, Store, Transaction
from goal_ledger.adapters.store.codec import Codec, StoredRow, digest
from goal_ledger.adapters.store.copying import copy
from goal_ledger.adapters.store.recorder import append_stored, in_the_librarys_words
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.errors import Blank, Conflict, Damaged, Hint, NotFound, Unavailable

FORMAT = 1  # of the tables below, in ledger_format

_SCHEMA = (
    """CREATE TABLE stored_events (
        notification_id BIGINT PRIMARY KEY,
        originator_id TEXT COLLATE "C" NOT NULL,
        originator_version BIGINT NOT NULL,
        topic TEXT COLLATE "C" NOT NULL,
        state BYTEA NOT NULL,
        digest BYTEA NOT NULL,
        UNIQUE (originator_id, originator_version)
    )""",
    """CREATE TABLE commands (
        id TEXT COLLATE "C" PRIMARY KEY,
        digest TEXT NOT NULL,
        first_position BIGINT NOT NULL,
        last_position BIGINT NOT NULL
    )""",
    "CREATE TABLE ledger_head (position BIGINT NOT NULL)",
    "INSERT INTO ledger_head VALUES (0)",
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'restrict_violation'; END$$""",
    """CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    "ALTER TABLE stored_events ENABLE ALWAYS TRIGGER events_are_never_changed",
    "CREATE TABLE ledger_format (version BIGINT NOT NULL)",
    f"INSERT INTO ledger_format VALUES ({FORMAT})",
)

_SQL = Statements("notification_id", last="SELECT position FROM ledger_head")
_LOCK = "SELECT position FROM ledger_head FOR UPDATE"
_INSERT = (
    "INSERT INTO stored_events SELECT * FROM "
    "unnest(?::bigint[], ?::text[], ?::bigint[], ?::text[], ?::bytea[], ?::bytea[])"
)
_TABLE = "SELECT to_regclass(?) IS NOT NULL"
_GUARDED = (
    "SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = 'stored_events'::regclass AND tgenabled = 'A' "
    "AND tgname = 'events_are_never_changed'"
)
_STANDBY_REFUSALS = ("25006", "0A000", "55000")
_STANDBY_LOOK_S = 0.1
"""Seconds between two looks for events on a server that takes no LISTEN."""


class PostgresTransaction(Transaction):
    """As the other store's; what it appends is sent together with the commit."""

    def __init__(self, session: PostgresSession, codec: Codec, channel: str) -> None:
        super().__init__(session, _SQL, codec)
        self._session = session
        self._channel = channel
        self.appended: list[StoredRow] = []
        self.remembered: list[tuple[str, Command]] = []

    def head(self) -> int:
        """The last position ever given out: it counts on even when somebody deleted the tail."""
        if self._session.locked is None:
            raise Damaged("damaged", "the row that counts the positions is gone", hint="restore a backup")
        return self.appended[-1][0] if self.appended else int(self._session.locked[0])

    def append(self, rows: Sequence[StoredRow]) -> None:
        """Append events at positions that follow the head."""
        later = self._session.later
        later(_INSERT, [list(column) for column in zip(*((*row, digest(*row)) for row in rows), strict=True)])
        later("UPDATE ledger_head SET position = ?", (rows[-1][0],))
        if not self.appended:
            later("SELECT pg_notify(?, '')", (self._channel,))
        self.appended += rows

    def remember(self, command_id: str, command: Command) -> None:
        """Note what was done under a command id."""
        self._session.later("INSERT INTO commands VALUES (?, ?, ?, ?)", (command_id, *command))
        self.remembered.append((command_id, command))


class PostgresStore(Store, PostgresApplicationRecorder):
    """One ledger in a schema of its own.

    name: for people, without any password. create: False refuses a ledger that does not exist.
    """

    database: PostgresDatabase

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        name: str,
        codec: Codec | None = None,
        wait_s: float = 30.0,
        durable: bool = True,
        read_only: bool = False,
        create: bool = True,
    ) -> None:
        self._channel = f"{schema}_events"
        self._wait_s = wait_s
        self._listeners: deque[Connection] = deque()
        database = PostgresDatabase(
            url, schema=schema, name=name, wait_s=wait_s, durable=durable, read_only=read_only, lock=_LOCK
        )
        try:
            with database.words():
                _check(database, read_only=read_only, create=create)
        except BaseException:
            database.close()
            raise
        Store.__init__(self, database, _SQL, codec or Codec())
        PostgresApplicationRecorder.__init__(self, _Datastore(database))
        self.channel_name = self._channel

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Read and append under the write lock; commit at the end of the block, nothing at all when it raises.

        Unavailable: connection_lost, when nothing was stored; unknown_outcome, when nobody can tell.
        """
        whole: PostgresTransaction | None = None
        try:
            with self.database.write() as session:
                log = PostgresTransaction(session, self._codec, self._channel)
                yield log
                whole = log
        except psycopg.Error as error:
            if whole is None or not whole.appended or not was_lost(error):
                raise translated(error, self.name) from error
            self._settle(whole)

    # --- Reading

    def bytes(self) -> int:
        """How much the log and its indexes take up."""
        with self._reading() as session:
            return int(session.execute("SELECT pg_total_relation_size('stored_events')").fetchone()[0])

    def copy_to(self, path: Path) -> None:
        """Copy the log into a new SQLite file, as of one moment, while writers go on."""
        target = SqliteStore(path)
        try:
            copy(self, target)
        finally:
            target.close()

    def wait(self, after: int, timeout_s: float) -> None:
        """Wait until there are events behind a position, or the time is up, or the store is closed."""
        deadline = time.monotonic() + timeout_s
        with self.database.words(), self._listening() as listener:
            while not self._closed and self.head() <= after and (left := deadline - time.monotonic()) > 0:
                if listener is None:
                    time.sleep(min(left, _STANDBY_LOOK_S))
                else:  # in slices, for closing the store tells nobody
                    for _ in listener.notifies(timeout=min(left, _STANDBY_LOOK_S), stop_after=1):
                        pass

    def close(self) -> None:
        """Close every connection, and let go whoever waits."""
        super().close()
        while self._listeners:
            self._listeners.pop().close()

    def _findings(self, session: Session) -> list[str]:
        if session.execute(_GUARDED).fetchone()[0] != 1:
            return ["the triggers that keep the log append-only are gone"]
        return []

    @contextmanager
    def _listening(self) -> Iterator[Connection | None]:
        """A connection that hears of every commit from now on; None on a server that takes no LISTEN."""
        listener = self._listeners.pop() if self._listeners else self._new_listener()
        try:
            yield listener
        except BaseException:
            if listener is not None:
                listener.close()
            raise
        if listener is not None:
            self._listeners.append(listener)
            if self._closed:
                self._listeners.pop().close()

    def _new_listener(self) -> Connection | None:
        listener = self.database.connect()
        try:
            listener.execute(f'LISTEN "{self._channel}"'.encode())
        except psycopg.Error as error:
            listener.close()
            if error.sqlstate in _STANDBY_REFUSALS:
                return None
            raise
        return listener

    # --- When nobody said whether a commit was done

    def _settle(self, lost: PostgresTransaction) -> None:
        """Look under the lock whether the events are there; when not, and nobody wrote meanwhile, append them again.

        What was decided is still right then, for nothing that it was decided on can have changed. Gives up after as
        long as a writer waits for the lock.

        Conflict: not_stored. Unavailable: unknown_outcome.
        """
        first = lost.appended[0]
        deadline, pause = time.monotonic() + self._wait_s, 0.0
        while True:
            time.sleep(pause)
            pause = min(1, 2 * pause or 0.05)
            try:
                with self.database.write() as session:
                    log = PostgresTransaction(session, self._codec, self._channel)
                    row = session.execute(_SQL.digest_at, (first[0],)).fetchone()
                    if row is not None and row[0] == digest(*first):
                        return
                    if log.head() != first[0] - 1:
                        raise Conflict(
                            "not_stored",
                            f"the connection to {self.name} was lost; nothing was stored, and somebody else wrote",
                            hint="try again",
                        )
                    log.append(lost.appended)
                    for command_id, command in lost.remembered:
                        log.remember(command_id, command)
                return
            except psycopg.Error as error:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        "unknown_outcome",
                        f"nobody knows whether it was stored: {translated(error, self.name)}",
                        hint="repeat it with the same " + Hint(command_id=Blank("")) + ", which is done once at most",
                    ) from error

    # --- The library's path

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append events in the library's form; their positions."""
        with in_the_librarys_words(psycopg), self.database.write() as session:
            return append_stored(PostgresTransaction(session, self._codec, self._channel), stored_events)

    def create_table(self) -> None:
        """Nothing to do: the tables exist since the ledger was created."""


class _Datastore(PostgresDatastore):
    """The library's view of our connections; each of its questions has one of its own."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self.schema = database.schema
        self.originator_id_type: Literal["text"] = "text"
        self.enable_db_functions = False  # they don't lock: readers would miss events
        self.lock_timeout = 0
        self.db_type_names = set()

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        with in_the_librarys_words(psycopg), self._database.connect() as connection:
            connection.row_factory = dict_row  # type: ignore[assignment]
            yield connection  # type: ignore[misc]

    def register_type_adapters(self) -> None:
        """None: events are inserted our way."""

    def close(self) -> None:
        """The store closes its connections itself."""

    def __del__(self) -> None:
        """There is no pool."""


# --- Creation


def _check(database: PostgresDatabase, *, read_only: bool, create: bool) -> None:
    """Make the tables when they lack, and refuse what is no ledger, or none for us."""
    if not _exists(database):
        if not create:
            raise NotFound("no_ledger", f"there is no ledger at {database.name}", hint="name it with --db")
        _create(database)
    with database.read() as session:
        [found] = session.execute("SELECT version FROM ledger_format").fetchone() or [0]
        [cannot_write] = session.execute("SELECT current_setting('transaction_read_only') = 'on'").fetchone() or [False]
    if found > FORMAT:
        raise Unavailable(
            "newer_format", f"{database.name} was written by a newer goal-ledger (format {found})", hint="upgrade"
        )
    if cannot_write and not read_only:
        raise Unavailable(
            "not_writable",
            f"{database.name} is on a server that can only be read",
            hint="name the primary server, or open it read-only",
        )


def _exists(database: PostgresDatabase) -> bool:
    with database.read() as session:
        row = session.execute(_TABLE, (f'"{database.schema}".ledger_format',)).fetchone()
        return bool(row and row[0])


def _create(database: PostgresDatabase) -> None:
    try:
        with database.creating() as session:
            if session.execute(_TABLE, (f'"{database.schema}".ledger_format',)).fetchone() == (True,):
                return  # another process was quicker
            for statement in _SCHEMA:
                session.execute(statement)
    except (psycopg.errors.DuplicateTable, psycopg.errors.DuplicateFunction):
        raise Unavailable(
            "not_a_ledger",
            f"{database.name} holds other tables of these names",
            hint="name another schema: ?schema=team_a",
        ) from None
