"""The file of read models beside the log: what it notices, what it survives."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.errors import Unavailable
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.ledger import Ledger
from goal_ledger.projections.goals.goal_definitions import GoalRow, goal_definitions
from tests.tools import Clock, recorded, rows


def written(path: Path, *titles: str) -> list[GoalRow]:
    with Ledger.open(path, actor="test:views", clock=Clock()) as ledger:
        for title in titles:
            ledger.goals.create(title)
        return list(ledger.goals.list().rows)


def listed(path: Path, **options: Any) -> list[GoalRow]:
    with Ledger.open(path, **options) as ledger:
        return list(ledger.goals.list().rows)


def folded(path: Path) -> list[GoalRow]:
    """The goals, folded by hand from the log alone."""
    with Ledger.open(path, read_only=True) as ledger:
        found: dict[str, Any] = {}
        for event in recorded(ledger):
            found[event.stream] = goal_definitions.fold(found.get(event.stream), event)
    return sorted((row for row in found.values() if row), key=lambda row: (row.priority, row.goal_id))


def test_without_the_file_nothing_is_lost(tmp_path: Path):
    path = tmp_path / "a.db"
    before = written(path, "A", "B")
    (tmp_path / "a.views.db").unlink()
    assert listed(path) == before == folded(path)
    assert (tmp_path / "a.views.db").is_file()


def test_read_only_there_is_no_file(tmp_path: Path):
    path = tmp_path / "a.db"
    before = written(path, "A", "B")
    (tmp_path / "a.views.db").unlink()
    assert listed(path, read_only=True) == before
    assert not (tmp_path / "a.views.db").exists()


def test_the_views_of_another_ledger_are_noticed(tmp_path: Path):
    written(tmp_path / "a.db", "A", "B")
    written(tmp_path / "b.db", "C", "D")
    shutil.copy(tmp_path / "b.views.db", tmp_path / "a.views.db")
    assert [goal.title for goal in listed(tmp_path / "a.db")] == ["A", "B"]
    assert listed(tmp_path / "a.db") == folded(tmp_path / "a.db")


def test_a_restored_older_log_is_noticed(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(path, tmp_path / "backup.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "backup.db", path)
    assert [goal.title for goal in listed(path)] == ["A"]


def test_a_restored_log_that_went_another_way_is_noticed(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(path, tmp_path / "backup.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "backup.db", path)
    with Ledger.open(path, actor="test:views", clock=Clock()) as ledger:
        for title in "XYZ":  # the log is as long as the views remember it, and longer
            ledger.goals.create(title)
    assert sorted(goal.title for goal in listed(path)) == ["A", "X", "Y", "Z"]
    assert listed(path) == folded(path)


def test_views_older_than_the_log_catch_up(tmp_path: Path):
    path = tmp_path / "a.db"
    written(path, "A")
    shutil.copy(tmp_path / "a.views.db", tmp_path / "old.views.db")
    written(path, "B", "C")
    shutil.copy(tmp_path / "old.views.db", tmp_path / "a.views.db")
    assert sorted(goal.title for goal in listed(path)) == ["A", "B", "C"]
    assert listed(path) == folded(path)


@pytest.mark.parametrize("damage", ["nonsense", "half", "holes", "empty"])
def test_a_corrupt_views_file_is_thrown_away(tmp_path: Path, damage: str):
    path, views = tmp_path / "a.db", tmp_path / "a.views.db"
    before = written(path, *"ABCDEFGH")
    content = views.read_bytes()
    assert len(content) > 3 * 4096
    views.write_bytes(
        {
            "nonsense": b"Dear diary,\n" * 500,
            "half": content[: len(content) // 2],
            "holes": content[:4096] + b"\xff" * (len(content) - 4096),
            "empty": b"",
        }[damage]
    )
    assert listed(path) == before
    assert listed(path) == before


def test_a_ledger_where_the_views_belong_is_refused_and_kept(tmp_path: Path):
    written(tmp_path / "a.db", "A")
    (tmp_path / "a.views.db").unlink()
    written(tmp_path / "x.db", "X")
    (tmp_path / "x.db").rename(tmp_path / "a.views.db")
    with pytest.raises(Unavailable) as refused:
        listed(tmp_path / "a.db")
    assert refused.value.code == "not_views"
    assert [goal.title for goal in folded(tmp_path / "a.views.db")] == ["X"]


def test_the_views_file_is_caught_up_when_asked_and_not_before(tmp_path: Path):
    with Ledger.open(tmp_path / "a.db", actor="test:views") as ledger:
        goal = ledger.goals.create("A")
        assert not (tmp_path / "a.views.db").exists()
        assert ledger.goals.list().rows == [goal]
        assert ledger.views.rebuilds.status()[0].behind == 0
        ledger.goals.ready(goal.goal_id)
        assert ledger.views.rebuilds.status()[0].behind == 1
        assert ledger.goals.list().rows[0].status is GoalStatus.READY


def test_what_another_process_wrote_is_seen(tmp_path: Path):
    path = tmp_path / "a.db"
    with Ledger.open(path, actor="test:one") as one, Ledger.open(path, actor="test:two") as two:
        for number in range(5):
            ledger, other = (one, two) if number % 2 else (two, one)
            made = ledger.goals.create(str(number))
            assert made in other.goals.list().rows
            assert one.goals.list() == two.goals.list()


def test_views_file_is_private_to_its_log(tmp_path: Path):
    written(tmp_path / "a.db", "A")
    with Ledger.open(tmp_path / "a.db") as ledger:
        assert {name for (name,) in rows(tmp_path / "a.views.db", "SELECT ledger FROM folded")} == {ledger.id}
