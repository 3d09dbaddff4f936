"""Learning: what many runs teach together, and how it went so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.pages import Cursor, Page, select_page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.learning.cycle import learn
from goal_ledger.ledger.learning.suggestions import Suggestion, suggestions
from goal_ledger.projections.learning.failure_groups import FailureGroup, failure_groups
from goal_ledger.projections.learning.learning_cycle_reports import CycleRow, learning_cycle_reports
from goal_ledger.projections.learning.success_rates import WeekRow, success_rates


class Learning(Rows[CycleRow]):
    """What a ledger learns from many runs."""

    kind = Kind(
        learning_cycle_reports, "cycle_", "cycle", words="learning cycle", command="learn", order=("until", "cycle_id")
    )

    def cycle(self, now: datetime | None = None, *, reason: str | None = None) -> CycleRow:
        """Learn from the runs that finished in the seven days up to now: reviews, lessons, drafts of rules; the report.

        now: the present time by default; a second cycle for the same time does nothing and gives the first report.
        Runs are taken by when they finished; those that nobody knows that of are counted as untimed.

        Invalid: naive_time, bad_time. Rejected: read_only, not_of_the_past.
        """
        until = self._engine.now() if now is None else now
        named = self._engine.using(command_id=f"learn:{utc_text(until)}")
        return self.get(learn(named, until, reason=reason))

    def list(self, *, after: Cursor | None = None, limit: int | None = None) -> Page[CycleRow]:
        """The reports of the cycles, the latest window first."""
        return self._page(after=after, limit=limit)

    def groups(self, *, after: Cursor | None = None, limit: int | None = None) -> Page[FailureGroup]:
        """The failures that were reviewed, by what they have in common, the most frequent first."""
        return select_page(
            self._engine.views, failure_groups, {}, order=("runs", "signature"), descending=True, after=after,
            limit=limit, formerly="groups",
        )  # fmt: skip

    def suggestions(self) -> Sequence[Suggestion]:
        """What to improve: failures that nobody drew a lesson from, those that came back, lessons that don't hold."""
        return suggestions(self._engine)

    def rates(self) -> Sequence[WeekRow]:
        """How many runs ended well, week by week, the first one first."""
        return self._engine.views.select(success_rates, order=("week",))
