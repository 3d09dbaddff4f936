"""Writers that end as `kill -9` ends them."""

import time

import pytest

from goal_ledger.ledger import Ledger
from tests.faults.children import chance
from tests.faults.conftest import NewPlace, Start
from tests.faults.work import FAST, sound, write
from tests.places import ServerPlace

PER_LEDGER = 25  # kills, so that proving it all after each stays quick


@pytest.mark.parametrize("kills", [12, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_writer_that_is_killed_loses_nothing_it_acknowledged_and_doubles_nothing(
    start: Start, new_place: NewPlace, kills: int
):
    seeded = chance()
    if isinstance(new_place(), ServerPlace):  # each costs it three times as much
        kills //= 5
    for first in range(0, kills, PER_LEDGER):
        place = new_place()
        acknowledged: dict[str, tuple[int, str]] = {}
        sound(place.url)
        for number in range(first, min(kills, first + PER_LEDGER)):
            writer = start(write, place.url, number)
            told = [writer.hear() for _ in range(seeded.randint(1, 12))]
            time.sleep(seeded.uniform(0, 0.003))  # into the middle of a command
            told += writer.kill()
            assert writer.was_killed
            acknowledged |= {command_id: (position, goal_id) for position, goal_id, command_id in told}

            stored = sound(place.url)
            written = {event.command: (event.position, event.stream) for event in stored if event.command is not None}
            assert len(written) == sum(event.command is not None for event in stored)  # none was done twice
            assert {command_id: written[command_id] for command_id in acknowledged} == acknowledged
            assert len(written) - len(acknowledged) <= number - first + 1  # a kill may come between commit and word
            with Ledger.open(place.url, actor="agent:writer", settings=FAST) as ledger:  # it asks again
                position, goal_id, command_id = told[-1]
                goal = ledger.using(command_id=command_id).goals.create(command_id.partition("-")[2])
                assert (goal.position, goal.goal_id) == (position, goal_id)
                assert ledger.head == len(stored) + 1
