"""What a change says about runs."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.runs.outcomes import Ended, Rule, in_words, judge, spoken_about
from goal_ledger.ledger import BusinessOutcome

IMPROVED, NEUTRAL, DEGRADED = BusinessOutcome.IMPROVED, BusinessOutcome.NEUTRAL, BusinessOutcome.DEGRADED
AT = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (100, 110, IMPROVED),
        (100, 90, DEGRADED),
        (100, 100, NEUTRAL),
        (0.1, 0.105, IMPROVED),  # exactly the threshold, which binary fractions miss
        (0.1, 0.095, DEGRADED),
        (0.1, 0.1049, NEUTRAL),
        (0.1, 0.0951, NEUTRAL),
        (-100, -90, IMPROVED),  # relative to the size of what was before
        (-100, -110, DEGRADED),
        (0, 0.001, IMPROVED),
        (0, -0.001, DEGRADED),
        (0, 0, NEUTRAL),
    ],
)
def test_a_change_by_the_threshold_or_more_is_better_or_worse(before, after, outcome):
    assert judge(before, after, threshold=0.05).outcome is outcome


def test_a_metric_may_be_better_when_it_is_lower():
    assert judge(100, 90, threshold=0.05, lower_is_better=True).outcome is IMPROVED
    assert judge(100, 110, threshold=0.05, lower_is_better=True).outcome is DEGRADED
    assert judge(100, 100, threshold=0.05, lower_is_better=True).outcome is NEUTRAL
    assert judge(0, 1, threshold=0.05, lower_is_better=True).outcome is DEGRADED


def test_without_a_threshold_any_change_counts_and_none_is_still_neutral():
    assert judge(100, 100.01, threshold=0).outcome is IMPROVED
    assert judge(100, 100, threshold=0).outcome is NEUTRAL


NUMBERS = st.floats(min_value=-1e9, max_value=1e9)


@given(before=NUMBERS, after=NUMBERS, threshold=st.floats(min_value=0, max_value=1))
def test_lower_is_better_turns_every_verdict(before, after, threshold):
    turned = {IMPROVED: DEGRADED, DEGRADED: IMPROVED, NEUTRAL: NEUTRAL}
    verdict = judge(before, after, threshold=threshold)
    assert judge(before, after, threshold=threshold, lower_is_better=True).outcome is turned[verdict.outcome]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.12, 0.08, "reply_rate: 0.12 to 0.08 (-33.3%)"),
        (4, 5, "reply_rate: 4 to 5 (+25.0%)"),
        (0, 5, "reply_rate: 0 to 5"),
    ],
)
def test_a_change_is_told_on_one_line(before, after, words):
    assert in_words("reply_rate", before, after, judge(before, after, threshold=0.05).change) == words


RUNS = [
    Ended("eight_days", "2026-03-01T00:00:00.000000Z"),
    Ended("seven_days", "2026-03-02T00:00:00.000000Z"),
    Ended("yesterday", "2026-03-08T12:00:00.000000Z"),
    Ended("now", "2026-03-09T00:00:00.000000Z"),
    Ended("after", "2026-03-09T00:00:00.000001Z"),
    Ended("unknown", None),
]


def test_a_measurement_speaks_about_the_run_that_finished_last_before_it():
    assert spoken_about(RUNS, AT, window_days=7, rule=Rule.LATEST) == ["now"]


def test_a_measurement_may_speak_about_all_runs_of_the_window_its_ends_included():
    assert spoken_about(RUNS, AT, window_days=7, rule=Rule.ALL) == ["now", "yesterday", "seven_days"]


def test_runs_outside_the_window_and_those_that_ended_nobody_knows_when_are_not_meant():
    outside = [RUNS[0], RUNS[4], RUNS[5]]
    assert spoken_about(outside, AT, window_days=7, rule=Rule.ALL) == []
    assert spoken_about(RUNS, datetime(1970, 1, 2, tzinfo=UTC), window_days=3650, rule=Rule.LATEST) == []
