"""Every goal with its contract and where it stands."""

from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.goals.contract import CatchUp, GoalSource, Overlap, typed_changes
from goal_ledger.domain.goals.experiment import ArmResultRecorded
from goal_ledger.domain.goals.goal import (
    TRANSITIONS,
    ActivityRecorded,
    ChildAdded,
    GoalAmended,
    GoalArchived,
    GoalCheckpointed,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalCreated,
    RetryScheduled,
    RunDispatched,
    RunEnqueued,
    Transition,
)
from goal_ledger.domain.goals.key_result import KeyResultMeasured, is_later, progress_of
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.goals.maintenance import (
    OccurrenceCompleted,
    OccurrenceDue,
    OccurrencesSkipped,
    with_due,
    without,
)
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired
from goal_ledger.projections.base import Projection, updated


class GoalRow(NamedTuple):
    """One goal, with every field of its `Contract`. Times are UTC text; created_at and updated_at are when it was true,
    not when it was recorded.

    status_reason: why it is in its status. done: completed, also after it was archived. deleted_at: when it was
    archived. not_before: when it may be tried again after a failure. current, measured_at, progress: of a key result,
    its last value, when that was true, and how far it is, 0.0 to 1.0; None of any other goal. open_occurrences: of a
    maintenance goal, when those were due that are not done. incident_open: whether a watchdog's condition holds.
    version, position: of its last event.
    """

    goal_id: str
    title: str
    description: str
    goal_type: GoalType
    status: GoalStatus
    status_reason: str | None
    priority: int
    category: str | None
    task_category: str | None
    parent_goal_id: str | None
    owner_agent: str | None
    criteria: tuple[dict[str, Any], ...]
    failure_conditions: tuple[str, ...]
    constraints: tuple[str, ...]
    review_cadence: str | None
    start_condition: str | None
    stop_condition: str | None
    time_horizon: str
    dependencies: tuple[str, ...]
    allowed_capabilities: tuple[str, ...]
    learning_required: bool
    value: float | None
    effort: float | None
    risk: float | None
    horizon_min_minutes: int | None
    horizon_max_minutes: int | None
    aligns_with: tuple[str, ...]
    contradicts: tuple[str, ...]
    metadata: dict[str, Any]
    baseline: float | None
    target: float | None
    unit: str | None
    watch: str | None
    arms: tuple[str, ...]
    overlap: Overlap
    max_attempts: int | None
    budget_usd: Decimal | None
    resume_if_checkpointed: bool
    catch_up: CatchUp
    source: GoalSource
    source_id: str | None
    created_by: str
    proposal_id: str | None
    auto_approved: bool
    done: bool
    attempts: int
    last_run_id: str | None
    not_before: str | None
    checkpoint_ref: str | None
    evidence: str | None
    caveats: str | None
    current: float | None
    measured_at: str | None
    progress: float | None
    open_occurrences: tuple[str, ...]
    incident_open: bool
    created_at: str | None
    updated_at: str | None
    deleted_at: str | None
    version: int
    position: int


goal_definitions = Projection(
    "goal_definitions",
    GoalRow,
    key="goal_id",
    noun="goal",
    indexes=(("priority", "goal_id"), ("position",), ("status", "priority", "goal_id"), ("parent_goal_id",)),
)

_MADE = {"criteria", "created_by"}  # of what the event says
_TAKEN = [name for name in GoalRow._fields if name in GoalCreated.model_fields and name not in _MADE]


@goal_definitions.on(GoalCreated)
def _created(_: GoalRow | None, recorded: Recorded, event: GoalCreated) -> GoalRow:
    fields = event.__dict__
    return GoalRow(
        goal_id=recorded.stream,
        criteria=_criteria(event.criteria),
        created_by=event.created_by or recorded.by,
        status_reason=event.reason,
        done=False,
        attempts=0,
        last_run_id=None,
        not_before=None,
        checkpoint_ref=None,
        evidence=None,
        caveats=None,
        current=None,
        measured_at=None,
        progress=None,
        open_occurrences=(),
        incident_open=False,
        created_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        deleted_at=None,
        version=recorded.version,
        position=recorded.position,
        **{name: fields[name] for name in _TAKEN},
    )


