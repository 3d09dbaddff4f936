"""Folding pages of the log into rows, each event decoded once for every projection that wants it."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from goal_ledger.adapters.views.log import Log, LogRow
from goal_ledger.adapters.views.table import Table
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.registry import EVENTS, NAMES
from goal_ledger.projections.base import Key

_MOST_CELLS = 1_250_000
"""Of the rows that are remembered; some 80 MB."""

Load = Callable[[Table[Any], Key], Any]
"""Reads a row from its table; None when there is none."""


class Unfolded(NamedTuple):
    """An event that a table could not fold, and why."""

    position: int
    stream: str
    event: str
    problem: str


class TableFold:
    """The rows of one table while events are folded into them; what changed is written together, later.

    position: of the last event folded. is_new: what is not remembered here is not in the table either.
    """

    def __init__(self, table: Table[Any], position: int, *, is_new: bool = False) -> None:
        self.table = table
        self.position = position
        self.is_new = is_new
        self.rows: dict[Key, Any] = {}
        self.changed: set[Key] = set()
        self.quarantined: list[Unfolded] = []

    def reads(self, name: str) -> bool:
        """Whether an event of this name concerns the table; one that nobody knows may concern any."""
        return EVENTS[name] in self.table.projection.folds if name in EVENTS else True

    def take(self, item: Recorded | Unreadable, load: Load) -> None:
        """Fold one event that the table reads; what cannot be folded is quarantined with its reason."""
        if type(item) is Unreadable:
            self.quarantine(item, item.problem)
            return
        recorded, rows = cast(Recorded, item), self.rows
        event = recorded.event
        handler, at = self.table.projection.folds[type(event)]
        try:
            key = recorded.stream if at is None else at(recorded, event)
        except Exception as error:  # a projection's mistake must not stop the others
            self.quarantine(recorded, f"{type(error).__name__}: {error}")
            return
        if key in rows:
            before = rows[key]
        elif self.is_new or key == recorded.position or (at is None and recorded.version == 1):
            before = None  # the first event that could concern the row
        else:
            before = rows[key] = load(self.table, key)
        try:
            after = handler(before, recorded, event)
        except Exception as error:
            self.quarantine(recorded, f"{type(error).__name__}: {error}")
            return
        if after is not before:
            rows[key] = after
            self.changed.add(key)

    def quarantine(self, item: Recorded | Unreadable, problem: str) -> None:
        """Go on without an event."""
        self.quarantined.append(Unfolded(item.position, item.stream, item.name, problem))

    def written(self) -> None:
        """What changed is in the table now."""
        self.changed.clear()
        self.quarantined.clear()
        if type(next(iter(self.rows), None)) is int:  # rows of one event each: nothing comes back to them
            self.rows.clear()

    def forget(self) -> None:
        """Remember no rows, but look them up in the table."""
        self.rows.clear()
        self.written()
        self.is_new = False


class Folding:
    """Several tables that are folded in one pass."""

    def __init__(self, log: Log, folds: Sequence[TableFold]) -> None:
        self.folds = folds
        self._log = log

    @property
    def position(self) -> int:
        """The last event that all tables have folded."""
        return min(fold.position for fold in self.folds)

    @property
    def is_full(self) -> bool:
        """Whether so many rows are remembered that they should be written and forgotten."""
        return sum(len(fold.rows) * len(fold.table.columns) for fold in self.folds) > _MOST_CELLS

    def forget(self) -> None:
        """Remember no rows, but look them up in the tables."""
        for fold in self.folds:
            fold.forget()

    def page(self, limit: int, up_to: int, load: Load) -> None:
        """Fold up to limit events more, none behind up_to, into the tables that are furthest behind."""
        start = self.position
        if start >= up_to:  # another process was quicker
            return
        behind = [fold for fold in self.folds if fold.position == start]
        bound = min([up_to, *(fold.position for fold in self.folds if fold.position > start)])
        asked = min(limit, bound - start)
        page = self._log.page(start, asked)
        is_last = len(page) < asked or page[-1][0] >= bound
        if page and page[-1][0] > bound:  # events are missing in between
            del page[bisect_right(page, bound, key=_position) :]
        decode, readers = self._log.decode, _readers(behind)
        for row in page:
            wanting = readers.get(row[3])
            if wanting is None:
                if row[3] in EVENTS:
                    continue
                wanting = behind
            item = decode(row)
            for fold in wanting:
                fold.take(item, load)
        for fold in behind:
            fold.position = bound if is_last else page[-1][0]


def _readers(folds: Sequence[TableFold]) -> Mapping[str, Sequence[TableFold]]:
    readers: dict[str, list[TableFold]] = {}
    for fold in folds:
        for event_type in fold.table.projection.folds:
            readers.setdefault(NAMES[event_type], []).append(fold)
    return readers


def _position(row: LogRow) -> int:
    return row[0]
