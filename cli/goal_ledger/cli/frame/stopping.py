"""Commands that go on until somebody stops them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Set by Ctrl-C or a plain kill: what is under way is finished before we end."""
    stop = threading.Event()
    asked = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = [signal.signal(number, lambda *_: stop.set()) for number in asked]
    try:
        yield stop
    finally:
        for number, handler in zip(asked, before, strict=True):
            signal.signal(number, handler)
