"""A watchdog: it fires once per incident; the incident is over when what it looks for holds no more."""

from typing import Annotated

from pydantic import Field

from goal_ledger.domain.base import Event
from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.goals.goal import GOAL, Goal, existing
from goal_ledger.domain.goals.lifecycle import GoalStatus

WATCHING = frozenset(
    {
        GoalStatus.READY,
        GoalStatus.ACTIVE,
        GoalStatus.WAITING,
        GoalStatus.RETRYING,
        GoalStatus.BLOCKED,
        GoalStatus.CHECKPOINTED,
    }
)
"""The states in which a goal looks for what it watches."""

# --- Events

Incident = Annotated[int, Field(ge=1)]


class WatchdogFired(Event):
    """What the goal watches for came true. incident: the goal's count, from 1. condition: as it was written."""

    incident: Incident
    condition: str


class WatchdogCleared(Event):
    """What the goal watches for holds no more, or is watched for no more."""

    incident: Incident


# --- State


@GOAL.on(WatchdogFired)
def _fired(goal: Goal, event: WatchdogFired) -> Goal:
    return goal._replace(incidents=event.incident, firing=True)


@GOAL.on(WatchdogCleared)
def _cleared(goal: Goal, _: WatchdogCleared) -> Goal:
    return goal._replace(firing=False)


# --- Decisions


def fire(goal: Goal, *, condition: str, reason: str | None = None) -> list[Event]:
    """Say that what the goal watches for came true; once until it is cleared. Rejected: not_allowed."""
    status = existing(goal)
    if goal.firing:
        return []
    if status not in WATCHING:
        needed = " or ".join(status for status in GoalStatus if status in WATCHING)
        raise Rejected("not_allowed", f"goal is {status}; to fire it must be {needed}")
    return [WatchdogFired(incident=goal.incidents + 1, condition=condition, reason=reason)]


def clear(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Say that the incident is over. NotFound: unknown_goal."""
    existing(goal)
    return [WatchdogCleared(incident=goal.incidents, reason=reason)] if goal.firing else []
