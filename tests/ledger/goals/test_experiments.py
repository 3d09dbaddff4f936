"""Experiments in a ledger."""

from datetime import timedelta

import pytest

from goal_ledger.ledger import UNKNOWN, Ledger, NotFound, Rejected, Settings
from tests.tools import START, Clock


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:lab", clock=Clock()) as opened:
        yield opened


def trial(ledger: Ledger) -> str:
    return ledger.goals.create("Which prompt", goal_type="experiment", arms=["old", "new"]).goal_id


def test_results_come_together_in_a_report(ledger: Ledger):
    goal = trial(ledger)
    for success in [True] * 30 + [False] * 30:
        ledger.experiments.record(goal, "new", success=success)
    found = ledger.experiments.record(goal, "old", success=False, reason="wrong answer")
    assert [(arm.arm, arm.n, arm.successes, arm.rate) for arm in found.arms] == [
        ("old", 1, 0, 0.0),
        ("new", 60, 30, 0.5),
    ]
    assert (found.winner, found.alpha) == (None, 0.05)
    assert ledger.experiments.report(goal) == found


def test_a_clear_difference_has_a_winner_and_as_of_then_it_had_none(ledger: Ledger):
    goal = trial(ledger)
    for number in range(60):
        ledger.experiments.record(goal, "new", success=number % 10 != 0)
        ledger.experiments.record(goal, "old", success=number % 10 == 0)
    assert ledger.experiments.report(goal).winner == "new"
    assert ledger.as_of(10).experiments.report(goal).winner is None


def test_a_run_counts_once_and_must_be_there(ledger: Ledger):
    goal = trial(ledger)
    ledger.goals.ready(goal)
    run = ledger.runs.start(goal).run_id
    first = ledger.experiments.record(goal, "old", success=True, run_id=run)
    events = ledger.log.stats().events
    assert ledger.experiments.record(goal, "old", success=True, run_id=run) == first
    with pytest.raises(Rejected) as counted:
        ledger.experiments.record(goal, "new", success=True, run_id=run)
    with pytest.raises(NotFound) as unknown:
        ledger.experiments.record(goal, "new", success=True, run_id=run[:-1] + ("0" if run[-1] != "0" else "1"))
    assert (counted.value.code, unknown.value.code) == ("already_counted", "unknown_run")
    assert ledger.log.stats().events == events


def test_only_an_experiment_has_a_report(ledger: Ledger):
    with pytest.raises(Rejected) as refused:
        ledger.experiments.report(ledger.goals.create("A").goal_id)
    assert refused.value.code == "not_an_experiment"


def test_an_experiment_that_nobody_knows_the_beginning_of_was_not_there_at_any_time(ledger: Ledger):
    goal = trial(ledger.using(occurred_at=UNKNOWN))
    ledger.goals.ready(goal)
    with pytest.raises(NotFound) as unknown:
        ledger.as_of(valid_at=START + timedelta(days=1)).experiments.report(goal)
    assert unknown.value.code == "unknown_goal"


def test_the_error_rate_is_a_setting():
    with Ledger.open(":memory:", settings=Settings(experiment_alpha=0.5)) as ledger:
        assert ledger.experiments.report(trial(ledger)).alpha == 0.5
