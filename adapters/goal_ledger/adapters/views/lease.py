"""Who builds a table, and whether they are still at it."""

import os
import time

from goal_ledger.adapters.process import named, runs

LEASE_S = 30.0
"""A builder that gives no sign of life for so long is taken for dead."""


def new_builder() -> str:
    """A name for a builder of this process that no other has."""
    return named(os.urandom(4).hex())


def is_held(builder: str | None, until: float | None) -> bool:
    """Whether somebody is at work. until: epoch seconds, without a sign of life."""
    if builder is None or until is None or runs(builder) is False:
        return False
    return 0 < until - time.time() <= LEASE_S  # more: a clock was set back
