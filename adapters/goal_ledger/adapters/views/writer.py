"""Writing what was folded: all rows at once, or event by event when one of them cannot be stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from goal_ledger.adapters.views.fold import Folding, TableFold
from goal_ledger.adapters.views.history import history
from goal_ledger.adapters.views.log import Log
from goal_ledger.adapters.views.shelf import Place, Shelf
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.projections.base import Key, Projection

_PAGE = 1_000


class Writer:
    """Writes folds of a log through one session. unstorable: what the driver raises when a value fits no column."""

    def __init__(self, shelf: Shelf, log: Log, unstorable: tuple[type[Exception], ...]) -> None:
        self._shelf = shelf
        self._log = log
        self._unstorable = unstorable

    def write(self, folding: Folding, since: Mapping[str, int]) -> None:
        """Write what the tables gained, and how far they are. since: the position at which each was written last."""
        heads: dict[int, bytes | None] = {}
        for fold in folding.folds:
            name, position = fold.table.name, fold.position
            if position not in heads:
                heads[position] = self._log.digest_at(position)
            if self._fails(fold):
                fold.forget()
                self.each(fold, self._between(since[name], position))
            self._shelf.move(name, position, heads[position], fold.quarantined)
            fold.written()

    def each(self, fold: TableFold, items: Iterable[Recorded | Unreadable]) -> None:
        """Fold events one by one; one after which a row cannot be written is quarantined."""
        for item in items:
            if fold.reads(item.name):
                fold.take(item, self._shelf.load)
            if fold.changed and (error := self._fails(fold)):
                fold.rows.clear()
                fold.quarantine(item, f"{type(error).__name__}: {error}")
            fold.changed.clear()

    def repair(self, projection: Projection[Any], place: Place, keys: Collection[Key]) -> int:
        """Fold rows anew from their own events, as far as their table is folded; how many of them changed."""
        shelf, log = self._shelf, self._log
        table = shelf.table_of(projection, place.name)
        before = {key: shelf.load(table, key) for key in keys}
        events = list(history(projection, log, keys, place.position))
        shelf.take_away(table, keys, [item.position for item in events])
        fold = TableFold(table, place.position)
        self.each(fold, events)
        shelf.move(place.name, place.position, place.head, fold.quarantined)
        return sum(before[key] != shelf.load(table, key) for key in keys)

    def _fails(self, fold: TableFold) -> Exception | None:
        """Why the changed rows cannot be written; then none of them is. None when all are."""
        if not fold.changed:
            return None
        execute = self._shelf.session.execute
        execute("SAVEPOINT all_rows")
        try:
            self._shelf.write(fold)
        except self._unstorable as error:  # a handler made a row that no table holds: it must not stop the others
            execute("ROLLBACK TO all_rows")
            execute("RELEASE all_rows")
            return error
        execute("RELEASE all_rows")  # not after any other error, which may have ended the whole transaction
        return None

    def _between(self, after: int, up_to: int) -> Iterator[Recorded | Unreadable]:
        while after < up_to and (rows := self._log.page(after, min(_PAGE, up_to - after))):
            yield from (self._log.decode(row) for row in rows if row[0] <= up_to)
            after = rows[-1][0]
