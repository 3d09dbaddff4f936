"""Fresh ids: unique, and in the order in which they were made."""

from datetime import UTC, datetime, timedelta

from goal_ledger.ledger import Ledger
from goal_ledger.ledger.engine.fresh_ids import FreshIds

NOON = datetime(2025, 11, 9, 12, tzinfo=UTC)


def test_ids_of_one_millisecond_sort_in_the_order_in_which_they_were_made():
    fresh = FreshIds()
    made = [fresh("goal_", NOON) for _ in range(1000)]
    assert sorted(set(made)) == made


def test_ids_sort_by_time():
    fresh = FreshIds()
    made = [fresh("goal_", NOON + timedelta(milliseconds=ms)) for ms in range(100)]
    assert sorted(set(made)) == made


def test_a_clock_that_is_set_back_takes_no_id_back():
    fresh = FreshIds()
    made = [fresh("goal_", NOON + timedelta(hours=hours)) for hours in (0, 5, -5, 4, 6, -100, 7)]
    assert sorted(set(made)) == made


def test_the_most_random_bytes_leave_room_to_count_on():
    fresh = FreshIds(lambda size: b"\xff" * size)
    assert fresh("goal_", NOON) < fresh("goal_", NOON)


def test_goals_of_one_instant_are_listed_in_the_order_in_which_they_were_created():
    with Ledger.open(":memory:", clock=lambda: NOON) as ledger:
        titles = [ledger.goals.create(f"goal {number}").title for number in range(20)]
        assert [goal.title for goal in ledger.goals.list().rows] == titles
