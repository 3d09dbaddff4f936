"""Command ids that an earlier version stored: repeated, they answer as at first; nothing else passes for them."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from goal_ledger.ledger import Ledger, Rejected
from goal_ledger.ledger.engine.wishes import Wish
from tests.histories import commands, write
from tests.histories.files import NAMES, load, stored
from tests.tools import Clock, recorded


def told_ids(name: str) -> dict[str, tuple[str, list[int]]]:
    """By command id, its digest and the positions of its events."""
    found: dict[str, tuple[str, list[int]]] = {}
    for (position, *_, body), _ in stored(name):
        if (command := orjson.loads(body)["command"]) is not None:
            digest, positions = found.setdefault(command["id"], (command["digest"], []))
            assert digest == command["digest"]
            positions.append(position)
    return found


@pytest.fixture(params=[name for name in NAMES if name.endswith("-commands")])
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def ledger(name: str, tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(load(name, tmp_path / "ledger.db"), actor="test:other", create=False) as opened:
        yield opened


def test_there_is_a_history_of_command_ids():
    assert "0.1.0-commands" in NAMES
    assert len(told_ids("0.1.0-commands")) > 100


def test_every_wish_of_a_history_is_answered_as_at_first(name: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    answered: dict[str, list[int]] = {}
    in_older_form: set[str] = set()
    whole, is_stored_as = Ledger.transact, Wish.is_stored_as

    def heard(self: Ledger, *arguments: Any, **wish: Any) -> Any:
        answer = whole(self, *arguments, **wish)
        answered[self._circumstances.command_id or ""] = [each.position for each in answer]
        return answer

    def compared(self: Wish, digest: str) -> bool:
        if self.digest != digest:
            in_older_form.add(self.operation)
        return is_stored_as(self, digest)

    monkeypatch.setattr(Ledger, "transact", heard)
    monkeypatch.setattr(Wish, "is_stored_as", compared)
    before = recorded(ledger)
    commands.tell(ledger, Random(write.SEED))  # it looks at the answers
    assert recorded(ledger) == before
    told = {command: positions for command, (_, positions) in told_ids(name).items()}
    assert answered == {command: told[command] for command in answered}
    assert {command for command in told if command not in answered and not command.startswith("learn:")} == set()
    if name == "0.1.0-commands":
        assert len(in_older_form) > 40 and {"goal.create", "goal.ready", "run.start", "lesson.judge"} < in_older_form


def test_another_wish_under_an_id_of_a_history_is_refused(name: str, ledger: Ledger):
    before = recorded(ledger)
    for command_id in told_ids(name):
        with pytest.raises(Rejected) as refused:
            ledger.using(command_id=command_id).goals.create("Something else")
        assert refused.value.code == "command_id_reused"
    assert recorded(ledger) == before


def test_nearly_the_same_wish_under_an_id_of_a_history_is_refused(ledger: Ledger):
    for title, said in (("Restore a backup", {"priority": 2}), ("restore a backup", {}), ("A second disk", {})):
        with pytest.raises(Rejected, match="was used for another wish"):
            ledger.using(command_id="create").goals.create(title, **said)  # type: ignore[arg-type]
    dog = next(row for row in ledger.goals.list().rows if row.title == "Nothing fails")
    run = ledger.runs.list(goal_id=dog.goal_id).rows[0].run_id
    with pytest.raises(Rejected, match="was used for another wish"):
        ledger.using(command_id="beat-3").runs.heartbeat(run, note="there")
    other = ledger.using(command_id="create-other")
    assert other.goals.create("A second disk", priority=3, reason=commands.SAID).title == "A second disk"
    with pytest.raises(Rejected, match="was used for another wish"):
        other.goals.create("A second disk")


def test_the_command_ids_of_the_first_history_are_answered(tmp_path: Path):
    with Ledger.open(load("0.1.0", tmp_path / "ledger.db"), actor="test:other", create=False) as ledger:
        before = recorded(ledger)
        created = next(each for each in before if each.command == "create-7")
        said = {
            "parent_goal_id": created.event.parent_goal_id,  # type: ignore[attr-defined]
            "dependencies": created.event.dependencies,  # type: ignore[attr-defined]
            "owner_agent": "agent:fixer",
            "task_category": "quality",
        }
        once = ledger.using(command_id="create-7")
        assert once.goals.create("A second region", **said).goal_id == created.stream
        for each in (each for each in before if (each.command or "").startswith("ready-")):
            row = ledger.using(command_id=each.command).goals.ready(each.stream)
            assert (row.status, row.position) == ("ready", each.position)
        with pytest.raises(Rejected, match="was used for another wish"):
            once.goals.create("A second region", **said | {"task_category": None})
        assert recorded(ledger) == before


def test_a_new_history_of_command_ids_answers_its_own_wishes():
    with Ledger.open(":memory:", actor="test:history", clock=Clock()) as ledger:
        commands.tell(ledger, Random(write.SEED))
        before = recorded(ledger)
        commands.tell(ledger, Random(write.SEED))
        assert recorded(ledger) == before
        assert len(before) > 140
