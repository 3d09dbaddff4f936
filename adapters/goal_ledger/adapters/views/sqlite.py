"""Read models in a SQLite file beside the log: caught up when asked, thrown away when they do not fit it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.sql.sqlite import BLANK, Database, in_our_words, lock_folder
from goal_ledger.adapters.views.table import Table
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Damaged, NotFound, Unavailable
from goal_ledger.domain.registry import EVENTS, NAMES
from goal_ledger.projections.base import Key, Projection

R = TypeVar("R", bound=tuple[Any, ...])
LogRow = tuple[int, str, int, str, bytes]

APPLICATION_ID = 0x676C7677  # "glvw", in the file's header
_REMEMBERED_ROWS = 20_000

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS folded (name TEXT PRIMARY KEY, projection TEXT NOT NULL, position INTEGER NOT NULL, "
    "digest BLOB, ledger TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS quarantine (name TEXT NOT NULL, position INTEGER NOT NULL, stream TEXT NOT NULL, "
    "event TEXT NOT NULL, problem TEXT NOT NULL, PRIMARY KEY (name, position))",
    f"PRAGMA application_id = {APPLICATION_ID}",
)


Progress = Callable[[int, int], None]
"""Called now and then during long work with how far it is, and of how much."""


def quiet(_done: int, _of: int) -> None:
    """No progress wanted."""


class Log(Protocol):
    """What the views need of the log."""

    def head(self) -> int: ...
    def digest_at(self, position: int) -> bytes | None: ...
    def page(self, after: int, limit: int) -> list[LogRow]: ...
    def decode(self, row: LogRow) -> Recorded | Unreadable: ...


class Status(NamedTuple):
    """Where a projection stands. behind: events not folded yet. quarantined: events it could not fold."""

    name: str
    table: str
    position: int
    behind: int
    rows: int
    quarantined: int


class Quarantined(NamedTuple):
    """An event that a projection could not fold, and why; the rest went on without it."""

    projection: str
    position: int
    stream: str
    event: str
    problem: str


class Views:
    """The read models of one ledger.

    path: None keeps them in memory. lock: of the log when it is in memory too, so that neither waits for the other.
    """

    def __init__(
        self,
        path: Path | None,
        log: Log,
        projections: Iterable[Projection[Any]],
        *,
        ledger: str,
        page: int = 5_000,
        wait_s: float = 30.0,
        lock: threading.RLock | None = None,
    ) -> None:
        self._log = log
        self._ledger = ledger
        self._page = page
        self._tables = {projection.name: Table(projection) for projection in projections}
        self._fresh_at = -1  # every table has folded the log up to here
        self._database = _open(path, wait_s, lock)

    # --- Questions

    def get(self, projection: Projection[R], key: Key) -> R | None:
        """The row under a key, as of now."""
        self.catch_up()
        table: Table[R] = self._tables[projection.name]
        with self._reading() as connection:
            row = connection.execute(table.get, (key,)).fetchone()
        return None if row is None else table.decode(row)

    def select(
        self,
        projection: Projection[R],
        where: Mapping[str, Any] | None = None,
        *,
        order: Sequence[str],
        descending: bool = False,
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[R]:
        """Rows as of now; see `Table.select` for the arguments."""
        self.catch_up()
        table: Table[R] = self._tables[projection.name]
        sql, values = table.select(where or {}, order, descending=descending, after=after, limit=limit)
        with self._reading() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [table.decode(row) for row in rows]

    def stream_at(self, position: int) -> str | None:
        """The stream whose last event stood at a position, as the rows remember it; nothing is caught up first."""
        with self._reading() as connection:
            folded = {name for (name,) in connection.execute("SELECT name FROM folded")}
            for table in self._tables.values():
                own = all(fold.at is None for fold in table.projection.folds.values())
                stream = table.projection.key if own else "goal_id"
                if table.name in folded and {stream, "position"} <= set(table.columns):
                    sql = f'SELECT {stream} FROM "{table.name}" WHERE position = ?'
                    if (row := connection.execute(sql, (position,)).fetchone()) is not None:
                        return str(row[0])
        return None

    def status(self) -> list[Status]:
        """Where each projection stands, without moving it."""
        head = self._log.head()
        with self._reading() as connection:
            places = _places(connection)
            quarantined = dict(connection.execute("SELECT name, COUNT(*) FROM quarantine GROUP BY name"))
            return [
                Status(
                    name,
                    table.name,
                    position := places[table.name].position if table.name in places else 0,
                    max(0, head - position),
                    connection.execute(table.count).fetchone()[0] if table.name in places else 0,
                    quarantined.get(table.name, 0),
                )
                for name, table in self._tables.items()
            ]

    def quarantined(self) -> list[Quarantined]:
        """Every event that a projection could not fold."""
        names = {table.name: name for name, table in self._tables.items()}
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT name, position, stream, event, problem FROM quarantine ORDER BY position, name"
            )
            return [Quarantined(names[name], *rest) for name, *rest in rows if name in names]

    # --- Folding

    def catch_up(self, progress: Progress = quiet) -> int:
        """Fold what the log holds beyond the tables; the position reached."""
        head = self._log.head()
        if head != self._fresh_at:
            with collector_paused():
                self._catch_up(head, progress)
        return self._fresh_at

    def rebuild(self, names: Sequence[str] = (), progress: Progress = quiet) -> int:
        """Drop the named tables, or all, and fold them anew; readers see the old rows until it is done.

        The position reached. NotFound: unknown_projection.
        """
        tables = [self._named(name) for name in names or self._tables]
        with collector_paused(), self._writing() as connection:
            return self._build(connection, tables, progress)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def _catch_up(self, head: int, progress: Progress) -> None:
        folds: dict[str, _TableFold] = {}
        reached = -1
        while reached < head:
            with self._writing() as connection:
                if unfit := self._unfit(connection):
                    self._build(connection, unfit, progress)
                places = _places(connection)
                for table in self._tables.values():
                    position = places[table.name].position
                    if table.name not in folds or folds[table.name].position != position:
                        # the first page, or another process was here since our last one: remembered rows may be stale
                        folds[table.name] = _TableFold(table, connection, position)
                reached, more = self._fold_page(connection, list(folds.values()))
            progress(reached, head)
            if not more:
                break
        self._fresh_at = reached

    def _unfit(self, connection: sqlite3.Connection) -> list[Table[Any]]:
        """Tables that are missing, or were folded from another ledger or another past of this one."""
        places = _places(connection)
        return [table for table in self._tables.values() if not self._fits(places.get(table.name))]

    def _fits(self, place: _Place | None) -> bool:
        if place is None or place.ledger != self._ledger:
            return False
        return place.position == 0 or self._log.digest_at(place.position) == place.digest

    def _build(self, connection: sqlite3.Connection, tables: Sequence[Table[Any]], progress: Progress) -> int:
        for table in tables:
            connection.execute(table.drop)
            connection.execute("DELETE FROM quarantine WHERE name = ?", (table.name,))
            connection.execute("DELETE FROM folded WHERE name = ?", (table.name,))
            connection.execute(table.create)
        head = self._log.head()
        folds = [_TableFold(table, connection, 0, is_new=True) for table in tables]
        reached, more = 0, True
        while more:
            reached, more = self._fold_page(connection, folds)
            progress(reached, max(head, reached))
        for table in tables:
            for index in table.indexes:
                connection.execute(index)
        return reached

    def _fold_page(self, connection: sqlite3.Connection, folds: Sequence[_TableFold]) -> tuple[int, bool]:
        """Fold the next page for all tables; the position reached and whether there may be more."""
        start = min(fold.position for fold in folds)
        rows = self._log.page(start, self._page)
        readers = _readers(folds)
        for row in rows:
            wanting: Sequence[_TableFold] | None = readers.get(row[3])
            if wanting is None:
                if row[3] in EVENTS:
                    continue
                wanting = folds  # a name that nobody knows may concern anybody
            recorded = self._log.decode(row)
            for fold in wanting:
                if row[0] > fold.position:
                    fold.take(recorded)
        reached = rows[-1][0] if rows else start
        digest = self._log.digest_at(reached)
        for fold in folds:
            if reached > fold.position or not rows:
                fold.write(reached, digest, self._ledger)
        return reached, len(rows) == self._page

    def _named(self, name: str) -> Table[Any]:
        if name not in self._tables:
            raise NotFound("unknown_projection", f"there is no projection {name!r}", hint="goal-ledger projection list")
        return self._tables[name]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with in_our_words(self._database.path), self._database.read() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with in_our_words(self._database.path), self._database.write() as connection:
            yield connection


class _Place(NamedTuple):
    """How far a table has been folded: the position, the digest of the event there, and whose log it was."""

    position: int
    digest: bytes | None
    ledger: str


_CANNOT_BE_STORED = (OverflowError, TypeError, ValueError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class _TableFold:
    """The fold of one page, or of many, into one table: rows are remembered and written together."""

    def __init__(
        self, table: Table[Any], connection: sqlite3.Connection, position: int, *, is_new: bool = False
    ) -> None:
        self.table = table
        self.position = position
        self._connection = connection
        self._is_new = is_new  # what is not remembered cannot be in the table either
        self._rows: dict[Key, Any] = {}
        self._touched: dict[Key, list[Recorded]] = {}  # the events that changed a row since it was written
        self._quarantined: list[tuple[str, int, str, str, str]] = []

    def take(self, recorded: Recorded | Unreadable) -> None:
        """Fold one event; what cannot be folded is set aside with its reason."""
        if isinstance(recorded, Unreadable):
            self._set_aside(recorded, recorded.problem)
            return
        event = recorded.event
        handler, at = self.table.projection.folds[type(event)]
        try:
            key = recorded.stream if at is None else at(recorded, event)
            before = self._rows[key] if key in self._rows else self._load(key)
            after = handler(before, recorded, event)
        except sqlite3.Error:
            raise
        except Exception as error:  # a handler's mistake must not stop the other rows
            self._set_aside(recorded, f"{type(error).__name__}: {error}")
            return
        if after is not before:
            self._rows[key] = after
            self._touched.setdefault(key, []).append(recorded)

    def write(self, position: int, digest: bytes | None, ledger: str) -> None:
        """Write what changed, and how far the table is now."""
        table, connection = self.table, self._connection
        connection.execute("SAVEPOINT page")
        try:
            self._write_rows(self._touched)
        except _CANNOT_BE_STORED:  # a handler made a row that no table holds: it must not stop the others
            connection.execute("ROLLBACK TO page")
            self._write_one_by_one()
        connection.execute("RELEASE page")
        connection.executemany("INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", self._quarantined)
        connection.execute(
            "INSERT INTO folded VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "position = excluded.position, digest = excluded.digest, ledger = excluded.ledger",
            (table.name, table.projection.name, position, digest, ledger),
        )
        self.position = position
        self._touched.clear()
        self._quarantined.clear()
        if len(self._rows) > _REMEMBERED_ROWS:
            self._rows.clear()
            self._is_new = False

    def _write_one_by_one(self) -> None:
        """Fold the page again, row by row, and set aside each event after which the row cannot be written."""
        self._is_new = False
        for key, events in self._touched.items():
            del self._rows[key]
            for recorded in events:
                before = self._rows[key] if key in self._rows else self._load(key)
                try:
                    handler = self.table.projection.folds[type(recorded.event)].handler
                    self._rows[key] = handler(before, recorded, recorded.event)
                    self._write_rows([key])
                except Exception as error:
                    if isinstance(error, sqlite3.Error) and not isinstance(error, _CANNOT_BE_STORED):
                        raise
                    self._rows[key] = before
                    self._set_aside(recorded, f"{type(error).__name__}: {error}")

    def _write_rows(self, keys: Iterable[Key]) -> None:
        changed = [(key, self._rows[key]) for key in keys]
        table, connection = self.table, self._connection
        connection.executemany(table.upsert, [table.encode(row) for _, row in changed if row is not None])
        connection.executemany(table.delete, [(key,) for key, row in changed if row is None])

    def _load(self, key: Key) -> Any:
        if self._is_new:
            return None
        stored = self._connection.execute(self.table.get, (key,)).fetchone()
        row = self._rows[key] = None if stored is None else self.table.decode(stored)
        return row

    def _set_aside(self, item: Recorded | Unreadable, problem: str) -> None:
        self._quarantined.append((self.table.name, item.position, item.stream, item.name, problem))


def _readers(folds: Sequence[_TableFold]) -> dict[str, list[_TableFold]]:
    readers: dict[str, list[_TableFold]] = {}
    for fold in folds:
        for event_type in fold.table.projection.folds:
            readers.setdefault(NAMES[event_type], []).append(fold)
    return readers


def _places(connection: sqlite3.Connection) -> dict[str, _Place]:
    return {
        name: _Place(*place) for name, *place in connection.execute("SELECT name, position, digest, ledger FROM folded")
    }


def _open(path: Path | None, wait_s: float, lock: threading.RLock | None) -> Database:
    try:
        return _opened(path, wait_s, lock)
    except (Damaged, Unavailable) as error:
        if path is None or error.code not in ("corrupt", "not_a_ledger"):
            raise
        if error.code == "not_a_ledger":  # perhaps somebody else's file
            path.replace(path.with_name(path.name + ".corrupt"))
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
        return _opened(path, wait_s, lock)


def _opened(path: Path | None, wait_s: float, lock: threading.RLock | None) -> Database:
    with in_our_words(path):
        if path is not None and not (path.exists() and path.stat().st_size > BLANK):
            with lock_folder(path.parent):  # switching to WAL fails at once while another process reads
                database = Database(path, wait_s=wait_s)
                try:
                    _create_if_blank(database)
                finally:
                    database.close()
        database = Database(path, wait_s=wait_s, synchronous="NORMAL", lock=lock)
        try:
            if path is None:
                _create_if_blank(database)
            with database.read() as connection:
                [application] = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                raise Unavailable(
                    "not_views", f"{path} is where the views belong, and is something else", hint="move it away"
                )
        except BaseException:
            database.close()
            raise
    return database


def _create_if_blank(database: Database) -> None:
    with database.outside_transaction() as connection:
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [tables] = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if application or tables:
            return
        if database.path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
    with database.write() as connection:
        for statement in _SCHEMA:
            connection.execute(statement)
