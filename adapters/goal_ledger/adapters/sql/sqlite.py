"""SQLite connections as we need them: one writer under a lock, readers beside it, errors in our words."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from goal_ledger.adapters.sql.errors import busy, corrupt, disk_full, io_error, require_usable, store_error
from goal_ledger.domain.errors import Blank, Hint, LedgerError, Unavailable

BLANK = 4096
"""Bytes: a file without any table has one page at most."""

_UNSURE = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)
"""What was to be committed is in the files, and rolled back; whoever opens them after a crash may find it there."""

_MODES = {"create": "rwc", "write": "rw", "read": "ro"}


class Database:
    """One SQLite file, or a private one in memory when path is None.

    Threads share it: writers take turns, readers never wait for them (in memory they do). A forked child must open its
    own. lock: shared with another database that is used inside a transaction of this one.
    """

    unstorable: tuple[type[Exception], ...] = (
        OverflowError,
        TypeError,
        ValueError,
        sqlite3.InterfaceError,
        sqlite3.ProgrammingError,
    )

    def __init__(
        self,
        path: Path | None,
        *,
        wait_s: float = 30.0,
        synchronous: str = "FULL",
        read_only: bool = False,
        lock: threading.RLock | None = None,
    ) -> None:
        self.path = path
        self._wait_s = wait_s
        self._synchronous = synchronous
        self._pid = os.getpid()
        self.lock = lock or threading.RLock()
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._writer = self._connect("read" if read_only else "create")

    @property
    def name(self) -> str:
        """What people call it."""
        return _name(self.path)

    def words(self) -> AbstractContextManager[None]:
        """Errors of sqlite3 leave the block as ours."""
        return in_our_words(self.path)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the database's write lock from its first statement; all or nothing."""
        with self.lock:
            self._check_open()
            writer = self._writer
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    @contextmanager
    def outside_transaction(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection, for statements that no transaction can hold."""
        with self.lock:
            self._check_open()
            yield self._writer

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; it belongs to the caller until the block ends."""
        if self.path is None:
            with self.lock:
                self._check_open()
                yield self._writer
            return
        self._check_open()
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = self._connect("read")
        try:
            yield reader
        finally:
            if self._closed:
                reader.close()
            else:
                self._readers.append(reader)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the database for as long as the block lasts."""
        with self.read() as reader:
            ours = not reader.in_transaction  # in memory it may be inside the writer's own
            if ours:
                reader.execute("BEGIN")
            try:
                yield reader
            finally:
                if ours and reader.in_transaction:  # some errors have ended it
                    reader.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection; blocks still reading close theirs."""
        with self.lock:
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._writer.close()  # last: it can fold the write-ahead log into the file, readers cannot

    def _check_open(self) -> None:
        require_usable(closed=self._closed, opened_by=self._pid)

    def _connect(self, mode: str) -> sqlite3.Connection:
        target = (
            ":memory:" if self.path is None else f"file:{quote(os.fsencode(self.path.absolute()))}?mode={_MODES[mode]}"
        )
        connection = sqlite3.connect(
            target,
            uri=self.path is not None,
            timeout=self._wait_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        if mode != "read":
            try:
                connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            except BaseException:
                connection.close()
                raise
        return connection


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """One process at a time creates files in a folder; a process that dies lets go of it."""
    # The folder, not the file: closing a descriptor of the file would drop SQLite's own locks on it.
    try:
        import fcntl
    except ImportError:  # not on Windows, where SQLite's own lock has to do
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        with suppress(OSError):
            os.fsync(descriptor)  # or a power cut may forget that the file exists
    finally:
        os.close(descriptor)


@contextmanager
def in_our_words(path: Path | None) -> Iterator[None]:
    """Turn sqlite3's errors into the ledger's."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error


def translated(error: sqlite3.Error, path: Path | None) -> LedgerError:
    """The error in our words, with the way out."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = _name(path)
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy(name)
        case sqlite3.SQLITE_FULL:
            return disk_full(name)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return Unavailable(
                "not_writable", f"{name} cannot be written", hint="check its permissions and its folder's"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return Unavailable(
                "cannot_open", f"{name} cannot be opened", hint="check that its folder exists and is readable"
            )
        case sqlite3.SQLITE_IOERR if error.sqlite_errorcode in _UNSURE:
            return Unavailable(
                "unknown_outcome",
                f"making {name} durable failed: nobody knows whether it was stored: {error}",
                hint="repeat it with the same " + Hint(command_id=Blank("")) + ", which is done once at most",
            )
        case sqlite3.SQLITE_IOERR:
            return io_error(name, error)
        case sqlite3.SQLITE_NOTADB:
            return Unavailable("not_a_ledger", f"{name} is not a goal-ledger file", hint="name another file with --db")
        case sqlite3.SQLITE_CORRUPT:
            return corrupt(name, error)
    return store_error(name, error)


def _name(path: Path | None) -> str:
    return "the ledger in memory" if path is None else str(path)
