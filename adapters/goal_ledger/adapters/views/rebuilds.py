"""Rebuilds: new tables beside those that readers see, compared with them, and swapped in when they are whole."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.builder import Builder, Unless
from goal_ledger.adapters.views.diff import Diff, compare
from goal_ledger.adapters.views.log import Progress, quiet
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import Place, Role, Shelf
from goal_ledger.domain.errors import Hint, Rejected
from goal_ledger.projections.base import Projection


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


class Rebuilds:
    """The tables of the read models, as wholes: where they stand, and how they are replaced."""

    def __init__(self, models: ReadModels, builder: Builder) -> None:
        self._models = models
        self._builder = builder

    def status(self) -> list[Status]:
        """Where each projection stands, without moving it."""
        models, head = self._models, self._models.log.head()
        return models.at_one_moment(
            lambda shelf: [self._status(shelf, projection, head) for projection in models.projections.values()]
        )

    def rebuild(self, names: Sequence[str] = (), progress: Progress = quiet) -> int:
        """Build the named tables anew, or all, beside those in use, and swap them when they are whole; the position.

        A rebuild that was cut off goes on where it stopped; one that another process is at is awaited, and is enough.
        NotFound: unknown_projection. Conflict: busy.
        """
        projections = self._models.named(names)
        with self._builder.one_at_a_time:
            self._builder.build(projections, progress, unless=Unless.BUILT_MEANWHILE)
            position = self._builder.swap(projections)
        progress(position, position)
        return position

    def build(self, names: Sequence[str] = (), progress: Progress = quiet) -> None:
        """Build new tables and leave readers with those in use, so that they can be compared: see `diff` and `swap`.

        NotFound: unknown_projection. Conflict: busy.
        """
        with self._builder.one_at_a_time:
            for projection in self._models.named(names):
                with self._models.reading() as shelf:
                    other = self._of_other_code(shelf, projection)
                self._builder.build([projection], progress, up_to=None if other is None else other.position)
                if other is None:
                    self._finish(projection, progress)

    def swap(self, names: Sequence[str], progress: Progress = quiet) -> int:
        """Let readers see the tables that were built, all at one instant; what they saw is kept as old. The position.

        NotFound: unknown_projection. Rejected: nothing_built.
        """
        projections = self._models.named(names)
        with self._models.reading() as shelf:
            for projection in projections:
                if self._models.own(shelf, projection, Role.NEW) is None:
                    raise _nothing_built(projection)
        return self.rebuild(names, progress)

    def swap_back(self, names: Sequence[str]) -> None:
        """Let readers see the old tables again, and keep the present ones as old.

        NotFound: unknown_projection. Rejected: nothing_kept.
        """
        with self._models.writing() as shelf:
            for projection in self._models.named(names):
                old, live = self._models.own(shelf, projection, Role.OLD), shelf.place(projection, Role.LIVE)
                if old is None:
                    raise Rejected("nothing_kept", f"no earlier table of {projection.name} is kept")
                # Other processes may be sure that what they see is caught up.
                self._builder.advance(shelf, {projection: old}, self._models.log.head())
                shelf.give(old, Role.LIVE)
                if live is not None:
                    shelf.give(live, Role.OLD)

    def diff(self, name: str, limit: int = 100) -> Diff:
        """How the new table differs from the one in use or, when there is none, the one in use from the old one.

        limit: of the changes told one by one, by key. NotFound: unknown_projection. Rejected: nothing_built, ahead.
        """
        [projection] = self._models.named([name])

        def ask(shelf: Shelf) -> Diff | None:
            places = {place.name: place for place in shelf.places()}
            before, after = (places.get(name) for name in names)
            if before is None or after is None or before.position != after.position:
                return None
            return compare(shelf.session, projection, *names, self._models.log, after.position, limit)

        while True:
            with collector_paused(), self._models.writing() as shelf:
                names = self._aligned(shelf, projection)
            if (found := self._models.at_one_moment(ask)) is not None:
                return found

    def dry_run(self, names: Sequence[str] = (), progress: Progress = quiet, limit: int = 100) -> list[Diff]:
        """What a rebuild would change; nothing is left of it. See `diff`."""
        found = []
        for projection in self._models.named(names):
            with self._models.reading() as shelf:
                begun = shelf.place(projection, Role.NEW)
                live = self._models.own(shelf, projection, Role.LIVE)
                if live is None and self._of_other_code(shelf, projection) is None:
                    continue  # there is nothing that it could change
            try:
                self.build([projection.name], progress)
                found.append(self.diff(projection.name, limit))
            finally:
                with self._models.writing() as shelf:
                    new = shelf.place(projection, Role.NEW)
                    if new is not None and (begun is None or new.name != begun.name) and not self._builder.is_held(new):
                        shelf.drop([new])
        return found

    def drop_old(self, names: Sequence[str] = ()) -> list[str]:
        """Drop the tables of earlier builds and of other code; their names.

        NotFound: unknown_projection. Rejected: nothing_live, when readers would have nothing left.
        """
        with self._models.writing() as shelf:
            dropped = []
            for projection in self._models.named(names):
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
        with self._models.writing() as shelf:
            built = [shelf.place(projection, Role.NEW) for projection in self._models.named(names)]
            unwanted = [place for place in built if place is not None and not self._builder.is_held(place)]
            shelf.drop(unwanted)
            return [place.name for place in unwanted]

    # --- Steps

    def _finish(self, projection: Projection[Any], progress: Progress) -> None:
        """Fold the last page of a new table."""
        with collector_paused(), self._models.writing() as shelf:
            head, new = self._models.log.head(), self._models.own(shelf, projection, Role.NEW)
            if new is not None and not self._builder.is_held(new):
                self._builder.advance(shelf, {projection: new}, head)
        progress(head, head)

    def _of_other_code(self, shelf: Shelf, projection: Projection[Any]) -> Place | None:
        """The table that a new one is compared with when none of this code is live."""
        if self._models.own(shelf, projection, Role.LIVE) is not None:
            return None
        return next(filter(self._models.fits, shelf.others(projection)), None)

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
        new, live, old = (self._models.own(shelf, projection, role) for role in (Role.NEW, Role.LIVE, Role.OLD))
        before, after = (live, new) if new is not None else (old, live)
        if after is None or (before is None and new is None):
            raise _nothing_built(projection)
        if before is not None:
            for place in (before, after):
                self._builder.advance(shelf, {projection: place}, self._models.log.head())
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
        live, new = (self._models.own(shelf, projection, role) for role in (Role.LIVE, Role.NEW))
        kept = [place.name for place in self._kept(shelf, projection)]
        of_others = self._of_other_code(shelf, projection)
        state = State.CURRENT if live is not None else State.MISSING if of_others is None else State.STALE
        position, rows, quarantined = 0 if live is None else live.position, 0, 0
        if live is not None:
            rows = shelf.session.execute(self._models.table(projection, live.name).count).fetchone()[0]
            quarantined = shelf.quarantined(live)
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


def _nothing_built(projection: Projection[Any]) -> Rejected:
    return Rejected(
        "nothing_built",
        f"no new table of {projection.name} stands ready",
        hint=Hint("projection", "rebuild", (projection.name,), no_swap=True),
    )
