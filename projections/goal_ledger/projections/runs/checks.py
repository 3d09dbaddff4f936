"""Every outcome of a scheduled task that is no goal's run."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.monitor import CheckRecorded
from goal_ledger.projections.base import Projection, event_itself


class CheckRow(NamedTuple):
    """One outcome. position: of its event. checked_at: when it was true, UTC text; None when nobody knows."""

    position: int
    monitor_id: str
    task: str
    ok: bool
    error: str | None
    source: str
    duration_seconds: float | None
    checked_at: str | None
    recorded_by: str


checks = Projection(
    "checks", CheckRow, key="position", indexes=(("checked_at", "position"), ("task", "checked_at", "position"))
)


@checks.on(CheckRecorded, at=event_itself)
def _recorded(_: CheckRow | None, recorded: Recorded, event: CheckRecorded) -> CheckRow:
    return CheckRow(
        position=recorded.position,
        monitor_id=recorded.stream,
        task=event.task,
        ok=event.ok,
        error=event.error,
        source=event.source,
        duration_seconds=event.duration_seconds,
        checked_at=recorded.occurred_at,
        recorded_by=recorded.by,
    )
