"""Rebuilds while others write and read: a reader sees the old rows or the new ones, and never both."""

import time
from typing import Any

import pytest

from goal_ledger.domain.goals.goal import GoalCreated
from goal_ledger.ledger import Ledger, Settings
from goal_ledger.projections.base import Fold
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from tests.faults.children import Tell, event
from tests.faults.conftest import Start
from tests.faults.work import FAST, fill, views_are_a_clean_fold
from tests.places import Place
from tests.tools import PATIENCE_S

SMALL_PAGES = Settings(durable=False, page=50, lock_wait_s=PATIENCE_S)
AT_FIRST = 300  # goals that are there before; what is said of them differs between old and new


def _mark(mark: str) -> None:
    """In this process, the projection says a mark in the description of the goals that were there first."""
    handler = goal_definitions.folds[GoalCreated].handler

    def marking(row: Any, recorded: Any, created: Any) -> Any:
        row = handler(row, recorded, created)
        return row._replace(description=mark) if recorded.position <= AT_FIRST + 1 else row

    goal_definitions.folds[GoalCreated] = Fold(marking, None)


def append(tell: Tell, url: str, over: Any) -> None:
    """Write goals until it is over; how many."""
    written = 0
    with Ledger.open(url, actor="agent:writer", settings=FAST) as ledger:
        while not over.is_set():
            ledger.goals.create(f"beside {written}")
            written += 1
            time.sleep(0.002)  # or the log grows faster than it can be rebuilt
    tell(written)


def read(tell: Tell, url: str, over: Any) -> None:
    """Look until it is over, and once more; every mark that was seen, of which each answer has one only."""
    marks: list[str] = []
    most, is_over = 0, False
    with Ledger.open(url, actor="agent:reader", settings=SMALL_PAGES) as ledger:
        while not is_over:
            is_over = over.is_set()
            goals = ledger.goals.list().rows
            seen = {goal.description for goal in goals if goal.position <= AT_FIRST + 1}
            assert len(seen) == 1, seen
            assert len({goal.goal_id for goal in goals}) == len(goals) >= most
            assert sum(goal.position <= AT_FIRST + 1 for goal in goals) == AT_FIRST
            if not marks:
                tell("looking")
            most = len(goals)
            marks += seen
    tell(marks)


def rebuild(tell: Tell, url: str, marks: list[str], version: int) -> None:
    """Rebuild once per mark, with code that says it. version: of the projection in this code."""
    goal_definitions.version = version
    with Ledger.open(url, settings=SMALL_PAGES) as ledger:
        for mark in marks:
            _mark(mark)
            ledger.views.rebuilds.rebuild(["goal_definitions"])
            seen = {goal.description for goal in ledger.goals.list().rows if goal.position <= AT_FIRST + 1}
            assert seen == {mark}, seen
            tell(mark)


def _changes(marks: list[str]) -> list[str]:
    return [mark for number, mark in enumerate(marks) if number == 0 or marks[number - 1] != mark]


@pytest.mark.parametrize("rebuilds", [6, pytest.param(40, marks=pytest.mark.soak)])
def test_readers_beside_writers_see_the_old_rows_or_the_new_ones_and_no_error(
    start: Start, place: Place, rebuilds: int
):
    over = event()
    with Ledger.open(place.url, actor="test:faults", settings=FAST) as ledger:
        fill(ledger, AT_FIRST)
        ledger.views.catch_up()
        writers = [start(append, place.url, over) for _ in range(2)]
        reader = start(read, place.url, over)
        assert reader.hear() == "looking"
        marks = [f"told {number}" for number in range(rebuilds)]
        try:
            assert start(rebuild, place.url, marks, goal_definitions.version).finished() == marks
            # Other code, whose rows have a table of their own: readers of this code do not see it.
            assert start(rebuild, place.url, ["other code"], goal_definitions.version + 1).finished() == ["other code"]
        finally:
            over.set()
        [seen] = reader.finished()
        written = sum(writer.finished()[0] for writer in writers)

        order = _changes(seen)
        assert order == [mark for mark in ["", *marks] if mark in order]
        assert (order[0], order[-1]) == ("", marks[-1])
        assert {goal.description for goal in ledger.goals.list().rows} == {marks[-1], ""}
        ledger.views.rebuilds.rebuild()
        assert len(ledger.goals.list().rows) == AT_FIRST + written
        assert ledger.log.verify() == AT_FIRST + written + 1
        views_are_a_clean_fold(ledger)
