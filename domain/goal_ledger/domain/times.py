"""Instants as text: UTC, ISO 8601, always microseconds and `Z`, so that text order is time order."""

from datetime import UTC, datetime, timedelta

from goal_ledger.domain.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(moment: datetime) -> str:
    """The moment as stored: `2026-02-24T09:00:00.000000Z`.

    Invalid: naive_time (a datetime without a time zone), bad_time (outside the calendar in UTC).
    """
    if moment.utcoffset() is None:
        raise Invalid("naive_time", f"{moment.isoformat()} has no time zone", hint="use UTC, e.g. 2026-02-24T09:00:00Z")
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        raise Invalid("bad_time", f"{moment.isoformat()} is outside the calendar in UTC") from None


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 instant; a date alone is its midnight in UTC.

    Invalid: bad_time (not ISO 8601), naive_time (a time of day without a zone).
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "bad_time", f"{text!r} is not an ISO 8601 time", hint="write it like 2026-02-24T09:00:00Z"
        ) from None
    if len(text) == len("2026-02-24"):
        return moment.replace(tzinfo=UTC)
    if moment.utcoffset() is None:
        raise Invalid("naive_time", f"{text!r} has no time zone", hint=f"write {text}Z for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("bad_time", f"{text!r} is outside the calendar in UTC") from None


def seconds_between(start: str, end: str) -> float:
    """Seconds from one stored instant to another; negative when the second is earlier."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) / timedelta(seconds=1)
