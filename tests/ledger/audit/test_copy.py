"""Copies from one store to another, both ways: whole, resumable, proven."""

from collections.abc import Callable
from pathlib import Path

import pytest

from goal_ledger.adapters.store import copying
from goal_ledger.domain.errors import Conflict
from goal_ledger.ledger import Damaged, Ledger, Rejected
from tests.places import PLACES, Place
from tests.tools import Clock, recorded

Another = Callable[[str], Place]


@pytest.fixture(params=PLACES)
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where the copy goes: once per store, for every store that it comes from."""
    (tmp_path / "to").mkdir()
    return PLACES[request.param](tmp_path / "to", lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def ledger(place: Place):
    with Ledger.open(place.url, actor="test:copy", clock=Clock()) as opened:
        for number in range(5):
            opened.using(command_id=f"c{number}").goals.create(f"{number} ünïcödé 🌙", metadata={"n": number})
        yield opened


def stored(place: Place) -> list[tuple[object, ...]]:
    return [
        *place.rows("SELECT * FROM stored_events ORDER BY rowid"),
        *place.rows("SELECT id, digest, first_position, last_position FROM commands ORDER BY id"),
    ]


def test_a_copy_holds_the_same_bytes_and_the_same_command_ids(ledger: Ledger, place: Place, to: Place):
    done = ledger.log.copy(to.url)
    assert (done.events, done.head) == (6, 6) and done.bytes > 0
    assert stored(to) == stored(place)
    with Ledger.open(to.url, actor="test:copy", create=False) as copied:
        assert (copied.id, recorded(copied), copied.log.verify()) == (ledger.id, recorded(ledger), 6)
        assert copied.goals.list() == ledger.goals.list()
        again = copied.using(command_id="c3").goals.create("3 ünïcödé 🌙", metadata={"n": 3})
        assert (again.position, copied.head) == (5, 6)
        assert copied.goals.create("Life goes on").position == 7


def test_a_copy_there_and_back_folds_into_the_same_state(ledger: Ledger, to: Place, tmp_path: Path):
    there = ledger.log.copy(to.url)
    with Ledger.open(to.url, actor="test:copy", create=False) as copied:
        back = copied.log.copy(tmp_path / "back.db")
        assert copied.log.verify_deep().sha256 == ledger.log.state_hash().sha256 == there.state == back.state
    with Ledger.open(tmp_path / "back.db", create=False) as returned:
        assert (recorded(returned), returned.log.state_hash()) == (recorded(ledger), ledger.log.state_hash())


def test_an_older_copy_is_carried_on(ledger: Ledger, place: Place, to: Place):
    ledger.log.copy(to.url)
    ledger.using(command_id="later").goals.create("Later")
    told: list[int] = []
    assert ledger.log.copy(to.url, told.append)[1:3] == (1, 7)
    assert ledger.log.copy(to.url, told.append)[1:3] == (0, 7)
    assert told == [7]
    assert stored(to) == stored(place)


@pytest.mark.parametrize("stop_after", [2, 3, 4])
def test_what_was_interrupted_can_be_repeated(
    ledger: Ledger, place: Place, to: Place, monkeypatch: pytest.MonkeyPatch, stop_after: int
):
    monkeypatch.setattr(copying, "_PAGE", 2)
    goal = ledger.goals.create("Objective")
    ledger.using(command_id="two events").goals.create("Part", parent_goal_id=goal.goal_id)  # across two pages

    def stop(reached: int) -> None:
        if reached >= stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.log.copy(to.url, stop)
    with Ledger.open(to.url, read_only=True) as partial:
        assert partial.head in (2, 4)
        assert partial.log.verify() == partial.head
    assert ledger.log.copy(to.url).head == 9
    assert stored(to) == stored(place)


def test_another_history_is_left_as_it_is(ledger: Ledger, to: Place):
    with Ledger.open(to.url, actor="test:other") as other:
        other.goals.create("Mine")
        before = stored(to)
        with pytest.raises(Rejected) as refused:
            ledger.log.copy(to.url)
    assert refused.value.code == "not_a_prefix"
    assert stored(to) == before


def test_a_copy_that_went_its_own_way_is_refused(ledger: Ledger, to: Place):
    ledger.log.copy(to.url)
    with Ledger.open(to.url, actor="test:other") as other:
        other.goals.create("Its own")
    with pytest.raises(Rejected) as refused:
        ledger.log.copy(to.url)
    assert refused.value.code == "not_a_prefix"
    ledger.goals.create("Ours")
    with pytest.raises(Rejected):
        ledger.log.copy(to.url)


def test_a_damaged_event_is_not_copied(ledger: Ledger, place: Place, to: Place):
    place.tamper("UPDATE stored_events SET topic = 'goal.waited' WHERE rowid = 4")
    with pytest.raises(Damaged, match="position 4"):
        ledger.log.copy(to.url)
    assert to.rows("SELECT COUNT(*) FROM stored_events") == [(0,)]


def test_a_writer_to_the_copy_is_noticed(ledger: Ledger, to: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(copying, "_PAGE", 2)

    def meddle(_: int) -> None:
        with Ledger.open(to.url, actor="test:meddler") as other:
            other.goals.create("Too early")

    with pytest.raises(Conflict) as refused:
        ledger.log.copy(to.url, meddle)
    assert refused.value.code == "not_alone"


def test_a_backup_is_a_file_whatever_is_backed_up(ledger: Ledger, place: Place, tmp_path: Path):
    done = ledger.log.backup(tmp_path / "backup.db")
    assert (done.events, done.head) == (6, 6)
    with Ledger.open(tmp_path / "backup.db", create=False) as copied:
        assert (recorded(copied), copied.log.verify()) == (recorded(ledger), 6)
    assert sorted(path.name for path in tmp_path.glob(".backup*")) == []
