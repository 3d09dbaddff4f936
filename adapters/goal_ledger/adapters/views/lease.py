"""Who builds a table, and whether they are still at it."""

import os
import socket
import time

LEASE_S = 30.0
"""A builder that gives no sign of life for so long is taken for dead."""


def new_builder() -> str:
    """A name for a builder of this process that no other has."""
    return f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}"


def is_held(builder: str | None, until: float | None) -> bool:
    """Whether somebody is at work. until: epoch seconds, without a sign of life."""
    if builder is None or until is None:
        return False
    host, process, _ = builder.rsplit("/", 2)
    if host == socket.gethostname() and not _is_alive(int(process)):
        return False
    return 0 < until - time.time() <= LEASE_S  # more: a clock was set back


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere the question would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