@goal_definitions.on(GoalAmended)
def _amended(row: GoalRow | None, recorded: Recorded, event: GoalAmended) -> GoalRow | None:
    changes = typed_changes(event.changes)
    if "criteria" in changes:
        changes["criteria"] = _criteria(changes["criteria"])
    amended = updated(row, recorded, **changes)
    return None if amended is None else _progressed(amended)


@goal_definitions.on(ChildAdded, ActivityRecorded, OccurrencesSkipped, ArmResultRecorded)
def _noted(row: GoalRow | None, recorded: Recorded, _: Event) -> GoalRow | None:
    return updated(row, recorded)


@goal_definitions.on(*TRANSITIONS)
def _moved(row: GoalRow | None, recorded: Recorded, event: Transition) -> GoalRow | None:
    return updated(row, recorded, status=event.to_status, status_reason=event.reason)


@goal_definitions.on(GoalCheckpointed)
def _checkpointed(row: GoalRow | None, recorded: Recorded, event: GoalCheckpointed) -> GoalRow | None:
    return updated(
        row, recorded, status=event.to_status, status_reason=event.reason, checkpoint_ref=event.checkpoint_ref
    )


@goal_definitions.on(GoalCompleted)
def _completed(row: GoalRow | None, recorded: Recorded, event: GoalCompleted) -> GoalRow | None:
    return updated(
        row, recorded, status=event.to_status, status_reason=event.reason, done=True, evidence=event.evidence
    )


@goal_definitions.on(GoalCompletedWithCaveats)
def _completed_with_caveats(row: GoalRow | None, recorded: Recorded, event: GoalCompletedWithCaveats) -> GoalRow | None:
    return updated(
        row,
        recorded,
        status=event.to_status,
        status_reason=event.reason,
        done=True,
        evidence=event.evidence,
        caveats=event.caveats,
    )


@goal_definitions.on(GoalArchived)
def _archived(row: GoalRow | None, recorded: Recorded, event: GoalArchived) -> GoalRow | None:
    return updated(
        row,
        recorded,
        status=event.to_status,
        status_reason=event.reason or event.cause.value,
        deleted_at=recorded.occurred_at,
    )


@goal_definitions.on(RunDispatched)
def _dispatched(row: GoalRow | None, recorded: Recorded, event: RunDispatched) -> GoalRow | None:
    if row is None:
        return None
    attempts = max(row.attempts, event.attempt)
    return updated(row, recorded, attempts=attempts, last_run_id=event.run_id, not_before=None)


@goal_definitions.on(RunEnqueued)
def _enqueued(row: GoalRow | None, recorded: Recorded, event: RunEnqueued) -> GoalRow | None:
    return updated(row, recorded, attempts=event.attempt)


@goal_definitions.on(RetryScheduled)
def _retry_scheduled(row: GoalRow | None, recorded: Recorded, event: RetryScheduled) -> GoalRow | None:
    return updated(row, recorded, not_before=event.not_before)


@goal_definitions.on(KeyResultMeasured)
def _measured(row: GoalRow | None, recorded: Recorded, event: KeyResultMeasured) -> GoalRow | None:
    touched = updated(row, recorded)
    if touched is None or not is_later(event.measured_at, touched.measured_at):
        return touched
    return _progressed(touched._replace(current=event.value, measured_at=event.measured_at))


@goal_definitions.on(OccurrenceDue)
def _due(row: GoalRow | None, recorded: Recorded, event: OccurrenceDue) -> GoalRow | None:
    still_open = () if row is None else row.open_occurrences
    return updated(row, recorded, open_occurrences=with_due(still_open, event))


@goal_definitions.on(OccurrenceCompleted)
def _occurrence_completed(row: GoalRow | None, recorded: Recorded, event: OccurrenceCompleted) -> GoalRow | None:
    still_open = () if row is None else row.open_occurrences
    return updated(row, recorded, open_occurrences=without(still_open, event))


@goal_definitions.on(WatchdogFired)
def _fired(row: GoalRow | None, recorded: Recorded, _: WatchdogFired) -> GoalRow | None:
    return updated(row, recorded, incident_open=True)


@goal_definitions.on(WatchdogCleared)
def _cleared(row: GoalRow | None, recorded: Recorded, _: WatchdogCleared) -> GoalRow | None:
    return updated(row, recorded, incident_open=False)


def _progressed(row: GoalRow) -> GoalRow:
    return row._replace(progress=progress_of(row.baseline, row.target, row.current))


def _criteria(criteria: tuple[BaseModel, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(criterion.model_dump() for criterion in criteria)
