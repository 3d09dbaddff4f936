"""What questions, rebuilds and repairs share: the read models of one ledger as this code folds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from goal_ledger.adapters.sql.session import AnyDatabase
from goal_ledger.adapters.views.fold import Folding, TableFold
from goal_ledger.adapters.views.log import Log
from goal_ledger.adapters.views.shelf import Place, Role, Shelf
from goal_ledger.adapters.views.table import SqlTypes, Table
from goal_ledger.adapters.views.writer import Writer
from goal_ledger.domain.errors import Hint, NotFound, Unavailable
from goal_ledger.projections.base import Projection

T = TypeVar("T")


class ReadModels:
    """A database, the log that is folded into it, and the projections of this code.

    ledger: the id of the log's. page: events read and folded at once. wait_s: how long to wait for another process.
    """

    def __init__(
        self,
        database: AnyDatabase,
        log: Log,
        projections: Iterable[Projection[Any]],
        *,
        ledger: str,
        page: int,
        wait_s: float,
        types: SqlTypes,
    ) -> None:
        self.database = database
        self.log = log
        self.ledger = ledger
        self.page = page
        self.wait_s = wait_s
        self.projections = {projection.name: projection for projection in projections}
        self.digests = {projection.name: projection.digest for projection in self.projections.values()}
        self._types = types
        self._names = {digest: name for name, digest in self.digests.items()}
        self._tables: dict[str, Table[Any]] = {}

    def named(self, names: Sequence[str]) -> list[Projection[Any]]:
        """The projections of these names, all when there are none. NotFound: unknown_projection."""
        for name in names:
            if name not in self.projections:
                raise NotFound(
                    "unknown_projection", f"there is no projection {name!r}", hint=Hint("projection", "list")
                )
        return [self.projections[name] for name in dict.fromkeys(names) or self.projections]

    # --- Tables

    def table(self, projection: Projection[Any], name: str) -> Table[Any]:
        """The table of a projection that has a name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(projection, name, self._types)
        return table

    def live(self, shelf: Shelf) -> dict[str, Place]:
        """By projection, the live tables of this code, as far as they were folded from this log."""
        digest_at = cache(self.log.digest_at)  # as a rule, all of them stand at one position
        return {
            self._names[place.digest]: place
            for place in shelf.places()
            if place.digest in self._names and place.role is Role.LIVE and place.fits(digest_at, self.ledger)
        }

    def own(self, shelf: Shelf, projection: Projection[Any], role: Role) -> Place | None:
        """The table of this code that has a role, if it was folded from this log."""
        place = shelf.place(projection, role)
        return place if place is not None and self.fits(place) else None

    def fits(self, place: Place) -> bool:
        """Whether a table was folded from this log, and from the past that the log still has."""
        return place.fits(self.log.digest_at, self.ledger)

    # --- Folding

    def folding(self, places: Mapping[Projection[Any], Place]) -> Folding:
        """Goes on with tables where they stand."""
        return Folding(
            self.log,
            [
                TableFold(self.table(projection, place.name), place.position, is_new=place.position == 0)
                for projection, place in places.items()
            ],
        )

    def writer(self, shelf: Shelf) -> Writer:
        """Writes through the session of a shelf."""
        return Writer(shelf, self.log, self.database.unstorable)

    # --- Sessions

    @contextmanager
    def reading(self) -> Iterator[Shelf]:
        """The tables, for one question; each statement sees what is committed by then."""
        with self.database.words(), self.database.read() as session:
            yield Shelf(session, self.ledger, self.table)

    @contextmanager
    def writing(self) -> Iterator[Shelf]:
        """The tables, in a transaction that holds the write lock."""
        with self.database.words(), self.database.write() as session:
            yield Shelf(session, self.ledger, self.table)

    def at_one_moment(self, ask: Callable[[Shelf], T]) -> T:
        """An answer that takes several statements: a name, and the rows of the table that has it.

        On a server a table can be dropped in between all the same; then it is asked again, about the next one.
        """
        seen: Sequence[str] | None = None
        while True:
            shelf: Shelf | None = None
            try:
                with self.database.words(), self.database.snapshot() as session:
                    shelf = Shelf(session, self.ledger, self.table)
                    return ask(shelf)
            except Unavailable:
                if shelf is None or shelf.seen == seen:  # nothing was dropped: it would fail again
                    raise
                seen = shelf.seen
