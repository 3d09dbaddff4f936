"""Every belief, held or given up."""

from typing import NamedTuple

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.strategy.belief import BeliefContradicted, BeliefHeld, BeliefRetracted, BeliefStatus
from goal_ledger.projections.base import Projection


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
def _held(row: BeliefRow | None, recorded: Recorded, event: BeliefHeld) -> BeliefRow:
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
    return _moved(began, recorded, event, BeliefStatus.ACTIVE)


@beliefs.on(BeliefContradicted)
def _contradicted(row: BeliefRow | None, recorded: Recorded, event: BeliefContradicted) -> BeliefRow | None:
    return None if row is None else _moved(row, recorded, event, BeliefStatus.CONTRADICTED)


@beliefs.on(BeliefRetracted)
def _retracted(row: BeliefRow | None, recorded: Recorded, event: BeliefRetracted) -> BeliefRow | None:
    return None if row is None else _moved(row, recorded, event, BeliefStatus.RETRACTED)


def _moved(row: BeliefRow, recorded: Recorded, event: Event, status: BeliefStatus) -> BeliefRow:
    return row._replace(
        status=status,
        status_reason=event.reason,
        updated_at=recorded.occurred_at or row.updated_at,
        version=recorded.version,
        position=recorded.position,
    )
