"""Instants as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.times import parse_utc, seconds_between, utc_text

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones).filter(lambda moment: 1 < moment.year < 9999)


@given(moments)
def test_a_moment_reads_back_as_the_same_moment(moment: datetime):
    text = utc_text(moment)
    assert len(text) == len("2026-02-24T09:00:00.000000Z")
    assert parse_utc(text) == moment
    assert parse_utc(text).utcoffset() == timedelta(0)


@given(moments, moments)
def test_text_order_is_time_order(one: datetime, other: datetime):
    assert (utc_text(one) < utc_text(other)) is (one < other)


@given(moments, moments)
def test_seconds_lie_between_two_moments(one: datetime, other: datetime):
    assert seconds_between(utc_text(one), utc_text(other)) == (other - one).total_seconds()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-24T09:00:00Z", datetime(2026, 2, 24, 9, tzinfo=UTC)),
        ("2026-02-24 10:00:00.5+01:00", datetime(2026, 2, 24, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("20260224T090000Z", datetime(2026, 2, 24, 9, tzinfo=UTC)),
        ("2026-02-24", datetime(2026, 2, 24, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_read(text: str, moment: datetime):
    assert parse_utc(text) == moment


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_time"),
        ("tomorrow", "bad_time"),
        ("1740387600", "bad_time"),
        ("2026-02-30", "bad_time"),
        ("2026-02-24T25:00:00Z", "bad_time"),
        ("0001-01-01T00:00:00+01:00", "bad_time"),
        ("9999-12-31T23:59:59-01:00", "bad_time"),
        ("2026-02-24T09:00:00", "naive_time"),
        ("2026-02-24T09:00", "naive_time"),
    ],
)
def test_other_text_is_refused(text: str, code: str):
    with pytest.raises(Invalid) as refused:
        parse_utc(text)
    assert refused.value.code == code


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(Invalid) as refused:
        utc_text(datetime(2026, 2, 24, 9))  # noqa: DTZ001 — that is the point
    assert refused.value.code == "naive_time"


@pytest.mark.parametrize(("year", "hours"), [(1, 12), (9999, -12)])
def test_a_moment_outside_the_calendar_is_refused(year: int, hours: int):
    month, day, hour = (1, 1, 0) if year == 1 else (12, 31, 23)
    with pytest.raises(Invalid) as refused:
        utc_text(datetime(year, month, day, hour, tzinfo=timezone(timedelta(hours=hours))))
    assert refused.value.code == "bad_time"
