"""Verify: whatever was changed in the file is found, with its position and its stream."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import LocalOutcome
from goal_ledger.ledger import Damaged, Ledger
from tests.tools import Clock, recorded, rows, tamper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def story(path: Path) -> list[Recorded]:
    """Twelve events on four streams, two of them under one command id, one alone under another."""
    with Ledger.open(path, actor="test:verify", clock=Clock()) as ledger:
        backup = ledger.goals.create("Back up nightly")
        ledger.using(command_id="restore").goals.create("Restore", parent_goal_id=backup.goal_id)
        ledger.using(command_id="ready").goals.ready(backup.goal_id, reason="letter")
        run = ledger.runs.start(backup.goal_id)
        for note in ("a", "b", "c"):
            ledger.runs.heartbeat(run.run_id, note=note)
        ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
        told = recorded(ledger)
        ledger.views.catch_up()
    assert [event.name for event in told] == [
        "ledger.created", "goal.created", "goal.created", "goal.child_added", "goal.readied", "goal.activated",
        "goal.run_dispatched", "run.started", "run.heartbeat", "run.heartbeat", "run.heartbeat", "run.finished",
    ]  # fmt: skip
    return told


def problems(path: Path, **options: Any) -> tuple[str, ...]:
    with Ledger.open(path, actor="test:verify", **options) as ledger:
        try:
            ledger.verify()
        except Damaged as error:
            damaged = error
        else:
            return ()
    assert (damaged.code, damaged.exit_code) == ("damaged", 6)
    assert damaged.message.startswith(damaged.problems[0])
    return damaged.problems


def at(event: Recorded) -> str:
    return f"position {event.position}, stream {event.stream}: "


# --- Sound


@pytest.mark.parametrize("read_only", [False, True])
def test_a_sound_ledger_is_found_sound(path: Path, story: list[Recorded], read_only: bool):
    with Ledger.open(path, actor="test:verify", read_only=read_only) as ledger:
        assert ledger.verify() == 12
    assert problems(path, read_only=read_only) == ()


def test_a_ledger_in_memory_can_be_verified():
    with Ledger.open(":memory:", actor="test:verify") as ledger:
        ledger.using(command_id="a").goals.create("A")
        assert ledger.verify() == 2


def test_progress_is_told_on_the_way(path: Path):
    told: list[int] = []
    with Ledger.open(path, actor="test:verify") as ledger:
        goal = ledger.goals.create("A")
        run = ledger.runs.start(ledger.goals.ready(goal.goal_id).goal_id)

        def many(tx: Any) -> None:
            from goal_ledger.domain.runs import run as rules

            for _ in range(10_000):
                tx.act(run.run_id, rules.RUN, rules.heartbeat)

        ledger.transact(many)
        assert ledger.verify(told.append) == 10_006
    assert told == [5000, 10_000]


# --- Changed


@pytest.mark.parametrize("column", ["originator_id", "originator_version", "topic", "state", "digest"])
@pytest.mark.parametrize("position", [1, 3, 7, 12])
def test_one_changed_letter_is_found(path: Path, story: list[Recorded], column: str, position: int):
    changed = {
        "originator_id": "replace(originator_id, '_0', '_1')",
        "originator_version": "originator_version + 100",
        "topic": "'goal.waited'",
        "state": "CAST(replace(CAST(state AS TEXT), 'test:verify', 'test:verifx') AS BLOB)",
        "digest": "zeroblob(32)",
    }[column]
    tamper(path, f"UPDATE stored_events SET {column} = {changed} WHERE rowid = {position}")
    found = problems(path)
    assert [text for text in found if text.startswith(f"position {position}, ") and "digest does not match" in text]


def test_one_changed_letter_is_the_only_problem(path: Path, story: list[Recorded]):
    tamper(path, "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), 'letter', 'lettes') AS BLOB)")
    assert problems(path) == (f"{at(story[4])}the stored event was changed or moved: its digest does not match",)


def test_a_replaced_row_is_found(path: Path, story: list[Recorded]):
    tamper(path, "REPLACE INTO stored_events SELECT rowid, originator_id, originator_version, topic, x'7b7d', digest "
                 "FROM stored_events WHERE rowid = 9")  # fmt: skip
    assert problems(path) == (f"{at(story[8])}the stored event was changed or moved: its digest does not match",)


def test_every_changed_row_is_named_in_order(path: Path, story: list[Recorded]):
    tamper(path, "UPDATE stored_events SET digest = zeroblob(32) WHERE rowid IN (11, 3, 7)")
    found = problems(path)
    assert [text.partition(":")[0] for text in found] == [at(story[n - 1])[:-2] for n in (3, 7, 11)]


@pytest.mark.parametrize("swapped", [(9, 10), (2, 3), (8, 2)], ids=["one stream", "two streams", "far apart"])
def test_two_rows_that_changed_places_are_found(path: Path, story: list[Recorded], swapped: tuple[int, int]):
    one, other = swapped
    tamper(
        path,
        f"UPDATE stored_events SET rowid = -1 WHERE rowid = {one}",
        f"UPDATE stored_events SET rowid = {one} WHERE rowid = {other}",
        f"UPDATE stored_events SET rowid = {other} WHERE rowid = -1",
    )
    found = "\n".join(problems(path))
    assert at(story[other - 1]).replace(f" {other},", f" {one},") in found
    assert at(story[one - 1]).replace(f" {one},", f" {other},") in found


def test_versions_out_of_order_are_found_even_when_the_digests_were_made_anew(path: Path, story: list[Recorded]):
    [nine, ten] = rows(path, "SELECT * FROM stored_events WHERE rowid IN (9, 10) ORDER BY rowid")
    for position, row in ((9, ten), (10, nine)):
        tamper(
            path,
            f"DELETE FROM stored_events WHERE rowid = {position}",
        )
        tamper(
            path,
            f"INSERT INTO stored_events VALUES (-{position}, ?, ?, ?, ?, ?)",
            values=(row[1], 100 + row[2], *row[3:5], digest(position, *row[1:5])),
        )
    tamper(
        path,
        "UPDATE stored_events SET rowid = -rowid, originator_version = originator_version - 100 WHERE rowid < 0",
    )
    assert problems(path) == (f"{at(story[8])}version 3 stands out of order",)


def test_two_bodies_that_changed_places_are_found(path: Path, story: list[Recorded]):
    [[one], [other]] = rows(path, "SELECT state FROM stored_events WHERE rowid IN (9, 10) ORDER BY rowid")
    tamper(path, "UPDATE stored_events SET state = CASE rowid WHEN 9 THEN ? ELSE ? END WHERE rowid IN (9, 10)",
           values=(other, one))  # fmt: skip
    assert [text.partition(":")[0] for text in problems(path)] == [at(story[8])[:-2], at(story[9])[:-2]]


# --- Deleted


@pytest.mark.parametrize("position", [2, 3, 5, 7, 9])
def test_a_deleted_row_in_the_middle_is_named_with_its_stream(path: Path, story: list[Recorded], position: int):
    tamper(path, f"DELETE FROM stored_events WHERE rowid = {position}")
    lost = story[position - 1]
    [first, *others] = problems(path)
    if any(event.stream == lost.stream and event.version > lost.version for event in story):
        assert first == f"{at(lost)}the event is missing (version {lost.version} of its stream)"
    else:  # the last of its stream: the log alone cannot tell whose it was
        assert first in (f"position {position}: the event is missing", f"{at(lost)}the event is missing")
    assert others == []


def test_the_deleted_last_row_is_named_with_its_stream_while_the_views_remember_it(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM stored_events WHERE rowid = 12")
    assert problems(path) == (f"{at(story[11])}the event is missing",)
    assert problems(path) == (f"{at(story[11])}the event is missing",)  # asking doesn't make it forget


def test_the_deleted_last_row_is_named_without_views_too(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM stored_events WHERE rowid = 12")
    path.with_name("ledger.views.db").unlink()
    assert problems(path) == ("position 12: the event is missing",)
    assert problems(path, read_only=True) == ("position 12: the event is missing",)


@pytest.mark.parametrize("last", range(2, 13))
def test_whatever_was_last_is_named_with_its_stream(path: Path, story: list[Recorded], last: int, tmp_path: Path):
    shorter = tmp_path / "shorter.db"
    _retell(story[:last], shorter)
    tamper(shorter, f"DELETE FROM stored_events WHERE rowid = {last}")
    assert problems(shorter)[0] == f"{at(story[last - 1])}the event is missing"


def _retell(story: list[Recorded], path: Path) -> None:
    """The beginning of the story as a ledger of its own, with its views."""
    with closing(sqlite3.connect(path.with_name("ledger.db"))) as connection:
        connection.execute("VACUUM INTO ?", (str(path),))
    last = story[-1].position
    tamper(path, f"DELETE FROM stored_events WHERE rowid > {last}", f"UPDATE sqlite_sequence SET seq = {last}",
           f"DELETE FROM commands WHERE first_position > {last}")  # fmt: skip
    with Ledger.open(path, actor="test:verify") as ledger:
        ledger.views.catch_up()


def test_several_deleted_rows_are_all_named(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM stored_events WHERE rowid IN (9, 10, 12)")
    assert problems(path) == (
        f"{at(story[8])}the event is missing (version 2 of its stream)",
        f"{at(story[9])}the event is missing (version 3 of its stream)",
        f"{at(story[11])}the event is missing",
    )


def test_a_log_without_its_beginning_or_without_any_event_is_found(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM stored_events WHERE rowid = 1")
    assert problems(path)[0].startswith("position 1")
    tamper(path, "DELETE FROM stored_events")
    assert len(problems(path)) == 12


def test_writing_on_after_a_deleted_tail_does_not_hide_it(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM stored_events WHERE rowid = 12")
    with Ledger.open(path, actor="test:verify", clock=Clock()) as ledger:
        ledger.goals.create("Afterwards")
        assert recorded(ledger)[-1].position == 13
    assert problems(path)[0].startswith("position 12")


@pytest.mark.parametrize("sequence", [13, 10**15, 11, 0])
def test_a_changed_sequence_is_found(path: Path, story: list[Recorded], sequence: int):
    tamper(path, f"UPDATE sqlite_sequence SET seq = {sequence}")
    expected = {
        13: "position 13: the event is missing",
        10**15: f"position 13: the events from here to position {10**15} are missing",
    }.get(sequence, f"the sequence counter says {sequence}, the log ends at 12")
    assert problems(path) == (expected,)


def test_a_lost_sequence_is_found(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM sqlite_sequence")
    assert problems(path) == ("the sequence counter is gone",)


def test_a_row_moved_far_away_is_found_at_once(path: Path, story: list[Recorded]):
    tamper(path, f"UPDATE stored_events SET rowid = {10**15} WHERE rowid = 12")
    found = problems(path)
    assert found[0] == f"{at(story[11])}the events from here to position {10**15 - 1} are missing"
    assert f"position {10**15}" in found[1]
    tamper(path, f"UPDATE stored_events SET originator_version = {10**15} WHERE rowid = 11")
    assert len(problems(path)) < 10


# --- Command ids


def test_a_removed_command_is_found(path: Path, story: list[Recorded]):
    tamper(path, "DELETE FROM commands WHERE id = 'restore'")
    assert problems(path) == tuple(
        f"{at(event)}command id 'restore' is not in the table of commands" for event in story[2:4]
    )


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("first_position = 2", "command id 'restore' points here, the event does not carry it"),
        ("last_position = 12", "command id 'restore' points here, the event does not carry it"),
        ("last_position = 3", "command id 'restore' is not in the table of commands"),
        ("first_position = 4", "command id 'restore' is not in the table of commands"),
        ("first_position = 9, last_position = 9", "command id 'restore' points here, the event does not carry it"),
        ("last_position = 99", "command id 'restore' points at position 99, which never was"),
        ("digest = 'other'", "command id 'restore' is not in the table of commands"),
        ("id = 'other'", "command id 'restore' is not in the table of commands"),
    ],
)
def test_a_command_that_points_elsewhere_is_found(path: Path, story: list[Recorded], change: str, finding: str):
    tamper(path, f"UPDATE commands SET {change} WHERE id = 'restore'")
    assert [text for text in problems(path) if text.endswith(finding)]


@pytest.mark.parametrize("position", [0, 2, 13])
def test_an_invented_command_is_found(path: Path, story: list[Recorded], position: int):
    tamper(path, f"INSERT INTO commands VALUES ('invented', 'digest', {position}, {position})")
    assert [text for text in problems(path) if "'invented'" in text]


# --- The file


@pytest.mark.parametrize("trigger", ["events_are_never_changed", "events_are_never_deleted"])
def test_a_missing_trigger_is_found(path: Path, story: list[Recorded], trigger: str):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"DROP TRIGGER {trigger}")
    assert problems(path) == ("the triggers that keep the log append-only are gone",)


def test_a_corrupt_page_is_damage_and_no_other_error(path: Path, story: list[Recorded]):
    path.with_name("ledger.views.db").unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(Damaged), Ledger.open(path, actor="test:verify") as ledger:
        ledger.verify()


def test_a_changed_body_that_is_no_json_is_found(path: Path, story: list[Recorded]):
    tamper(path, "UPDATE stored_events SET state = x'00' WHERE rowid = 3")
    assert problems(path)[0].startswith(at(story[2]))


def sealed(path: Path, position: int, **changes: str | bytes) -> None:
    """Change an event as only its own writer could: the digest fits."""
    [(_, stream, version, name, body, _)] = rows(path, f"SELECT * FROM stored_events WHERE rowid = {position}")
    name, body = changes.get("name", name), changes.get("body", body)
    tamper(path, f"UPDATE stored_events SET topic = ?1, state = ?2, digest = ?3 WHERE rowid = {position}",
           values=(name, body, digest(position, stream, version, name, body)))  # fmt: skip


@pytest.mark.parametrize("how", ["name", "version"])
def test_an_event_of_newer_code_is_as_it_was_written(path: Path, story: list[Recorded], how: str):
    [(body,)] = rows(path, "SELECT state FROM stored_events WHERE rowid = 12")
    sealed(path, 12, **({"name": "run.teleported"} if how == "name" else {"body": body.replace(b'{"v":1', b'{"v":2')}))
    assert problems(path) == ()


def test_an_event_that_no_code_ever_wrote_so_is_found(path: Path, story: list[Recorded]):
    [(body,)] = rows(path, "SELECT state FROM stored_events WHERE rowid = 12")
    sealed(path, 12, body=body.replace(b'"succeeded"', b'"enchanted"'))
    [finding] = problems(path)
    assert finding.startswith(f"{at(story[11])}run.finished cannot be read: local_outcome")
