"""Verify: whatever was changed in the database is found, with its position and its stream."""

from typing import Any

import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.base import Recorded
from goal_ledger.ledger import Ledger
from tests.adapters.store.proving import at, problems, tell
from tests.places import Place
from tests.tools import Clock, recorded


@pytest.fixture
def story(place: Place) -> list[Recorded]:
    return tell(place)


# --- Sound


@pytest.mark.parametrize("read_only", [False, True])
def test_a_sound_ledger_is_found_sound(place: Place, story: list[Recorded], read_only: bool):
    with Ledger.open(place.url, actor="test:verify", read_only=read_only) as ledger:
        assert ledger.log.verify() == 12
    assert problems(place, read_only=read_only) == ()


def test_progress_is_told_on_the_way(place: Place):
    told: list[int] = []
    with Ledger.open(place.url, actor="test:verify") as ledger:
        goal = ledger.goals.create("A")
        run = ledger.runs.start(ledger.goals.ready(goal.goal_id).goal_id)

        def many(tx: Any) -> None:
            from goal_ledger.domain.runs import run as rules

            for _ in range(10_000):
                tx.act(run.run_id, rules.RUN, rules.heartbeat)

        ledger.transact(many)
        assert ledger.log.verify(told.append) == 10_006
    assert told == [5000, 10_000]


# --- Changed


@pytest.mark.parametrize("column", ["originator_id", "originator_version", "topic", "state", "digest"])
@pytest.mark.parametrize("position", [1, 3, 7, 12])
def test_one_changed_letter_is_found(place: Place, story: list[Recorded], column: str, position: int):
    changed = {
        "originator_id": "replace(originator_id, '_0', '_1')",
        "originator_version": "originator_version + 100",
        "topic": "'goal.waited'",
        "state": "?",
        "digest": "?",
    }[column]
    [[body]] = place.rows(f"SELECT state FROM stored_events WHERE rowid = {position}")
    values = {"state": (body.replace(b"test:verify", b"test:verifx"),), "digest": (bytes(32),)}.get(column, ())
    place.tamper(f"UPDATE stored_events SET {column} = {changed} WHERE rowid = {position}", values=values)
    found = problems(place)
    assert [text for text in found if text.startswith(f"position {position}, ") and "digest does not match" in text]


def test_one_changed_letter_is_the_only_problem(place: Place, story: list[Recorded]):
    [[body]] = place.rows("SELECT state FROM stored_events WHERE rowid = 5")
    place.tamper("UPDATE stored_events SET state = ? WHERE rowid = 5", values=(body.replace(b"letter", b"lettes"),))
    assert problems(place) == (f"{at(story[4])}the stored event was changed or moved: its digest does not match",)


def test_a_replaced_row_is_found(place: Place, story: list[Recorded]):
    [[*row]] = place.rows("SELECT originator_id, originator_version, topic, digest FROM stored_events WHERE rowid = 9")
    place.tamper("DELETE FROM stored_events WHERE rowid = 9")
    place.tamper("INSERT INTO stored_events VALUES (9, ?, ?, ?, ?, ?)", values=(*row[:3], b"{}", row[3]))
    assert problems(place) == (f"{at(story[8])}the stored event was changed or moved: its digest does not match",)


def test_every_changed_row_is_named_in_order(place: Place, story: list[Recorded]):
    place.tamper("UPDATE stored_events SET digest = ? WHERE rowid IN (11, 3, 7)", values=(bytes(32),))
    found = problems(place)
    assert [text.partition(":")[0] for text in found] == [at(story[n - 1])[:-2] for n in (3, 7, 11)]


@pytest.mark.parametrize("swapped", [(9, 10), (2, 3), (8, 2)], ids=["one stream", "two streams", "far apart"])
def test_two_rows_that_changed_places_are_found(place: Place, story: list[Recorded], swapped: tuple[int, int]):
    one, other = swapped
    place.tamper(
        f"UPDATE stored_events SET rowid = -1 WHERE rowid = {one}",
        f"UPDATE stored_events SET rowid = {one} WHERE rowid = {other}",
        f"UPDATE stored_events SET rowid = {other} WHERE rowid = -1",
    )
    found = "\n".join(problems(place))
    assert at(story[other - 1]).replace(f" {other},", f" {one},") in found
    assert at(story[one - 1]).replace(f" {one},", f" {other},") in found


def test_versions_out_of_order_are_found_even_when_the_digests_were_made_anew(place: Place, story: list[Recorded]):
    [nine, ten] = place.rows("SELECT * FROM stored_events WHERE rowid IN (9, 10) ORDER BY rowid")
    for position, row in ((9, ten), (10, nine)):
        place.tamper(
            f"DELETE FROM stored_events WHERE rowid = {position}",
        )
        place.tamper(
            f"INSERT INTO stored_events VALUES (-{position}, ?, ?, ?, ?, ?)",
            values=(row[1], 100 + row[2], *row[3:5], digest(position, *row[1:5])),
        )
    place.tamper(
        "UPDATE stored_events SET rowid = -rowid, originator_version = originator_version - 100 WHERE rowid < 0",
    )
    assert problems(place) == (f"{at(story[8])}version 3 stands out of order",)


def test_two_bodies_that_changed_places_are_found(place: Place, story: list[Recorded]):
    [[one], [other]] = place.rows("SELECT state FROM stored_events WHERE rowid IN (9, 10) ORDER BY rowid")
    place.tamper("UPDATE stored_events SET state = CASE rowid WHEN 9 THEN ? ELSE ? END WHERE rowid IN (9, 10)",
           values=(other, one))  # fmt: skip
    assert [text.partition(":")[0] for text in problems(place)] == [at(story[8])[:-2], at(story[9])[:-2]]


