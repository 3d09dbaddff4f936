"""The registry: every event, once, under a stable name."""

import importlib
import pkgutil
import re

import pytest

from goal_ledger import domain
from goal_ledger.domain.base import Event
from goal_ledger.domain.registry import EVENTS, NAMES

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


def test_every_event_of_the_domain_is_registered_once():
    kinds = defined()
    assert len(kinds) > 25
    assert {kind.__name__ for kind in kinds} ^ {kind.__name__ for kind in EVENTS.values()} == set()
    assert len(set(EVENTS.values())) == len(EVENTS) == len(NAMES)


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
