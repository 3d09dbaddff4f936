"""Ledgers that earlier versions wrote: still read byte for byte, still folded into the same state."""

import re
from pathlib import Path
from random import Random

import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.goals.goal import Transition
from goal_ledger.domain.goals.lifecycle import MOVES
from goal_ledger.domain.registry import EVENTS
from goal_ledger.ledger import Ledger, Settings
from tests.histories import write
from tests.histories.files import (
    FOLDER,
    NAMES,
    as_recorded,
    changed_silently,
    load,
    log_of,
    recorded_state,
    state_file,
    state_of,
    stored,
)
from tests.histories.scenario import tell
from tests.tools import Clock, recorded, rows, tables


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_there_is_a_history_and_each_has_its_state():
    assert "0.1.0" in NAMES
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES)


def test_a_history_loads_byte_for_byte_and_verifies(name: str, tmp_path: Path):
    path = load(name, tmp_path / "ledger.db")
    assert rows(path, "SELECT * FROM stored_events ORDER BY rowid") == [(*row, seal) for row, seal in stored(name)]
    assert [seal for _, seal in stored(name)] == [digest(*row) for row, _ in stored(name)]
    with Ledger.open(path, create=False) as ledger:
        state = ledger.log.verify_deep()
        assert (state.head, state.lacking) == (len([*stored(name)]), [])


def test_a_history_folds_into_the_state_that_was_recorded(name: str, tmp_path: Path):
    before, now = recorded_state(name), as_recorded(state_of(name, tmp_path))
    assert changed_silently(before, now) == [], "add 1 to version="
    changed = sorted(each for each in before.keys() | now.keys() if before.get(each) != now.get(each))
    assert changed == [], f"if it was on purpose: python -m tests.histories.write --state {' '.join(changed)}"


def test_read_models_that_followed_a_history_equal_those_folded_at_once(name: str, tmp_path: Path):
    path = load(name, tmp_path / "ledger.db")
    with Ledger.open(path, create=False, settings=Settings(page=7)) as ledger:
        ledger.views.catch_up()
    followed = tables(tmp_path / "ledger.views.db")
    with Ledger.open(path, create=False) as ledger:
        ledger.views.rebuilds.rebuild()
    assert tables(tmp_path / "ledger.views.db") == followed


def test_a_history_takes_writes(name: str, tmp_path: Path):
    with Ledger.open(load(name, tmp_path / "ledger.db"), create=False) as ledger:
        goals = ledger.goals.list().rows
        for goal in goals:
            if goal.status == "active":
                ledger.goals.complete(goal.goal_id)
        assert any(goal.status == "active" for goal in goals)
        assert ledger.log.verify() > len([*stored(name)])


def test_a_new_history_tells_every_event_and_every_transition():
    with Ledger.open(":memory:", actor="test:history", clock=Clock()) as ledger:
        tell(ledger, Random(write.SEED))
        told = recorded(ledger)
    assert {event.name for event in told} ^ set(EVENTS) == set(), "tell it in tests/histories/scenario.py"
    transitions = {(event.event.from_status, event.event.to_status) for event in told
                   if isinstance(event.event, Transition)}  # fmt: skip
    assert transitions >= {(source, move.target) for move in MOVES.values() for source in move.sources}
    assert {event.occurred_at is None for event in told} == {True, False}
    assert len({event.command for event in told}) > 5 and len({event.cause for event in told}) > 5


# --- The writer


@pytest.mark.parametrize(
    ("name", "problem"),
    [("0.1.0", "never rewritten"), ("../0.2.0", "no version"), ("next", "no version"), ("99.0.0", None)],
)
def test_a_history_is_written_once_and_named_after_a_version(name: str, problem: str | None):
    found = write.refusal(name)
    assert found is None if problem is None else found is not None and problem in found


def test_the_recorded_state_is_what_the_writer_writes():
    for name in NAMES:
        assert state_file(name).read_text(encoding="utf-8") == write.as_text(recorded_state(name))


def test_a_fold_that_changed_without_its_version_is_told_from_one_that_says_so():
    before = {"goals": {"digest": "a", "sha256": "b", "rows": 1, "lacking": 0}}
    assert changed_silently(before, before) == []
    assert changed_silently(before, {"goals": {**before["goals"], "sha256": "c"}}) == ["goals"]
    assert changed_silently(before, {"goals": {**before["goals"], "lacking": 1}}) == ["goals"]
    assert changed_silently(before, {"goals": {**before["goals"], "sha256": "c", "digest": "d"}}) == []
    assert changed_silently(before, {**before, "runs": before["goals"]}) == []


def test_a_line_of_a_history_is_one_event():
    for name in NAMES:
        lines = log_of(name).read_bytes().splitlines()
        assert all(re.fullmatch(rb'\{"stream":".+","version":\d+,"name":".+"\}', line) for line in lines)
