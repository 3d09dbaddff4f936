"""The last tasks of a goal, completed by several at once."""

from multiprocessing.synchronize import Barrier

import pytest

from goal_ledger.ledger import Ledger
from tests.faults.children import Tell, barrier
from tests.faults.conftest import Start
from tests.faults.work import FAST, sound
from tests.places import Place


def complete(tell: Tell, url: str, together: Barrier, tasks: list[str]) -> None:
    """Complete tasks, each together with another process's."""
    with Ledger.open(url, actor="agent:worker", settings=FAST) as ledger:
        for task in tasks:
            together.wait()
            ledger.goals.complete(task)


@pytest.mark.parametrize("goals", [20, pytest.param(300, marks=pytest.mark.soak)])
def test_processes_that_complete_the_last_tasks_at_once_complete_the_goal_once(start: Start, place: Place, goals: int):
    with Ledger.open(place.url, actor="test:faults", settings=FAST) as ledger:
        above = [ledger.goals.create("A").goal_id for _ in range(goals)]
        shares = [[ledger.goals.create("B", parent_goal_id=goal).goal_id for goal in above] for _ in range(2)]
        tasks = [task for share in shares for task in share]
        for task in tasks:
            ledger.goals.ready(task)
            ledger.goals.activate(task)
    together = barrier(2)
    for worker in [start(complete, place.url, together, share) for share in shares]:
        worker.finished()
    completed = [event.stream for event in sound(place.url) if event.name == "goal.completed"]
    assert sorted(completed) == sorted(above + tasks)
