"""Watchdogs: a condition that opens one incident when it holds, and closes it when it stops to."""

from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, Rejected
from goal_ledger.domain.goals.goal import GOAL, Goal, existing
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType

# --- Events


class WatchdogFired(Event):
    """The condition holds: an incident began. incident: names it. condition: as it was."""

    stored = "goal.watchdog_fired"

    incident: str
    condition: str


class WatchdogCleared(Event):
    """The condition does not hold any more: the incident is over."""

    stored = "goal.watchdog_cleared"

    incident: str


# --- State


@GOAL.on(WatchdogFired)
def _fired(goal: Goal, event: WatchdogFired) -> Goal:
    return goal._replace(incident=event.incident)


@GOAL.on(WatchdogCleared)
def _cleared(goal: Goal, _: WatchdogCleared) -> Goal:
    return goal._replace(incident=None)


# --- Decisions


@operation("goal.fire")
def fire(goal: Goal, *, incident: str, reason: str | None = None) -> list[Event]:
    """Open an incident; while one is open, nothing happens.

    Rejected: not_a_watchdog, no_watch, not_watching.
    """
    _is_watchdog(goal)
    if goal.incident is not None:
        return []
    if goal.status is not GoalStatus.ACTIVE:
        raise Rejected(
            "not_watching",
            f"the watchdog is {goal.status}; it must be active",
            hint=Hint("goal", "activate", STREAM),
        )
    condition = goal.contract["watch"]
    if condition is None:
        raise Rejected(
            "no_watch",
            "the watchdog has no condition to watch",
            hint=Hint("goal", "amend", STREAM, watch=Blank("goal.status = failed")),
        )
    return [WatchdogFired(incident=incident, condition=condition, reason=reason)]


@operation("goal.clear")
def clear(goal: Goal, *, reason: str | None = None) -> list[Event]:
    """Close the open incident; without one, nothing happens. Rejected: not_a_watchdog."""
    _is_watchdog(goal)
    if goal.incident is None:
        return []
    return [WatchdogCleared(incident=goal.incident, reason=reason)]


def _is_watchdog(goal: Goal) -> None:
    existing(goal)
    if goal.goal_type is not GoalType.WATCHDOG:
        raise Rejected("not_a_watchdog", f"only a watchdog fires, and this goal is of type {goal.goal_type}")
