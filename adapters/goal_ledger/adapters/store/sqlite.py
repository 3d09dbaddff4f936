"""The log in SQLite: a recorder of the eventsourcing library, hardened, with a write path of our own.

The library's methods (`insert_events`, `select_events`, `select_notifications`, `max_notification_id`) work as those of
its other recorders, so its tools can be used on a ledger. The ledger itself uses `transaction` and the reading methods.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.sql.sqlite import BLANK, Database, in_our_words, lock_folder
from goal_ledger.adapters.store.codec import Codec, StoredRow, digest
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import NotFound, Unavailable

APPLICATION_ID = 0x676C6467  # "gldg", in the file's header
FORMAT = 1  # of the tables below, in the header's user_version

_SCHEMA = (
    """CREATE TABLE stored_events (
        rowid INTEGER PRIMARY KEY AUTOINCREMENT,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        digest BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    )""",
    """CREATE TABLE commands (
        id TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        first_position INTEGER NOT NULL,
        last_position INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON stored_events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON stored_events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {FORMAT}",
)

_INSERT = "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?, ?)"
_COLUMNS = "rowid, originator_id, originator_version, topic, state"
_STREAM = (
    f"SELECT {_COLUMNS} FROM stored_events WHERE originator_id = ? AND originator_version > ? AND rowid <= ? "
    "ORDER BY originator_version"
)
_PAGE = f"SELECT {_COLUMNS} FROM stored_events WHERE rowid > ? ORDER BY rowid LIMIT ?"
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'"
_NEWEST = 2**63 - 1


class Command(NamedTuple):
    """What was done under a command id: the digest of the wish, and where its events stand."""

    digest: str
    first_position: int
    last_position: int


class Transaction:
    """The log under its write lock: nothing that is read here can change before the commit."""

    def __init__(self, connection: sqlite3.Connection, codec: Codec) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._codec = codec

    def head(self) -> int:
        """The last position ever given out: it counts on even when somebody deleted the tail."""
        row = self._execute(_LAST).fetchone()
        return 0 if row is None else int(row[0])

    def tail(self, stream: str, after: int) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version."""
        return [self._codec.decode(row) for row in self._execute(_STREAM, (stream, after, _NEWEST))]

    def between(self, first: int, last: int) -> list[Recorded | Unreadable]:
        """The events from one position to another, both included."""
        return [self._codec.decode(row) for row in self._execute(_PAGE, (first - 1, last - first + 1))]

    def command(self, command_id: str) -> Command | None:
        """What was done under this id before."""
        row = self._execute(
            "SELECT digest, first_position, last_position FROM commands WHERE id = ?", (command_id,)
        ).fetchone()
        return None if row is None else Command(*row)

    def append(self, rows: Sequence[StoredRow]) -> None:
        """Append events at positions that follow the head."""
        self._executemany(_INSERT, [(*row, digest(*row)) for row in rows])

    def remember(self, command_id: str, command: Command) -> None:
        """Note what was done under a command id."""
        self._execute("INSERT INTO commands VALUES (?, ?, ?, ?)", (command_id, *command))


class SqliteStore(SQLiteApplicationRecorder):
    """One ledger file, or one in memory when path is None."""

    def __init__(
        self,
        path: Path | None,
        *,
        codec: Codec | None = None,
        wait_s: float = 30.0,
        durable: bool = True,
        read_only: bool = False,
        originator_id_type: Literal["uuid", "text"] = "text",
    ) -> None:
        self.path = path
        self._codec = codec or Codec()
        with in_our_words(path), _opening(path):
            if not read_only:
                _create_when_new(path)
            elif path is not None and not path.exists():
                raise NotFound("no_ledger", f"there is no ledger at {path}", hint="name it with --db")
            self.database = Database(
                path, wait_s=wait_s, synchronous="FULL" if durable else "NORMAL", read_only=read_only
            )
            if path is None:
                _create(self.database)
            try:
                _check_header(self.database, path)
            except BaseException:
                self.database.close()
                raise
        super().__init__(_Datastore(self.database, originator_id_type))

    # --- Our path

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Read and append under the write lock; commit at the end of the block, nothing at all when it raises."""
        with in_our_words(self.path), self.database.write() as connection:
            yield Transaction(connection, self._codec)

    def head(self) -> int:
        """The position of the last event; 0 when there is none."""
        with in_our_words(self.path), self.database.read() as connection:
            return int(connection.execute("SELECT COALESCE(MAX(rowid), 0) FROM stored_events").fetchone()[0])

    def digest_at(self, position: int) -> bytes | None:
        """The stored digest of the event at a position, None when there is no such event."""
        with in_our_words(self.path), self.database.read() as connection:
            row = connection.execute("SELECT digest FROM stored_events WHERE rowid = ?", (position,)).fetchone()
            return None if row is None else row[0]

    def page(self, after: int, limit: int) -> list[StoredRow]:
        """Up to limit rows behind a position, in order."""
        with in_our_words(self.path), self.database.read() as connection:
            return connection.execute(_PAGE, (after, limit)).fetchall()

    def decode(self, row: StoredRow) -> Recorded | Unreadable:
        """The event of a row."""
        return self._codec.decode(row)

    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version, and not behind a position."""
        with in_our_words(self.path), self.database.read() as connection:
            rows = connection.execute(_STREAM, (stream, after, _NEWEST if up_to is None else up_to)).fetchall()
        decode = self._codec.decode
        with collector_paused():
            return [decode(row) for row in rows]

    def position_at(self, at: str) -> int:
        """The last position recorded at or before an instant (stored text); 0 when there is none."""
        with in_our_words(self.path), self.database.read() as connection:
            # From the end, for clocks may have gone back: the last one counts, not the first one that is later.
            for position, body in connection.execute("SELECT rowid, state FROM stored_events ORDER BY rowid DESC"):
                with suppress(orjson.JSONDecodeError, LookupError, TypeError):  # a damaged one tells no time
                    if orjson.loads(body)["at"] <= at:
                        return int(position)
        return 0

    def copy_to(self, path: Path) -> None:
        """Copy the log into a new file, as of one moment, while writers go on."""
        with in_our_words(path), self.database.read() as connection:
            target = sqlite3.connect(path)
            try:
                connection.backup(target)
            finally:
                target.close()

    def counts(self) -> tuple[int, int]:
        """How many events and how many streams there are."""
        with in_our_words(self.path), self.database.read() as connection:
            row = connection.execute("SELECT COUNT(*), COUNT(DISTINCT originator_id) FROM stored_events").fetchone()
            return int(row[0]), int(row[1])

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    # --- The library's path

    def construct_create_table_statements(self) -> list[str]:
        """None: the tables exist since the file was created."""
        return []

    def _insert_events(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        c.execute(_LAST)
        last = c.fetchone()
        positions: list[int] = []
        for position, event in enumerate(stored_events, start=1 if last is None else last[0] + 1):
            stream = event.originator_id.hex if isinstance(event.originator_id, UUID) else event.originator_id
            row = (position, stream, event.originator_version, event.topic, event.state)
            c.execute(_INSERT, (*row, digest(*row)))
            positions.append(position)
        return positions


class _Datastore(SQLiteDatastore):
    """The library's view of our connections: its own pool begins late and prepares every statement anew."""

    def __init__(self, database: Database, originator_id_type: Literal["uuid", "text"]) -> None:
        self._database = database
        self.originator_id_type = originator_id_type

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with _in_the_librarys_words(), self._database.write() if commit else self._database.read() as connection:
            cursor = connection.cursor()
            cursor.row_factory = sqlite3.Row
            with SQLiteCursor(cursor):
                yield SQLiteCursor(cursor)

    def close(self) -> None:
        """The store closes its connections itself."""


