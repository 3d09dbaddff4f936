"""Watchdogs: one incident at a time."""

from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.goal import GOAL, GoalActivated, GoalReadied, GoalWaited
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired, clear, fire
from tests.domain.goals.histories import created
from tests.spec import Spec

S = GoalStatus
CONDITION = "run.status = interrupted"
FIRED = WatchdogFired(incident="inc_1", condition=CONDITION)


def dog(**fields: Any) -> tuple[Event, ...]:
    known = {"goal_type": GoalType.WATCHDOG, "watch": CONDITION, **fields}
    return created(**known), GoalReadied(from_status=S.PLANNED), GoalActivated(from_status=S.READY)


def test_it_fires_once_per_incident():
    Spec(GOAL).given(*dog()).when(fire, incident="inc_1", reason="held").then(
        WatchdogFired(incident="inc_1", condition=CONDITION, reason="held")
    )
    Spec(GOAL).given(*dog(), FIRED).when(fire, incident="inc_2").then_quiet()
    again = Spec(GOAL).given(*dog(), FIRED, WatchdogCleared(incident="inc_1"))
    again.when(fire, incident="inc_2").then(WatchdogFired(incident="inc_2", condition=CONDITION))


def test_it_clears_the_incident_that_is_open():
    Spec(GOAL).given(*dog(), FIRED).when(clear, reason="over").then(WatchdogCleared(incident="inc_1", reason="over"))
    Spec(GOAL).given(*dog()).when(clear).then_quiet()
    Spec(GOAL).given(*dog(), FIRED, WatchdogCleared(incident="inc_1")).when(clear).then_quiet()


def test_an_incident_can_be_cleared_while_the_watchdog_waits():
    waiting = (*dog(), FIRED, GoalWaited(from_status=S.ACTIVE))
    Spec(GOAL).given(*waiting).when(clear).then(WatchdogCleared(incident="inc_1"))


def test_it_fires_only_while_it_is_active_and_has_a_condition():
    Spec(GOAL).given(*dog()[:2]).when(fire, incident="inc_1").then_rejected("not_watching", "ready")
    Spec(GOAL).given(*dog(watch=None)).when(fire, incident="inc_1").then_rejected("no_watch")


@pytest.mark.parametrize("decide", [fire, clear])
def test_no_other_goal_fires_or_clears(decide: Any):
    wish = {"incident": "inc_1"} if decide is fire else {}
    Spec(GOAL).given(*dog(goal_type=GoalType.INITIATIVE)).when(decide, **wish).then_rejected("not_a_watchdog")
    Spec(GOAL).when(decide, **wish).then_rejected("unknown_goal")
