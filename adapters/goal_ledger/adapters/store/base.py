"""What every store does: the log is the same tables and the same SQL, whichever database holds it."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.sql.session import AnyDatabase, Session
from goal_ledger.adapters.store.codec import Codec, StoredRow, digest
from goal_ledger.domain.base import Recorded, Unreadable

_NEWEST = 2**63 - 1
_LAST = chr(0x10FFFF)
_PAGE = 5_000
_VALUES = 500
_LOOK_S = 0.01
"""Seconds between two looks for events of other processes."""


class Command(NamedTuple):
    """What was done under a command id: the digest of the wish, and where its events stand."""

    digest: str
    first_position: int
    last_position: int


class Statements:
    """The SQL of a log.

    position: the column that numbers the events. last: asks for the last position ever given out.
    """

    def __init__(self, position: str, last: str) -> None:
        columns = f"{position}, originator_id, originator_version, topic, state"
        log = "FROM stored_events"
        self.last = last
        self.head = f"SELECT COALESCE(MAX({position}), 0) {log}"
        self.digest_at = f"SELECT digest {log} WHERE {position} = ?"
        self.event_at = f"SELECT originator_id, state {log} WHERE {position} = ?"
        self.stream = (
            f"SELECT {columns} {log} WHERE originator_id = ? AND originator_version > ? AND {position} <= ? "
            "ORDER BY originator_version"
        )
        self.any_stream = f"SELECT 1 {log} WHERE originator_id >= ? AND originator_id < ? LIMIT 1"
        self.last_version = f"SELECT MAX(originator_version) {log} WHERE originator_id = ?"
        self.page = f"SELECT {columns} {log} WHERE {position} > ? ORDER BY {position} LIMIT ?"
        self.page_with_digests = f"SELECT {columns}, digest {log} WHERE {position} > ? ORDER BY {position} LIMIT ?"
        self.page_back = f"SELECT {position}, state {log} WHERE {position} <= ? ORDER BY {position} DESC LIMIT ?"
        self.counts = f"SELECT COUNT(*), COUNT(DISTINCT originator_id) {log}"
        self.versions = (
            f"SELECT originator_id, originator_version, {position} {log} "
            "WHERE (originator_id, originator_version) > (?, ?) ORDER BY originator_id, originator_version LIMIT ?"
        )
        self.insert = "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?, ?)"


_COMMAND = "SELECT digest, first_position, last_position FROM commands WHERE id = ?"
_COMMANDS_OF = "SELECT id, digest, first_position, last_position FROM commands WHERE id IN ({})"
_COMMANDS = "SELECT id, digest, first_position, last_position FROM commands WHERE id > ? ORDER BY id LIMIT ?"


class Transaction:
    """The log under its write lock: nothing that is read here can change before the commit."""

    def __init__(self, session: Session, statements: Statements, codec: Codec) -> None:
        self._execute = session.execute
        self._executemany = session.executemany
        self._sql = statements
        self._decode = codec.decode

    def head(self) -> int:
        """The last position ever given out: it counts on even when somebody deleted the tail."""
        row = self._execute(self._sql.last).fetchone()
        return 0 if row is None else int(row[0])

    def tail(self, stream: str, after: int) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version."""
        decode = self._decode
        return [decode(row) for row in self._execute(self._sql.stream, (stream, after, _NEWEST))]

    def recent(self, stream: str, count: int) -> list[Recorded | Unreadable]:
        """The last events of a stream, in order."""
        last: int | None = self._execute(self._sql.last_version, (stream,)).fetchone()[0]
        return [] if last is None else self.tail(stream, last - count)

    def between(self, first: int, last: int) -> list[Recorded | Unreadable]:
        """The events from one position to another, both included."""
        return [self._decode(row) for row in self._execute(self._sql.page, (first - 1, last - first + 1))]

    def has_streams(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so."""
        return self._execute(self._sql.any_stream, (prefix, prefix + _LAST)).fetchone() is not None

    def command(self, command_id: str) -> Command | None:
        """What was done under this id before."""
        row = self._execute(_COMMAND, (command_id,)).fetchone()
        return None if row is None else Command(*row)

    def append(self, rows: Sequence[StoredRow]) -> None:
        """Append events at positions that follow the head."""
        self._executemany(self._sql.insert, [(*row, digest(*row)) for row in rows])

    def remember(self, command_id: str, command: Command) -> None:
        """Note what was done under a command id."""
        self._execute("INSERT INTO commands VALUES (?, ?, ?, ?)", (command_id, *command))


class Proof:
    """One moment of a log, as `verify` looks at it. findings: what the database itself has to say."""

    def __init__(self, session: Session, statements: Statements, codec: Codec, findings: Sequence[str]) -> None:
        self._execute = session.execute
        self._sql = statements
        self.decode = codec.decode
        self.findings = findings

    def rows(self) -> Iterator[tuple[StoredRow, bytes]]:
        """Every stored event with its stored digest, in order of position."""
        after = -_NEWEST
        while page := self._execute(self._sql.page_with_digests, (after, _PAGE)).fetchall():
            yield from ((tuple(columns), stored) for *columns, stored in page)
            after = page[-1][0]

    def versions(self) -> Iterator[tuple[str, int, int]]:
        """Stream, version and position of every event, in order of stream and version."""
        stream, version = "", -_NEWEST
        while page := self._execute(self._sql.versions, (stream, version, _PAGE)).fetchall():
            yield from page
            stream, version, _ = page[-1]

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Every command id, and what is said of it."""
        after = ""
        while page := self._execute(_COMMANDS, (after, _PAGE)).fetchall():
            yield from ((command_id, Command(*rest)) for command_id, *rest in page)
            after = page[-1][0]

    def command(self, command_id: str) -> Command | None:
        """What is said of a command id."""
        row = self._execute(_COMMAND, (command_id,)).fetchone()
        return None if row is None else Command(*row)

    def event_at(self, position: int) -> tuple[str, bytes] | None:
        """Stream and body of the event at a position."""
        row: tuple[str, bytes] | None = self._execute(self._sql.event_at, (position,)).fetchone()
        return row

    def head(self) -> int:
        """The position of the last event; 0 when there is none."""
        return int(self._execute(self._sql.head).fetchone()[0])

    def digest_at(self, position: int) -> bytes | None:
        """The stored digest of the event at a position, None when there is no such event."""
        row = self._execute(self._sql.digest_at, (position,)).fetchone()
        return None if row is None else row[0]

    def last(self) -> int | None:
        """The last position ever given out; None when the database lost count."""
        row = self._execute(self._sql.last).fetchone()
        return None if row is None else int(row[0])


class Store(ABC):
    """An append-only log that many processes share. Errors of the driver leave its methods as ours."""

    def __init__(self, database: AnyDatabase, statements: Statements, codec: Codec) -> None:
        self.database = database
        self._sql = statements
        self._codec = codec
        self._closed = False
        self._news = threading.Condition()

    @property
    def name(self) -> str:
        """What people call it, without any password."""
        return self.database.name

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Read and append under the write lock; commit at the end of the block, nothing at all when it raises."""
        with self.database.words(), self.database.write() as session:
            yield Transaction(session, self._sql, self._codec)
        self._tell()

    # --- Reading

    def head(self) -> int:
        """The position of the last event; 0 when there is none."""
        with self._reading() as session:
            return int(session.execute(self._sql.head).fetchone()[0])

    def digest_at(self, position: int) -> bytes | None:
        """The stored digest of the event at a position, None when there is no such event."""
        with self._reading() as session:
            row = session.execute(self._sql.digest_at, (position,)).fetchone()
            return None if row is None else row[0]

    def page(self, after: int, limit: int) -> list[StoredRow]:
        """Up to limit rows behind a position, in order."""
        with self._reading() as session:
            return session.execute(self._sql.page, (after, limit)).fetchall()

    def page_with_digests(self, after: int, limit: int) -> list[tuple[StoredRow, bytes]]:
        """The same, each with its stored digest."""
        with self._reading() as session:
            rows = session.execute(self._sql.page_with_digests, (after, limit)).fetchall()
        return [(tuple(columns), stored) for *columns, stored in rows]

    def commands(self, command_ids: Sequence[str]) -> Iterator[tuple[str, Command]]:
        """What was done under these ids; nothing for those that are unknown."""
        for start in range(0, len(command_ids), _VALUES):
            some = command_ids[start : start + _VALUES]
            with self._reading() as session:
                found = session.execute(_COMMANDS_OF.format(", ".join("?" * len(some))), some).fetchall()
            yield from ((command_id, Command(*rest)) for command_id, *rest in found)

    def decode(self, row: StoredRow) -> Recorded | Unreadable:
        """The event of a row."""
        return self._codec.decode(row)

    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version, and not behind a position."""
        with self._reading() as session:
            last = _NEWEST if up_to is None else up_to
            rows = session.execute(self._sql.stream, (stream, after, last)).fetchall()
        decode = self._codec.decode
        with collector_paused():
            return [decode(row) for row in rows]

    def has_streams(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so."""
        with self._reading() as session:
            return session.execute(self._sql.any_stream, (prefix, prefix + _LAST)).fetchone() is not None

    def position_at(self, at: str) -> int:
        """The last position recorded at or before an instant (stored text); 0 when there is none."""
        # From the end, for clocks may have gone back: the last one counts, not the first one that is later.
        last = _NEWEST
        with self._reading() as session:
            while page := session.execute(self._sql.page_back, (last, _PAGE)).fetchall():
                for position, body in page:
                    with suppress(orjson.JSONDecodeError, LookupError, TypeError):  # a damaged one tells no time
                        if orjson.loads(body)["at"] <= at:
                            return int(position)
                last = page[-1][0] - 1
        return 0

    def counts(self) -> tuple[int, int]:
        """How many events and how many streams there are."""
        with self._reading() as session:
            events, streams = session.execute(self._sql.counts).fetchone()
            return int(events), int(streams)

    @contextmanager
    def proof(self) -> Iterator[Proof]:
        """One moment of the log, to prove it."""
        with self.database.words(), self.database.snapshot() as session:
            yield Proof(session, self._sql, self._codec, self._findings(session))

    @abstractmethod
    def bytes(self) -> int:
        """How much the log takes up, 0 in memory."""

    @abstractmethod
    def copy_to(self, path: Path) -> None:
        """Copy the log into a new SQLite file, as of one moment, while writers go on."""

    # --- Waiting

    def wait(self, after: int, timeout_s: float) -> None:
        """Wait until there are events behind a position, or the time is up, or the store is closed."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while not self._closed and self.head() <= after and (left := deadline - time.monotonic()) > 0:
                self._news.wait(min(left, _LOOK_S))

    def close(self) -> None:
        """Close every connection, and wake who waits."""
        self._closed = True
        self._tell()
        self.database.close()

    # --- For the stores

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    @abstractmethod
    def _findings(self, session: Session) -> list[str]:
        """What the database itself finds wrong, and guards of the log that are gone."""

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self.database.words(), self.database.read() as session:
            yield session
