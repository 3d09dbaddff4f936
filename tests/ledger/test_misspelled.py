"""A misspelled argument is never taken in silence: it is refused when it is given, and by type checkers before."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.goals.goal import GOAL, ready
from goal_ledger.ledger import Invalid, Ledger, Settings, Tx
from goal_ledger.ledger.engine.circumstances import Circumstances, Metadata
from tests.type_checker import complaints

PROGRAM = """\
from datetime import datetime

from goal_ledger.domain.goals.goal import GOAL, ready
from goal_ledger.ledger import UNKNOWN, Ledger, Tx


def right(ledger: Ledger, tx: Tx, goal_id: str, at: datetime) -> None:
    night = ledger.using(actor="cron", occurred_at=at, cause=3, if_version=2, command_id="night-1")
    night.using(command_id=None, if_version=None, occurred_at=UNKNOWN, cause=None).using(occurred_at=None)
    tx.using(actor="cron", occurred_at=UNKNOWN, cause=3, if_version=2)
    ledger.goals.amend(ledger.goals.create("A", priority=2).goal_id, title="B")
    ledger.act(goal_id, GOAL, ready, dependencies={}, reason="it is free")


def wrong(ledger: Ledger, tx: Tx, goal_id: str, at: datetime) -> None:
    ledger.using(acter="cron")
    ledger.using(occured_at=at)
    ledger.using(occurred_at="2026-02-24")
    ledger.using(actor=None)
    tx.using(occured_at=at)
    tx.using(command_id="night-1")
    ledger.goals.create("A", priorty=2)
    ledger.goals.amend(goal_id, titel="B")
    ledger.goals.ready(goal_id, raeson="it is free")
    ledger.act(goal_id, GOAL, ready, dependancies={})
    tx.act(goal_id, GOAL, ready, dependencies={}, raeson="it is free")
"""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="agent:planner") as opened:
        yield opened


def test_a_type_checker_finds_every_misspelled_argument(tmp_path: Path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    found = {int(line.split(":")[0]) for line in complaints(tmp_path)["program.py"] if " error: " in line}
    first = PROGRAM.splitlines().index('    ledger.using(acter="cron")') + 1
    assert found == set(range(first, len(PROGRAM.splitlines()) + 1))


def test_metadata_names_what_travels_beside_a_wish():
    assert Metadata.__annotations__.keys() == set(Circumstances._fields)


@pytest.mark.parametrize("name", ["acter", "occured_at", "reason", "version"])
def test_what_using_does_not_know_is_a_type_error(ledger: Ledger, name: str):
    wrong: dict[str, Any] = {name: "x"}
    with pytest.raises(TypeError, match=f"using.. got an unexpected keyword argument '{name}'; it takes actor, "):
        ledger.using(**wrong)

    def work(tx: Tx) -> None:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            tx.using(**wrong)

    assert ledger.transact(work) == ()


def test_a_transaction_keeps_its_command_id(ledger: Ledger):
    other: dict[str, Any] = {"command_id": "c2"}
    with pytest.raises(TypeError, match="'command_id'"):
        ledger.using(command_id="c1").transact(lambda tx: tx.using(**other), operation="office.look")


def open_ended(kind: type[object]) -> set[str]:
    """The methods of a class that take arguments of any name."""
    methods = {name: method for name, method in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}
    assert methods
    return {
        f"{kind.__name__}.{name}"
        for name, method in methods.items()
        if any(each.kind is each.VAR_KEYWORD for each in inspect.signature(method).parameters.values())
    }


def test_no_method_takes_arguments_of_any_name_but_those_that_refuse_them(ledger: Ledger):
    properties = dict(inspect.getmembers(Ledger, lambda member: isinstance(member, property)))
    parts = [getattr(ledger, name) for name in properties if name != "playbook"]
    kinds = {type(part) for part in (*parts, ledger.views.rebuilds, ledger.views.repairs)} - {Settings}
    ours = [Ledger, Tx, *(kind for kind in kinds if kind.__module__.startswith("goal_ledger."))]
    assert len(ours) > 20 and {"Goals", "Runs", "Lessons", "Sessions", "Views"} < {kind.__name__ for kind in ours}
    assert set().union(*map(open_ended, ours)) == {
        "Ledger.using", "Tx.using", "Ledger.act", "Tx.act", "Goals.create", "Goals.amend",
    }  # fmt: skip


def test_the_methods_that_take_fields_refuse_those_that_there_are_not(ledger: Ledger):
    goal_id = ledger.goals.create("A").goal_id
    events = ledger.head
    wrong: dict[str, Any] = {"priorty": 2}
    with pytest.raises(Invalid):
        ledger.goals.create("B", **wrong)
    with pytest.raises(Invalid):
        ledger.goals.amend(goal_id, **wrong)
    with pytest.raises(TypeError):
        ledger.act(goal_id, GOAL, ready, **wrong)
    with pytest.raises(TypeError):
        ledger.transact(lambda tx: tx.act(goal_id, GOAL, ready, **wrong), operation="office.ready")
    assert ledger.head == events
