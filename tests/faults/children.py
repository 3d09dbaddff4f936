"""Processes that a test starts, listens to and kills; ten milliseconds each, for they are forks of a warm one."""

import multiprocessing
import os
import random
import signal
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from tests.tools import PATIENCE_S

Tell = Callable[[Any], None]
"""Says something to the test, whole or not at all."""

_FORKS: Any = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
_FORKS.set_forkserver_preload(["pytest", "tests.faults.work"])  # which imports what it needs


class Child:
    """A process that runs `work(tell, *arguments)`, which must be a function of a module."""

    def __init__(self, work: Callable[..., object], *arguments: Any) -> None:
        self._told, teller = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_run, args=(teller, work, *arguments), daemon=True)
        self._process.start()
        teller.close()

    def hear(self) -> Any:
        """The next thing it tells."""
        assert self._told.poll(PATIENCE_S), "the child is silent"
        return _unless_failed(self._told.recv())

    def kill(self) -> list[Any]:
        """End it as `kill -9` does, unless it has ended; what it told before, and nobody heard yet."""
        self._process.kill()
        return self.last_words()

    def last_words(self) -> list[Any]:
        """What it tells until it ends, however it ends."""
        rest = []
        while True:
            try:
                rest.append(self.hear())
            except EOFError:
                break
        self._process.join(PATIENCE_S)
        self._told.close()
        return rest

    def finished(self) -> list[Any]:
        """What it tells until it ends, which must go well."""
        rest = self.last_words()
        assert self._process.exitcode == 0, self._process.exitcode
        return rest

    @property
    def was_killed(self) -> bool:
        """Whether it ended by `kill -9`, by whomever."""
        return bool(self._process.exitcode == -signal.SIGKILL)

    def end(self) -> None:
        """Let nothing of it stay behind."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join(PATIENCE_S)
        self._told.close()
        self._process.close()


def barrier(parties: int) -> Any:
    """Where so many children wait for each other."""
    return _FORKS.Barrier(parties, timeout=PATIENCE_S)


def event() -> Any:
    """What children look at to know that it is over."""
    return _FORKS.Event()


def die() -> None:
    """End this process as `kill -9` does: nothing is cleaned up, nothing is said."""
    os.kill(os.getpid(), signal.SIGKILL)


def chance() -> random.Random:
    """Random numbers whose seed is printed; GOAL_LEDGER_TEST_SEED sets it."""
    seed = int(os.environ.get("GOAL_LEDGER_TEST_SEED", "20260224"))
    print(f"GOAL_LEDGER_TEST_SEED={seed}")
    return random.Random(seed)


class _Failed(Exception):
    """What went wrong in a child, in its own words."""


def _unless_failed(told: Any) -> Any:
    if isinstance(told, _Failed):
        raise AssertionError(f"the child failed: {told}")
    return told


def _run(teller: Connection, work: Callable[..., object], *arguments: Any) -> None:
    warnings.simplefilter("error")
    try:
        work(teller.send, *arguments)
    except BaseException:
        import traceback

        teller.send(_Failed(traceback.format_exc()))
        raise
