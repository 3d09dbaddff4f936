"""Every belief, held or given up."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.strategy.belief import BeliefContradicted, BeliefHeld, BeliefRetracted, BeliefStatus
from goal_ledger.projections.base import Projection, updated


class BeliefRow(NamedTuple):
    """One belief. status_reason: why it is in its status."""

    belief_id: str
    text: str
    status: BeliefStatus
    status_reason: str | None
    created_by: str
    created_at: str | None
    updated_at: str | None
    version: int
    position: int


beliefs = Projection(
    "beliefs", BeliefRow, key="belief_id", noun="belief", indexes=(("status", "position"), ("position",))
)


@beliefs.on(BeliefHeld)
def _held(row: BeliefRow | None, recorded: Recorded, event: BeliefHeld) -> BeliefRow | None:
    began = row or BeliefRow(
        belief_id=recorded.stream,
        text=event.text,
        status=BeliefStatus.ACTIVE,
        status_reason=None,
        created_by=recorded.by,
        created_at=recorded.occurred_at,
        updated_at=None,
        version=0,
        position=0,
    )
    return updated(began, recorded, status=BeliefStatus.ACTIVE, status_reason=event.reason)


@beliefs.on(BeliefContradicted)
def _contradicted(row: BeliefRow | None, recorded: Recorded, event: BeliefContradicted) -> BeliefRow | None:
    return updated(row, recorded, status=BeliefStatus.CONTRADICTED, status_reason=event.reason)


@beliefs.on(BeliefRetracted)
def _retracted(row: BeliefRow | None, recorded: Recorded, event: BeliefRetracted) -> BeliefRow | None:
    return updated(row, recorded, status=BeliefStatus.RETRACTED, status_reason=event.reason)
