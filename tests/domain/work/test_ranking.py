"""Rankings: what a goal is worth, at every edge, in an order that depends on nothing else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.settings import Weights
from goal_ledger.domain.strategy.belief import alignment
from goal_ledger.domain.times import utc_text
from goal_ledger.domain.work.ranking import (
    Estimates,
    Rankable,
    Ranked,
    by_revenue,
    by_utility,
    urgency,
    utility,
)

NOW = datetime(2026, 2, 24, 9, tzinfo=UTC)
BELIEFS = {"held": True, "given up": False}


def goal(goal_id: str = "goal_1", priority: int = 3, **known: Any) -> Rankable:
    aligns_with, contradicts = known.pop("aligns_with", ()), known.pop("contradicts", ())
    fits = alignment(aligns_with, contradicts, BELIEFS)
    against = tuple(belief for belief in contradicts if BELIEFS[belief])
    return Rankable(goal_id, "A goal", priority, Estimates(alignment=fits, against=against, **known))


def worth(one: Rankable, **weights: float) -> float:
    return utility(one.estimates, now=NOW, weights=Weights(**weights))


def ranked(one: Rankable) -> Ranked:
    return by_utility([one], now=NOW, weights=Weights())[0]


def test_the_formula_is_that_of_the_design():
    one = goal(value=0.8, effort=0.5, risk=0.3, deadline=utc_text(NOW + timedelta(hours=12)), aligns_with=("held",))
    assert worth(one) == pytest.approx(0.5 * 0.8 + 0.25 * 0.5 + 0.15 * 0.7 + 0.05 * 0.5 + 0.05 * 1.0)


@pytest.mark.parametrize(
    ("hours", "near"), [(48, 0.0), (24, 0.0), (23.99, 0.01 / 24), (12, 0.5), (0, 1.0), (-1, 1.0), (-1000, 1.0)]
)
def test_a_deadline_counts_from_a_day_before_it(hours: float, near: float):
    assert urgency(utc_text(NOW + timedelta(hours=hours)), NOW) == pytest.approx(near)


def test_without_a_deadline_nothing_is_urgent_or_overdue():
    assert urgency(None, NOW) == 0.0
    assert not ranked(goal()).is_overdue
    assert ranked(goal(deadline="2026-02-24T08:59:59.000000Z")).is_overdue


def test_what_nobody_estimated_counts_half_and_is_told_as_unknown():
    assert worth(goal()) == worth(goal(value=0.5, effort=0.5, risk=0.5))
    told = ranked(goal())
    assert told.components["value"] is None
    assert told.why == "value unknown, effort unknown, risk unknown, urgency 0, alignment 0.75"


def test_what_contradicts_a_belief_that_is_held_is_worth_nothing():
    best: dict[str, Any] = {"value": 1.0, "effort": 0.0, "risk": 0.0}
    assert worth(goal(contradicts=("held",), **best)) == 0.0
    assert worth(goal(contradicts=("given up",), **best)) == pytest.approx(0.5 + 0.25 + 0.15 + 0.05 * 0.75)


def test_the_worth_is_never_above_one_or_below_zero():
    assert worth(goal(value=1.0, effort=0.0, risk=0.0), value=1.0, effort=1.0, risk=1.0) == 1.0
    assert worth(goal(value=0.0, effort=1.0, risk=1.0), alignment=0.0) == 0.0


def test_people_and_system_are_ranked_by_score_alone_and_ties_by_id():
    goals = [goal("goal_3", value=0.9), goal("goal_2"), goal("goal_1", priority=5), goal("goal_4", value=0.1)]
    best = by_utility(goals, now=NOW, weights=Weights())
    assert [one.goal_id for one in best] == ["goal_3", "goal_1", "goal_2", "goal_4"]


def test_by_revenue_critical_comes_first_then_money_priority_and_alignment():
    goals = [
        goal("goal_a", revenue=Decimal(1000), priority=1, aligns_with=("given up",)),
        goal("goal_b", revenue=Decimal(1000), priority=1, aligns_with=("held",)),
        goal("goal_c", revenue=Decimal(1000), priority=2),
        goal("goal_d", revenue=Decimal("1000.01"), priority=5),
        goal("goal_e", task_category="critical"),
        goal("goal_f", task_category="blocker", revenue=Decimal(1)),
        goal("goal_g"),
    ]
    best = by_revenue(goals, now=NOW)
    assert [one.goal_id[-1] for one in best] == list("fedbacg")
    assert best[2].why == "$1000.01/month, priority 5, alignment 75%"


def in_hours(hours: float) -> str:
    return utc_text(NOW + timedelta(hours=hours))


SHARES = st.none() | st.floats(0, 1)


@given(
    st.lists(st.tuples(SHARES, SHARES, SHARES, st.none() | st.integers(-100, 100)), max_size=20),
    st.randoms(use_true_random=False),
)
def test_the_order_depends_on_the_goals_alone(given_goals, chance):
    goals = [
        goal(
            f"goal_{n:02}",
            value=v,
            effort=e,
            risk=r,
            deadline=None if h is None else utc_text(NOW + timedelta(hours=h)),
        )
        for n, (v, e, r, h) in enumerate(given_goals)
    ]
    best = by_utility(goals, now=NOW, weights=Weights())
    shuffled = list(goals)
    chance.shuffle(shuffled)
    assert by_utility(shuffled, now=NOW, weights=Weights()) == best
    assert [(-one.score, one.goal_id) for one in best] == sorted((-one.score, one.goal_id) for one in best)
    assert all(0.0 <= one.score <= 1.0 for one in best)
    assert by_utility(goals, now=NOW, weights=Weights(), limit=3) == best[:3]
    assert by_revenue(goals, now=NOW, limit=3) == by_revenue(goals, now=NOW)[:3]
