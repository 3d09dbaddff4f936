"""The answer of the router, kept while goals change."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.policies import ranked
from goal_ledger.domain.settings import Weights
from goal_ledger.domain.work.dispatch import NOTHING_SPENT, Spent
from goal_ledger.domain.work.ranking import Estimates
from goal_ledger.domain.work.router import Choice, Work
from goal_ledger.domain.work.serving_order import ServingOrder
from tests.domain.work.routes import route
from tests.tools import examples

S, T = GoalStatus, GoalType
IDS = [f"goal_{number}" for number in range(9)]
TIMES = [f"2026-02-24T09:00:0{second}.000000Z" for second in range(5)]

SOON, LATE = "2026-02-25T09:00:02.000000Z", "2026-03-25T09:00:00.000000Z"

STATUSES = st.sampled_from([S.READY, S.READY, S.ACTIVE, S.ACTIVE, S.WAITING, S.COMPLETED, S.ARCHIVED])
WORKS = st.builds(
    Work,
    st.sampled_from(IDS),
    st.just("Title"),
    st.sampled_from([T.INITIATIVE, T.INITIATIVE, T.KEY_RESULT, T.OBJECTIVE]),
    STATUSES,
    st.integers(1, 3),
    st.none() | st.sampled_from(IDS),
    st.lists(st.sampled_from(IDS), max_size=2).map(tuple),
    done=st.booleans(),
    running=st.sampled_from([(), ("grun_1",)]),
    queued=st.sampled_from([(), ("grun_2",)]),
    overlap=st.sampled_from(list(Overlap)),
    attempts=st.integers(0, 2),
    max_attempts=st.sampled_from([None, 2]),
    not_before=st.none() | st.sampled_from(TIMES),
    budget_usd=st.sampled_from([None, Decimal(1)]),
    spent=st.sampled_from([NOTHING_SPENT, Spent(Decimal(1))]),
    progress=st.sampled_from([0.0, 0.5]),
    is_due=st.none() | st.booleans(),
    estimates=st.builds(
        Estimates,
        st.sampled_from([None, 0.5, 1.0]),
        st.none(),
        st.none(),
        st.none() | st.sampled_from([*TIMES, SOON, LATE]),
        st.none(),
        st.just(Decimal(0)),
        st.sampled_from([0.75, 1.0]),
        st.sampled_from([(), ("belief_1",)]),
    ),
)
CHANGES = st.lists(WORKS, max_size=4)


def told(order: ServingOrder, changed: list[Work], everything: dict[str, Work], now: str) -> None:
    """Tell of changes and of all that they name, as far as it is not known."""
    news = {one.goal_id: one for one in changed}
    more = list(changed)
    while more:
        more = [everything[goal_id] for goal_id in order.unknown(more) - news.keys() if goal_id in everything]
        news |= {one.goal_id: one for one in more}
    order.update(news, now=now)


@settings(max_examples=examples(150))
@given(st.lists(st.tuples(CHANGES, st.sampled_from(TIMES)), min_size=1, max_size=12))
def test_it_is_what_the_router_says_of_all_goals_whatever_changes(steps: list[tuple[list[Work], str]]):
    order, everything = ServingOrder(Weights()), dict[str, Work]()
    for changed, now in steps:
        everything |= {one.goal_id: one for one in changed}
        told(order, changed, everything, now)

        choices = route(everything.values(), now=now)
        served = [choice for choice in choices if choice.eligible]
        assert order.choices() == choices
        assert list(order.eligible()) == served
        assert order.ranked() == ranked([choice.scored for choice in served])


def of(order: ServingOrder) -> list[tuple[str, bool]]:
    return [(choice.goal_id, choice.eligible) for choice in order.choices()]


def work(goal_id: str, **fields: Any) -> Work:
    known: dict[str, Any] = {"goal_type": T.INITIATIVE, "status": S.READY, "priority": 3, **fields}
    return Work(goal_id, "Title", **known)


def test_a_pause_ends_with_time_alone_and_begins_again_when_time_goes_back():
    order = ServingOrder(Weights())
    order.update({"goal_1": work("goal_1", not_before=TIMES[2])}, now=TIMES[1])
    assert of(order) == [("goal_1", False)]
    order.update({}, now=TIMES[2])
    assert of(order) == [("goal_1", True)]
    order.update({}, now=TIMES[0])
    assert of(order) == [("goal_1", False)]


def test_what_stands_far_below_a_key_result_follows_its_progress():
    def key(number: int, progress: float) -> Work:
        kind = {"goal_type": T.KEY_RESULT, "status": S.ACTIVE, "progress": progress}
        return work(f"goal_{number}", **kind)

    below = [work(f"goal_{number}", parent_goal_id=f"goal_{number - 2}") for number in (3, 4, 5, 6)]
    order = ServingOrder(Weights())
    order.update({one.goal_id: one for one in (key(1, 0.2), key(2, 0.4), *below)}, now=TIMES[0])
    assert [choice.goal_id for choice in order.eligible()] == ["goal_3", "goal_5", "goal_4", "goal_6"]
    order.update({"goal_1": key(1, 0.9)}, now=TIMES[0])
    assert [choice.goal_id for choice in order.eligible()] == ["goal_4", "goal_6", "goal_3", "goal_5"]


def test_what_is_over_is_forgotten_with_the_last_open_goal_that_needs_it():
    done = {"status": S.COMPLETED, "done": True}
    order = ServingOrder(Weights())
    order.update(
        {
            "goal_1": work("goal_1", **done),
            "goal_2": work("goal_2", parent_goal_id="goal_1", **done),
            "goal_3": work("goal_3", dependencies=("goal_2",)),
        },
        now=TIMES[0],
    )
    assert of(order) == [("goal_3", True)]
    assert order.unknown([work("goal_4", dependencies=("goal_1", "goal_2"))]) == set()
    order.update({"goal_3": work("goal_3", **done)}, now=TIMES[0])
    assert of(order) == []
    assert order.unknown([work("goal_4", dependencies=("goal_1", "goal_2", "goal_3"))]) == {
        "goal_1",
        "goal_2",
        "goal_3",
    }


def test_choices_that_no_change_concerns_are_not_made_again():
    order = ServingOrder(Weights())
    order.update({f"goal_{number:02}": work(f"goal_{number:02}") for number in range(40)}, now=TIMES[0])
    before = order.choices()
    order.update({"goal_05": work("goal_05", priority=1)}, now=TIMES[1])
    kept: list[Choice] = [choice for choice in order.choices() if choice.goal_id != "goal_05"]
    assert order.choices()[0].goal_id == "goal_05"
    assert all(any(choice is other for other in before) for choice in kept)
