"""Catching up: folding what the log holds beyond the live tables, before a question is answered."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from goal_ledger.adapters.sql.collector import collector_paused
from goal_ledger.adapters.views.builder import Builder, Unless
from goal_ledger.adapters.views.fold import Folding
from goal_ledger.adapters.views.log import Progress
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import Place, Role
from goal_ledger.domain.errors import Hint, Unavailable
from goal_ledger.domain.settings import Stale
from goal_ledger.projections.base import Projection

_LOOK_AGAIN_S = 0.05

_PAGES_TOGETHER = 10
"""Pages that are folded before their rows are written, when there are so many: a row is changed by several of them."""


class CatchUp:
    """Keeps the live tables up with the log.

    stale: what to do when the tables of this code are not there and the log is longer than a page.
    """

    def __init__(self, models: ReadModels, builder: Builder, stale: Stale) -> None:
        self._models = models
        self._builder = builder
        self._stale = stale
        self._fresh_at = -1  # every live table has folded the log up to here

    def run(self, progress: Progress) -> int:
        """Fold what the log holds beyond the tables; the position reached. Unavailable: stale_views. Conflict: busy."""
        head = self._models.log.head()
        if head != self._fresh_at:
            with collector_paused():
                self._run(head, progress)
            self._fresh_at = head
        return head

    def look_again(self) -> None:
        """Look at the tables next time, even if the log has not grown: other code dropped some of them."""
        self._fresh_at = -1

    def _run(self, head: int, progress: Progress) -> None:
        models = self._models
        folding: Folding | None = None
        reached = -1
        while reached < head:
            with models.writing() as shelf:
                live = models.live(shelf)
                missing = [each for name, each in models.projections.items() if name not in live]
                if head <= models.page:  # sooner done than asked about
                    for projection in missing:
                        shelf.drop([shelf.place(projection, Role.LIVE)])  # of another past
                        live[projection.name] = place = shelf.create(projection, Role.LIVE)
                        shelf.index(projection, place)
                    missing = []
                if not missing:
                    if folding is None or not _is_left_as_it_was(folding, live.values()):
                        folding = models.folding({models.projections[name]: place for name, place in live.items()})
                    since = {fold.table.name: fold.position for fold in folding.folds}
                    up_to = min(head, folding.position + _PAGES_TOGETHER * models.page)
                    while folding.position < up_to and not folding.is_full:
                        folding.page(models.page, up_to, shelf.load)
                    models.writer(shelf).write(folding, since)
                    if folding.is_full:
                        folding.forget()
                    reached = folding.position
            if missing:
                self._make(missing, progress)
            else:
                progress(reached, head)

    def _make(self, missing: Sequence[Projection[Any]], progress: Progress) -> None:
        """Do about tables that are not there what the setting says."""
        models, names = self._models, [projection.name for projection in missing]
        if self._stale is Stale.REBUILD:
            with self._builder.one_at_a_time:
                self._builder.build(missing, progress, unless=Unless.LIVE)
                with models.reading() as shelf:
                    built = [projection for projection in missing if shelf.place(projection, Role.NEW) is not None]
                if built:
                    self._builder.swap(built)
            return
        until = time.monotonic() + (models.wait_s if self._stale is Stale.WAIT else 0)
        while time.monotonic() < until:
            with models.reading() as shelf:
                if set(names) <= models.live(shelf).keys():
                    return
            time.sleep(_LOOK_AGAIN_S)
        raise Unavailable(
            "stale_views",
            f"{', '.join(names)}: not folded yet by this code",
            hint=Hint("projection", "rebuild", tuple(names)) + ", or set stale to rebuild",
        )


def _is_left_as_it_was(folding: Folding, places: Iterable[Place]) -> bool:
    """Whether no other process folded anything since: then the remembered rows are those of the tables."""
    return {(fold.table.name, fold.position) for fold in folding.folds} == {
        (place.name, place.position) for place in places
    }
