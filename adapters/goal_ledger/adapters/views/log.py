"""What is read of a log, and how long work tells how far it is."""

from collections.abc import Callable
from typing import Protocol

from goal_ledger.domain.base import Recorded, Unreadable

LogRow = tuple[int, str, int, str, bytes]
"""position, stream, version, name, body."""

Progress = Callable[[int, int], None]
"""Called now and then during long work with how far it is, and of how much."""


def quiet(_done: int, _of: int) -> None:
    """No progress wanted."""


class Log(Protocol):
    """A log of events in order of position, which only grows: a store, or what it held in the past."""

    def head(self) -> int: ...
    def digest_at(self, position: int) -> bytes | None: ...
    def page(self, after: int, limit: int) -> list[LogRow]: ...
    def decode(self, row: LogRow) -> Recorded | Unreadable: ...
    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]: ...
    def position_at(self, at: str) -> int: ...
    def counts(self) -> tuple[int, int]: ...
