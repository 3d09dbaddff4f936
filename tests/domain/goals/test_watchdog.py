"""Watchdogs: once per incident."""

import pytest

from goal_ledger.domain.goals.goal import GOAL, GoalActivated, GoalCompleted, GoalCreated
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired, clear, fire
from tests.spec import Spec

CONDITION = "goal.priority = 1"
ACTIVE = GoalCreated(title="A", status=GoalStatus.ACTIVE, watch=CONDITION)
FIRED = WatchdogFired(incident=1, condition=CONDITION)
CLEARED = WatchdogCleared(incident=1)


def test_it_fires_and_numbers_its_incidents():
    Spec(GOAL).given(ACTIVE).when(fire, condition=CONDITION, reason="r").then(
        WatchdogFired(incident=1, condition=CONDITION, reason="r")
    )
    Spec(GOAL).given(ACTIVE, FIRED, CLEARED).when(fire, condition="x").then(WatchdogFired(incident=2, condition="x"))


def test_while_it_fires_it_does_not_fire_again():
    Spec(GOAL).given(ACTIVE, FIRED).when(fire, condition=CONDITION).then_quiet()


def test_an_incident_ends_once():
    Spec(GOAL).given(ACTIVE, FIRED).when(clear, reason="mended").then(WatchdogCleared(incident=1, reason="mended"))
    Spec(GOAL).given(ACTIVE, FIRED, CLEARED).when(clear).then_quiet()
    Spec(GOAL).given(ACTIVE).when(clear).then_quiet()


@pytest.mark.parametrize("status", ["proposed", "planned", "rejected", "failed", "archived"])
def test_only_a_goal_that_can_be_worked_on_fires(status: str):
    created = GoalCreated(title="A", status=GoalStatus(status), watch=CONDITION)
    Spec(GOAL).given(created).when(fire, condition=CONDITION).then_rejected("not_allowed", status, "ready or active")


def test_a_goal_that_was_completed_may_still_end_its_incident():
    done = GoalCompleted(from_status=GoalStatus.ACTIVE)
    Spec(GOAL).given(ACTIVE, FIRED, done).when(clear).then(CLEARED)
    Spec(GOAL).given(ACTIVE, FIRED, GoalActivated(from_status=GoalStatus.WAITING)).when(
        fire, condition="x"
    ).then_quiet()


def test_what_is_not_there_neither_fires_nor_clears():
    Spec(GOAL).when(fire, condition=CONDITION).then_rejected("unknown_goal")
    Spec(GOAL).when(clear).then_rejected("unknown_goal")
