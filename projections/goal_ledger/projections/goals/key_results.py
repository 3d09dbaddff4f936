"""The values of key results over time."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.key_result import KeyResultMeasured, progress_of
from goal_ledger.projections.base import Projection, event_itself


class KeyResultValue(NamedTuple):
    """One measurement, as it was judged when it was recorded. at: when that was; occurred_at: when it was true.

    progress: 0.0 to 1.0.
    """

    position: int
    goal_id: str
    objective_id: str | None
    value: float
    baseline: float | None
    target: float | None
    unit: str | None
    progress: float | None
    at: str
    occurred_at: str | None
    by: str
    note: str | None


key_results = Projection(
    "key_results", KeyResultValue, key="position", indexes=(("goal_id", "position"), ("objective_id", "position"))
)


@key_results.on(KeyResultMeasured, at=event_itself)
def _measured(_: KeyResultValue | None, recorded: Recorded, event: KeyResultMeasured) -> KeyResultValue:
    return KeyResultValue(
        position=recorded.position,
        goal_id=recorded.stream,
        objective_id=event.objective_id,
        value=event.value,
        baseline=event.baseline,
        target=event.target,
        unit=event.unit,
        progress=progress_of(event.baseline, event.target, event.value),
        at=recorded.at,
        occurred_at=recorded.occurred_at,
        by=recorded.by,
        note=event.note,
    )
