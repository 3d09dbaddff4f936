"""Every decision has a stored name, and no two kinds of wish share one by accident."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import Parameter, getmembers, isclass, isfunction, signature
from pkgutil import walk_packages
from typing import Any, get_type_hints

import pytest

import goal_ledger.domain
import goal_ledger.ledger
from goal_ledger.domain.base import Decider, Event, named, operation, operation_of

SHARED = {
    "goal.complete": {"goal.complete", "maintenance.complete", "roll_up.complete"},  # a goal's, by what it is made of
    "goal.fail": {"goal.fail", "roll_up.fail"},
}
"""Decisions that are one wish to the caller, by operation."""


def modules(package: Any) -> list[Any]:
    return [import_module(found.name) for found in walk_packages(package.__path__, f"{package.__name__}.")]


def decisions() -> Iterator[tuple[str, Any]]:
    """The public functions of the domain that give events, by module and name."""
    for module in modules(goal_ledger.domain):
        for name, function in getmembers(module, isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            if get_type_hints(function).get("return") in (list[Event], Sequence[Event]):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", function


def methods() -> Iterator[tuple[str, Any]]:
    """The public functions and methods of the ledger that have a stored name."""
    for module in modules(goal_ledger.ledger):
        holders = [module, *(kind for _, kind in getmembers(module, isclass) if kind.__module__ == module.__name__)]
        for holder in holders:
            for _, function in getmembers(holder, isfunction):
                if function.__module__ == module.__name__ and hasattr(function, "__operation__"):
                    yield f"{function.__module__}.{function.__qualname__}", function


def test_every_decision_has_a_stored_name():
    found = dict(decisions())
    assert len(found) > 75
    assert [name for name, decide in found.items() if not hasattr(decide, "__operation__")] == []


def test_no_two_decisions_share_a_name_by_accident():
    by_name = defaultdict(set)
    for name, decide in decisions():
        by_name[decide.__operation__].add(name)
    assert {name: shared for name, shared in by_name.items() if len(shared) > 1} == SHARED


def test_no_two_methods_share_a_name():
    found = dict(methods())
    assert len(found) > 25
    names = [method.__operation__ for method in found.values()]
    assert sorted(set(names)) == sorted(names)


def test_an_argument_has_one_default_whoever_is_asked():
    found = [*decisions(), *methods()]
    for name in {function.__operation__ for _, function in found}:
        defaults: dict[str, Any] = {}
        for function in named(name):
            for parameter in signature(function).parameters.values():
                if parameter.default is not Parameter.empty:
                    assert defaults.setdefault(parameter.name, parameter.default) == parameter.default, (name, function)


# --- The decorator


def test_a_named_function_is_itself_and_known_by_its_name():
    def start(state: None, *, by: str = "x") -> list[Event]:
        return []

    decide = operation("test.known_by_its_name")(start)
    assert decide is start
    assert list(named("test.known_by_its_name")) == [start]
    assert named("test.nobody") == ()


@pytest.mark.parametrize("name", ["start", "begin"])
def test_the_stored_name_stands_whatever_the_function_is_called(name: str):
    def start(state: None) -> list[Event]:
        return []

    decide = operation("test.started")(start)
    decide.__name__ = name
    assert operation_of(Decider("machine", None), decide) == "test.started"


def test_a_decision_without_a_name_is_known_by_its_kind_and_its_own():
    def start(state: None) -> list[Event]:
        return []

    assert operation_of(Decider("machine", None), start) == "machine.start"
