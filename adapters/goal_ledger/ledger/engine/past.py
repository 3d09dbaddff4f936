"""The ledger as it was known at a position, and as it was true at an instant: to be read, not written."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from goal_ledger.adapters.store.codec import StoredRow, occurred_at
from goal_ledger.adapters.views.log import Log
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Rejected
from goal_ledger.ledger.engine.core import Core

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views


class LogUntil:
    """A log as it ended at a position."""

    def __init__(self, log: Log, position: int) -> None:
        self._log = log
        self._end = position

    def advance(self, position: int) -> None:
        """Let it end later."""
        self._end = max(self._end, position)

    def head(self) -> int:
        """The position of the last event."""
        return self._end

    def digest_at(self, position: int) -> bytes | None:
        """The stored digest of the event at a position."""
        return self._log.digest_at(position)

    def page(self, after: int, limit: int) -> list[StoredRow]:
        """Up to limit rows behind a position, in order."""
        rows = self._log.page(after, limit) if after < self._end else []
        while rows and rows[-1][0] > self._end:
            rows.pop()
        return rows

    def decode(self, row: StoredRow) -> Recorded | Unreadable:
        """The event of a row."""
        return self._log.decode(row)

    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version, and not behind a position."""
        return self._log.stream(stream, after=after, up_to=self._end if up_to is None else min(up_to, self._end))

    def position_at(self, at: str) -> int:
        """The last position recorded at or before an instant; 0 when there is none."""
        return min(self._log.position_at(at), self._end)

    def counts(self) -> tuple[int, int]:
        """How many events and how many streams there are."""
        events, after = 0, 0
        streams: set[str] = set()
        while rows := self.page(after, _PAGE):
            events += len(rows)
            streams.update(row[1] for row in rows)
            after = rows[-1][0]
        return events, len(streams)


class PastTransaction:
    """A log that has ended, as a transaction reads it: decisions can be made in it again, and nothing is appended."""

    def __init__(self, log: LogUntil) -> None:
        self._log = log

    def head(self) -> int:
        """The position of the last event."""
        return self._log.head()

    def tail(self, stream: str, after: int) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version."""
        return self._log.stream(stream, after=after)

    def recent(self, stream: str, count: int) -> list[Recorded | Unreadable]:
        """The last events of a stream, in order."""
        return self._log.stream(stream)[-count:]

    def between(self, first: int, last: int) -> list[Recorded | Unreadable]:
        """The events from one position to another, both included."""
        return list(map(self._log.decode, self._log.page(first - 1, last - first + 1)))

    def has_streams(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so; looks at the log from its beginning."""
        after = 0
        while rows := self._log.page(after, _PAGE):
            if any(row[1].startswith(prefix) for row in rows):
                return True
            after = rows[-1][0]
        return False


class LogByOccurrence(LogUntil):
    """What had occurred by an instant, in the order in which it did; then by position.

    Rows are numbered in that order, from 1: `head`, `page` and `digest_at` speak of those numbers, and `decode` gives
    the event its own position back. Events that nobody knows the time of are left out, and kept in `untimed`.
    """

    def __init__(self, log: Log, position: int, valid_at: str) -> None:
        super().__init__(log, position)
        self._valid_at = valid_at
        self.untimed: set[int] = set()

    def head(self) -> int:
        """How many events had occurred."""
        return len(self._positions)

    def digest_at(self, position: int) -> bytes | None:
        """The stored digest of the event with this number."""
        return super().digest_at(self._positions[position - 1]) if 0 < position <= len(self._positions) else None

    def page(self, after: int, limit: int) -> list[StoredRow]:
        """Up to limit rows behind a number, in order."""
        positions = self._positions[after : after + limit]
        found: dict[int, StoredRow] = {}
        for first, last in _spans(sorted(positions)):
            found.update((row[0], row) for row in super().page(first - 1, last - first + 1))
        return [(after + number, *found[position][1:]) for number, position in enumerate(positions, start=1)]

    def decode(self, row: StoredRow) -> Recorded | Unreadable:
        """The event of a row."""
        return super().decode((self._positions[row[0] - 1], *row[1:]))

    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]:
        """The events of a stream behind a version, and not behind a position."""
        timed = [(self._occurred_at(item), item) for item in super().stream(stream, after=after, up_to=up_to)]
        self.untimed.update(item.position for when, item in timed if when is None)
        happened = [(when, item) for when, item in timed if when is not None and when <= self._valid_at]
        return [item for _, item in sorted(happened, key=lambda pair: (pair[0], pair[1].position))]

    def order(self, item: Recorded | Unreadable) -> tuple[str, int]:
        """Where an event stands."""
        return self._occurred_at(item) or "", item.position

    def _occurred_at(self, item: Recorded | Unreadable) -> str | None:
        if isinstance(item, Recorded):
            return item.occurred_at
        [row] = super().page(item.position - 1, 1)  # what cannot be read has its time beside it all the same
        return occurred_at(row)

    @cached_property
    def _positions(self) -> array[int]:
        """The position of each event that had occurred, in the order in which they did."""
        happened: list[tuple[str, int]] = []
        after = 0
        while rows := super().page(after, _PAGE):
            for row in rows:
                when = occurred_at(row)
                if when is None:
                    self.untimed.add(row[0])
                elif when <= self._valid_at:
                    happened.append((when, row[0]))
            after = rows[-1][0]
        happened.sort()
        return array("q", (position for _, position in happened))


