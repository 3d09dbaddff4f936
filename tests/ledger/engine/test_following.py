"""Many writers and those who read behind them, on every store."""

import threading
import time

from goal_ledger.ledger import Ledger, Settings
from tests.places import Place
from tests.tools import PATIENCE_S, recorded

FAST = Settings(durable=False, page=7)


def test_eight_writers_and_three_readers_behind_them_meet_no_gap_and_no_repeat(place: Place):
    events, writers = 40, 8
    last = 1 + events * writers
    heard: list[list[int]] = [[], [], []]

    def write(name: str) -> None:
        with Ledger.open(place.url, actor=f"test:{name}", settings=FAST) as ledger:
            for number in range(events):
                ledger.goals.create(f"{name}{number}")

    def read(into: list[int]) -> None:
        stop = threading.Event()
        with Ledger.open(place.url, read_only=True, settings=FAST) as ledger:

            def hear(position: int) -> None:
                into.append(position)
                if position == last:
                    stop.set()

            ledger.follow(lambda event: hear(event.position), stop=stop)

    with Ledger.open(place.url, actor="test:following") as ledger:
        threads = [threading.Thread(target=read, args=(each,)) for each in heard]
        threads += [threading.Thread(target=write, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heard == [list(range(1, last + 1))] * 3
        for name in "abcdefgh":  # each writer's own events in its own order
            own = [event.event.title for event in recorded(ledger) if event.by == f"test:{name}"]  # type: ignore[attr-defined]
            assert own == [f"{name}{number}" for number in range(events)]
        assert ledger.log.verify() == last


def test_waiting_ends_with_an_event_of_another_process_and_without_one_with_the_time(place: Place):
    with Ledger.open(place.url, actor="test:one") as ledger, Ledger.open(place.url, actor="test:two") as other:
        store = ledger.core.store
        store.wait(0, PATIENCE_S)  # there is one already
        begun = time.monotonic()
        store.wait(1, 0.05)
        assert store.head() == 1 and time.monotonic() - begun >= 0.05
        writer = threading.Timer(0.05, lambda: other.goals.create("A"))
        writer.start()
        store.wait(1, PATIENCE_S)
        assert store.head() == 2
        writer.join()


def test_closing_ends_the_wait(place: Place):
    ledger = Ledger.open(place.url, actor="test:one")
    closer = threading.Timer(0.05, ledger.close)
    closer.start()
    assert ledger.follow(lambda _: None, poll_s=60) == 1
    closer.join()
