"""Ids: they name a kind, sort by time, and can be derived."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.errors import NotFound
from goal_ledger.domain.ids import derived_id, new_id, require_id
from goal_ledger.domain.times import EPOCH

AT = datetime(2026, 2, 24, 9, tzinfo=UTC)
instants = st.integers(0, 253_402_300_799_999_999).map(lambda micros: EPOCH + timedelta(microseconds=micros))
entropies = st.binary(min_size=10, max_size=10)


@given(instants, entropies)
def test_an_id_is_its_prefix_and_26_crockford_characters(at: datetime, entropy: bytes):
    found = new_id("goal_", at, entropy)
    assert re.fullmatch(r"goal_[0-7][0-9A-HJKMNP-TV-Z]{25}", found)
    assert require_id("goal_", found) == found


@given(instants, instants, entropies, entropies)
def test_ids_sort_by_the_millisecond_of_their_time(one: datetime, other: datetime, a: bytes, b: bytes):
    [earlier, later] = sorted([one, other])
    if later - earlier >= timedelta(milliseconds=1):
        assert new_id("grun_", earlier, a) < new_id("grun_", later, b)


def test_times_before_1970_count_as_its_beginning():
    assert new_id("goal_", datetime(1969, 7, 20, tzinfo=UTC), bytes(10)) == "goal_00000000000000000000000000"


def test_the_derived_id_of_a_record_never_changes():
    assert derived_id("goal_", "cron", "daily_backup", AT) == "goal_01KJ7E0WM0JN74MNPW0ARN644K"
    assert derived_id("goal_", "cron", "daily_backup", None) == "goal_0000000000JN74MNPW0ARN644K"


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_another_record_has_another_id(source: str, external_id: str):
    found = derived_id("goal_", source, external_id, AT)
    assert found == derived_id("goal_", source, external_id, AT)
    assert found != derived_id("goal_", source, external_id + "x", AT)
    assert found != derived_id("goal_", source + "x", external_id, AT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "goal_",
        "grun_01KJ7N6JB01P2KZVHX3MYJM9AY",
        "goal_81KJ7N6JB01P2KZVHX3MYJM9AY",  # beyond the largest ULID
        "goal_01KJ7N6JB01P2KZVHX3MYJM9A",
        "goal_01KJ7N6JB01P2KZVHX3MYJM9AYY",
        "goal_01kj7n6jb01p2kzvhx3myjm9ay",
        "goal_01KJ7N6JB01P2KZVHX3MYJM9AU",  # U is no Crockford character
        " goal_01KJ7N6JB01P2KZVHX3MYJM9AY",
        "goal_01KJ7N6JB01P2KZVHX3MYJM9AY\n",
        "goal_'; DROP TABLE stored_events; --",
        "\ud800",
        "\0",
        None,
        5,
        ["goal_01KJ7N6JB01P2KZVHX3MYJM9AY"],
    ],
    ids=ascii,
)
def test_under_what_is_no_id_there_is_nothing(text: Any):
    with pytest.raises(NotFound) as missing:
        require_id("goal_", text)
    assert missing.value.code == "unknown_goal"
