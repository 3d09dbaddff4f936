"""A crash at each named moment of a command, of catching up and of a rebuild."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from goal_ledger.adapters.sql.sqlite import Database
from goal_ledger.ledger import Ledger
from tests.faults.children import Tell, die
from tests.faults.conftest import NewPlace, Start
from tests.faults.failpoints import Failpoint, die_at
from tests.faults.work import FAST, fill, sound
from tests.tools import recorded

SQLITE = "goal_ledger.adapters.sql.sqlite:Database"
POSTGRES = "goal_ledger.adapters.sql.postgres:PostgresDatabase"


class Moment(NamedTuple):
    """sqlite, postgres: where to die on each store; one for both when there is no other. is_stored: the events are."""

    is_stored: bool
    sqlite: Failpoint
    postgres: Failpoint | None = None

    def on(self, url: str) -> Failpoint:
        return self.postgres if self.postgres is not None and url.startswith("postgresql:") else self.sqlite


def _append(moment: str) -> tuple[Failpoint, Failpoint]:
    return (
        Failpoint("goal_ledger.adapters.store.base:Transaction", "append", moment),
        Failpoint("goal_ledger.adapters.store.postgres:PostgresTransaction", "append", moment),
    )


COMMAND = {
    "before the insert": Moment(False, *_append("before")),
    "after the insert": Moment(False, *_append("after")),
    "before the commit": Moment(False, Failpoint(SQLITE, "write", "leaving"), Failpoint(POSTGRES, "write", "leaving")),
    "after the commit": Moment(True, Failpoint(SQLITE, "write", "left"), Failpoint(POSTGRES, "write", "left")),
    "before the answer": Moment(
        True, Failpoint("goal_ledger.ledger.engine.transaction:StateCache", "update", "before")
    ),
}

SHELF = "goal_ledger.adapters.views.shelf:Shelf"
BUILDER = "goal_ledger.adapters.views.builder:Builder"

CATCH_UP = {
    "before the rows are written": Failpoint(SHELF, "write", "before"),
    "between the rows of two tables": Failpoint(SHELF, "write", "after", skip=1),
    "before a position is written": Failpoint(SHELF, "move", "before"),
    "after a position is written": Failpoint(SHELF, "move", "after"),
}
BETWEEN_PAGES = {"between two portions": Failpoint(SHELF, "move", "before", skip=4)}
REBUILD = {
    **CATCH_UP,
    "after a table is made": Failpoint(SHELF, "create", "after"),
    "after the tables are claimed": Failpoint(BUILDER, "_claim", "after"),
    "before the indexes": Failpoint(SHELF, "index", "before"),
    "after folded rows are written": Failpoint(BUILDER, "_flush", "after"),
    "between building and the swap": Failpoint(BUILDER, "swap", "before"),
    "before the first role is changed": Failpoint(SHELF, "give", "before"),
    "when a live table has become the old one": Failpoint(SHELF, "give", "after"),
    "when one table of several is swapped": Failpoint(SHELF, "give", "after", skip=1),
    "in the middle of the swap": Failpoint(SHELF, "give", "after", skip=2),
    "when the last role is changed": Failpoint(SHELF, "give", "after", skip=7),
    "after the swap": Failpoint(BUILDER, "swap", "after"),
}


def create(ledger: Ledger) -> Any:
    return ledger.using(actor="agent:dying", command_id="the one").goals.create("Survive")


def start_run(ledger: Ledger) -> Any:
    """Two streams in one transaction."""
    return ledger.using(actor="agent:dying", command_id="the one").runs.start(_ready(ledger))


def _ready(ledger: Ledger) -> str:
    return next(event.stream for event in recorded(ledger) if event.name == "goal.readied")


def catch_up(ledger: Ledger) -> None:
    ledger.views.catch_up()


def rebuild(ledger: Ledger) -> None:
    ledger.views.rebuilds.rebuild()


@pytest.mark.parametrize("name", COMMAND)
@pytest.mark.parametrize(("wish", "events"), [(create, 1), (start_run, 3)])
def test_a_command_that_dies_is_done_once_when_it_is_repeated(
    start: Start, new_place: NewPlace, name: str, wish: Callable[[Ledger], Any], events: int
):
    url, moment = new_place().url, COMMAND[name]
    with Ledger.open(url, actor="test:faults") as ledger:
        ledger.goals.ready(ledger.goals.create("A").goal_id)
    before = len(sound(url)) + 1

    dying = start(die_at, url, moment.on(url), wish)
    assert dying.last_words() == ["armed"]
    assert dying.was_killed

    stored = sound(url)
    assert [event.command for event in stored[before:]] == ["the one"] * (events if moment.is_stored else 0)
    with Ledger.open(url, actor="test:faults", settings=FAST) as ledger:
        first = wish(ledger)
        assert wish(ledger) == first
        assert [event.command for event in recorded(ledger)].count("the one") == events
        assert ledger.head == len(stored) + 1 + (0 if moment.is_stored else events)
    sound(url)


@pytest.mark.parametrize(
    ("wish", "failpoint"),
    [
        pytest.param(wish, failpoint, id=f"{wish.__name__} {name}")
        for wish, failpoints in ((catch_up, CATCH_UP | BETWEEN_PAGES), (rebuild, REBUILD))
        for name, failpoint in failpoints.items()
    ],
)
def test_views_whose_folding_dies_are_a_clean_fold_at_the_next_question(
    start: Start, new_place: NewPlace, wish: Callable[[Ledger], None], failpoint: Failpoint
):
    url = new_place().url
    with Ledger.open(url, actor="test:faults", settings=FAST) as ledger:
        goal = ledger.goals.create("A")
        ledger.runs.start(ledger.goals.ready(goal.goal_id).goal_id)
        fill(ledger, 10)
        ledger.views.catch_up()
        fill(ledger, 150)  # pages of 7, ten of them written together
        before = ledger.views.rebuilds.status()

    dying = start(die_at, url, failpoint, wish)
    assert dying.last_words() == ["armed"]
    assert dying.was_killed

    with Ledger.open(url, read_only=True) as ledger:
        log = recorded(ledger)
    with Ledger.open(url, actor="test:faults", settings=FAST) as ledger:
        after = ledger.views.rebuilds.status()
        assert all(status.state == "current" and status.table is not None for status in after)
        assert len({status.position for status in after}) == 1
        assert after[0].position >= before[0].position
        assert len(ledger.goals.list().rows) == 161
        ledger.views.rebuilds.rebuild()
    assert sound(url) == log


def test_a_failpoint_that_is_not_there_is_noticed(start: Start, new_place: NewPlace):
    url = new_place().url
    child = start(die_at, url, Failpoint(SHELF, "no_such_method", "before"), catch_up)
    with pytest.raises(AssertionError, match="no_such_method"):
        child.last_words()


def test_a_failpoint_that_is_not_passed_is_noticed(start: Start, new_place: NewPlace):
    child = start(die_at, new_place().url, Failpoint(SHELF, "give", "before"), catch_up)
    assert (child.last_words(), child.was_killed) == (["armed", "survived"], False)


# --- While a ledger is made


def create_and_die(tell: Tell, path: str, moment: str) -> None:
    """Die when the file of a new ledger is there, before or after it is given its journal."""
    outside = Database.outside_transaction

    @contextmanager
    def dying(database: Database) -> Iterator[sqlite3.Connection]:
        with outside(database) as connection:
            if moment == "after":
                connection.execute("PRAGMA journal_mode = WAL")
            die()
            yield connection

    Database.outside_transaction = dying  # type: ignore[assignment, method-assign]
    Ledger.open(path, actor="agent:x")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_creation_that_is_killed_can_be_done_again(start: Start, tmp_path: Path, moment: str):
    path = tmp_path / "ledger.db"
    dying = start(create_and_die, str(path), moment)
    assert (dying.last_words(), dying.was_killed) == ([], True)
    assert path.exists()
    assert len(sound(str(path))) == 1
