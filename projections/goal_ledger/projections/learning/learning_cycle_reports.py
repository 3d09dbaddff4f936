"""The report of every learning cycle."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.learning.cycle import CycleCompleted
from goal_ledger.projections.base import Projection


class CycleRow(NamedTuple):
    """One cycle; the fields as in `LearningCycleReport`. candidates: the ten best of candidate_count, with scores.

    policy: how they were scored. reason: what made the cycle run, when somebody said so.
    """

    cycle_id: str
    since: str
    until: str
    runs: int
    failed: int
    partial: int
    untimed: int
    reviews: int
    groups: tuple[dict[str, Any], ...]
    group_count: int
    candidates: tuple[dict[str, Any], ...]
    candidate_count: int
    lessons: tuple[str, ...]
    rules: tuple[str, ...]
    advanced: tuple[str, ...]
    policy: str
    reason: str | None
    created_by: str
    position: int


learning_cycle_reports = Projection(
    "learning_cycle_reports", CycleRow, key="cycle_id", indexes=(("until", "cycle_id"),)
)


@learning_cycle_reports.on(CycleCompleted)
def _completed(_: CycleRow | None, recorded: Recorded, event: CycleCompleted) -> CycleRow:
    report = event.report
    return CycleRow(
        cycle_id=recorded.stream,
        since=report.since,
        until=report.until,
        runs=report.runs,
        failed=report.failed,
        partial=report.partial,
        untimed=report.untimed,
        reviews=report.reviews,
        groups=tuple(group.model_dump(mode="json") for group in report.groups),
        group_count=report.group_count,
        candidates=tuple(one.model_dump(mode="json") for one in event.receipt.candidates),
        candidate_count=report.candidate_count,
        lessons=report.lessons,
        rules=report.rules,
        advanced=report.advanced,
        policy=event.receipt.policy,
        reason=event.reason,
        created_by=recorded.by,
        position=recorded.position,
    )
