"""Processes by name: whether the one that wrote something is still alive."""

import os
import socket
from contextlib import suppress
from pathlib import Path


def this_process() -> str:
    """Names this process: its host, its number, and when it began, for numbers come again."""
    return f"{socket.gethostname()}/{os.getpid()}/{_began(os.getpid())}"


def is_alive(process: str) -> bool | None:
    """Whether a process that was named is alive; None when that cannot be known, as on another host."""
    host, number, began = process.rsplit("/", 2)
    if host != socket.gethostname():
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return _began(int(number)) == began


def _began(number: int) -> str:
    """When a process began, in ticks since the machine did; blank where the system does not tell, or it is dead."""
    with suppress(OSError):
        # The name stands in brackets and may hold anything; the state and 18 numbers come before the time (proc(5)).
        state, *numbers = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return "" if state in "ZX" else numbers[18]
    return ""
