"""Experiments: what counts, and that looking often names no false winner."""

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.experiment import ArmResultRecorded, intervals, radius, record, report, tally, winner
from goal_ledger.domain.goals.goal import GOAL, ArmResult
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from tests.domain.goals.histories import HISTORIES, created
from tests.spec import Spec

SEEDS = range(250)
LOOKS = 300  # results per arm, with a look after every one


def trial(*arms: str, **fields: Any) -> Event:
    return created(**{"goal_type": GoalType.EXPERIMENT, "arms": arms or ("old", "new"), **fields})


# --- Recording


def test_a_result_is_recorded_for_an_arm():
    Spec(GOAL).given(trial()).when(record, arm="new", success=True, run_id="grun_1", reason="seen").then(
        ArmResultRecorded(arm="new", success=True, run_id="grun_1", reason="seen")
    )


def test_a_run_counts_once():
    known = Spec(GOAL).given(trial(), ArmResultRecorded(arm="new", success=True, run_id="grun_1"))
    known.when(record, arm="new", success=True, run_id="grun_1").then_quiet()
    known.when(record, arm="new", success=False, run_id="grun_1").then_rejected("already_counted", "grun_1", "new")
    known.when(record, arm="old", success=True, run_id="grun_1").then_rejected("already_counted")
    known.when(record, arm="new", success=True).then(ArmResultRecorded(arm="new", success=True))


def test_what_is_no_arm_is_refused():
    Spec(GOAL).given(trial()).when(record, arm="newer", success=True).then_rejected("unknown_arm", "old, new")
    other = created(goal_type=GoalType.INITIATIVE, arms=("a",))
    Spec(GOAL).given(other).when(record, arm="a", success=True).then_rejected("not_an_experiment")
    (_, archived) = HISTORIES[GoalStatus.ARCHIVED]
    Spec(GOAL).given(trial(), archived).when(record, arm="old", success=True).then_rejected("archived")
    Spec(GOAL).when(record, arm="old", success=True).then_rejected("unknown_goal")


def test_an_arm_that_was_taken_out_keeps_its_results():
    results = [ArmResult("old", True), ArmResult("gone", False), ArmResult("old", False)]
    assert tally(results, ("old", "new")) == {"old": (2, 1), "new": (0, 0), "gone": (1, 0)}


# --- Who wins


def test_the_winner_is_above_every_other_arm():
    found = report({"old": (200, 80), "new": (200, 160), "odd": (200, 100)})
    assert (found.winner, found.further) == ("new", 0)
    low = {arm.arm: (arm.low, arm.high) for arm in found.arms}
    assert low["new"][0] > max(low["old"][1], low["odd"][1])


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"only": (1000, 1000)},
        {"old": (0, 0), "new": (0, 0)},
        {"old": (0, 0), "new": (5, 5)},
        {"old": (3, 0), "new": (3, 3)},
        {"old": (10_000_000, 5_000_000), "new": (10_000_000, 5_000_000)},
        {"old": (10**6, 9 * 10**5), "new": (10**6, 9 * 10**5), "bad": (10**6, 10**5)},
    ],
    ids=["no arm", "one arm", "nothing yet", "one arm tried", "too few", "a tie", "two that lead"],
)
def test_without_enough_evidence_nobody_wins(counts: dict[str, tuple[int, int]]):
    assert report(counts).winner is None


def test_how_much_is_missing_is_estimated_at_the_present_rates():
    found = report({"old": (20, 8), "new": (20, 12)})
    assert found.winner is None and found.further is not None
    more = found.further // 2
    assert report({"old": (20 + more, round(0.4 * (20 + more))), "new": (20 + more, round(0.6 * (20 + more)))}).winner
    less = math.floor(more * 0.9)
    assert not report(
        {"old": (20 + less, round(0.4 * (20 + less))), "new": (20 + less, round(0.6 * (20 + less)))}
    ).winner
    assert report({"old": (20, 10), "new": (20, 10)}).further is None
    assert report({"old": (20, 10), "new": (0, 0)}).further is None


@given(st.integers(1, 10**6), st.floats(0.001, 0.5))
def test_an_interval_is_wider_than_one_for_a_single_look_and_narrows(n: int, level: float):
    single = math.sqrt(math.log(2 / level) / (2 * n))  # Hoeffding's bound, for a look that was planned
    assert radius(n, level) > single
    assert radius(4 * n, level) < radius(n, level)


@pytest.mark.parametrize("arms", [2, 4])
def test_equal_arms_have_a_false_winner_at_most_as_often_as_promised(arms: int):
    false = 0
    for seed in SEEDS:
        chance = Random(seed)
        successes = [0] * arms
        for n in range(1, LOOKS // (arms - 1)):
            successes = [count + (chance.random() < 0.5) for count in successes]
            if winner(intervals({str(arm): (n, count) for arm, count in enumerate(successes)}, alpha=0.05)) is not None:
                false += 1
                break
    assert false <= 0.05 * len(SEEDS), f"{false} of {len(SEEDS)} (seeds {SEEDS})"


def test_no_interval_ever_leaves_out_the_true_rate_more_often_than_promised():
    missed = 0
    width = [radius(n, 0.05) for n in range(1, 2000)]
    for seed in SEEDS:
        chance, successes = Random(seed), 0
        for n, half in enumerate(width, start=1):
            successes += chance.random() < 0.3
            if abs(successes / n - 0.3) > half:
                missed += 1
                break
    assert missed <= 0.05 * len(SEEDS), f"{missed} of {len(SEEDS)} (seeds {SEEDS})"


def test_a_real_difference_is_found():
    for seed in range(50):
        chance, found = Random(seed), None
        old = new = 0
        for n in range(1, 601):
            old, new = old + (chance.random() < 0.4), new + (chance.random() < 0.7)
            if (found := winner(intervals({"old": (n, old), "new": (n, new)}, alpha=0.05))) is not None:
                break
        assert found == "new", f"seed {seed}"
