"""What open goals are worth: people's and the system's in one order, with what it is made of."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.ledger import Invalid, Ledger, Settings
from tests.places import Place
from tests.tools import START, Clock, examples


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:rank", clock=Clock()) as opened:
        yield opened


def titles(ledger: Ledger, policy: Any = "utility", **wish: Any) -> list[str]:
    return [one.title for one in ledger.work.rank(policy, **wish)]


def test_what_is_worth_most_comes_first_whoever_set_it(ledger: Ledger):
    ledger.goals.create("some", value=0.6)
    ledger.goals.create("much", value=0.9)
    ledger.goals.create("unknown")
    assert titles(ledger) == ["much", "some", "unknown"]
    assert titles(ledger, limit=1) == ["much"]
    best = ledger.work.rank()[0]
    assert best.components == {"value": 0.9, "effort": None, "risk": None, "urgency": 0.0, "alignment": 0.75}
    assert best.obstacle == "is planned"


def test_a_deadline_moves_a_goal_up_on_its_last_day(ledger: Ledger):
    ledger.goals.create("late", value=0.50, time_horizon="2026-03-10T09:00:00Z")
    ledger.goals.create("calm", value=0.55)
    deadline = START.fromisoformat("2026-03-10T09:00:00+00:00")
    assert titles(ledger, now=deadline - timedelta(days=2)) == ["calm", "late"]
    assert titles(ledger, now=deadline - timedelta(hours=1)) == ["late", "calm"]
    assert titles(ledger, now=deadline - timedelta(days=2)) == ["calm", "late"]
    assert ledger.work.rank(now=deadline + timedelta(seconds=1))[0].is_overdue


def test_a_belief_that_changes_changes_the_order(ledger: Ledger):
    belief = ledger.beliefs.hold("Tape is enough").belief_id
    ledger.goals.create("against it", value=0.9, contradicts=[belief])
    ledger.goals.create("other", value=0.1)
    assert titles(ledger) == ["other", "against it"]
    assert ledger.work.rank()[1].why == f"contradicts {belief}, which is held true"
    ledger.beliefs.retract(belief, reason="it rotted")
    assert titles(ledger) == ["against it", "other"]


def test_by_revenue_critical_goals_come_first_then_money(ledger: Ledger):
    wishes: dict[str, Any] = {
        "priced": {"metadata": {"revenue_per_month": "800.50"}},
        "priced more": {"metadata": {"revenue_per_month": 1000}},
        "urgent": {"task_category": "critical"},
        "odd": {"metadata": {"revenue_per_month": "a lot"}, "priority": 1},
        "free": {},
    }
    for title, fields in wishes.items():
        ledger.goals.create(title, **fields)
    assert titles(ledger, "revenue") == ["urgent", "priced more", "priced", "odd", "free"]
    assert titles(ledger, "revenue", limit=2) == ["urgent", "priced more"]


def test_what_is_over_is_not_ranked_and_a_page_holds_something(ledger: Ledger):
    ledger.goals.archive(ledger.goals.create("gone").goal_id)
    assert ledger.work.rank() == []
    with pytest.raises(Invalid) as refused:
        ledger.work.rank(limit=0)
    assert refused.value.code == "bad_limit"


def test_the_weights_are_settings():
    weight = {"value": 0.0, "effort": 1.0}
    with Ledger.open(":memory:", actor="a", clock=Clock(), settings=Settings.model_validate({"weight": weight})) as own:
        own.goals.create("dear", value=1.0, effort=1.0)
        own.goals.create("cheap", value=0.0, effort=0.0)
        assert titles(own) == ["cheap", "dear"]


SHARES = st.none() | st.floats(0, 1)
GOALS = st.lists(st.tuples(SHARES, SHARES, SHARES, st.none() | st.integers(1, 72)), max_size=12)


@settings(max_examples=examples(20), deadline=None)
@given(GOALS, st.integers(1, 13), st.lists(st.integers(-30, 80), min_size=1, max_size=4))
def test_the_best_are_the_first_of_all_at_any_time(goals: list[Any], limit: int, hours: list[int]):
    with Ledger.open(":memory:", actor="a", clock=Clock()) as ledger:
        for value, effort, risk, due in goals:
            horizon = "ongoing" if due is None else (START + timedelta(hours=due)).isoformat()
            ledger.goals.create("A", value=value, effort=effort, risk=risk, time_horizon=horizon)
        for each in hours:
            now = START + timedelta(hours=each)
            every = ledger.work.rank(limit=None, now=now)
            assert [(-one.score, one.goal_id) for one in every] == sorted((-one.score, one.goal_id) for one in every)
            assert ledger.work.rank(limit=limit, now=now) == every[:limit]
            assert len(every) == len(goals)
