"""Who, when and under which command id: what travels beside a wish, not in it."""

from datetime import datetime
from enum import Enum
from typing import Literal, NamedTuple

from goal_ledger.domain.base import LARGEST_INT
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.times import utc_text


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Literal[_Unknown.UNKNOWN] = _Unknown.UNKNOWN
"""For `occurred_at`: nobody knows when it was."""

Occurred = datetime | Literal[_Unknown.UNKNOWN] | None


class Circumstances(NamedTuple):
    """actor: e.g. `agent:planner`. occurred_at: when it was true; now by default. cause: the position that led to it.

    command_id: the same id and the same wish again give the first answer. if_version: the version that the first stream
    acted on must have.
    """

    actor: str
    command_id: str | None = None
    occurred_at: Occurred = None
    cause: int | None = None
    if_version: int | None = None

    def checked(self) -> "Circumstances":
        """These, when they can be stored. Invalid: bad_actor, bad_command_id, naive_time, bad_time, invalid_value."""
        for code, what, text in (("bad_actor", "actor", self.actor), ("bad_command_id", "command id", self.command_id)):
            if text is not None and not (isinstance(text, str) and _is_label(text)):
                raise Invalid(code, f"the {what} must be 1 to 200 printable characters")
        if isinstance(self.occurred_at, datetime):
            utc_text(self.occurred_at)
        elif self.occurred_at is not None and self.occurred_at is not UNKNOWN:
            raise Invalid("bad_time", "occurred_at must be a datetime with a time zone, or UNKNOWN")
        for what, number in (("cause", self.cause), ("if_version", self.if_version)):
            if number is not None and (type(number) is not int or not 0 <= number <= LARGEST_INT):
                raise Invalid("invalid_value", f"{what} must be a whole number")
        return self


def _is_label(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable() and bool(text.strip())
