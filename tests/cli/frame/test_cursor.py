"""Cursors: what a page gives is what the next one is asked for with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.cli.frame.cursor import POSITION, Cursor, an_id, number, time
from goal_ledger.domain.errors import Invalid

GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@given(st.integers(min_value=0, max_value=10**18 - 1), st.text())
def test_the_next_page_begins_where_the_one_before_ended(place: int, words: str):
    cursor = Cursor(number, str, between="/")

    assert cursor.read(cursor.text((place, words))) == (place, words)


def test_without_a_place_there_is_no_cursor_and_without_a_cursor_the_first_page():
    assert POSITION.text(None) is None
    assert POSITION.read(None) is None


@pytest.mark.parametrize(
    ("cursor", "text"),
    [
        (POSITION, ""),
        (POSITION, "-1"),
        (POSITION, "1:2"),
        (POSITION, "9" * 19),
        (POSITION, "first"),
        (Cursor(an_id("goal_")), "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"),
        (Cursor(number, an_id("goal_")), GOAL),
        (Cursor(number, an_id("goal_")), f"3:{GOAL}:4"),
        (Cursor(number, an_id("goal_")), f"x:{GOAL}"),
        (Cursor(time, number, between=","), "2026-01-01"),
        (Cursor(time, number, between=","), "tomorrow,3"),
    ],
)
def test_what_no_page_gave_is_refused_with_a_hint(cursor: Cursor, text: str):
    with pytest.raises(Invalid) as refused:
        cursor.read(text)

    assert refused.value.code == "bad_cursor" and refused.value.hint


def test_each_kind_of_value_reads_back():
    assert Cursor(number, an_id("goal_")).read(f"3:{GOAL}") == (3, GOAL)
    assert Cursor(time, number, between=",").read("2026-01-01T00:00:00.000000Z,7") == ("2026-01-01T00:00:00.000000Z", 7)
