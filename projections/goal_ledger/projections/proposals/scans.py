"""Every time the detectors looked, and what came of it."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.proposals.proposal import ScanCompleted
from goal_ledger.projections.base import Projection


class ScanRow(NamedTuple):
    """One scan. failed: the detectors that raised, with the error."""

    scan_id: str
    scanned_at: str
    detectors: tuple[str, ...]
    failed: dict[str, Any]
    proposals: tuple[str, ...]
    total_proposals_evaluated: int
    total_goals_created: int
    total_goals_rejected: int
    auto_approved_count: int
    rejection_reasons: dict[str, Any]
    version: int
    position: int


scans = Projection("scans", ScanRow, key="scan_id", noun="scan", indexes=(("scanned_at", "scan_id"),))


@scans.on(ScanCompleted)
def _completed(_: ScanRow | None, recorded: Recorded, event: ScanCompleted) -> ScanRow:
    told = event.telemetry
    return ScanRow(
        scan_id=recorded.stream,
        scanned_at=event.scanned_at,
        detectors=event.detectors,
        failed=event.failed,
        proposals=event.proposals,
        total_proposals_evaluated=told.total_proposals_evaluated,
        total_goals_created=told.total_goals_created,
        total_goals_rejected=told.total_goals_rejected,
        auto_approved_count=told.auto_approved_count,
        rejection_reasons=told.rejection_reasons,
        version=recorded.version,
        position=recorded.position,
    )
