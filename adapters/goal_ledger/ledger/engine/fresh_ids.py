"""New ids that sort in the order in which they were made, whatever the clock does."""

import os
from collections.abc import Callable
from datetime import datetime

from goal_ledger.domain.ids import new_id

_ENTROPY = 10  # bytes


class FreshIds:
    """Makes ids; while the clock stands, or stands behind the last id, each is the one before plus one.

    ULID's monotonic mode, and more: a clock that is set back takes no id back. entropy: gives so many random bytes. Not
    for threads that do not take turns.
    """

    def __init__(self, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._entropy = entropy
        self._at: datetime | None = None
        self._last = 0

    def __call__(self, prefix: str, at: datetime) -> str:
        """A new id of this kind."""
        if self._at is None or _milliseconds(at) > _milliseconds(self._at):
            self._at = at
            self._last = int.from_bytes(self._entropy(_ENTROPY), "big") >> 1  # room to count on
        else:
            self._last += 1
        return new_id(prefix, self._at, self._last.to_bytes(_ENTROPY, "big"))


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
