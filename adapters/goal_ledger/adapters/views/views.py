"""The read models of one ledger: caught up when asked, rebuilt beside those in use, proven before they are swapped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.sql.session import AnyDatabase, Session
from goal_ledger.adapters.views.builder import Builder, Source, Unless
from goal_ledger.adapters.views.diff import Diff, compare
from goal_ledger.adapters.views.fold import Folding, TableFold
from goal_ledger.adapters.views.history import keys_of
from goal_ledger.adapters.views.log import Log, Progress, quiet
from goal_ledger.adapters.views.shelf import Place, Role, Shelf
from goal_ledger.adapters.views.table import SQLITE_TYPES, SqlTypes, Table
from goal_ledger.adapters.views.writer import Writer
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Hint, NotFound, Rejected, Unavailable
from goal_ledger.domain.settings import Stale
from goal_ledger.projections.base import Key, Projection

R = TypeVar("R", bound=tuple[Any, ...])
T = TypeVar("T")

Edition = tuple[int, Sequence[str]]
"""How often rows were mended in place, and the tables that readers see."""

_LOOK_AGAIN_S = 0.05

_PAGES_TOGETHER = 10
"""Pages that are folded before their rows are written, when there are so many: a row is changed by several of them."""


class State(StrEnum):
    """current: of this code. stale: only other code's table is there. missing: none is there yet."""

    CURRENT = "current"
    STALE = "stale"
    MISSING = "missing"


class Status(NamedTuple):
    """Where a projection stands. table: the one that readers see; None when there is none.

    behind: events not folded yet. quarantined: events it could not fold. building: how far a new table is, None when
    none is being built. kept: the other tables, of earlier builds and of other code.
    """

    name: str
    state: State
    table: str | None
    position: int
    behind: int
    rows: int
    quarantined: int
    building: int | None
    kept: Sequence[str]


class Quarantined(NamedTuple):
    """An event that a projection could not fold, and why; the rest went on without it."""

    projection: str
    position: int
    stream: str
    event: str
    problem: str


class Repaired(NamedTuple):
    """Rows that were folded anew. rows: how many were looked at. changed: how many were not as they should be."""

    projection: str
    rows: int
    changed: int


