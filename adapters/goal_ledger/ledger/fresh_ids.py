"""New ids that sort in the order in which they were made, also within one millisecond."""

import os
from collections.abc import Callable
from datetime import datetime

from goal_ledger.domain.ids import new_id

_ENTROPY = 10  # bytes


class FreshIds:
    """Makes ids; within one millisecond each is the one before plus one (as ULID's monotonic mode says).

    entropy: gives so many random bytes. Not for threads that do not take turns.
    """

    def __init__(self, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._entropy = entropy
        self._millisecond = -1
        self._last = 0

    def __call__(self, prefix: str, at: datetime) -> str:
        """A new id of this kind."""
        millisecond = int(at.timestamp() * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._last = int.from_bytes(self._entropy(_ENTROPY), "big") >> 1  # room to count on
        else:
            self._last += 1
        return new_id(prefix, at, self._last.to_bytes(_ENTROPY, "big"))
