"""Every goal that was proposed, and what became of it."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.proposals.proposal import (
    ProposalAccepted,
    ProposalExpired,
    ProposalMade,
    ProposalRejected,
    ProposalStatus,
    RejectionCode,
)
from goal_ledger.projections.base import Projection, changed


class ProposalRow(NamedTuple):
    """One proposal. code, value: why it was rejected, and the number or id that decided. auto: accepted by itself."""

    proposal_id: str
    text: str
    status: ProposalStatus
    code: RejectionCode | None
    value: str | None
    category: str
    pattern: str
    subject: str
    detector: str
    evidence: dict[str, Any]
    confidence: float
    estimated_value: float
    effort: float
    risk: float
    success_metrics: dict[str, Any]
    aligns_with: tuple[str, ...]
    contradicts: tuple[str, ...]
    capabilities: tuple[str, ...]
    goal_id: str | None
    auto: bool
    scan_id: str | None
    detected_at: str
    expires_at: str
    version: int
    position: int


proposals = Projection(
    "proposals",
    ProposalRow,
    key="proposal_id",
    noun="proposal",
    indexes=(("status", "proposal_id"), ("detector", "proposal_id"), ("goal_id",)),
)


@proposals.on(ProposalMade)
def _made(_: ProposalRow | None, recorded: Recorded, event: ProposalMade) -> ProposalRow:
    return ProposalRow(
        proposal_id=recorded.stream,
        text=event.text,
        status=ProposalStatus.MADE,
        code=None,
        value=None,
        category=event.category,
        pattern=event.pattern,
        subject=event.subject,
        detector=event.detector,
        evidence=event.evidence,
        confidence=event.confidence,
        estimated_value=event.value,
        effort=event.effort,
        risk=event.risk,
        success_metrics=event.success_metrics,
        aligns_with=event.aligns_with,
        contradicts=event.contradicts,
        capabilities=event.capabilities,
        goal_id=None,
        auto=False,
        scan_id=event.scan_id,
        detected_at=event.detected_at,
        expires_at=event.expires_at,
        version=recorded.version,
        position=recorded.position,
    )


@proposals.on(ProposalAccepted)
def _accepted(row: ProposalRow | None, recorded: Recorded, event: ProposalAccepted) -> ProposalRow | None:
    return changed(row, recorded, status=ProposalStatus.ACCEPTED, goal_id=event.goal_id, auto=event.auto)


@proposals.on(ProposalRejected)
def _rejected(row: ProposalRow | None, recorded: Recorded, event: ProposalRejected) -> ProposalRow | None:
    return changed(row, recorded, status=ProposalStatus.REJECTED, code=event.code, value=event.value)


@proposals.on(ProposalExpired)
def _expired(row: ProposalRow | None, recorded: Recorded, _: ProposalExpired) -> ProposalRow | None:
    return changed(row, recorded, status=ProposalStatus.EXPIRED)
