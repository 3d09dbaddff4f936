"""Learning: what many runs teach together, and how it went so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Place, select_page
from goal_ledger.ledger.learning.cycle import learn
from goal_ledger.ledger.learning.suggestions import Suggestion, suggestions
from goal_ledger.projections.learning.failure_groups import FailureGroup, failure_groups
from goal_ledger.projections.learning.learning_cycle_reports import CycleRow, learning_cycle_reports
from goal_ledger.projections.learning.success_rates import WeekRow, success_rates


class Page(NamedTuple):
    """Some reports, and where the next page begins: None when there are no more."""

    cycles: Sequence[CycleRow]
    next: Place | None


class GroupPage(NamedTuple):
    """Some groups of failures, and where the next page begins: None when there are no more."""

    groups: Sequence[FailureGroup]
    next: Place | None


class Learning:
    """What a ledger learns from many runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cycle(self, now: datetime | None = None, *, reason: str | None = None) -> CycleRow:
        """Learn from the runs that finished in the seven days up to now: reviews, lessons, drafts of rules; the report.

        now: the present time unless said; a second cycle for the same time does nothing and gives the first report.
        Runs are taken by when they finished; those that nobody knows that of are counted as untimed.

        Invalid: naive_time, bad_time. Rejected: read_only, not_of_the_past.
        """
        until = self._engine.now() if now is None else now
        named = self._engine.using(command_id=f"learn:{utc_text(until)}")
        return self.get(learn(named, until, reason=reason))

    def get(self, cycle_id: str) -> CycleRow:
        """One report. NotFound: unknown_cycle."""
        return _existing(self._engine.fold(learning_cycle_reports, require_id("cycle_", cycle_id)), cycle_id)

    def list(self, *, after: Place | None = None, limit: int | None = None) -> Page:
        """The reports of the cycles, the latest window first."""
        views, order = self._engine.views, ("until", "cycle_id")
        return Page(
            *select_page(views, learning_cycle_reports, {}, order=order, descending=True, after=after, limit=limit)
        )

    def groups(self, *, after: Place | None = None, limit: int | None = None) -> GroupPage:
        """The failures that were reviewed, by what they have in common, the most frequent first."""
        views, order = self._engine.views, ("runs", "signature")
        return GroupPage(
            *select_page(views, failure_groups, {}, order=order, descending=True, after=after, limit=limit)
        )

    def suggestions(self) -> Sequence[Suggestion]:
        """What to improve: failures that nobody drew a lesson from, those that came back, lessons that don't hold."""
        return suggestions(self._engine)

    def rates(self) -> Sequence[WeekRow]:
        """How many runs ended well, week by week, the first one first."""
        return self._engine.views.select(success_rates, order=("week",))


def _existing(row: CycleRow | None, cycle_id: str) -> CycleRow:
    if row is None:
        raise NotFound("unknown_cycle", f"there is no learning cycle {cycle_id}", hint=Hint("learn", "list"))
    return row
