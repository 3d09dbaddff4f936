"""Verify: what only a file can tell, and what only a file can suffer."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from goal_ledger.domain.base import Recorded
from goal_ledger.ledger import Damaged, Ledger
from tests.adapters.store.proving import at, problems, tell
from tests.places import FilePlace


@pytest.fixture
def place(tmp_path: Path) -> FilePlace:
    return FilePlace(tmp_path / "ledger.db")


@pytest.fixture
def story(place: FilePlace) -> list[Recorded]:
    return tell(place)


def test_the_deleted_last_row_is_named_with_its_stream_while_the_views_remember_it(
    place: FilePlace, story: list[Recorded]
):
    place.tamper("DELETE FROM stored_events WHERE rowid = 12")
    assert problems(place) == (f"{at(story[11])}the event is missing",)
    assert problems(place) == (f"{at(story[11])}the event is missing",)  # asking doesn't make it forget


def test_the_deleted_last_row_is_named_without_views_too(place: FilePlace, story: list[Recorded]):
    place.tamper("DELETE FROM stored_events WHERE rowid = 12")
    place.path.with_name("ledger.views.db").unlink()
    assert problems(place) == ("position 12: the event is missing",)
    assert problems(place, read_only=True) == ("position 12: the event is missing",)


@pytest.mark.parametrize("last", range(2, 13))
def test_whatever_was_last_is_named_with_its_stream(place: FilePlace, story: list[Recorded], last: int, tmp_path: Path):
    shorter = FilePlace(tmp_path / "shorter.db")
    _retell(story[:last], place, shorter)
    shorter.tamper(f"DELETE FROM stored_events WHERE rowid = {last}")
    assert problems(shorter)[0] == f"{at(story[last - 1])}the event is missing"


def _retell(story: list[Recorded], place: FilePlace, shorter: FilePlace) -> None:
    """The beginning of the story as a ledger of its own, with its views."""
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute("VACUUM INTO ?", (shorter.url,))
    last = story[-1].position
    shorter.tamper(f"DELETE FROM stored_events WHERE rowid > {last}", f"UPDATE sqlite_sequence SET seq = {last}",
                   f"DELETE FROM commands WHERE first_position > {last}")  # fmt: skip
    with Ledger.open(shorter.url, actor="test:verify") as ledger:
        ledger.views.catch_up()


@pytest.mark.parametrize("trigger", ["events_are_never_changed", "events_are_never_deleted"])
def test_a_missing_trigger_is_found(place: FilePlace, story: list[Recorded], trigger: str):
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute(f"DROP TRIGGER {trigger}")
    assert problems(place) == ("the triggers that keep the log append-only are gone",)


def test_a_corrupt_page_is_damage_and_no_other_error(place: FilePlace, story: list[Recorded]):
    place.path.with_name("ledger.views.db").unlink()
    with closing(sqlite3.connect(place.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(place.path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 64] = b"\xff" * 64
    place.path.write_bytes(content)
    with pytest.raises(Damaged), Ledger.open(place.url, actor="test:verify") as ledger:
        ledger.log.verify()


def test_a_ledger_in_memory_can_be_verified():
    with Ledger.open(":memory:", actor="test:verify") as ledger:
        ledger.using(command_id="a").goals.create("A")
        assert ledger.log.verify() == 2
