"""What the store and the views ask of a database, whichever it is."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """What a question gave; each row is a tuple. description: of the columns, the name first."""

    @property
    def description(self) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Session(Protocol):
    """A connection in use. SQL is what both databases understand; `?` stands for a value, and for nothing else."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object: ...


class AnyDatabase(Protocol):
    """One database, shared by threads: writers take turns, readers never wait for them.

    Inside its blocks errors are the driver's; `words` turns them into ours.
    """

    unstorable: tuple[type[Exception], ...]
    """What the driver raises when a value does not fit its column."""

    lock: threading.RLock
    """Held by the thread of this process that writes."""

    @property
    def name(self) -> str:
        """What people call it, without any password."""

    def write(self) -> AbstractContextManager[Session]:
        """A transaction that holds the write lock from its first statement; all or nothing."""

    def read(self) -> AbstractContextManager[Session]:
        """A session to read with; each statement sees what is committed by then."""

    def snapshot(self) -> AbstractContextManager[Session]:
        """A session that sees one moment for as long as the block lasts."""

    def words(self) -> AbstractContextManager[None]:
        """Errors of the driver leave the block as ours."""

    def close(self) -> None:
        """Close every connection; blocks still reading close theirs."""