# --- Deleted


@pytest.mark.parametrize("position", [2, 3, 5, 7, 9])
def test_a_deleted_row_in_the_middle_is_named_with_its_stream(place: Place, story: list[Recorded], position: int):
    place.tamper(f"DELETE FROM stored_events WHERE rowid = {position}")
    lost = story[position - 1]
    [first, *others] = problems(place)
    if any(event.stream == lost.stream and event.version > lost.version for event in story):
        assert first == f"{at(lost)}the event is missing (version {lost.version} of its stream)"
    else:  # the last of its stream: the log alone cannot tell whose it was
        assert first in (f"position {position}: the event is missing", f"{at(lost)}the event is missing")
    assert others == []


def test_several_deleted_rows_are_all_named(place: Place, story: list[Recorded]):
    place.tamper("DELETE FROM stored_events WHERE rowid IN (9, 10, 12)")
    *_, last = problems(place)
    assert problems(place) == (
        f"{at(story[8])}the event is missing (version 2 of its stream)",
        f"{at(story[9])}the event is missing (version 3 of its stream)",
        last,
    )
    assert last in ("position 12: the event is missing", f"{at(story[11])}the event is missing")  # as the views know


def test_a_log_without_its_beginning_or_without_any_event_is_found(place: Place, story: list[Recorded]):
    place.tamper("DELETE FROM stored_events WHERE rowid = 1")
    assert problems(place)[0].startswith("position 1")
    place.tamper("DELETE FROM stored_events")
    assert len(problems(place)) == 12


def test_writing_on_after_a_deleted_tail_does_not_hide_it(place: Place, story: list[Recorded]):
    place.tamper("DELETE FROM stored_events WHERE rowid = 12")
    with Ledger.open(place.url, actor="test:verify", clock=Clock()) as ledger:
        ledger.goals.create("Afterwards")
        assert recorded(ledger)[-1].position == 13
    assert problems(place)[0].startswith("position 12")


@pytest.mark.parametrize("sequence", [13, 10**15, 11, 0])
def test_a_changed_sequence_is_found(place: Place, story: list[Recorded], sequence: int):
    place.count_to(sequence)
    expected = {
        13: "position 13: the event is missing",
        10**15: f"position 13: the events from here to position {10**15} are missing",
    }.get(sequence, f"the sequence counter says {sequence}, the log ends at 12")
    assert problems(place) == (expected,)


def test_a_lost_sequence_is_found(place: Place, story: list[Recorded]):
    place.count_to(None)
    assert problems(place) == ("the sequence counter is gone",)


def test_a_row_moved_far_away_is_found_at_once(place: Place, story: list[Recorded]):
    place.tamper(f"UPDATE stored_events SET rowid = {10**15} WHERE rowid = 12")
    found = problems(place)
    assert found[0].startswith("position 12")
    assert found[0].endswith(f": the events from here to position {10**15 - 1} are missing")
    assert f"position {10**15}" in found[1]
    place.tamper(f"UPDATE stored_events SET originator_version = {10**15} WHERE rowid = 11")
    assert len(problems(place)) < 10


# --- Command ids


def test_a_removed_command_is_found(place: Place, story: list[Recorded]):
    place.tamper("DELETE FROM commands WHERE id = 'restore'")
    assert problems(place) == tuple(
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
def test_a_command_that_points_elsewhere_is_found(place: Place, story: list[Recorded], change: str, finding: str):
    place.tamper(f"UPDATE commands SET {change} WHERE id = 'restore'")
    assert [text for text in problems(place) if text.endswith(finding)]


@pytest.mark.parametrize("position", [0, 2, 13])
def test_an_invented_command_is_found(place: Place, story: list[Recorded], position: int):
    place.tamper(f"INSERT INTO commands VALUES ('invented', 'digest', {position}, {position})")
    assert [text for text in problems(place) if "'invented'" in text]


# --- Bodies


def test_a_changed_body_that_is_no_json_is_found(place: Place, story: list[Recorded]):
    place.tamper("UPDATE stored_events SET state = ? WHERE rowid = 3", values=(b"\0",))
    assert problems(place)[0].startswith(at(story[2]))


def sealed(place: Place, position: int, **changes: str | bytes) -> None:
    """Change an event as only its own writer could: the digest fits."""
    [(_, stream, version, name, body, _)] = place.rows(f"SELECT * FROM stored_events WHERE rowid = {position}")
    name, body = changes.get("name", name), changes.get("body", body)
    place.tamper(
        f"UPDATE stored_events SET topic = ?, state = ?, digest = ? WHERE rowid = {position}",
        values=(name, body, digest(position, stream, version, name, body)),
    )


@pytest.mark.parametrize("how", ["name", "version"])
def test_an_event_of_newer_code_is_as_it_was_written(place: Place, story: list[Recorded], how: str):
    [(body,)] = place.rows("SELECT state FROM stored_events WHERE rowid = 12")
    newer = {"name": "run.teleported"} if how == "name" else {"body": body.replace(b'{"v":1', b'{"v":2')}
    sealed(place, 12, **newer)
    assert problems(place) == ()


def test_an_event_that_no_code_ever_wrote_so_is_found(place: Place, story: list[Recorded]):
    [(body,)] = place.rows("SELECT state FROM stored_events WHERE rowid = 12")
    sealed(place, 12, body=body.replace(b'"succeeded"', b'"enchanted"'))
    [finding] = problems(place)
    assert finding.startswith(f"{at(story[11])}run.finished cannot be read: local_outcome")
