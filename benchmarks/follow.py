"""How soon another process is told of an event: from when its writer knows of the commit to the callback."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from random import Random
from threading import Event, Thread
from time import monotonic, sleep

from benchmarks.measure import Figure, latency
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.ledger import Ledger

_WARM = 3
_PAUSES_S = (0.005, 0.035)  # of random length, or a follower that looks now and then would always look at one moment


def followed(url: str, write: Callable[[], int], events: int) -> Figure:
    """Follow a ledger in a process of its own. write: appends one event, and gives its position."""
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe()
    with Ledger.open(url, actor="agent:bench", read_only=True) as ledger:
        head = ledger.head
    follower = processes.Process(target=_follow, args=(url, head, there))
    follower.start()
    try:
        assert here.poll(60) and here.recv() == head
        sleep(0.1)  # it listens by now
        chance, taken = Random(7), []
        for number in range(-_WARM, events):
            sleep(chance.uniform(*_PAUSES_S))
            position = write()
            known = monotonic()
            assert here.poll(60), "the follower heard nothing"
            told, at = here.recv()
            assert told == position
            if number >= 0:
                taken.append(at - known)
        here.send("enough")
    finally:
        follower.join(10)
        follower.kill()
    return latency(taken)


def _follow(url: str, head: int, pipe: Connection) -> None:
    stop = Event()

    def wait_for_the_end() -> None:
        pipe.recv()
        stop.set()

    def tell(recorded: Recorded | Unreadable) -> None:
        pipe.send((recorded.position, monotonic()))

    with Ledger.open(url, actor="agent:follower") as ledger:
        pipe.send(head)
        Thread(target=wait_for_the_end, daemon=True).start()
        ledger.follow(tell, after=head, stop=stop)
