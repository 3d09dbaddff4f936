"""Goals in every state, as the events that led there."""

from typing import Any

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.contract import Contract
from goal_ledger.domain.goals.goal import (
    Goal,
    GoalActivated,
    GoalApproved,
    GoalArchived,
    GoalBlocked,
    GoalCheckpointed,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalCreated,
    GoalFailed,
    GoalReadied,
    GoalRejected,
    GoalRetried,
    GoalWaited,
)
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus

S = GoalStatus


def created(title: str = "Back up nightly", status: GoalStatus = S.PLANNED, **fields: Any) -> GoalCreated:
    contract = Contract(title=title, **fields)
    return GoalCreated(**dict(contract), status=status)


_ACTIVE: tuple[Event, ...] = (created(), GoalReadied(from_status=S.PLANNED), GoalActivated(from_status=S.READY))
_WAITING: tuple[Event, ...] = (*_ACTIVE, GoalWaited(from_status=S.ACTIVE))

HISTORIES: dict[GoalStatus, tuple[Event, ...]] = {
    S.PROPOSED: (created(status=S.PROPOSED),),
    S.PLANNED: (created(),),
    S.READY: (created(), GoalReadied(from_status=S.PLANNED)),
    S.ACTIVE: _ACTIVE,
    S.WAITING: _WAITING,
    S.RETRYING: (*_WAITING, GoalRetried(from_status=S.WAITING)),
    S.BLOCKED: (*_ACTIVE, GoalBlocked(from_status=S.ACTIVE, reason="no key")),
    S.CHECKPOINTED: (*_ACTIVE, GoalCheckpointed(from_status=S.ACTIVE, checkpoint_ref="step-3")),
    S.COMPLETED: (*_ACTIVE, GoalCompleted(from_status=S.ACTIVE)),
    S.COMPLETED_WITH_CAVEATS: (*_ACTIVE, GoalCompletedWithCaveats(from_status=S.ACTIVE, caveats="one disk")),
    S.FAILED: (*_ACTIVE, GoalFailed(from_status=S.ACTIVE, reason="no space")),
    S.REJECTED: (created(status=S.PROPOSED), GoalRejected(from_status=S.PROPOSED, reason="moot")),
    S.ARCHIVED: (created(), GoalArchived(from_status=S.PLANNED, cause=ArchiveCause.CANCELLED)),
}

APPROVED: tuple[Event, ...] = (created(status=S.PROPOSED), GoalApproved(from_status=S.PROPOSED))


def goal_in(status: GoalStatus = S.PLANNED, **fields: Any) -> Goal:
    """The state of a goal, without the way there."""
    return Goal(
        status, dict(Contract(title="Another", **fields)), done=status in (S.COMPLETED, S.COMPLETED_WITH_CAVEATS)
    )
