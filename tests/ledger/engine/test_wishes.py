"""The same wish: known by a stored name and by what was said, whatever became of the code meanwhile."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import goal_ledger.domain
from goal_ledger.domain import base
from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals.contract import Contract, Origin
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded, Goal
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.ledger import Ledger, LedgerError
from goal_ledger.ledger.engine import wishes
from goal_ledger.ledger.engine.wishes import Wish
from goal_ledger.ledger.goals import goals
from tests.tools import Clock, recorded


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="test:wishes", clock=Clock()) as opened:
        yield opened


def both(operation: str, **arguments: Any) -> tuple[str, str]:
    wish = Wish(operation, arguments)
    return wish.digest, wish.first_digest


def refusal(ask: Any, *arguments: Any, **wish: Any) -> str:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value.code


# --- The name


def test_a_decision_that_was_renamed_is_the_same_wish(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    goal_id = ledger.goals.create("A").goal_id
    first = ledger.using(command_id="c1").goals.ready(goal_id)
    acted = ledger.using(command_id="c2").act(goal_id, GOAL, rules.activate, reason="go")
    for decide in (rules.ready, rules.activate):
        monkeypatch.setattr(decide, "__name__", "renamed")
        monkeypatch.setattr(decide, "__qualname__", "renamed")
    before = recorded(ledger)
    assert ledger.using(command_id="c1").goals.ready(goal_id) == first
    assert ledger.using(command_id="c2").act(goal_id, GOAL, rules.activate, reason="go") == acted
    assert recorded(ledger) == before


def test_a_decision_of_another_program_is_known_by_its_kind_and_name(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    def bark(goal: Goal) -> list[Event]:
        return [ActivityRecorded(activity="barked")]

    once = ledger.using(command_id="c1")
    first = once.act("goal_dog", GOAL, bark)
    assert once.act("goal_dog", GOAL, bark) == first
    monkeypatch.setattr(bark, "__name__", "miaow")
    assert refusal(once.act, "goal_dog", GOAL, bark) == "command_id_reused"
    assert once.act("goal_dog", GOAL, operation("goal.bark")(bark)) == first


def test_a_transaction_under_a_command_id_should_be_named(ledger: Ledger):
    def note(tx: Any) -> None:
        tx.act("goal_dog", GOAL, lambda _: [ActivityRecorded(activity="barked")])

    ledger.transact(note)
    once = ledger.using(command_id="c1")
    with pytest.warns(DeprecationWarning, match=r"note\) has a command id and no operation") as warned:
        first = once.transact(note)
    assert [warning.filename for warning in warned] == [__file__]
    with pytest.warns(DeprecationWarning, match="no operation"):
        assert once.transact(note) == first
    assert once.transact(note, operation=note.__qualname__) == first
    assert refusal(once.transact, note, operation="dog.note") == "command_id_reused"


def test_nothing_is_computed_without_a_command_id(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wishes, "_json", None)
    monkeypatch.setattr(wishes, "_defaults", None)
    ledger.goals.create("A")
    with pytest.raises(TypeError):
        ledger.using(command_id="c1").goals.create("A")


# --- What is said


def test_what_equals_its_default_is_as_good_as_not_said(ledger: Ledger):
    said: Any = {"priority": 3, "metadata": {}, "criteria": [], "learning_required": True, "reason": None}
    first = ledger.using(command_id="c1").goals.create("A")
    assert ledger.using(command_id="c1").goals.create("A", origin=Origin(), **said) == first
    ledger.goals.ready(first.goal_id)
    run = ledger.using(command_id="c2").runs.start(first.goal_id)
    assert ledger.using(command_id="c2").runs.start(first.goal_id, overlap=False, agent=None, lease_s=None) == run
    acted = ledger.using(command_id="c3").act(first.goal_id, GOAL, rules.wait)
    assert ledger.using(command_id="c3").act(first.goal_id, GOAL, rules.wait, reason=None) == acted


def test_a_change_to_a_default_is_said(ledger: Ledger):
    goal_id = ledger.goals.create("A", priority=1, metadata={"a": 1}).goal_id
    once = ledger.using(command_id="c1")
    first = once.goals.amend(goal_id, priority=3)
    assert once.goals.amend(goal_id, priority=3) == first
    assert refusal(once.goals.amend, goal_id, metadata={}) == "command_id_reused"
    assert refusal(once.goals.amend, goal_id, priority=3, metadata={}) == "command_id_reused"


@operation("test.ask")
def _ask(_: None, *, flag: Any = None, number: Any = 0, share: Any = 1.0, listed: Any = (), held: Any = {}) -> None:  # noqa: B006
    """Has a default of every kind."""


@pytest.mark.parametrize(
    ("said", "is_default"),
    [
        ({"flag": None}, True),
        ({"flag": False}, False),
        ({"flag": 0}, False),
        ({"flag": ""}, False),
        ({"flag": ()}, False),
        ({"number": 0}, True),
        ({"number": False}, False),
        ({"number": 0.0}, False),
        ({"number": None}, False),
        ({"share": 1.0}, True),
        ({"share": True}, False),
        ({"share": 1}, False),
        ({"listed": []}, True),
        ({"listed": ()}, True),
        ({"listed": [None]}, False),
        ({"held": {}}, True),
        ({"held": {"a": None}}, False),
        ({"args": ()}, True),
        ({"args": (None,)}, False),
        ({"other": None}, False),
    ],
)
def test_only_the_default_itself_is_left_out(said: dict[str, Any], is_default: bool):
    assert (Wish("test.ask", said).digest == Wish("test.ask", {}).digest) is is_default
    assert Wish("test.ask", said).first_digest != Wish("test.ask", {}).first_digest


def test_fields_that_equal_their_default_are_left_out_however_deep():
    short = Contract(title="A", criteria=(Criterion(id="c1", text="t"),))
    full = Contract(**{**dict(short), "priority": 3, "criteria": ({"id": "c1", "text": "t", "required": True},)})
    optional = Contract(title="A", criteria=(Criterion(id="c1", text="t", required=False),))
    assert both("goal.create", contract=short) == both("goal.create", contract=full)
    assert not set(both("goal.create", contract=short)) & set(both("goal.create", contract=optional))
    assert b"required" not in Wish("goal.create", {"contract": full}).content
    assert b'"required":false' in Wish("goal.create", {"contract": optional}).content


def test_what_cannot_be_stored_is_refused_in_any_depth():
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    for value in (2**64, {1, "a"}, {1: 2}, nested, "\ud800"):
        with pytest.raises(LedgerError):
            _ = Wish("test.ask", {"flag": {"deep": value}}).digest


# --- What is added later


def test_a_new_optional_argument_changes_no_digest(monkeypatch: pytest.MonkeyPatch):
    said: dict[str, Any] = {"stream": "goal_1", "args": (), "cause": None, "reason": "moot"}
    before = both("goal.archive", **said)

    def archive(goal: Goal, *, cause: str | None = None, keep: bool = True, reason: str | None = None) -> list[Event]:
        """The decision of a later version."""
        return []

    monkeypatch.setitem(base._NAMED, "goal.archive", [archive])
    assert both("goal.archive", **said) == before
    assert both("goal.archive", **said, keep=True) == before
    assert not set(both("goal.archive", **said, keep=False)) & set(before)


class Wider(Contract):
    """The contract of a later version."""

    colour: str | None = None
    flags: tuple[str, ...] = ()


class WiderFinding(Finding):
    shade: float = 0.5


def test_a_new_optional_field_changes_no_digest():
    said: dict[str, Any] = {"title": "A", "priority": 2, "criteria": ({"id": "c1", "text": "t"},)}
    before = both("goal.create", contract=Contract(**said), origin=Origin(), reason=None)
    assert both("goal.create", contract=Wider(**said), origin=Origin(), reason=None) == before
    assert not set(both("goal.create", contract=Wider(**said, colour="red"), origin=Origin(), reason=None)) & set(
        before
    )
    shares = dict.fromkeys(("confidence", "value", "effort", "risk"), 0.5)
    finding: dict[str, Any] = {"text": "t", "category": "c", "pattern": "p", "subject": "s", **shares}
    before = both("proposal.propose", finding=Finding(**finding), by=None)
    assert both("proposal.propose", finding=WiderFinding(**finding), by=None) == before


def test_a_repeat_is_answered_after_the_contract_grew(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    first = ledger.using(command_id="c1").goals.create("A", priority=2)
    before = recorded(ledger)
    monkeypatch.setattr(goals, "Contract", Wider)
    assert ledger.using(command_id="c1").goals.create("A", priority=2) == first
    assert recorded(ledger) == before


class _Foreign(BaseModel):
    """A model of another program, of which 0.1.0 digested every field."""

    colour: str = "red"


class Level(NamedTuple):
    """It has the name of one of ours."""

    metric: str = ""
    other: int = 0


def test_types_of_other_programs_are_all_there_in_the_form_of_0_1_0():
    for value, full in ((_Foreign(), {"colour": "red"}), (Level(), ["", 0])):
        assert Wish("dog.bark", {"what": value}).first_digest == Wish("dog.bark", {"what": full}).first_digest


# --- The frozen table


def _types() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in walk_packages(goal_ledger.domain.__path__, "goal_ledger.domain."):
        for name, kind in vars(import_module(module.name)).items():
            if name in wishes._FIELDS and isinstance(kind, type) and kind.__module__ == module.name:
                found.setdefault(name, []).append(kind)
    return found


def _fields(kind: Any) -> set[str]:
    return set(kind.model_fields if issubclass(kind, BaseModel) else kind._fields)


def test_the_types_that_0_1_0_knew_keep_their_fields_and_what_is_new_has_a_default():
    found = _types()
    assert found.keys() == wishes._FIELDS.keys(), "a type of the frozen table was renamed: rename it there too"
    for name, known in wishes._FIELDS.items():
        fitting = [kind for kind in found[name] if set(known.split()) <= _fields(kind)]
        assert fitting, f"{name} lost a field that 0.1.0 digested"
        for kind in fitting:
            new = _fields(kind) - set(known.split())
            assert new <= wishes._field_defaults(kind).keys(), f"{name}: what is new needs a default"


def test_a_type_of_the_frozen_table_has_a_name_of_its_own():
    shared = {name for name, kinds in _types().items() if len(kinds) > 1}
    assert shared == {"Candidate", "Goal"}  # the others are no arguments of a decision
