"""Repairs: rows that are folded anew in place, one stream's or those that an event in quarantine is missing from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.catching_up import CatchUp
from goal_ledger.adapters.views.history import keys_of
from goal_ledger.adapters.views.log import quiet
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import Place, Shelf
from goal_ledger.domain.base import Recorded
from goal_ledger.projections.base import Projection


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


class Repairs:
    """The rows of the live tables, one by one. count: how often this process has changed them in place."""

    def __init__(self, models: ReadModels, catch_up: CatchUp) -> None:
        self.count = 0
        self._models = models
        self._catch_up = catch_up

    def quarantined(self) -> list[Quarantined]:
        """Every event that a projection could not fold."""

        def ask(shelf: Shelf) -> list[Quarantined]:
            names = {place.name: name for name, place in self._models.live(shelf).items()}
            rows = shelf.session.execute(
                "SELECT name, position, stream, event, problem FROM quarantine ORDER BY position, name"
            )
            return [Quarantined(names[name], *rest) for name, *rest in rows if name in names]

        return self._models.at_one_moment(ask)

    def repair(self, stream: str) -> list[Repaired]:
        """Fold the rows of one stream anew, in every projection that it concerns."""
        models = self._models
        self._catch_up.run(quiet)
        self.count += 1
        with collector_paused(), models.writing() as shelf:
            done = []
            for name, place in models.live(shelf).items():
                projection = models.projections[name]
                keys = keys_of(projection, models.log.stream(stream, up_to=place.position))
                if keys:
                    done.append(Repaired(name, len(keys), models.writer(shelf).repair(projection, place, keys)))
            return done

    def retry(self, names: Sequence[str] = ()) -> int:
        """Fold the events in quarantine again, after the code was corrected; how many were recovered.

        NotFound: unknown_projection.
        """
        wanted = {projection.name for projection in self._models.named(names)}
        self._catch_up.run(quiet)
        before = [item for item in self.quarantined() if item.projection in wanted]
        self.count += 1
        with collector_paused(), self._models.writing() as shelf:
            for name, place in self._models.live(shelf).items():
                missing = [item for item in before if item.projection == name]
                if missing:
                    self._retry(shelf, self._models.projections[name], place, missing)
        return len(before) - sum(item.projection in wanted for item in self.quarantined())

    def _retry(self, shelf: Shelf, projection: Projection[Any], place: Place, missing: Sequence[Quarantined]) -> None:
        log = self._models.log
        events = [log.decode(row) for item in missing for row in log.page(item.position - 1, 1)]
        keys = keys_of(projection, events)
        if projection.is_by_stream:
            keys |= {item.stream for item in missing}
        strangers = [  # code that did not know these events could not know either that they are none of its business
            item.position for item in events if isinstance(item, Recorded) and type(item.event) not in projection.folds
        ]
        shelf.take_away(self._models.table(projection, place.name), (), strangers)
        self._models.writer(shelf).repair(projection, place, keys)
