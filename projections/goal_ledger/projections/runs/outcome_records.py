"""Every word on what a run was worth: the latest one is in `goal_runs`, all of them stand here."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import BusinessOutcome, BusinessOutcomeRecorded
from goal_ledger.projections.base import Projection, event_itself


class OutcomeRecord(NamedTuple):
    """One word of one source. external_id: the source's own record. occurred_at: when it was true; None is unknown."""

    position: int
    run_id: str
    goal_id: str
    business_outcome: BusinessOutcome
    source: str | None
    external_id: str | None
    detail: str | None
    reason: str | None
    occurred_at: str | None
    recorded_at: str
    recorded_by: str


outcome_records = Projection(
    "outcome_records",
    OutcomeRecord,
    key="position",
    indexes=(("run_id", "position"), ("goal_id", "position"), ("source", "external_id")),
)


@outcome_records.on(BusinessOutcomeRecorded, at=event_itself)
def _recorded(_: OutcomeRecord | None, recorded: Recorded, event: BusinessOutcomeRecorded) -> OutcomeRecord:
    return OutcomeRecord(
        position=recorded.position,
        run_id=recorded.stream,
        goal_id=event.goal_id,
        business_outcome=event.business_outcome,
        source=event.source,
        external_id=event.external_id,
        detail=event.detail,
        reason=event.reason,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.at,
        recorded_by=recorded.by,
    )