@contextmanager
def _in_the_librarys_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        for ours, theirs in (
            (sqlite3.IntegrityError, IntegrityError),
            (sqlite3.OperationalError, OperationalError),
            (sqlite3.ProgrammingError, ProgrammingError),
            (sqlite3.InternalError, InternalError),
            (sqlite3.DataError, DataError),
            (sqlite3.NotSupportedError, NotSupportedError),
            (sqlite3.DatabaseError, DatabaseError),
            (sqlite3.InterfaceError, InterfaceError),
        ):
            if isinstance(error, ours):
                raise theirs(error) from error
        raise PersistenceError(error) from error


# --- Creation


@contextmanager
def _opening(path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("cannot_open", f"{path} cannot be opened: {error.strerror}") from error


def _create_when_new(path: Path | None) -> None:
    # Not the size alone: a file of one page may be half made, by a process at work or one that was killed.
    if path is None or (path.exists() and path.stat().st_size > BLANK):
        return
    if not path.parent.is_dir():
        raise Unavailable("cannot_open", f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    # Several processes may come here at once: one at a time, and each looks again.
    with lock_folder(path.parent):
        database = Database(path)
        try:
            with database.outside_transaction() as connection:
                [tables] = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
                [application] = connection.execute("PRAGMA application_id").fetchone()
            if not tables and not application:
                _create(database)
        finally:
            database.close()


def _create(database: Database) -> None:
    if database.path is not None:
        with database.outside_transaction() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    with database.write() as connection:
        for statement in _SCHEMA:
            connection.execute(statement)


def _check_header(database: Database, path: Path | None) -> None:
    with database.read() as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        found = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise Unavailable("not_a_ledger", f"{path} is not a goal-ledger file", hint="name another file with --db")
    if found > FORMAT:
        raise Unavailable("newer_format", f"{path} was written by a newer goal-ledger (format {found})", hint="upgrade")
