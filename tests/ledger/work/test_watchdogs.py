"""Watchdogs in a ledger: an incident is seen on the board and in the timeline."""

from goal_ledger.domain.goals import watchdog
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.ledger import Ledger
from tests.tools import recorded


def test_an_incident_is_open_until_it_is_cleared_and_told_in_the_timeline():
    with Ledger.open(":memory:", actor="agent:tick") as ledger:
        dog = ledger.goals.create("Nothing fails", goal_type="watchdog", watch="goal.status = failed").goal_id
        ledger.goals.ready(dog)
        ledger.goals.activate(dog)
        fired = ledger.act(dog, GOAL, watchdog.fire, incident="inc_1")
        assert ledger.goals.get(dog).incident_open
        assert ledger.act(dog, GOAL, watchdog.fire, incident="inc_2") == ()
        ledger.act(dog, GOAL, watchdog.clear)
        assert not ledger.goals.get(dog).incident_open
        assert ledger.as_of(fired[0].position).goals.list().rows[0].incident_open
        told = [each.name for each in recorded(ledger, dog)]
        assert told[-2:] == ["goal.watchdog_fired", "goal.watchdog_cleared"]
