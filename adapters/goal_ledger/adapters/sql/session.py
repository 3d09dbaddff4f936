"""What the SQL databases have in common, as far as more than one kind of table lives in them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Session(Protocol):
    """A connection inside a block of its database. Values stand as `?` in the SQL."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Any: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...


class Database(Protocol):
    """Sessions that read and write tables.

    unstorable: what the driver raises when a value does not fit its column.
    """

    unstorable: tuple[type[Exception], ...]

    def read(self) -> AbstractContextManager[Session]:
        """Each statement sees what is committed when it runs."""

    def write(self) -> AbstractContextManager[Session]:
        """A transaction that holds the write lock from its first statement; all or nothing."""

    def snapshot(self) -> AbstractContextManager[Session]:
        """One moment of the database, for as long as the block lasts."""

    def words(self) -> AbstractContextManager[None]:
        """Turns the driver's errors into the ledger's."""

    def close(self) -> None: ...
