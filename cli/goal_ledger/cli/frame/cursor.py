"""Cursors: where a page of a list ended, as text that the next page is asked for with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from goal_ledger.domain.errors import Invalid

DIGITS = 19  # of a number that a database may not hold

Part = Callable[[str], "int | str"]


class Cursor:
    """The values that order a list, in the last row of a page, with something between them.

    parts: how each is read, ValueError for what is none.
    """

    def __init__(self, *parts: Part, between: str = ":") -> None:
        self._parts = parts
        self._between = between

    def read(self, text: str | None) -> tuple[int | str, ...] | None:
        """The values, None for the first page. Invalid: bad_cursor, for what no page of the list gave."""
        if text is None:
            return None
        try:
            values = text.split(self._between, len(self._parts) - 1)
            return tuple(part(value) for part, value in zip(self._parts, values, strict=True))
        except ValueError:
            raise Invalid(
                "bad_cursor", f"{text!r} is no place in this list", hint="give the `next` of the page before"
            ) from None

    def text(self, values: tuple[int | str, ...] | None) -> str | None:
        """The cursor of the next page, None when there is none."""
        return None if values is None else self._between.join(map(str, values))


def number(text: str) -> int:
    """A whole number. ValueError."""
    if text.isdecimal() and len(text) < DIGITS:
        return int(text)
    raise ValueError


def time(text: str) -> str:
    """A stored instant, as it is. ValueError."""
    datetime.fromisoformat(text)
    return text


def an_id(prefix: str) -> Part:
    """An id of this kind. ValueError."""

    def read(text: str) -> str:
        if not (text.startswith(prefix) and text.isidentifier()):
            raise ValueError
        return text

    return read


POSITION = Cursor(number)