class Views:
    """The read models of one ledger.

    ledger: its id. page: events read and folded at once. wait_s: how long to wait for another process that builds.
    stale: what to do when the tables of this code are not there and the log is longer than a page.
    """

    def __init__(
        self,
        database: AnyDatabase,
        log: Log,
        projections: Iterable[Projection[Any]],
        *,
        ledger: str,
        page: int = 5_000,
        wait_s: float = 30.0,
        stale: Stale = Stale.REBUILD,
        types: SqlTypes = SQLITE_TYPES,
    ) -> None:
        self._database = database
        self._log = log
        self._ledger = ledger
        self._page = page
        self._wait_s = wait_s
        self._stale = stale
        self._projections = {projection.name: projection for projection in projections}
        self._digests = {projection.digest: projection.name for projection in self._projections.values()}
        self._digest_of = {name: digest for digest, name in self._digests.items()}
        self._types = types
        self._tables: dict[str, Table[Any]] = {}
        self._fresh_at = -1  # every live table has folded the log up to here
        self._mended = 0
        self._builder = Builder(database, Source(log, ledger, page), self._table_of, wait_s)
        self._building = threading.Lock()

    # --- Questions

    def get(self, projection: Projection[R], key: Key) -> R | None:
        """The row under a key, as of now. Unavailable: stale_views."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.get, (key,)

        rows: list[R] = self._ask(projection, ask)
        return rows[0] if rows else None

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
        """Rows as of now; see `Table.select` for the arguments. Unavailable: stale_views."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.select(where or {}, order, descending=descending, after=after, limit=limit)

        return self._ask(projection, ask)

    def select_columns(
        self,
        projection: Projection[Any],
        columns: Sequence[str],
        where: Mapping[str, Any] | None = None,
        *,
        order: Sequence[str],
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[tuple[Any, ...]]:
        """Some columns of rows as of now: most of the time that wide rows take is spent on what nobody asked for."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.select(where or {}, order, descending=False, after=after, limit=limit, columns=columns)

        return self._ask(projection, ask, lambda table: table.decoder(columns))

    def stream_at(self, position: int) -> str | None:
        """The stream whose last event stood at a position, as the rows remember it; nothing is caught up first."""

        def ask(shelf: Shelf) -> str | None:
            for projection in self._projections.values():
                place = shelf.place(projection, Role.LIVE)
                column = projection.key if projection.is_by_stream else "goal_id"
                if place is not None and {column, "position"} <= set(projection.row._fields):
                    sql = f'SELECT {column} FROM "{place.name}" WHERE position = ?'
                    if (row := shelf.session.execute(sql, (position,)).fetchone()) is not None:
                        return str(row[0])
            return None

        return self._at_one_moment(ask)

    def edition(self, *projections: Projection[Any]) -> Edition:
        """Another one than before when rows may have changed other than by catching up.

        That is when tables were swapped, by whatever process, and when this one repaired or retried.
        """
        digests = [self._digest_of[projection.name] for projection in projections]
        sql = f"SELECT name FROM folded WHERE role = ? AND digest IN ({', '.join('?' * len(digests))}) ORDER BY name"
        with self._reading() as shelf:
            return self._mended, [name for (name,) in shelf.session.execute(sql, (Role.LIVE, *digests)).fetchall()]

    def status(self) -> list[Status]:
        """Where each projection stands, without moving it."""
        head = self._log.head()
        return self._at_one_moment(
            lambda shelf: [self._status(shelf, projection, head) for projection in self._projections.values()]
        )

    def quarantined(self) -> list[Quarantined]:
        """Every event that a projection could not fold."""

        def ask(shelf: Shelf) -> list[Quarantined]:
            names = {place.name: name for name, place in self._lives(shelf).items()}
            rows = shelf.session.execute(
                "SELECT name, position, stream, event, problem FROM quarantine ORDER BY position, name"
            )
            return [Quarantined(names[name], *rest) for name, *rest in rows if name in names]

        return self._at_one_moment(ask)

    # --- Folding

    def catch_up(self, progress: Progress = quiet) -> int:
        """Fold what the log holds beyond the tables; the position reached. Unavailable: stale_views. Conflict: busy."""
        head = self._log.head()
        if head != self._fresh_at:
            with collector_paused():
                self._catch_up(head, progress)
            self._fresh_at = head
        return head

    def rebuild(self, names: Sequence[str] = (), progress: Progress = quiet) -> int:
        """Build the named tables anew, or all, beside those in use, and swap them when they are whole; the position.

        A rebuild that was cut off goes on where it stopped; one that another process is at is awaited, and is enough.
        NotFound: unknown_projection. Conflict: busy.
        """
        projections = self._named(names)
        with self._building:
            self._builder.build(projections, progress, unless=Unless.BUILT_MEANWHILE)
            position = self._builder.swap(projections)
        progress(position, position)
        return position

    def repair(self, stream: str) -> list[Repaired]:
        """Fold the rows of one stream anew, in every projection that it concerns."""
        self.catch_up()
        self._mended += 1
        with collector_paused(), self._writing() as shelf:
            done = []
            for name, place in self._lives(shelf).items():
                projection = self._projections[name]
                keys = keys_of(projection, self._log.stream(stream, up_to=place.position))
                if keys:
                    done.append(Repaired(name, len(keys), self._writer(shelf).repair(projection, place, keys)))
            return done

    def retry(self, names: Sequence[str] = ()) -> int:
        """Fold the rows anew that lack an event, after the code was mended; how many events are lacking no more.

        NotFound: unknown_projection.
        """
        wanted = {projection.name for projection in self._named(names)}
        self.catch_up()
        before = [item for item in self.quarantined() if item.projection in wanted]
        self._mended += 1
        with collector_paused(), self._writing() as shelf:
            for name, place in self._lives(shelf).items():
                lacking = [item for item in before if item.projection == name]
                if lacking:
                    self._retry(shelf, self._projections[name], place, lacking)
        return len(before) - sum(item.projection in wanted for item in self.quarantined())

    # --- Building beside

    def build(self, names: Sequence[str] = (), progress: Progress = quiet) -> None:
        """Build new tables and leave readers with those in use, so that they can be compared: see `diff` and `swap`.

        NotFound: unknown_projection. Conflict: busy.
        """
        with self._building:
            for projection in self._named(names):
                with self._reading() as shelf:
                    other = self._of_other_code(shelf, projection)
                self._builder.build([projection], progress, up_to=None if other is None else other.position)
                if other is None:
                    self._finish(projection, progress)

    def swap(self, names: Sequence[str], progress: Progress = quiet) -> int:
        """Let readers see the tables that were built, all at one instant; what they saw is kept as old. The position.

        NotFound: unknown_projection. Rejected: nothing_built.
        """
        projections = self._named(names)
        with self._reading() as shelf:
            for projection in projections:
                if self._own(shelf, projection, Role.NEW) is None:
                    raise _nothing_built(projection)
        return self.rebuild(names, progress)

    def swap_back(self, names: Sequence[str]) -> None:
        """Let readers see the old tables again, and keep the present ones as old.

        NotFound: unknown_projection. Rejected: nothing_kept.
        """
        with self._writing() as shelf:
            for projection in self._named(names):
                old, live = self._own(shelf, projection, Role.OLD), shelf.place(projection, Role.LIVE)
                if old is None:
                    raise Rejected("nothing_kept", f"no earlier table of {projection.name} is kept")
                # Other processes may be sure that what they see is caught up.
                self._builder.advance(shelf, {projection: old}, self._log.head())
                shelf.give(old, Role.LIVE)
                if live is not None:
                    shelf.give(live, Role.OLD)

    def diff(self, name: str, limit: int = 100) -> Diff:
        """How the new table differs from the one in use or, when there is none, the one in use from the old one.

        limit: of the changes told one by one, by key. NotFound: unknown_projection. Rejected: nothing_built, ahead.
        """
        [projection] = self._named([name])

        def ask(shelf: Shelf) -> Diff | None:
            places = {place.name: place for place in shelf.places()}
            before, after = (places.get(name) for name in names)
            if before is None or after is None or before.position != after.position:
                return None
            return compare(shelf.session, projection, *names, self._log, after.position, limit)

        while True:
            with collector_paused(), self._writing() as shelf:
                names = self._aligned(shelf, projection)
            if (found := self._at_one_moment(ask)) is not None:
                return found

    def dry_run(self, names: Sequence[str] = (), progress: Progress = quiet, limit: int = 100) -> list[Diff]:
        """What a rebuild would change; nothing is left of it. See `diff`."""
        found = []
        for projection in self._named(names):
            with self._reading() as shelf:
                begun = shelf.place(projection, Role.NEW)
                live = self._own(shelf, projection, Role.LIVE)
                if live is None and self._of_other_code(shelf, projection) is None:
                    continue  # there is nothing that it could change
            try:
                self.build([projection.name], progress)
                found.append(self.diff(projection.name, limit))
            finally:
                with self._writing() as shelf:
                    new = shelf.place(projection, Role.NEW)
                    if new is not None and (begun is None or new.name != begun.name) and not self._builder.is_held(new):
                        shelf.drop([new])
        return found

    def drop_old(self, names: Sequence[str] = ()) -> list[str]:
        """Drop the tables of earlier builds and of other code; their names.

        NotFound: unknown_projection. Rejected: nothing_live, when readers would have nothing left.
        """
        with self._writing() as shelf:
            dropped = []
            for projection in self._named(names):
                kept = self._kept(shelf, projection)
                if kept and shelf.place(projection, Role.LIVE) is None:
                    raise Rejected(
                        "nothing_live",
                        f"{projection.name} has no table of this code yet",
                        hint=Hint("projection", "rebuild", (projection.name,)),
                    )
                shelf.drop(kept)
                dropped += [place.name for place in kept]
            return dropped

    def drop_new(self, names: Sequence[str] = ()) -> list[str]:
        """Drop the new tables of this code that nobody is building; their names. NotFound: unknown_projection."""
        with self._writing() as shelf:
            built = [shelf.place(projection, Role.NEW) for projection in self._named(names)]
            unwanted = [place for place in built if place is not None and not self._builder.is_held(place)]
            shelf.drop(unwanted)
            return [place.name for place in unwanted]

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    # --- Shared

    def _ask(
        self,
        projection: Projection[Any],
        question: Callable[[Table[Any]], tuple[str, Sequence[Any]]],
        decoder: Callable[[Table[Any]], Callable[[Sequence[Any]], R]] = lambda table: table.decode,
    ) -> list[R]:
        digest = self._digest_of[projection.name]

        def answer(shelf: Shelf) -> list[R] | None:
            name = shelf.live(projection.name, digest)
            if name is None:
                return None
            table: Table[Any] = self._table_of(projection, name)
            return list(map(decoder(table), shelf.session.execute(*question(table)).fetchall()))

        while True:
            self.catch_up()
            rows = self._at_one_moment(answer)
            if rows is not None:
                return rows
            self._fresh_at = -1  # other code dropped the tables of this one

    def _catch_up(self, head: int, progress: Progress) -> None:
        folding: Folding | None = None
        reached = -1
        while reached < head:
            with self._writing() as shelf:
                lives = self._lives(shelf)
                missing = [each for name, each in self._projections.items() if name not in lives]
                if head <= self._page:  # sooner done than asked about
                    for projection in missing:
                        shelf.drop([shelf.place(projection, Role.LIVE)])  # of another past
                        lives[projection.name] = place = shelf.create(projection, Role.LIVE)
                        shelf.index(projection, place)
                    missing = []
                if not missing:
                    if folding is None or not _is_left_as_it_was(folding, lives.values()):
                        folding = self._folding(lives)
                    since = {fold.table.name: fold.position for fold in folding.folds}
                    up_to = min(head, folding.position + _PAGES_TOGETHER * self._page)
                    while folding.position < up_to and not folding.is_full:
                        folding.page(self._page, up_to, shelf.load)
                    self._writer(shelf).write(folding, since)
                    if folding.is_full:
                        for fold in folding.folds:
                            fold.forget()
                    reached = folding.position
            if missing:
                self._make(missing, progress)
            else:
                progress(reached, head)

    def _make(self, missing: Sequence[Projection[Any]], progress: Progress) -> None:
        """Do about tables that are not there what the setting says."""
        names = [projection.name for projection in missing]
        if self._stale is Stale.REBUILD:
            with self._building:
                self._builder.build(missing, progress, unless=Unless.LIVE)
                with self._reading() as shelf:
                    built = [projection for projection in missing if shelf.place(projection, Role.NEW) is not None]
                if built:
                    self._builder.swap(built)
            return
        until = time.monotonic() + (self._wait_s if self._stale is Stale.WAIT else 0)
        while time.monotonic() < until:
            with self._reading() as shelf:
                if set(names) <= self._lives(shelf).keys():
                    return
            time.sleep(_LOOK_AGAIN_S)
        raise Unavailable(
            "stale_views",
            f"{', '.join(names)}: not folded yet by this code",
            hint=Hint("projection", "rebuild", tuple(names)) + ", or set stale to rebuild",
        )

    def _finish(self, projection: Projection[Any], progress: Progress) -> None:
        """Fold the last page of a new table."""
        with collector_paused(), self._writing() as shelf:
            head, new = self._log.head(), self._own(shelf, projection, Role.NEW)
            if new is not None and not self._builder.is_held(new):
                self._builder.advance(shelf, {projection: new}, head)
        progress(head, head)

    def _retry(self, shelf: Shelf, projection: Projection[Any], place: Place, lacking: Sequence[Quarantined]) -> None:
        events = [self._log.decode(row) for item in lacking for row in self._log.page(item.position - 1, 1)]
        keys = keys_of(projection, events)
        if projection.is_by_stream:
            keys |= {item.stream for item in lacking}
        strangers = [  # code that did not know these events could not know either that they are none of its business
            item.position for item in events if isinstance(item, Recorded) and type(item.event) not in projection.folds
        ]
        shelf.take_away(self._table_of(projection, place.name), (), strangers)
        self._writer(shelf).repair(projection, place, keys)

    def _lives(self, shelf: Shelf) -> dict[str, Place]:
        """The live tables of this code, as far as they were folded from this log."""
        digest_at = cache(self._log.digest_at)  # as a rule, all of them stand at one position
        return {
            self._digests[place.digest]: place
            for place in shelf.places()
            if place.digest in self._digests and place.role is Role.LIVE and place.fits(digest_at, self._ledger)
        }

    def _own(self, shelf: Shelf, projection: Projection[Any], role: Role) -> Place | None:
        """The table of this code that has a role, if it was folded from this log."""
        place = shelf.place(projection, role)
        return place if place is not None and place.fits(self._log.digest_at, self._ledger) else None

    def _of_other_code(self, shelf: Shelf, projection: Projection[Any]) -> Place | None:
        """The table that a new one is compared with when none of this code is live."""
        if self._own(shelf, projection, Role.LIVE) is not None:
            return None
        return next(
            (place for place in shelf.others(projection) if place.fits(self._log.digest_at, self._ledger)), None
        )

    def _kept(self, shelf: Shelf, projection: Projection[Any]) -> list[Place]:
        """The tables of earlier builds and of other code, but for those that are being built."""
        return [
            place
            for place in shelf.places()
            if place.projection == projection.name
            and (place.digest != projection.digest or place.role is Role.OLD)
            and not (place.role is Role.NEW and self._builder.is_held(place))
        ]

    def _aligned(self, shelf: Shelf, projection: Projection[Any]) -> tuple[str, str]:
        """The names of the two tables to compare, folded up to the same position as far as this code can."""
        new, live, old = (self._own(shelf, projection, role) for role in (Role.NEW, Role.LIVE, Role.OLD))
        before, after = (live, new) if new is not None else (old, live)
        if after is None or (before is None and new is None):
            raise _nothing_built(projection)
        if before is not None:
            for place in (before, after):
                self._builder.advance(shelf, {projection: place}, self._log.head())
            return before.name, after.name
        other = self._of_other_code(shelf, projection)
        if other is None:
            raise Rejected("nothing_to_compare", f"{projection.name} has no other table")
        if after.position > other.position:
            raise Rejected(
                "ahead",
                f"the new table of {projection.name} stands at {after.position}, the other one at {other.position}",
                hint=Hint("projection", "swap", (projection.name,)) + ", or look first next time: rebuild --dry-run",
            )
        self._builder.advance(shelf, {projection: after}, other.position)
        return other.name, after.name

    def _status(self, shelf: Shelf, projection: Projection[Any], head: int) -> Status:
        live, new = (self._own(shelf, projection, role) for role in (Role.LIVE, Role.NEW))
        kept = [place.name for place in self._kept(shelf, projection)]
        of_others = self._of_other_code(shelf, projection)
        state = State.CURRENT if live is not None else State.MISSING if of_others is None else State.STALE
        position, rows, quarantined = 0 if live is None else live.position, 0, 0
        if live is not None:
            rows = shelf.session.execute(self._table_of(projection, live.name).count).fetchone()[0]
            lacking = "SELECT COUNT(*) FROM quarantine WHERE name = ?"
            quarantined = shelf.session.execute(lacking, (live.name,)).fetchone()[0]
        return Status(
            projection.name,
            state,
            None if live is None else live.name,
            position,
            max(0, head - position),
            rows,
            quarantined,
            None if new is None else new.position,
            kept,
        )

    def _folding(self, lives: Mapping[str, Place]) -> Folding:
        return Folding(
            self._log,
            [
                TableFold(
                    self._table_of(self._projections[name], place.name), place.position, is_new=place.position == 0
                )
                for name, place in lives.items()
            ],
        )

    def _named(self, names: Sequence[str]) -> list[Projection[Any]]:
        for name in names:
            if name not in self._projections:
                raise NotFound(
                    "unknown_projection", f"there is no projection {name!r}", hint=Hint("projection", "list")
                )
        return [self._projections[name] for name in dict.fromkeys(names) or self._projections]

    def _table_of(self, projection: Projection[Any], name: str) -> Table[Any]:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(projection, name, self._types)
        return table

    def _writer(self, shelf: Shelf) -> Writer:
        return Writer(shelf, self._log, self._database.unstorable)

    def _shelf(self, session: Session) -> Shelf:
        return Shelf(session, self._ledger, self._table_of)

    def _at_one_moment(self, ask: Callable[[Shelf], T]) -> T:
        """An answer that takes several statements: a name, and the rows of the table that has it.

        On a server a table can be dropped in between all the same; then it is asked again, about the next one.
        """
        seen: Sequence[str] | None = None
        while True:
            shelf: Shelf | None = None
            try:
                with self._database.words(), self._database.snapshot() as session:
                    shelf = self._shelf(session)
                    return ask(shelf)
            except Unavailable:
                if shelf is None or shelf.seen == seen:  # nothing was dropped: it would fail again
                    raise
                seen = shelf.seen

    @contextmanager
    def _reading(self) -> Iterator[Shelf]:
        with self._database.words(), self._database.read() as session:
            yield self._shelf(session)

    @contextmanager
    def _writing(self) -> Iterator[Shelf]:
        with self._database.words(), self._database.write() as session:
            yield self._shelf(session)


def _is_left_as_it_was(folding: Folding, places: Iterable[Place]) -> bool:
    """Whether no other process folded anything since: then the remembered rows are those of the tables."""
    return {(fold.table.name, fold.position) for fold in folding.folds} == {
        (place.name, place.position) for place in places
    }


def _nothing_built(projection: Projection[Any]) -> Rejected:
    return Rejected(
        "nothing_built",
        f"no new table of {projection.name} stands ready",
        hint=Hint("projection", "rebuild", (projection.name,), no_swap=True),
    )
