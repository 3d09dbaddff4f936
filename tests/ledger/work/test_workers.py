"""Several workers that run the loop of docs/embedding.md and are killed: every goal is reached by exactly one run."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from goal_ledger.ledger import GoalStatus, Ledger, LocalOutcome, Settings
from tests.places import Place
from tests.tools import finished, python, until

PAGE = Path(__file__).parents[3] / "docs" / "embedding.md"

WORKER = """
LOOP
import os, sys
from goal_ledger.ledger import Settings

with Ledger.open(sys.argv[1], actor=f"agent:{os.getpid()}", settings=Settings(lock_wait_s=300)) as ledger:
    work_off(ledger, lambda run: "done", lease_s=1)
"""


def loop() -> str:
    """The loop as the page has it, without the program that uses it."""
    [block] = [part for part in PAGE.read_text().split("```python\n") if "def work_off" in part]
    return block.partition("\nworker = ")[0]


class Workers:
    """Three workers at any time."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._running: list[subprocess.Popen[str]] = []

    def fill(self) -> None:
        """Start one for each that has ended."""
        for worker in [worker for worker in self._running if worker.poll() is not None]:
            finished(worker)
            self._running.remove(worker)
        while len(self._running) < 3:
            self._running.append(python(WORKER.replace("LOOP", loop()), self._place.url))

    def kill(self, one: int) -> None:
        """Kill one at whatever it does."""
        victim = self._running.pop(one)
        victim.kill()
        victim.communicate()

    def close(self) -> None:
        """Kill all that are left."""
        for worker in self._running:
            worker.kill()
            worker.communicate()


@pytest.fixture
def workers(place: Place) -> Iterator[Workers]:
    started = Workers(place)
    yield started
    started.close()


@pytest.mark.parametrize("number", [30, pytest.param(100, marks=pytest.mark.soak)])
def test_every_goal_is_reached_by_exactly_one_run_whoever_is_killed(place: Place, workers: Workers, number: int):
    random = Random(seed := 13)
    print(f"seed {seed}")
    with Ledger.open(place.url, actor="test:work", settings=Settings(durable=False)) as ledger:
        for one in range(number):
            ledger.goals.ready(ledger.goals.create(f"goal {one}").goal_id)

        def reach(goals: int) -> None:
            def is_reached() -> bool:
                workers.fill()
                return len(ledger.goals.list(status=GoalStatus.COMPLETED, limit=number).rows) >= goals

            until(is_reached)

        for goals in range(10, number, 10):
            reach(goals)
            workers.kill(random.randrange(3))
        reach(number)
        won = ledger.runs.list(local_outcome=LocalOutcome.SUCCEEDED, limit=2 * number).rows
        assert len(won) == len({run.goal_id for run in won}) == number
