"""The benchmark of promotions looks where the product's policy can decide, and nowhere else matters."""

import numpy as np
import pytest

from benchmarks.promotion import World, _Logs, _Trials, by_bare_rates, by_evidence
from goal_ledger.domain.learning.evidence import Counts, against_half, against_no_harm, against_worse
from goal_ledger.domain.learning.promotion import Trial
from goal_ledger.domain.settings import Settings

SETTINGS = Settings()


def test_its_tables_give_what_the_product_works_out():
    chance = np.random.default_rng(7)
    told, kept = chance.integers(1, 900, 300), chance.integers(1, 900, 300)
    won, kept_won = chance.integers(0, told + 1), chance.integers(0, kept + 1)
    logs = _Logs(1800)
    harm = logs.no_harm(told, won, kept, kept_won)
    bound = logs.worse_at_most(told, won, kept, kept_won, 0.1)
    half = logs.half(told, won)
    for index in range(300):
        treatment, control = Counts(int(told[index]), int(won[index])), Counts(int(kept[index]), int(kept_won[index]))
        if won[index] / told[index] < kept_won[index] / kept[index]:
            assert harm[index] == pytest.approx(against_no_harm(treatment, control), abs=1e-8)
        else:
            assert against_no_harm(treatment, control) <= 0 and harm[index] == -np.inf
        assert bound[index] >= against_worse(treatment, control, 0.1) - 1e-8
        if 2 * won[index] > told[index]:
            assert half[index] == pytest.approx(against_half(treatment), abs=1e-8)


def test_its_trials_have_the_marks_that_the_product_would_have():
    world = World(base=(0.7, 0.7))
    trials = _Trials(world, 3, 900, np.random.default_rng(7))
    trials.in_force[:2] = True
    expected = Trial()
    for _ in range(450):
        before = trials.counts["full"][1, 0]
        trials.run()
        expected = expected.in_force(bool(trials.counts["full"][1, 0] > before))
    assert trials.trial(0).full_marks == expected.full_marks and len(expected.full_marks) == 3
    assert (trials.trial(0).full, trials.trial(2).full) == (expected.full, Counts(0, 0))


def test_evidence_is_wrong_more_seldom_than_bare_rates():
    harmful = World(effect=-0.1, later=-0.1)
    wrong = {}
    for policy in (by_evidence, by_bare_rates):
        outcome = policy(harmful, 200, 400, np.random.default_rng(7), SETTINGS)
        wrong[policy] = outcome.told()["promoted"]
    assert wrong[by_evidence] <= SETTINGS.rule_alpha < wrong[by_bare_rates]


def test_a_rule_that_loses_its_worth_goes_back_after_its_promotion():
    world = World(later=-0.3, base=(0.8, 0.85))
    told = by_evidence(world, 20, 2500, np.random.default_rng(7), SETTINGS).told()
    assert told["promoted"] > 0.9
    assert told["rolled back of those promoted"] > 0.9
    assert 0 < told["runs from promotion to rollback"] < told["runs to rollback"]
