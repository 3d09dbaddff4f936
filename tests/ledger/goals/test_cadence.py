"""What comes round: cron lines over two changes of the clocks, intervals, and goals whose occurrences come due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from goal_ledger.domain.errors import Invalid
from goal_ledger.ledger import GoalStatus, Ledger, LocalOutcome, Rejected
from goal_ledger.ledger.goals.cadence import MOST_AT_ONCE, check_cadence, due_occurrences, occurrences
from tests.tools import Clock

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=BERLIN)
DAILY = "0 9 * * * Europe/Berlin"


def local(cadence: str, start: datetime, end: datetime) -> list[str]:
    return [moment.astimezone(BERLIN).isoformat() for moment in occurrences(cadence, start, end)]


# --- When


def test_nine_in_berlin_is_nine_in_berlin_on_every_day_of_the_year():
    year = occurrences(DAILY, NEW_YEAR, NEW_YEAR.replace(year=2027))
    assert len(year) == 365
    assert {moment.astimezone(BERLIN).strftime("%H:%M") for moment in year} == {"09:00"}
    assert {moment.strftime("%H:%M") for moment in year} == {"07:00", "08:00"}
    assert {moment.tzinfo for moment in year} == {UTC}


def test_a_time_that_the_clocks_skip_comes_round_at_the_end_of_the_gap():
    assert local("30 2 * * * Europe/Berlin", NEW_YEAR.replace(month=3, day=28), NEW_YEAR.replace(month=3, day=31)) == [
        "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"
    ]  # fmt: skip


def test_a_time_that_the_clocks_repeat_comes_round_once():
    days = NEW_YEAR.replace(month=10, day=24), NEW_YEAR.replace(month=10, day=27)
    assert local("30 2 * * * Europe/Berlin", *days) == [
        "2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"
    ]  # fmt: skip
    assert len(local("30 2 * * * Europe/Berlin", NEW_YEAR, NEW_YEAR.replace(year=2027))) == 365
    assert len(local("30 * * * * Europe/Berlin", days[0] + timedelta(days=1), days[0] + timedelta(days=2))) == 25


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "*/20 2 * * *", "30 * * * *", "0 */2 * * *"])
def test_going_on_from_any_occurrence_gives_the_same_ones(cron: str, zone: str):
    start, chain = datetime(2026, 1, 1, tzinfo=UTC), list[datetime]()
    whole = occurrences(f"{cron} {zone}", start, start + timedelta(days=365))
    for moment in (start, *whole):
        chain += occurrences(f"{cron} {zone}", moment, start + timedelta(days=365), most=1)
    assert chain == whole == sorted(set(whole))


def test_a_cron_line_without_a_zone_is_in_utc():
    start = datetime(2026, 7, 1, tzinfo=UTC)
    assert occurrences("0 9 * * 1", start, start + timedelta(days=8)) == [datetime(2026, 7, 6, 9, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("cadence", "step"),
    [("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 7 * 86400), ("1w", 7 * 86400)],
)
def test_an_interval_counts_on_from_where_it_starts(cadence: str, step: int):
    start = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    found = occurrences(cadence, start, start.astimezone(UTC) + timedelta(seconds=3 * step))
    assert found == [start.astimezone(UTC) + timedelta(seconds=number * step) for number in (1, 2, 3)]


def test_the_first_moment_is_left_out_and_the_last_one_counts():
    nine = datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert occurrences(DAILY, nine, nine + timedelta(days=1)) == [nine + timedelta(days=1)]
    assert occurrences(DAILY, nine, nine) == []
    assert len(occurrences("1s", nine, nine + timedelta(days=1), most=7)) == 7


@pytest.mark.parametrize("cadence", ["", "d", "0d", "-1d", "7", "٣d", "0 9 * *", "61 9 * * *", "0 9 * * * Mars/Base"])
def test_what_is_no_cadence_is_refused(cadence: str):
    with pytest.raises(Invalid) as refused:
        check_cadence(cadence)
    assert refused.value.code == "bad_cadence"


def test_an_interval_beyond_the_calendar_is_refused():
    with pytest.raises(Invalid):
        check_cadence("9" * 30 + "d")
    assert occurrences("999999w", NEW_YEAR, datetime.max.replace(tzinfo=UTC)) == []


# --- Goals


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:tick", clock=Clock()) as opened:
        yield opened


def sweep(ledger: Ledger, start: datetime, **fields: object) -> str:
    begun = ledger.using(occurred_at=start)
    known: dict[str, object] = {"review_cadence": DAILY, "catch_up": "catch_up_all", **fields}
    goal = begun.goals.create("Sweep", goal_type="maintenance", **known)  # type: ignore[arg-type]
    begun.goals.ready(goal.goal_id)
    return begun.goals.activate(goal.goal_id).goal_id


def test_a_year_of_ticks_across_two_changes_of_the_clocks_gives_every_occurrence_once(ledger: Ledger):
    goal = sweep(ledger, NEW_YEAR)
    told = [line for hours in range(0, 366 * 24, 36)
            for line in due_occurrences(ledger, NEW_YEAR.astimezone(UTC) + timedelta(hours=hours))]  # fmt: skip
    still_open = ledger.goals.get(goal).open_occurrences
    assert len(told) == len(still_open) == len(set(still_open)) == 365
    assert {datetime.fromisoformat(at).astimezone(BERLIN).strftime("%H:%M") for at in still_open} == {"09:00"}


def test_repeating_a_tick_changes_nothing(ledger: Ledger):
    goal = sweep(ledger, NEW_YEAR)
    now = NEW_YEAR + timedelta(hours=10)
    assert due_occurrences(ledger, now) == [f"{goal} due since 2026-01-01T08:00:00.000000Z"]
    events = ledger.log.stats().events
    assert due_occurrences(ledger, now) == due_occurrences(ledger, now + timedelta(hours=1)) == []
    assert due_occurrences(ledger, now - timedelta(days=1)) == []
    assert ledger.log.stats().events == events


def test_one_command_id_does_the_work_of_all_goals_once(ledger: Ledger):
    goals = [sweep(ledger, NEW_YEAR) for _ in range(3)]
    now, once = NEW_YEAR + timedelta(hours=10), ledger.using(command_id="tick:occurrences:7")
    first = due_occurrences(once, now)
    assert [line.split()[0] for line in first] == goals
    assert due_occurrences(once, now + timedelta(seconds=5)) == first


def test_missed_occurrences_follow_the_policy_of_their_goal(ledger: Ledger):
    policies = ("catch_up_all", "latest_only", "skip", "coalesce")
    goals = {policy: sweep(ledger, NEW_YEAR, catch_up=policy) for policy in policies}
    told = due_occurrences(ledger, NEW_YEAR + timedelta(days=3))
    assert len(told) == 3 + 1 + 1 + 1
    assert f"{goals['skip']} skipped 3 until 2026-01-03T08:00:00.000000Z" in told
    assert {policy: len(ledger.goals.get(goal).open_occurrences) for policy, goal in goals.items()} == {
        "catch_up_all": 3, "latest_only": 1, "skip": 0, "coalesce": 1
    }  # fmt: skip
    due_occurrences(ledger, NEW_YEAR + timedelta(days=3, hours=10))
    assert ledger.goals.get(goals["skip"]).open_occurrences == ("2026-01-04T08:00:00.000000Z",)


def test_what_was_missed_counts_from_when_the_goal_was_first_active(ledger: Ledger):
    goal = (
        ledger.using(occurred_at=NEW_YEAR).goals.create("Sweep", goal_type="maintenance", review_cadence="1d").goal_id
    )
    later = NEW_YEAR + timedelta(days=30)
    assert due_occurrences(ledger, later) == []
    ledger.using(occurred_at=later).goals.ready(goal)
    ledger.using(occurred_at=later).goals.activate(goal)
    assert due_occurrences(ledger, later + timedelta(hours=1)) == []
    assert due_occurrences(ledger, later + timedelta(days=1)) == [f"{goal} due since 2026-01-31T23:00:00.000000Z"]


def test_a_long_absence_is_caught_up_with_in_parts(ledger: Ledger):
    goal = sweep(ledger, NEW_YEAR, review_cadence="1m")
    now = NEW_YEAR + timedelta(minutes=MOST_AT_ONCE + 5)
    assert [len(due_occurrences(ledger, now)) for _ in range(3)] == [MOST_AT_ONCE, 5, 0]
    assert len(ledger.goals.get(goal).open_occurrences) == MOST_AT_ONCE + 5


def test_completing_an_occurrence_leaves_the_goal_active_until_it_is_archived(ledger: Ledger):
    goal = sweep(ledger, NEW_YEAR)
    with pytest.raises(Rejected) as refused:
        ledger.goals.complete(goal)
    assert refused.value.code == "no_occurrence"
    due_occurrences(ledger, NEW_YEAR + timedelta(days=2))
    for still_open in (("2026-01-02T08:00:00.000000Z",), ()):
        row = ledger.goals.complete(goal, evidence="swept")
        assert (row.status, row.done, row.open_occurrences) == (GoalStatus.ACTIVE, False, still_open)
    ledger.goals.archive(goal)
    assert due_occurrences(ledger, NEW_YEAR + timedelta(days=9)) == []


def test_a_run_that_succeeds_completes_the_occurrence_and_one_that_fails_does_not(ledger: Ledger):
    goal = sweep(ledger, NEW_YEAR)
    due_occurrences(ledger, NEW_YEAR + timedelta(days=1))
    failed, done, extra = LocalOutcome.PARTIAL, LocalOutcome.SUCCEEDED, LocalOutcome.SUCCEEDED
    for outcome, still_open in ((failed, 1), (done, 0), (extra, 0)):
        run = ledger.runs.start(goal).run_id
        ledger.runs.finish(run, outcome)
        row = ledger.goals.get(goal)
        assert (len(row.open_occurrences), row.status) == (still_open, GoalStatus.ACTIVE)
