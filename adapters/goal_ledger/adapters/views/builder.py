"""Building tables beside the ones that readers see, and putting them in their place when they are whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.fold import Folding
from goal_ledger.adapters.views.lease import LEASE_S, is_held, new_builder
from goal_ledger.adapters.views.log import Progress
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import Place, Role, Shelf
from goal_ledger.domain.errors import Conflict, LedgerError
from goal_ledger.projections.base import Projection

_WRITTEN_EVERY = 50
"""Pages, at the latest: so much is folded again after a crash."""

_LOOK_AGAIN_S = 0.05


class Unless(Enum):
    """Which projections need no building: those with a live table, those that another process built meanwhile, none."""

    LIVE = "live"
    BUILT_MEANWHILE = "built meanwhile"
    NEVER = "never"


class _Overtaken(Exception):
    """Another process has gone on with the building."""


class Builder:
    """Builds the tables of projections from a log. one_at_a_time: held by the thread of this process that builds."""

    def __init__(self, models: ReadModels) -> None:
        self.one_at_a_time = threading.Lock()
        self._models = models
        self._name = new_builder()

    def build(
        self,
        projections: Sequence[Projection[Any]],
        progress: Progress,
        *,
        up_to: int | None = None,
        unless: Unless = Unless.NEVER,
    ) -> None:
        """Build new tables up to a position, or to within a page of the log's end; go on from where a builder stopped.

        Conflict: busy.
        """
        seen: set[str] = set()
        while wanted := self._claim(projections, up_to, progress, unless, seen):
            try:
                with collector_paused():
                    self._fold(wanted, up_to, progress)
                return
            except _Overtaken:
                continue
            finally:
                self._release([place.name for place in wanted.values()])

    def swap(self, projections: Sequence[Projection[Any]]) -> int:
        """Let readers see the new tables, all at one instant; what they saw is kept as old. The position."""
        with collector_paused(), self._models.writing() as shelf:
            head = self._models.log.head()
            new = {each: place for each in projections if (place := shelf.place(each, Role.NEW)) is not None}
            self.advance(shelf, new, head)
            for projection, place in new.items():
                shelf.index(projection, place)
                live = shelf.place(projection, Role.LIVE)
                if live is not None and self._models.fits(live):
                    shelf.drop([shelf.place(projection, Role.OLD)])
                    shelf.give(live, Role.OLD)
                else:
                    shelf.drop([live])
                shelf.give(place, Role.LIVE)
            return head

    def advance(self, shelf: Shelf, places: Mapping[Projection[Any], Place], up_to: int) -> None:
        """Fold tables up to a position, in the transaction of the shelf."""
        if places:
            folding = self._models.folding(places)
            while folding.position < up_to:
                folding.page(self._models.page, up_to, shelf.load)
            self._models.writer(shelf).write(folding, {place.name: place.position for place in places.values()})

    def is_held(self, place: Place) -> bool:
        """Whether another builder is at work on a table."""
        return place.builder != self._name and is_held(place.builder, place.lease_until)

    # --- Steps

    def _claim(
        self,
        projections: Sequence[Projection[Any]],
        up_to: int | None,
        progress: Progress,
        unless: Unless,
        seen: set[str],
    ) -> dict[Projection[Any], Place]:
        """The tables to build, ours for as long as we give signs of life. seen: the new ones that there were so far."""
        log = self._models.log
        waited_since, reached = time.monotonic(), -1
        while True:
            with self._models.writing() as shelf:
                wanted = [
                    projection for projection in projections if not self._is_done(shelf, projection, unless, seen)
                ]
                begun = {projection: shelf.place(projection, Role.NEW) for projection in wanted}
                others = [place for place in begun.values() if place is not None and self.is_held(place)]
                if not others:
                    places = {
                        projection: self._continued(shelf, projection, place, up_to)
                        for projection, place in begun.items()
                    }
                    shelf.lease([place.name for place in places.values()], self._name, time.time() + LEASE_S)
                    seen |= {place.name for place in places.values()}
                    return places
                seen |= {place.name for place in others}
            position = min(place.position for place in others)
            if position > reached:
                waited_since, reached = time.monotonic(), position
                progress(position, log.head())
            elif time.monotonic() - waited_since > self._models.wait_s:
                raise Conflict("busy", f"{others[0].builder} builds {others[0].projection}", hint="try again later")
            time.sleep(_LOOK_AGAIN_S)

    def _is_done(self, shelf: Shelf, projection: Projection[Any], unless: Unless, seen: set[str]) -> bool:
        live = shelf.place(projection, Role.LIVE)
        if unless is Unless.NEVER or live is None or not self._models.fits(live):
            return False
        return unless is Unless.LIVE or live.name in seen

    def _continued(self, shelf: Shelf, projection: Projection[Any], place: Place | None, up_to: int | None) -> Place:
        if place is not None and self._models.fits(place) and (up_to is None or place.position <= up_to):
            return place
        shelf.drop([place])
        return shelf.create(projection, Role.NEW)

    def _fold(self, wanted: dict[Projection[Any], Place], up_to: int | None, progress: Progress) -> None:
        log, page = self._models.log, self._models.page
        written = {place.name: place.position for place in wanted.values()}
        folding = self._models.folding(wanted)
        since, written_at = folding.position, time.monotonic()
        while True:
            head = log.head() if up_to is None else up_to
            if head - folding.position <= (page if up_to is None else 0):
                break
            with self._models.reading() as shelf:
                folding.page(page, head, shelf.load)
            is_much = folding.is_full or folding.position - since >= _WRITTEN_EVERY * page
            if is_much or time.monotonic() - written_at > LEASE_S / 3:  # or others take it for dead
                self._flush(folding, written)
                since, written_at = folding.position, time.monotonic()
            progress(folding.position, head)
        self._flush(folding, written)
        for projection, place in wanted.items():
            with self._models.writing() as shelf:
                shelf.index(projection, place)

    def _flush(self, folding: Folding, written: dict[str, int]) -> None:
        """Write what was folded, if nobody else has gone on with it meanwhile."""
        with self._models.writing() as shelf:
            places = {place.name: place for place in shelf.places()}
            for name, position in written.items():
                place = places.get(name)
                if place is None or (place.builder, place.position) != (self._name, position):
                    raise _Overtaken
            self._models.writer(shelf).write(folding, written)
            shelf.lease([*written], self._name, time.time() + LEASE_S)
        written |= {fold.table.name: fold.position for fold in folding.folds}
        if folding.is_full:
            folding.forget()

    def _release(self, names: Sequence[str]) -> None:
        with suppress(LedgerError), self._models.writing() as shelf:  # else the lease runs out by itself
            mine = [place.name for place in shelf.places() if place.name in names and place.builder == self._name]
            shelf.lease(mine, None, None)
