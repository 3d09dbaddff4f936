"""A proposal: a goal that a detector would set, evaluated once; with the scans that make them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Count, Decider, Event, Json, Payload, Share, Texts, operation
from goal_ledger.domain.errors import STREAM, Hint, NotFound, Rejected
from goal_ledger.domain.policies import Receipt
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.times import utc_text

# --- Words


class ProposalStatus(StrEnum):
    MADE = "made"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"


class RejectionCode(StrEnum):
    """Why a proposal became no goal, in the order in which it is asked."""

    EXPIRED = "expired"
    CONFIDENCE_TOO_LOW = "confidence_too_low"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    DUPLICATE_GOAL_EXISTS = "duplicate_goal_exists"
    BELIEF_MISALIGNMENT = "belief_misalignment"


# --- Events


class ProposalMade(Event):
    """A detector proposes a goal. subject: what it is about, one of the detector's pattern. expires_at: UTC text.

    capabilities: what whoever works on it must be able to do.
    """

    stored = "proposal.made"

    text: str
    category: str
    pattern: str
    subject: str
    detector: str
    evidence: Json = Field(default_factory=dict)
    confidence: Share
    value: Share
    effort: Share
    risk: Share
    success_metrics: Json = Field(default_factory=dict)
    aligns_with: Texts = ()
    contradicts: Texts = ()
    capabilities: Texts = ()
    detected_at: str
    expires_at: str
    scan_id: str | None = None


class ProposalAccepted(Event):
    """It became a goal. auto: without a person, for it is sure enough."""

    stored = "proposal.accepted"

    goal_id: str
    auto: bool
    receipt: Receipt


class ProposalRejected(Event):
    """It became no goal. value: the number or the id that decided, as text."""

    stored = "proposal.rejected"

    code: Annotated[RejectionCode, Field(strict=False)]
    value: str | None = None
    receipt: Receipt


class ProposalExpired(Event):
    """Nobody reviewed its goal in time."""

    stored = "proposal.expired"


class Telemetry(Payload):
    """What came of the proposals of a scan, or of several."""

    total_proposals_evaluated: Count = 0
    total_goals_created: Count = 0
    total_goals_rejected: Count = 0
    auto_approved_count: Count = 0
    rejection_reasons: Json = Field(default_factory=dict)


class ScanCompleted(Event):
    """The detectors have looked. failed: those that raised, with the error. proposals: ids, in order."""

    stored = "scan.completed"

    scanned_at: str
    detectors: Texts
    failed: Json = Field(default_factory=dict)
    proposals: Texts = ()
    telemetry: Telemetry


# --- State


class Proposal(NamedTuple):
    status: ProposalStatus | None = None
    goal_id: str | None = None
    expires_at: str = ""


PROPOSAL = Decider("proposal", Proposal())


@PROPOSAL.on(ProposalMade)
def _made(_: Proposal, event: ProposalMade) -> Proposal:
    return Proposal(ProposalStatus.MADE, None, event.expires_at)


@PROPOSAL.on(ProposalAccepted)
def _accepted(proposal: Proposal, event: ProposalAccepted) -> Proposal:
    return proposal._replace(status=ProposalStatus.ACCEPTED, goal_id=event.goal_id)


@PROPOSAL.on(ProposalRejected)
def _rejected(proposal: Proposal, _: ProposalRejected) -> Proposal:
    return proposal._replace(status=ProposalStatus.REJECTED)


@PROPOSAL.on(ProposalExpired)
def _expired(proposal: Proposal, _: ProposalExpired) -> Proposal:
    return proposal._replace(status=ProposalStatus.EXPIRED)


class Scan(NamedTuple):
    is_completed: bool = False


SCAN = Decider("scan", Scan())


@SCAN.on(ScanCompleted)
def _completed(_: Scan, __: ScanCompleted) -> Scan:
    return Scan(is_completed=True)


# --- Decisions


def of(finding: Finding, *, detector: str, now: datetime, days: float, scan_id: str | None = None) -> ProposalMade:
    """What a detector found, as a proposal. days: until it expires."""
    return ProposalMade(
        **finding.model_dump(),
        detector=detector,
        detected_at=utc_text(now),
        expires_at=utc_text(now + timedelta(days=days)),
        scan_id=scan_id,
    )


@operation("proposal.make")
def make(proposal: Proposal, *, made: ProposalMade) -> list[Event]:
    """Propose it. Rejected: already_exists, no_text."""
    if proposal.status is not None:
        raise Rejected("already_exists", "there is such a proposal already", hint=Hint("proposal", "show", STREAM))
    if not made.text.strip():
        raise Rejected("no_text", "a proposal needs a text that is not blank")
    return [made]


@operation("proposal.accept")
def accept(proposal: Proposal, *, goal_id: str, auto: bool, receipt: Receipt) -> list[Event]:
    """Let it become a goal. Rejected: already_evaluated. NotFound: unknown_proposal."""
    _require_made(proposal)
    return [ProposalAccepted(goal_id=goal_id, auto=auto, receipt=receipt)]


@operation("proposal.reject")
def reject(proposal: Proposal, *, code: RejectionCode, value: str | None, receipt: Receipt) -> list[Event]:
    """Let it become none. Rejected: already_evaluated. NotFound: unknown_proposal."""
    _require_made(proposal)
    return [ProposalRejected(code=code, value=value, receipt=receipt)]


@operation("proposal.expire")
def expire(proposal: Proposal, *, reason: str | None = None) -> list[Event]:
    """Say that nobody reviewed its goal in time. Rejected: not_accepted. NotFound: unknown_proposal."""
    status = existing(proposal)
    if status is ProposalStatus.EXPIRED:
        return []
    if status is not ProposalStatus.ACCEPTED:
        raise Rejected("not_accepted", f"the proposal is {status}; only one whose goal waits for review expires")
    return [ProposalExpired(reason=reason)]


@operation("scan.complete")
def complete(scan: Scan, *, completed: ScanCompleted) -> list[Event]:
    """Report a scan, once."""
    return [] if scan.is_completed else [completed]


def existing(proposal: Proposal) -> ProposalStatus:
    """The proposal's status. NotFound: unknown_proposal."""
    if proposal.status is None:
        raise NotFound("unknown_proposal", "there is no such proposal", hint=Hint("proposal", "list"))
    return proposal.status


def _require_made(proposal: Proposal) -> None:
    if (status := existing(proposal)) is not ProposalStatus.MADE:
        raise Rejected("already_evaluated", f"the proposal is {status} already; it is evaluated once")
