"""One command id, delivered to several at once."""

import threading
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from goal_ledger.ledger import Ledger
from tests.faults.children import Tell, barrier
from tests.faults.conftest import Start
from tests.faults.work import FAST, sound
from tests.places import Place
from tests.tools import PATIENCE_S

AT_ONCE = 3


def deliver(tell: Tell, url: str, together: Barrier, rounds: int) -> None:
    """Create a goal per round, under the same command ids as the others; the answers."""
    told = []
    with Ledger.open(url, actor="agent:relay", settings=FAST) as ledger:
        for number in range(rounds):
            together.wait()
            told.append(tuple(ledger.using(command_id=f"delivery {number}").goals.create(f"{number}")))
    tell(told)  # at the end: one who waits to be heard would hold up the others


def _one_event_each(place: Place, answers: list[list[Any]], rounds: int) -> None:
    assert all(told == answers[0] for told in answers)
    created = {event.command: event for event in sound(place.url) if event.command is not None}
    assert len(created) == rounds
    assert [row[:1] for row in answers[0]] == [(created[f"delivery {number}"].stream,) for number in range(rounds)]
    with Ledger.open(place.url, actor="test:faults") as ledger:
        assert ledger.head == rounds + 2  # it began with one, and `sound` wrote one


@pytest.mark.parametrize("rounds", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_a_command_that_three_processes_deliver_at_once_is_done_once_and_all_hear_the_same(
    start: Start, place: Place, rounds: int
):
    together = barrier(AT_ONCE)
    relays = [start(deliver, place.url, together, rounds) for _ in range(AT_ONCE)]
    answers = [told for relay in relays for told in relay.finished()]
    _one_event_each(place, answers, rounds)


@pytest.mark.parametrize("rounds", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_a_command_that_three_threads_deliver_at_once_is_done_once_and_all_hear_the_same(place: Place, rounds: int):
    together = threading.Barrier(AT_ONCE, timeout=PATIENCE_S)
    answers: list[list[Any]] = [[] for _ in range(AT_ONCE)]
    with Ledger.open(place.url, actor="agent:relay", settings=FAST) as ledger:

        def deliver(told: list[Any]) -> None:
            for number in range(rounds):
                together.wait()
                told.append(tuple(ledger.using(command_id=f"delivery {number}").goals.create(f"{number}")))

        threads = [threading.Thread(target=deliver, args=(told,)) for told in answers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    _one_event_each(place, answers, rounds)
