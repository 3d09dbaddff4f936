"""The failures that were reviewed, by what they have in common: how often each came, and in which runs."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.review import ReviewWritten
from goal_ledger.domain.runs.run import FailureCategory
from goal_ledger.projections.base import Projection

MOST_RUNS = 20


class FailureGroup(NamedTuple):
    """One kind of failure. goal_type, action_type, failure_category: of the first one.

    runs: how many were reviewed for it. first_seen_at, last_seen_at: when the reviews say so, None when nobody knows.
    run_ids: the first 20. position: of the last review.
    """

    signature: str
    goal_type: GoalType | None
    action_type: str | None
    failure_category: FailureCategory | None
    runs: int
    first_seen_at: str | None
    last_seen_at: str | None
    run_ids: tuple[str, ...]
    position: int


failure_groups = Projection("failure_groups", FailureGroup, key="signature", indexes=(("runs", "signature"),))


@failure_groups.on(ReviewWritten, at=lambda _, event: event.signature or "")
def _written(row: FailureGroup | None, recorded: Recorded, event: ReviewWritten) -> FailureGroup | None:
    if event.signature is None:  # nothing failed
        return None
    if row is None:
        row = FailureGroup(
            signature=event.signature,
            goal_type=event.goal_type,
            action_type=event.action_type,
            failure_category=event.root_cause.category,
            runs=0,
            first_seen_at=None,
            last_seen_at=None,
            run_ids=(),
            position=recorded.position,
        )
    seen = [at for at in (row.first_seen_at, row.last_seen_at, recorded.occurred_at) if at is not None]
    return row._replace(
        runs=row.runs + 1,
        first_seen_at=min(seen, default=None),
        last_seen_at=max(seen, default=None),
        run_ids=(*row.run_ids, event.run_id)[:MOST_RUNS],
        position=recorded.position,
    )
