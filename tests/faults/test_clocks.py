"""Clocks that jump: order is position, and nothing waits for a time that will not come."""

import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from goal_ledger.domain.errors import Conflict
from goal_ledger.domain.runs.run import FailureCategory, LocalOutcome
from goal_ledger.ledger import Ledger, Settings
from tests.faults.children import chance
from tests.faults.work import fill, views_are_a_clean_fold
from tests.places import Place
from tests.tools import recorded

NOW = datetime(2026, 2, 24, 9, tzinfo=UTC)


class Jumping:
    """A clock that goes some milliseconds, and now and then leaps by seconds or decades, either way."""

    def __init__(self, seeded: Random) -> None:
        self._seeded = seeded
        self._now = NOW

    def __call__(self) -> datetime:
        leap = self._seeded.choice([0, 0, 0.001, 0.002, 1, -1, 3_600, -86_400, 10**9, -(10**9)])
        self._now = min(max(self._now + timedelta(seconds=leap), NOW.replace(year=1971)), NOW.replace(year=9000))
        return self._now


def test_whatever_the_clock_does_order_is_position_and_every_fold_goes_through(place: Place):
    with Ledger.open(place.url, actor="test:clocks", clock=Jumping(chance()), settings=Settings(page=7)) as ledger:
        goals = [ledger.goals.create(f"{number}").goal_id for number in range(30)]
        for goal_id in goals[:10]:
            run = ledger.runs.start(ledger.goals.ready(goal_id).goal_id)
            ledger.runs.heartbeat(run.run_id)
            ledger.runs.finish(run.run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
        told = recorded(ledger)
        assert [event.position for event in told] == list(range(1, len(told) + 1))
        assert [event.at for event in told] != sorted(event.at for event in told)  # the clock did go back
        assert goals == sorted(set(goals))  # ids did not
        assert [goal.title for goal in ledger.goals.list().rows] == [str(number) for number in range(30)]
        assert ledger.log.verify() == len(told)
        views_are_a_clean_fold(ledger)
        for event in told:  # the last one recorded by then, not the first that is later
            assert ledger.position_at(event.at) == max(other.position for other in told if other.at <= event.at)
    with Ledger.open(place.url, actor="test:clocks") as ledger:
        assert recorded(ledger) == told


@pytest.mark.parametrize("ahead_s", [1_000, 10**9])
def test_a_lease_far_in_the_future_is_not_believed(place: Place, ahead_s: float):
    """A builder on another machine, whose clock goes wrong, or ours was set back since."""
    options = Settings(durable=False, page=5, lock_wait_s=0.1)
    with Ledger.open(place.url, actor="test:clocks", settings=options) as ledger:
        fill(ledger, 30)
        ledger.views.catch_up()
        ledger.views.rebuilds.build()
        _lease(ledger, time.time() + ahead_s)
        ledger.views.rebuilds.rebuild()  # or it would be busy
        views_are_a_clean_fold(ledger)


def test_a_lease_of_now_is_believed_until_the_patience_ends(place: Place):
    options = Settings(durable=False, page=5, lock_wait_s=0.2)
    with Ledger.open(place.url, actor="test:clocks", settings=options) as ledger:
        fill(ledger, 30)
        ledger.views.catch_up()
        ledger.views.rebuilds.build()
        _lease(ledger, time.time() + 29)
        with pytest.raises(Conflict, match="elsewhere/1/00 builds") as refused:
            ledger.views.rebuilds.rebuild()
        assert refused.value.code == "busy"
        _lease(ledger, time.time() - 1)
        ledger.views.rebuilds.rebuild()
        assert {status.building for status in ledger.views.rebuilds.status()} == {None}


def _lease(ledger: Ledger, until: float) -> None:
    """Let the tables that are being built be another machine's."""
    with ledger.views.models.writing() as shelf:
        shelf.lease([place.name for place in shelf.places() if place.role == "new"], "elsewhere/1/00", until)
