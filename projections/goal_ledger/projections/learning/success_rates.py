"""How many runs ended well, week by week: whether the organisation gets better at what it does."""

from datetime import datetime
from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import LocalOutcome, RunFinished
from goal_ledger.projections.base import Projection

UNTIMED = "untimed"
"""Where the runs are counted that nobody knows the end of; it sorts behind every week."""


class WeekRow(NamedTuple):
    """The runs that finished in one ISO week, in UTC, e.g. `2025-W45`. rate: succeeded / runs, 0.0 to 1.0."""

    week: str
    runs: int
    succeeded: int
    partial: int
    failed: int
    rate: float


success_rates = Projection("success_rates", WeekRow, key="week")


def week_of(at: str | None) -> str:
    """The ISO week of an instant, UTC text."""
    if at is None:
        return UNTIMED
    year, week, _ = datetime.fromisoformat(at).isocalendar()
    return f"{year:04}-W{week:02}"


@success_rates.on(RunFinished, at=lambda recorded, _: week_of(recorded.occurred_at))
def _finished(row: WeekRow | None, recorded: Recorded, event: RunFinished) -> WeekRow:
    row = row or WeekRow(week_of(recorded.occurred_at), 0, 0, 0, 0, 0.0)
    runs = row.runs + 1
    succeeded = row.succeeded + (event.local_outcome is LocalOutcome.SUCCEEDED)
    return row._replace(
        runs=runs,
        succeeded=succeeded,
        partial=row.partial + (event.local_outcome is LocalOutcome.PARTIAL),
        failed=row.failed + (event.local_outcome is LocalOutcome.FAILED),
        rate=succeeded / runs,
    )
