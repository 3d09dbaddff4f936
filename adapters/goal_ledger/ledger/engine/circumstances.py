"""Who, when and under which command id: what travels beside a wish, not in it."""

from collections.abc import Collection
from datetime import datetime
from enum import Enum
from typing import Literal, NamedTuple, TypedDict

from goal_ledger.domain.base import LARGEST_INT
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.times import utc_text


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Literal[_Unknown.UNKNOWN] = _Unknown.UNKNOWN
"""For `occurred_at`: nobody knows when it was."""

_LABEL = "must be 1 to 200 printable characters"

Occurred = datetime | Literal[_Unknown.UNKNOWN] | None


class TxMetadata(TypedDict, total=False):
    """What can change inside a transaction; see `Circumstances`."""

    actor: str
    occurred_at: Occurred
    cause: int | None
    if_version: int | None


class Metadata(TxMetadata, total=False):
    """The fields of `Circumstances`, as a caller gives those that change: for type checkers, which cannot derive it."""

    command_id: str | None


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

    def changed(self, changes: TxMetadata, names: Collection[str]) -> "Circumstances":
        """These with what a caller of `using` changes, not checked. names: that may be given. TypeError: one is not."""
        for name in changes:
            if name not in names:
                raise TypeError(f"using() got an unexpected keyword argument {name!r}; it takes {', '.join(names)}")
        return self._replace(**changes)

    def checked(self) -> "Circumstances":
        """These, when they can be stored. Invalid: bad_actor, bad_command_id, naive_time, bad_time, invalid_value."""
        if not _is_label(self.actor):
            raise Invalid("bad_actor", f"the actor {_LABEL}")
        if self.command_id is not None and not _is_label(self.command_id):
            raise Invalid("bad_command_id", f"the command id {_LABEL}")
        if isinstance(self.occurred_at, datetime):
            utc_text(self.occurred_at)
        elif self.occurred_at is not None and self.occurred_at is not UNKNOWN:
            raise Invalid("bad_time", "occurred_at must be a datetime with a time zone, or UNKNOWN")
        for what, number in (("cause", self.cause), ("if_version", self.if_version)):
            if number is not None and (type(number) is not int or not 0 <= number <= LARGEST_INT):
                raise Invalid("invalid_value", f"{what} must be a whole number")
        return self


def _is_label(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 200 and text.isprintable() and bool(text.strip())