_PAGE = 5_000


def _spans(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each row of positions without a gap."""
    start = 0
    for at in range(1, len(positions) + 1):
        if at == len(positions) or positions[at] != positions[at - 1] + 1:
            yield positions[start], positions[at - 1]
            start = at


class PastCore(Core):
    """What the light copies of a ledger as of then share. Closing it leaves the ledger open.

    position: the last one that was known. valid_at: what had not occurred by then is left out; None leaves nothing out.
    """

    def __init__(self, present: Core, position: int, valid_at: str | None) -> None:
        super().__init__(
            present.store,
            present.backend,
            present.clock,
            present.settings,
            present.reactions,
            present.projections,
            read_only=True,
        )
        if isinstance(present, PastCore):  # the past of a past
            position = min(position, present.position)
            valid_at = min((at for at in (valid_at, present.valid_at) if at is not None), default=None)
        self.position: int = position
        self.valid_at: str | None = valid_at
        self._ordered = None if valid_at is None else LogByOccurrence(present.store, position, valid_at)
        self.log: LogUntil = self._ordered or LogUntil(present.store, position)
        self._ledger_id = present.ledger_id()
        present.pasts.add(self)

    def advance(self, position: int) -> None:
        """Let what is known grow: read models and caches catch up from where they are. Not with valid_at."""
        self.position = max(self.position, position)
        self.log.advance(self.position)

    def refuse_writes(self) -> None:
        """Always. Rejected: read_only."""
        raise Rejected(
            "read_only",
            f"this is the ledger as {self._words()}, which nothing can change",
            hint="write to the ledger itself",
        )

    def require_present(self, what: str) -> None:
        """Always refused. Rejected: not_of_the_past."""
        raise Rejected(
            "not_of_the_past",
            f"{what} is about the log itself, and this is the ledger as {self._words()}",
            hint="ask the ledger itself",
        )

    def head(self) -> int:
        """The last position that was known."""
        return self.position

    def untimed(self) -> int:
        """How many events were left out so far."""
        return 0 if self._ordered is None else len(self._ordered.untimed)

    def stream(self, *streams: str) -> list[Recorded | Unreadable]:
        """The events of some streams, in order."""
        if self._ordered is None:
            return super().stream(*streams)
        events = [item for stream in streams for item in self.log.stream(stream)]
        return sorted(events, key=self._ordered.order)

    def events(self, after: int) -> Iterator[Recorded | Unreadable]:
        """The events behind a position, in order."""
        if self._ordered is None:
            return super().events(after)
        return (recorded for recorded in super().events(0) if recorded.position > after)

    def views(self) -> Views:
        """The read models, in memory."""
        known = self._views
        views = super().views()
        if views is not known:
            # A light copy needs no closing, and the views may be held longer than the ledger that gave them.
            weakref.finalize(views, views.models.database.close)
        return views

    def close(self) -> None:
        """Forget the read models."""
        self.closed = True
        if self._views is not None:
            self._views.close()

    def _words(self) -> str:
        known = f"known at position {self.position}"
        return known if self.valid_at is None else f"{known} and true at {self.valid_at}"
