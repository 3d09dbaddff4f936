"""The policy promotion@1: promote, roll back or wait, with what each lacks."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from goal_ledger.domain.learning.evidence import Counts, against_no_harm, against_worse
from goal_ledger.domain.learning.promotion import (
    FIRST_MARK,
    Cause,
    Choice,
    Question,
    Trial,
    _windows,
    judge,
    missing,
    receipt_of,
)
from goal_ledger.domain.settings import Settings

SETTINGS = Settings()
MARKED = Trial(full=Counts(FIRST_MARK << 200, 0), full_marks=(0,) * 200)


def trial(told: tuple[int, int], kept: tuple[int, int], **more: Any) -> Trial:
    return Trial(treatment=Counts(*told), control=Counts(*kept), **more)


def choice(found: Trial, *, promoted: bool = False, round: int = 1) -> tuple[str, str | None]:
    verdict = judge(found, promoted=promoted, round=round, settings=SETTINGS)
    return verdict.choice, verdict.cause


def test_nothing_is_settled_without_runs():
    verdict = judge(Trial(), promoted=False, round=1, settings=SETTINGS)
    assert (verdict.choice, verdict.cause) == (Choice.WAIT, None)
    assert missing(Trial(), verdict, promoted=False, round=1, share=0.5, settings=SETTINGS) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (trial((100, 90), (100, 60)), (Choice.PROMOTE, None)),
        (trial((1500, 1050), (1500, 1050)), (Choice.PROMOTE, None)),  # no better, and no worse by the margin
        (trial((100, 60), (100, 60)), (Choice.WAIT, None)),
        (trial((1000, 550), (1000, 700)), (Choice.ROLL_BACK, Cause.SUCCESS)),
        (trial((100, 90), (100, 60), costs=Counts(60, 50)), (Choice.ROLL_BACK, Cause.COST)),
        (trial((100, 90), (100, 60), durations=Counts(60, 50)), (Choice.ROLL_BACK, Cause.DURATION)),
        (
            trial((100, 90), (100, 60), treatment_values=Counts(50, 20), control_values=Counts(50, 45)),
            (Choice.ROLL_BACK, Cause.BUSINESS_OUTCOME),
        ),
    ],
)
def test_counts_that_say_enough_are_acted_on(found: Trial, expected: tuple[str, str | None]):
    assert choice(found) == expected


def test_a_rule_that_never_wins_is_not_promoted_however_little_the_others_win():
    assert choice(trial((5000, 2), (5000, 2))) == (Choice.WAIT, None)
    assert choice(trial((5000, 3), (5000, 3))) == (Choice.PROMOTE, None)


def test_a_rule_in_force_is_compared_with_the_control_runs_of_its_canary():
    good = trial((50, 45), (50, 45), full=Counts(200, 180))
    assert choice(good, promoted=True) == (Choice.WAIT, None)
    assert choice(good._replace(full=Counts(200, 100)), promoted=True) == (Choice.ROLL_BACK, Cause.SUCCESS)


def test_the_chances_of_error_add_up_to_alpha_over_all_rounds_and_questions():
    def spent(questions: Sequence[Question]) -> float:
        return sum(math.exp(-question.needed) for question in questions)

    promotion = rollback = 0.0
    for number in range(1, 2001):
        promote, *canary = judge(Trial(), promoted=False, round=number, settings=SETTINGS).questions
        promotion += spent([promote])
        share = SETTINGS.rule_alpha / (number * (number + 1)) / 4
        rollback += spent(canary) + sum(window.alpha for window in _windows(MARKED, share))
    for total in (promotion, rollback):
        assert SETTINGS.rule_alpha * 0.99 < total <= SETTINGS.rule_alpha


def test_a_rule_that_was_good_for_long_does_not_hide_behind_that():
    trial = Trial(treatment=Counts(500, 350), control=Counts(500, 350))
    for _ in range(800):
        trial = trial.in_force(True)
    assert trial.full_marks == (100, 200, 400, 800)
    for _ in range(100):
        trial = trial.in_force(False)
    question = judge(trial, promoted=True, round=1, settings=SETTINGS).questions[0]
    assert question.says_yes
    assert question.counts == "0 of 100 won since run 800 with it, 350 of 500 without"
    assert choice(trial._replace(full_marks=()), promoted=True) == (Choice.WAIT, None)


def test_what_is_missing_settles_it_and_a_little_less_does_not():
    found = trial((40, 28), (40, 28))
    verdict = judge(found, promoted=False, round=1, settings=SETTINGS)
    more = missing(found, verdict, promoted=False, round=1, share=0.5, settings=SETTINGS)
    assert more is not None

    def evidence(further: int) -> float:
        arm = found.treatment.projected(further / 2)
        return against_worse(arm, arm, SETTINGS.rule_margin)

    assert evidence(more) >= math.log(40) > evidence(more - 1)


def test_what_is_missing_of_a_rule_in_force_is_until_it_would_go_back():
    found = trial((400, 360), (400, 360), full=Counts(10, 5))
    verdict = judge(found, promoted=True, round=1, settings=SETTINGS)
    more = missing(found, verdict, promoted=True, round=1, share=0.5, settings=SETTINGS)
    assert more is not None
    needed = math.log(40 * 4 * 2)
    assert against_no_harm(found.full.projected(more), found.control) >= needed
    fine = found._replace(full=Counts(10, 10))
    assert missing(fine, judge(fine, promoted=True, round=1, settings=SETTINGS), promoted=True, round=1, share=0.5,
                   settings=SETTINGS) is None  # fmt: skip


def test_a_receipt_holds_the_counts_the_evidence_and_the_settings():
    found = trial((100, 90), (100, 60))
    verdict = judge(found, promoted=False, round=1, settings=SETTINGS)
    receipt = receipt_of(verdict, position=12, settings=SETTINGS)
    assert (receipt.policy, receipt.chosen, receipt.position, receipt.count) == ("promotion@1", "promote", 12, 6)
    best = receipt.candidates[0]
    assert (best.id, best.score >= 1.0) == ("promote", True)
    assert "90 of 100 won with it, 60 of 100 without" in best.why and "of 40 needed" in best.why
    assert [one.id for one in receipt.candidates[1:2]] == ["wait"]
    other = receipt_of(verdict, position=12, settings=SETTINGS.model_copy(update={"rule_margin": 0.2}))
    assert other.settings_digest != receipt.settings_digest
