"""The detectors: pure, at their thresholds, and alike whatever the order of what they are told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.proposals.detectors import failing_pair, key_result_off_track, stalled_goal, task_failure
from goal_ledger.domain.proposals.detectors.base import Attempt, Check, Finding, Standing, confidence
from goal_ledger.domain.times import utc_text

NOW = datetime(2025, 11, 9, 14, tzinfo=UTC)


class Told(NamedTuple):
    """A history as a test tells it."""

    of_tasks: Sequence[Check] = ()
    of_runs: Sequence[Attempt] = ()
    active: Sequence[Standing] = ()

    def checks(self, since: str, until: str) -> Sequence[Check]:
        return sorted((one for one in self.of_tasks if since <= one.at <= until), key=lambda one: one.at)

    def attempts(self, since: str, until: str) -> Sequence[Attempt]:
        return sorted((one for one in self.of_runs if since <= one.at <= until), key=lambda one: one.at)

    def standings(self) -> Sequence[Standing]:
        return self.active


def failed(task: str, ago: timedelta, error: str | None = "timeout", source: str = "") -> Check:
    return Check(task, ok=False, at=utc_text(NOW - ago), error=error, source=source)


def hours(*ago: float, task: str = "daily_backup") -> list[Check]:
    return [failed(task, timedelta(hours=each)) for each in ago]


def failures(checks: Sequence[Check], **settings: object) -> Sequence[Finding]:
    return task_failure.configure(settings)(Told(checks), now=NOW)


# --- Task failures


def test_the_walkthrough_gives_one_finding_with_every_number():
    went_well = Check("daily_backup", ok=True, at="2025-11-09T10:00:00.000000Z")
    assert failures([went_well, *hours(3, 2, 1, 0)]) == [
        Finding(
            text="Fix recurring failures in 'daily_backup' task",
            category="capability",
            pattern="task_failure_recurring",
            subject="daily_backup",
            evidence={
                "task_type": "daily_backup",
                "failure_count": 4,
                "lookback_hours": 24,
                "error_type": "timeout",
                "first_failure": "2025-11-09T11:00:00.000000Z",
                "last_failure": "2025-11-09T14:00:00.000000Z",
            },
            confidence=0.85,
            value=0.8,
            effort=0.5,
            risk=0.3,
            success_metrics={"task_success_rate": 0.95, "consecutive_successes": 3},
        )
    ]


@pytest.mark.parametrize(("count", "found"), [(2, 0), (3, 1), (4, 1)])
def test_three_failures_make_a_pattern(count: int, found: int):
    assert len(failures(hours(*range(count)))) == found


def test_the_scan_instant_counts_and_the_future_never():
    assert len(failures(hours(2, 1, 0))) == 1
    assert failures(hours(2, 1, -1 / 3600)) == []


def test_a_failure_of_exactly_a_day_ago_counts_and_an_older_one_does_not():
    assert len(failures(hours(24, 2, 1))) == 1
    assert len(failures(hours(23 + 59 / 60, 2, 1))) == 1
    assert failures(hours(24 + 1 / 3600, 2, 1)) == []


def test_successes_neither_count_nor_reset_the_count():
    between = [Check("daily_backup", ok=True, at=utc_text(NOW - timedelta(minutes=m))) for m in (30, 90, 150)]
    [finding] = failures([*hours(3, 2, 1, 0), *between])
    assert finding.evidence["failure_count"] == 4


def test_every_task_is_counted_for_itself():
    assert [one.subject for one in failures([*hours(3, 2, 1, 0), *hours(5, 4, task="report")])] == ["daily_backup"]
    both = failures([*hours(3, 2, 1), *hours(9, 8, 7, task="weekly_backup")])
    assert [one.subject for one in both] == ["daily_backup", "weekly_backup"]


def test_the_most_common_error_is_told_and_a_missing_one_is_unknown():
    mixed = [failed("b", timedelta(hours=h), e) for h, e in ((4, "disk"), (3, "timeout"), (2, "timeout"), (1, None))]
    assert failures(mixed)[0].evidence["error_type"] == "timeout"
    assert failures([failed("b", timedelta(hours=h), None) for h in (3, 2, 1)])[0].evidence["error_type"] == "unknown"


@pytest.mark.parametrize(("n", "sure"), [(3, 0.80), (4, 0.85), (5, 0.90), (6, 0.95), (7, 0.95), (1000, 0.95)])
def test_more_failures_make_surer_up_to_a_cap(n: int, sure: float):
    assert confidence(n, 3) == sure


def test_a_quiet_history_gives_nothing():
    assert failures([]) == []


def test_names_with_quotes_stay_as_they_are():
    [finding] = failures(hours(3, 2, 1, task="x'; DROP TABLE goals; --"))
    assert finding.text == "Fix recurring failures in 'x'; DROP TABLE goals; --' task"


def test_four_tasks_that_begin_to_fail_within_ten_minutes_are_one_incident():
    together = [failed(f"site {n}", timedelta(minutes=60 - 3 * n), source="monitor") for n in range(4)]
    [finding] = failures([*together, failed("site 0", timedelta(minutes=5), source="monitor")])
    assert (finding.pattern, finding.subject) == ("task_failure_incident", "monitor")
    assert finding.text == "Fix the common cause of failures in 4 tasks of 'monitor'"
    assert finding.evidence["task_types"] == ["site 0", "site 1", "site 2", "site 3"]
    assert finding.evidence["failure_count"] == 5


def test_three_tasks_or_a_minute_more_are_none():
    assert failures([failed(f"site {n}", timedelta(minutes=60)) for n in range(3)]) == []
    apart = [failed(f"site {n}", timedelta(minutes=60 - 11 * (n == 3))) for n in range(4)]
    assert failures(apart) == []
    assert len(failures([failed(f"site {n}", timedelta(minutes=60 - 10 * (n == 3))) for n in range(4)])) == 1


def test_a_task_with_failures_of_its_own_is_found_beside_the_incident():
    together = [failed(f"site {n}", timedelta(minutes=60)) for n in range(4)]
    found = failures([*together, *hours(9, 8, 7, task="daily_backup")])
    assert [one.pattern for one in found] == ["task_failure_incident", "task_failure_recurring"]


def test_the_detector_is_tuned_by_its_settings():
    assert len(failures(hours(2, 1), threshold=2)) == 1
    assert failures(hours(3, 2, 1), lookback_hours=2) == []
    with pytest.raises(ValueError, match="threshold"):
        failures([], threshold=0)


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.integers(-60, 30 * 60)), max_size=40),
    st.randoms(use_true_random=False),
)
def test_the_order_of_telling_makes_no_difference_and_no_failure_is_counted_twice(told, chance):
    checks = [Check(t, ok, utc_text(NOW - timedelta(minutes=m, seconds=i)), None if ok else "e")
              for i, (t, ok, m) in enumerate(told)]  # fmt: skip
    shuffled = list(checks)
    chance.shuffle(shuffled)
    found = failures(checks)
    assert failures(shuffled) == found
    counted = sum(one.evidence["failure_count"] for one in found)
    since = utc_text(NOW - timedelta(hours=24))
    assert counted <= sum(not one.ok and since <= one.at <= utc_text(NOW) for one in checks)


# --- Key results, stalled goals, failing pairs


def key_result(progress: float | None, **changes: object) -> Standing:
    begun, deadline = NOW - timedelta(days=50), NOW + timedelta(days=50)
    row = Standing(
        "goal_1", "95 % accuracy", "key_result", utc_text(NOW), progress, utc_text(begun), utc_text(deadline)
    )
    return row._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("progress", "found"), [(0.26, 0), (0.25, 1), (0.0, 1), (None, 1), (1.0, 0)])
def test_a_key_result_may_be_a_quarter_behind_its_time(progress: float | None, found: int):
    assert len(key_result_off_track.configure({})(Told(active=[key_result(progress)]), now=NOW)) == found


def test_a_key_result_without_a_deadline_or_at_its_beginning_is_left_alone():
    detect = key_result_off_track.configure({})
    early = key_result(0.0, begun_at=utc_text(NOW - timedelta(days=10)), deadline=utc_text(NOW + timedelta(days=90)))
    assert detect(Told(active=[key_result(0.0, deadline=None), early]), now=NOW) == []
    assert detect(Told(active=[key_result(0.0, goal_type="objective")]), now=NOW) == []


@pytest.mark.parametrize(("days", "found"), [(6.99, 0), (7, 1), (30, 1)])
def test_a_goal_to_which_nothing_happens_for_a_week_is_stalled(days: float, found: int):
    quiet = Standing("goal_1", "Answer mail", "initiative", utc_text(NOW - timedelta(days=days)))
    assert len(stalled_goal.configure({})(Told(active=[quiet]), now=NOW)) == found
    assert stalled_goal.configure({})(Told(active=[quiet._replace(goal_type="maintenance")]), now=NOW) == []


def attempts(won: int, lost: int, agent: str | None = "agent:a") -> list[Attempt]:
    outcomes = [True] * won + [False] * lost
    return [Attempt(f"grun_{n}", "goal_1", agent, "sql", ok, utc_text(NOW - timedelta(hours=n)))
            for n, ok in enumerate(outcomes)]  # fmt: skip


@pytest.mark.parametrize(("won", "lost", "found"), [(0, 4, 0), (0, 5, 1), (1, 4, 1), (2, 4, 0), (2, 8, 1)])
def test_an_agent_that_wins_one_in_five_or_less_keeps_failing(won: int, lost: int, found: int):
    assert len(failing_pair.configure({})(Told(of_runs=attempts(won, lost)), now=NOW)) == found


def test_runs_without_an_agent_or_a_category_say_nothing_of_a_pair():
    nameless = [*attempts(0, 9, agent=None), *(one._replace(task=None) for one in attempts(0, 9))]
    assert failing_pair.configure({})(Told(of_runs=nameless), now=NOW) == []
