"""What to work on next."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.settings import Weights
from goal_ledger.domain.work.dispatch import Spent
from goal_ledger.domain.work.ranking import Estimates
from goal_ledger.domain.work.router import BY_PRIORITY, BY_WORTH, CLOSED, Choice, Work
from tests.domain.work.routes import route

NOW = "2026-02-24T09:00:00.000000Z"
S, T = GoalStatus, GoalType


def work(goal_id: str, **fields: Any) -> Work:
    known: dict[str, Any] = {"goal_type": T.INITIATIVE, "status": S.READY, "priority": 3, **fields}
    return Work(goal_id, f"Title of {goal_id}", **known)


def key_result(goal_id: str, progress: float, status: GoalStatus = S.ACTIVE) -> Work:
    return work(goal_id, goal_type=T.KEY_RESULT, status=status, progress=progress)


def served(*given: Work) -> list[str]:
    return [choice.goal_id for choice in route(given, now=NOW) if choice.eligible]


def only(one: Work) -> Choice:
    [choice] = route([one], now=NOW)
    return choice


def test_the_key_result_that_is_furthest_behind_is_served_first():
    assert served(
        key_result("kr_1", 0.9), key_result("kr_2", 0.2),
        work("goal_1", priority=1, parent_goal_id="kr_1"), work("goal_2", priority=5, parent_goal_id="kr_2"),
    ) == ["goal_2", "goal_1"]  # fmt: skip


def test_within_a_key_result_priority_decides_then_age():
    key = key_result("kr_1", 0.5)
    rest = [work("goal_3", priority=2), work("goal_1", priority=2), work("goal_2", priority=1)]
    under = [one._replace(parent_goal_id="kr_1") for one in rest]
    assert served(key, *under) == served(*rest) == ["goal_2", "goal_1", "goal_3"]


def test_what_advances_no_key_result_comes_after():
    assert served(
        key_result("kr_1", 1.0), work("goal_1", priority=1), work("goal_2", priority=5, parent_goal_id="kr_1")
    ) == ["goal_2", "goal_1"]


def test_key_results_at_the_same_progress_are_served_one_after_the_other():
    assert served(
        key_result("kr_1", 0.5), key_result("kr_2", 0.5),
        work("goal_1", priority=3, parent_goal_id="kr_1"), work("goal_2", priority=1, parent_goal_id="kr_2"),
    ) == ["goal_1", "goal_2"]  # fmt: skip


def test_work_advances_the_nearest_key_result_above_it():
    given = (key_result("kr_1", 0.5), work("goal_1", status=S.COMPLETED, parent_goal_id="kr_1"),
             work("goal_2", parent_goal_id="goal_1"))  # fmt: skip
    [best, *_] = route(given, now=NOW)
    assert (best.goal_id, best.key_result_id, best.progress) == ("goal_2", "kr_1", 0.5)
    assert best.why == "advances kr_1, which is at 50%, priority 3, worth 0.487"


def test_within_a_key_result_what_is_worth_most_comes_first_whatever_its_priority():
    given = (
        key_result("kr_1", 0.5),
        work("goal_1", priority=1, parent_goal_id="kr_1"),
        work("goal_2", priority=5, parent_goal_id="kr_1", estimates=Estimates(value=0.9)),
        work("goal_3", priority=1, parent_goal_id="kr_1", estimates=Estimates(value=0.9, against=("belief_1",))),
    )
    assert served(*given) == ["goal_2", "goal_1"]
    before = {
        policy: [choice.goal_id for choice in route(given, now=NOW, policy=policy) if choice.eligible]
        for policy in (BY_PRIORITY, BY_WORTH)
    }
    assert before == {BY_PRIORITY: ["goal_1", "goal_3", "goal_2"], BY_WORTH: ["goal_2", "goal_1", "goal_3"]}
    by_effort = Weights(value=0.0, effort=1.0)
    assert route(given, now=NOW, weights=by_effort)[0].goal_id == "goal_1"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"succeeded_in": 2}, "succeeded in attempt 2; waits to be completed"),
        ({"succeeded_in": 2, "goal_type": T.LEARNING}, "succeeded in attempt 2; waits to be completed"),
        ({"succeeded_in": 1, "goal_type": T.MAINTENANCE}, "succeeded in attempt 1; waits to be completed"),
        ({"is_history": True}, "is imported history"),
        ({"estimates": Estimates(against=("belief_1", "belief_2"))},
         "contradicts belief_1, belief_2, which is held true"),
    ],
)  # fmt: skip
def test_what_succeeded_what_is_history_and_what_contradicts_a_belief_is_never_served(fields: dict[str, Any], why: str):
    one = work("goal_1", **fields)
    assert (only(one).eligible, only(one).score, only(one).why) == (False, None, why)
    for policy in (BY_PRIORITY, BY_WORTH):  # as it was when they decided
        assert route([one], now=NOW, policy=policy)[0].eligible


@pytest.mark.parametrize(
    "fields",
    [
        {"goal_type": T.EXPERIMENT},
        {"goal_type": T.MAINTENANCE, "is_due": True},
        {"goal_type": T.WATCHDOG, "is_due": True},
        {"queued": ("run_2",)},
    ],
)
def test_what_goes_on_after_a_success_is_served_again(fields: dict[str, Any]):
    assert only(work("goal_1", succeeded_in=1, **fields)).eligible


def test_what_advances_no_key_result_goes_by_priority_and_then_by_worth():
    given = (work("goal_1"), work("goal_2", estimates=Estimates(value=0.9)), work("goal_3", priority=2))
    assert served(*given) == ["goal_3", "goal_2", "goal_1"]


@pytest.mark.parametrize("status", [status for status in S if status is not S.ACTIVE])
def test_a_key_result_that_is_not_active_pulls_nothing_forward(status: GoalStatus):
    given = (key_result("kr_1", 0.0, status), work("goal_2", parent_goal_id="kr_1"), work("goal_1", priority=2))
    assert served(*given) == ["goal_1", "goal_2"]


def test_goals_in_a_circle_are_served_all_the_same():
    assert served(work("goal_1", parent_goal_id="goal_2"), work("goal_2", parent_goal_id="goal_1")) == [
        "goal_1", "goal_2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": S.PLANNED}, "is planned"),
        ({"status": S.WAITING}, "is waiting"),
        ({"dependencies": ("goal_8", "goal_9")}, "depends on goal_8, goal_9"),
        ({"running": ("grun_1",)}, "run grun_1 is open"),
        ({"running": ("grun_1",), "overlap": Overlap.REPLACE}, "run grun_1 is open"),
        ({"running": ("grun_1",), "queued": ("grun_2",), "overlap": Overlap.ENQUEUE}, "run grun_1 is open"),
        ({"not_before": "2026-02-24T09:00:00.000001Z"}, "is tried again at 2026-02-24T09:00:00.000001Z"),
        ({"attempts": 3, "max_attempts": 3}, "all 3 attempts are used up"),
        ({"budget_usd": Decimal(1), "spent": Spent(Decimal(1))}, "its budget of $1 is used up: its runs cost $1"),
        ({"goal_type": T.OBJECTIVE}, "is measured, not worked on: it is a goal of type objective"),
        ({"goal_type": T.KEY_RESULT}, "is measured, not worked on: it is a goal of type key_result"),
        ({"goal_type": T.WATCHDOG, "is_due": False}, "no incident is open"),
        ({"goal_type": T.MAINTENANCE, "is_due": False}, "nothing is due"),
    ],
)
def test_what_cannot_be_served_says_why(fields: dict[str, Any], why: str):
    choice = only(work("goal_1", **fields))
    assert (choice.eligible, choice.score, choice.why) == (False, None, why)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": S.ACTIVE},
        {"not_before": NOW},
        {"attempts": 2, "max_attempts": 3},
        {"attempts": 3, "max_attempts": 3, "queued": ("grun_3",)},
        {"budget_usd": Decimal(1), "spent": Spent(Decimal("0.99"), unknown=5)},
        {"goal_type": T.WATCHDOG, "is_due": True},
        {"goal_type": T.WATCHDOG},
        {"running": ("grun_1",), "overlap": Overlap.ALLOW},
    ],
)
def test_what_nothing_stands_in_the_way_of_can_be_served(fields: dict[str, Any]):
    assert only(work("goal_1", **fields)).eligible


def test_a_second_run_comes_after_everything_that_nobody_works_on():
    busy = work("goal_1", priority=1, running=("grun_1",), overlap=Overlap.ALLOW)
    assert served(busy, work("goal_2", priority=5)) == ["goal_2", "goal_1"]


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_what_is_over_is_no_candidate(status: GoalStatus):
    assert route([work("goal_1", status=status)], now=NOW) == []


def test_scores_fall_along_the_list_whatever_is_given_and_in_whatever_order():
    chance = Random(7)
    given = [key_result(f"kr_{number}", chance.random()) for number in range(5)]
    given += [
        work(
            f"goal_{number:03}",
            priority=chance.randrange(1, 6),
            parent_goal_id=chance.choice([None, "kr_1", "kr_2", "kr_3"]),
            running=chance.choice([(), ("grun_1",)]),
            overlap=chance.choice(list(Overlap)),
        )
        for number in range(200)
    ]
    choices = route(given, now=NOW)
    scores = [choice.score for choice in choices if choice.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert [choice.eligible for choice in choices] == sorted((choice.eligible for choice in choices), reverse=True)
    chance.shuffle(given)
    assert route(given, now=NOW) == choices
