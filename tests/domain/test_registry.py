"""The registry: every event, once, under a stable name."""

import importlib
import pkgutil
import re
from types import ModuleType

import pytest

from goal_ledger import domain
from goal_ledger.domain.base import Event
from goal_ledger.domain.registry import EVENTS, NAMES, events_of

WORDS = {"run.heartbeat", "goal.occurrence_due", "session.draining"}
"""Facts whose name is the field's own word."""


def defined() -> list[type[Event]]:
    """Every kind of event that the domain defines; what others derive from is no event itself."""
    for module in pkgutil.walk_packages(domain.__path__, "goal_ledger.domain."):
        importlib.import_module(module.name)
    found: list[type[Event]] = []
    waiting = [Event]
    while waiting:
        ours = [kind for kind in waiting.pop().__subclasses__() if kind.__module__.startswith("goal_ledger.domain.")]
        waiting += ours
        found += ours
    return [kind for kind in found if not any(issubclass(other, kind) for other in found if other is not kind)]


def test_every_event_of_the_domain_says_the_name_under_which_it_is_stored():
    kinds = defined()
    assert len(kinds) > 25
    assert [kind.__name__ for kind in kinds if "stored" not in vars(kind)] == []


def test_every_event_of_the_domain_is_registered_once():
    lacking = {kind.__module__ for kind in defined() if EVENTS.get(kind.stored) is not kind}
    assert lacking == set(), "name the module in domain/registry.py"
    assert len(set(EVENTS.values())) == len(EVENTS) == len(NAMES) == len(defined())


def module(name: str, *kinds: type[Event]) -> ModuleType:
    made = ModuleType(name)
    for kind in kinds:
        kind.__module__ = name
        setattr(made, kind.__name__, kind)
    return made


def test_events_come_in_the_order_of_their_modules_and_definitions():
    class Base(Event):
        pass

    class Zoned(Base):
        stored = "b.zoned"

    class Aged(Base):
        stored = "b.aged"

    class Mended(Event):
        stored = "a.mended"

    one, other = module("one", Base, Zoned, Aged), module("other", Mended)
    vars(other)["Zoned"] = Zoned  # imported there
    assert list(events_of((one, other)).items()) == [("b.zoned", Zoned), ("b.aged", Aged), ("a.mended", Mended)]
    assert list(events_of((other, one))) == ["a.mended", "b.zoned", "b.aged"]


def test_two_events_of_one_name_are_refused():
    class Zoned(Event):
        stored = "b.zoned"

    class Rezoned(Event):
        stored = "b.zoned"

    with pytest.raises(ValueError, match=r"Rezoned and Zoned are both stored as b\.zoned"):
        events_of((module("one", Zoned), module("other", Rezoned)))


def test_a_name_is_not_inherited():
    class Zoned(Event):
        stored = "b.zoned"

    class ZonedAgain(Zoned):
        pass

    assert events_of((module("one", Zoned, ZonedAgain),)) == {"b.zoned": Zoned}


@pytest.mark.parametrize("name", EVENTS)
def test_a_name_is_the_capability_and_a_word_in_the_past_tense(name: str):
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", name)
    words = name.partition(".")[2].split("_")
    assert name in WORDS or any(word.endswith(("ed", "en", "met")) or word in ("held", "made") for word in words)


@pytest.mark.parametrize("name", EVENTS)
def test_every_older_version_of_an_event_has_its_upcast_and_there_are_no_others(name: str):
    event_type = EVENTS[name]
    assert event_type.schema_version >= 1
    older = {f"upcast_v{version}" for version in range(1, event_type.schema_version)}
    assert {method for method in dir(event_type) if method.startswith("upcast")} == older


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_says_what_it_is_in_its_fields_alone(name: str):
    event_type = EVENTS[name]
    config = event_type.model_config
    assert (config.get("frozen"), config.get("strict"), config.get("extra")) == (True, True, "forbid")
    assert "reason" in event_type.model_fields
