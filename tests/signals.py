"""Signals: what the caller of the tests ignores, the processes that tests start heed all the same."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ASKED_TO_STOP = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_PYTHONS_OWN = {getattr(signal, name, None) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ")}
"""What Python ignores by itself, and gives back to the processes that it starts."""


def pass_on_none_ignored() -> None:
    """Let processes started from here begin with the default of each signal, whatever the caller of the tests ignores.

    An ignored signal stays ignored in a new process, one that is handled becomes the default: so these are handled, by
    doing nothing, and whoever ran the tests with `nohup` is not disappointed. The same for signals that are blocked.
    """
    for number in signal.valid_signals():
        if number not in _PYTHONS_OWN and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _do_nothing)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


def _do_nothing(*_: object) -> None: ...


@contextmanager
def defaults() -> Iterator[None]:
    """In this process, for as long as the block lasts, each wish to stop has the handler that Python begins with."""
    python = {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, python.get(number, signal.SIG_DFL)) for number in ASKED_TO_STOP}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
