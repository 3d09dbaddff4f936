"""Processes by name, `host/number/mark`: whether the one that wrote something is still there."""

import os
import socket
from contextlib import suppress
from pathlib import Path


def named(mark: str) -> str:
    """A name for this process with a mark of the caller's, such as one that no other name of this process has."""
    return f"{socket.gethostname()}/{os.getpid()}/{mark}"


def this_process() -> str:
    """Names this process for good: its mark is when it began, for numbers come again."""
    return named(_began(os.getpid()))


def runs(process: str) -> bool | None:
    """Whether there is a process of this number, whatever its mark; None when nobody can tell, as on another host."""
    host, number, _ = process.rsplit("/", 2)
    if host != socket.gethostname() or os.name != "posix":  # elsewhere the question would end the process
        return None
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def is_alive(process: str) -> bool | None:
    """Whether what `this_process` named is alive; None when nobody can tell, as on another host."""
    _, number, began = process.rsplit("/", 2)
    return runs(process) and _began(int(number)) == began


def _began(number: int) -> str:
    """When a process began, in ticks since the machine did; blank where the system does not tell, or it is dead."""
    with suppress(OSError):
        # The name stands in brackets and may hold anything; the state and 18 numbers come before the time (proc(5)).
        state, *numbers = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return "" if state in "ZX" else numbers[18]
    return ""
