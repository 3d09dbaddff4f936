"""Every transition of every goal: the audit of the lifecycle."""

from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import (
    TRANSITIONS,
    GoalCreated,
    Transition,
)
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.projections.base import Projection, event_itself


class GoalStateEvent(NamedTuple):
    position: int
    goal_id: str
    version: int
    event: str
    at: str
    occurred_at: str | None
    by: str
    from_status: GoalStatus | None
    to_status: GoalStatus
    reason: str | None


goal_state_events = Projection("goal_state_events", GoalStateEvent, key="position", indexes=(("goal_id", "position"),))


@goal_state_events.on(GoalCreated, at=event_itself)
def _created(_: GoalStateEvent | None, recorded: Recorded, event: GoalCreated) -> GoalStateEvent:
    return _row(recorded, None, event.status, event.reason)


@goal_state_events.on(*TRANSITIONS, at=event_itself)
def _moved(_: GoalStateEvent | None, recorded: Recorded, event: Transition) -> GoalStateEvent:
    return _row(recorded, event.from_status, event.to_status, event.reason)


def _row(recorded: Recorded, before: GoalStatus | None, after: GoalStatus, reason: str | None) -> GoalStateEvent:
    return GoalStateEvent(
        recorded.position,
        recorded.stream,
        recorded.version,
        recorded.name,
        recorded.at,
        recorded.occurred_at,
        recorded.by,
        before,
        after,
        reason,
    )
