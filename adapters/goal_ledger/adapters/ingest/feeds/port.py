"""What every reader of measurements yields.

A reader is a function `(content, …) -> Iterator[Measurement | BadLine]` over what `documents.content` or `fetch.fetch`
gave: a new format is a new reader, nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from goal_ledger.domain.errors import LedgerError
from goal_ledger.domain.times import parse_utc


class Selector(NamedTuple):
    """Which runs are meant: one run, those of a goal, or those of a task category; the first that is said."""

    run_id: str | None = None
    goal_id: str | None = None
    task_category: str | None = None

    @property
    def is_blank(self) -> bool:
        return not any(self)


class Measurement(NamedTuple):
    """A metric at an instant.

    line: of the record, from 1. external_id: names the record within its source. before: None when the source does not
    say: it is then what the metric was when it was last read. window: the time that was measured, in words.
    """

    line: int
    external_id: str
    metric: str
    before: float | None
    after: float
    at: datetime
    selector: Selector = Selector()
    window: str | None = None


def selector_of(record: Mapping[str, Any]) -> Selector:
    """Which runs a record means. ValueError: when that is not text."""
    said = [text_of(record, name) for name in Selector._fields]
    return Selector(*said)


def text_of(record: Mapping[str, Any], *names: str) -> str | None:
    """The first of these fields that says something, numbers as text; None when none does. ValueError: other values."""
    found = _first(record, names)
    return None if found is None else found[1]


def _first(record: Mapping[str, Any], names: Sequence[str]) -> tuple[str, str] | None:
    """Its name, and what it says."""
    for name in names:
        value = record.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"{name}: text is needed")
        return name, str(value).strip()
    return None


def number_of(record: Mapping[str, Any], *names: str) -> float | None:
    """The first of these fields that says something, as a finite number; text is read. ValueError: other values."""
    if (found := _first(record, names)) is None:
        return None
    name, text = found
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is not a number") from None
    if not isfinite(number):
        raise ValueError(f"{name}: numbers must be finite")
    return number


def time_of(record: Mapping[str, Any], *names: str) -> datetime | None:
    """The first of these fields that says something, as an instant. ValueError: no ISO 8601 with a zone."""
    if (found := _first(record, names)) is None:
        return None
    name, text = found
    try:
        return parse_utc(text).astimezone(UTC)
    except LedgerError as error:
        raise ValueError(f"{name}: {error.message}") from None
