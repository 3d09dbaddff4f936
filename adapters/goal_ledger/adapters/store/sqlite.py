"""The log in SQLite: a recorder of the eventsourcing library, hardened, with a write path of our own.

The library's methods (`insert_events`, `select_events`, `select_notifications`, `max_notification_id`) work as those of
its other recorders, so its tools can be used on a ledger. The ledger itself uses `transaction` and the reading methods.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.sql.sqlite import BLANK, Database, in_our_words, lock_folder
from goal_ledger.adapters.store.base import Statements, Store, Transaction
from goal_ledger.adapters.store.codec import Codec
from goal_ledger.adapters.store.recorder import append_stored, in_the_librarys_words
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

_SQL = Statements("rowid", last="SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'")


class SqliteStore(Store, SQLiteApplicationRecorder):
    """One ledger file, or one in memory when path is None."""

    database: Database

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
        with in_our_words(path), _opening(path):
            if not read_only:
                _create_when_new(path)
            elif path is not None and not path.exists():
                raise NotFound("no_ledger", f"there is no ledger at {path}", hint="name it with --db")
            database = Database(path, wait_s=wait_s, synchronous="FULL" if durable else "NORMAL", read_only=read_only)
            if path is None:
                _create(database)
            try:
                _check_header(database, path)
            except BaseException:
                database.close()
                raise
        Store.__init__(self, database, _SQL, codec or Codec())
        SQLiteApplicationRecorder.__init__(self, _Datastore(database, originator_id_type))

    def bytes(self) -> int:
        """How large the file is, 0 in memory."""
        return 0 if self.path is None else self.path.stat().st_size

    def copy_to(self, path: Path) -> None:
        """Copy the log into a new file, as of one moment, while writers go on."""
        with in_our_words(path), self.database.read() as session:
            target = sqlite3.connect(path)
            try:
                session.backup(target)
            finally:
                target.close()

    def _findings(self, session: Session) -> list[str]:
        found = [
            f"the file is corrupt: {line}" for (line,) in session.execute("PRAGMA quick_check(10)") if line != "ok"
        ]
        triggers = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'stored_events'"
        if session.execute(triggers).fetchone()[0] != 2:
            found.append("the triggers that keep the log append-only are gone")
        return found

    # --- The library's path

    def construct_create_table_statements(self) -> list[str]:
        """None: the tables exist since the file was created."""
        return []

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append events in the library's form; their positions."""
        with in_the_librarys_words(sqlite3), self.database.write() as session:
            return append_stored(Transaction(session, self._sql, self._codec), stored_events)


class _Datastore(SQLiteDatastore):
    """The library's view of our connections: its own pool begins late and prepares every statement anew."""

    def __init__(self, database: Database, originator_id_type: Literal["uuid", "text"]) -> None:
        self._database = database
        self.originator_id_type = originator_id_type

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with in_the_librarys_words(sqlite3), self._database.write() if commit else self._database.read() as connection:
            cursor = connection.cursor()
            cursor.row_factory = sqlite3.Row
            with SQLiteCursor(cursor):
                yield SQLiteCursor(cursor)

    def close(self) -> None:
        """The store closes its connections itself."""


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
