"""The evaluation of proposals: five checks in a fixed order, each at its edge."""

from datetime import UTC, datetime
from typing import Any

import pytest

from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.proposals.evaluation import Circumstances, Similar, evaluate
from goal_ledger.domain.proposals.proposal import ProposalMade, RejectionCode, of
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.strategy.belief import NEUTRAL, alignment
from goal_ledger.domain.words import likeness, words

NOW = datetime(2025, 11, 9, 14, tzinfo=UTC)
IN_TIME = Circumstances("2025-11-09T14:00:00.000000Z", 0, 0, None, {})
C = RejectionCode


def proposal(**changes: Any) -> ProposalMade:
    fields: dict[str, Any] = {
        "text": "Fix recurring failures in 'daily_backup' task", "category": "capability",
        "pattern": "task_failure_recurring", "subject": "daily_backup", "confidence": 0.85, "value": 0.8,
        "effort": 0.5, "risk": 0.3,
    }  # fmt: skip
    return of(Finding(**(fields | changes)), detector="task_failure_detector", now=NOW, days=7)


def code(made: ProposalMade, seen: Circumstances = IN_TIME, **settings: Any) -> RejectionCode | None:
    return evaluate(made, seen, Settings(**settings)).code


def test_a_proposal_lives_seven_days_its_last_instant_included():
    made = proposal()
    assert made.expires_at == "2025-11-16T14:00:00.000000Z"
    assert code(made, IN_TIME._replace(now="2025-11-16T14:00:00.000000Z")) is None
    assert code(made, IN_TIME._replace(now="2025-11-16T14:00:01.000000Z")) is C.EXPIRED


def test_from_seventy_percent_on_it_is_sure_enough_and_the_value_stands_beside_the_code():
    assert code(proposal(confidence=0.70)) is None
    verdict = evaluate(proposal(confidence=0.69), IN_TIME, Settings())
    assert (verdict.code, verdict.value) == (C.CONFIDENCE_TOO_LOW, "0.69")


@pytest.mark.parametrize(("sure", "auto"), [(0.89, False), (0.90, True), (0.92, True), (0.70, False)])
def test_from_ninety_percent_on_nobody_has_to_approve(sure: float, auto: bool):
    assert evaluate(proposal(confidence=sure), IN_TIME, Settings()).auto is auto


@pytest.mark.parametrize(
    ("today", "by_detector", "expected"),
    [(9, 2, None), (10, 0, C.RATE_LIMIT_EXCEEDED), (3, 3, C.RATE_LIMIT_EXCEEDED), (9, 3, C.RATE_LIMIT_EXCEEDED)],
)
def test_ten_goals_a_day_and_three_of_a_detector_are_enough(today: int, by_detector: int, expected: Any):
    assert code(proposal(), IN_TIME._replace(today=today, today_by_detector=by_detector)) is expected


def test_four_fifths_of_the_words_may_be_shared_and_no_more():
    four_of_five = likeness(words("a b c d"), words("a b c d e"))
    five_of_six = likeness(words("a b c d e"), words("a b c d e f"))
    assert (four_of_five, round(five_of_six, 2)) == (0.8, 0.83)
    assert code(proposal(), IN_TIME._replace(nearest=Similar("goal_1", four_of_five))) is None
    verdict = evaluate(proposal(), IN_TIME._replace(nearest=Similar("goal_1", five_of_six)), Settings())
    assert (verdict.code, verdict.value) == (C.DUPLICATE_GOAL_EXISTS, "goal_1")


def test_an_open_goal_of_the_same_pattern_and_subject_is_one_in_whatever_words():
    assert code(proposal(), IN_TIME._replace(nearest=Similar("goal_1", 0.1, is_same=True))) is C.DUPLICATE_GOAL_EXISTS


@pytest.mark.parametrize(
    ("aligns_with", "contradicts", "score"),
    [
        ((), (), NEUTRAL),
        (("held",), (), 1.0),
        (("held", "given up"), (), 0.5),
        (("held", "given up", "unknown"), (), 1 / 3),
        (("given up",), (), 0.0),
        ((), ("given up",), NEUTRAL),
        (("held",), ("held",), 0.0),
    ],
)
def test_alignment_is_the_share_of_its_beliefs_that_are_held(
    aligns_with: tuple[str, ...], contradicts: tuple[str, ...], score: float
):
    assert alignment(aligns_with, contradicts, {"held": True, "given up": False}) == pytest.approx(score)


def test_half_of_its_beliefs_must_be_held():
    beliefs = IN_TIME._replace(beliefs={"held": True, "given up": False})
    assert code(proposal(aligns_with=("held", "given up")), beliefs) is None
    verdict = evaluate(proposal(aligns_with=("held", "given up", "unknown")), beliefs, Settings())
    assert (verdict.code, verdict.value) == (C.BELIEF_MISALIGNMENT, "0.333333")


def test_what_contradicts_a_belief_that_is_held_is_refused_with_its_id():
    beliefs = IN_TIME._replace(beliefs={"held": True})
    verdict = evaluate(proposal(contradicts=("held",)), beliefs, Settings())
    assert (verdict.code, verdict.value) == (C.BELIEF_MISALIGNMENT, "held")


def test_the_first_check_that_fails_decides():
    every: dict[RejectionCode, dict[str, Any]] = {
        C.EXPIRED: {"now": "2030-01-01T00:00:00.000000Z"},
        C.CONFIDENCE_TOO_LOW: {},
        C.RATE_LIMIT_EXCEEDED: {"today": 10},
        C.DUPLICATE_GOAL_EXISTS: {"nearest": Similar("goal_1", 1.0)},
        C.BELIEF_MISALIGNMENT: {"beliefs": {"held": True}},
    }
    assert list(every) == list(RejectionCode)
    for first, expected in enumerate(every):
        wrong = list(every)[first:]
        seen = IN_TIME
        for each in wrong:
            seen = seen._replace(**every[each])
        sure = 0.1 if C.CONFIDENCE_TOO_LOW in wrong else 0.85
        assert code(proposal(confidence=sure, contradicts=("held",)), seen) is expected


def test_the_verdict_tells_every_check_that_was_asked():
    told = evaluate(proposal(confidence=0.5), IN_TIME, Settings()).checks
    assert [(one.id, one.score) for one in told] == [("expired", 1.0), ("confidence_too_low", 0.5)]
    assert len(evaluate(proposal(), IN_TIME, Settings()).checks) == 5


def test_every_number_is_a_setting():
    assert code(proposal(), least_confidence=0.86) is C.CONFIDENCE_TOO_LOW
    assert code(proposal(), system_goals_a_day=0) is C.RATE_LIMIT_EXCEEDED
    assert code(proposal(), IN_TIME._replace(nearest=Similar("g", 0.75)), duplicate_similarity=0.7) is not None
    assert code(proposal(), least_alignment=0.76) is C.BELIEF_MISALIGNMENT
    assert evaluate(proposal(), IN_TIME, Settings(auto_approve=0.85)).auto
