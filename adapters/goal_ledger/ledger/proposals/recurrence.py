"""A failure that came back while a review watched for it is proposed to be done about, once per watch."""

from __future__ import annotations

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.learning.review import REVIEW, ReviewReopened
from goal_ledger.domain.learning.reviewer import cut
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.proposals.proposals import propose_in

DETECTOR = "recurrence_detector"
"""Who proposes it."""


def propose(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """Propose it when the review is reopened for the first time."""
    event, review = recorded.event, tx.load(recorded.stream, REVIEW)
    if not isinstance(event, ReviewReopened) or review.reopened_by[:1] != (event.run_id,):
        return
    goal_id = tx.load(event.run_id, RUN).goal_id
    finding = Finding(
        text=cut(f"Keeps failing: {review.signature}", tx.text_limit),
        category="capability",
        pattern="failure_recurring",
        subject=review.signature or event.run_id,
        evidence={"aar_id": recorded.stream, "run_id": event.run_id, "goal_id": goal_id},
        confidence=0.8,
        value=0.7,
        effort=0.5,
        risk=0.3,
    )
    propose_in(engine, tx, DETECTOR, finding)
