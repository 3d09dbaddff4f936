"""Events: strict, frozen, plain."""

import copy
import json
import math
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from goal_ledger.domain.base import (
    LARGEST_INT,
    Count,
    Decider,
    Event,
    Json,
    Money,
    Payload,
    Seconds,
    Share,
    Texts,
    Tokens,
    invalid,
)
from goal_ledger.domain.errors import Invalid


class Everything(Payload):
    text: str = ""
    whole: int = 0
    fraction: float = 0.0
    yes: bool = False
    count: Count = 0
    tokens: Tokens = 0
    seconds: Seconds = 0.0
    share: Share = 0.0
    money: Money = Decimal(0)
    texts: Texts = ()
    json_: Json = Field(default_factory=dict)


class Level(IntEnum):
    HIGH = 2


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Everything(**fields)
    translated = invalid(error.value)
    assert isinstance(translated, Invalid) and translated.code == "invalid_value"
    assert "\n" not in translated.message
    return translated.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 5),
        ("text", None),
        ("text", b"bytes"),
        ("whole", True),
        ("whole", "3"),
        ("whole", 3.0),
        ("whole", Decimal(3)),
        ("fraction", True),
        ("fraction", "0.5"),
        ("fraction", math.nan),
        ("fraction", math.inf),
        ("fraction", -math.inf),
        ("fraction", 10**400),
        ("yes", 1),
        ("yes", "true"),
        ("count", -1),
        ("count", LARGEST_INT + 1),
        ("tokens", 10**15 + 1),
        ("seconds", -0.001),
        ("seconds", math.nan),
        ("share", 1.0001),
        ("share", -0.1),
        ("share", "0.5"),
        ("money", True),
        ("money", -1),
        ("money", "1,50"),
        ("money", math.nan),
        ("money", Decimal("Infinity")),
        ("money", "sNaN"),
        ("money", "1E+400"),
        ("texts", "abc"),
        ("texts", [1]),
        ("texts", [None]),
        ("texts", {"a": 1}),
        ("json_", []),
        ("json_", None),
        ("json_", {1: "a"}),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_nothing_is_coerced(field: str, value: Any):
    assert refused(**{field: value}).startswith(f"{field}")


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("fraction", 3, 3.0),  # every whole number is a fraction
        ("count", LARGEST_INT, LARGEST_INT),
        ("money", 3, Decimal(3)),
        ("money", 0.1, Decimal("0.1")),
        ("money", "12.30", Decimal("12.30")),
        ("texts", ["a", "b"], ("a", "b")),
    ],
)
def test_what_means_the_same_is_taken(field: str, value: Any, stored: Any):
    taken = getattr(Everything(**{field: value}), field)
    assert (taken, type(taken)) == (stored, type(stored))


def test_unknown_fields_are_refused():
    assert "colour" in refused(colour="red")


def test_an_event_cannot_be_changed():
    event = Event(reason="because")
    with pytest.raises(ValidationError, match="frozen"):
        event.reason = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        LARGEST_INT + 1,
        -LARGEST_INT - 2,
        Decimal(1),
        b"bytes",
        {1, 2},
        object(),
        {1: "a"},
        {None: "a"},
        {"deep": [{"deeper": (1, math.nan)}]},
        {"deep": [{"deeper": {"a": LARGEST_INT + 1}}]},
    ],
    ids=lambda value: "object" if type(value) is object else ascii(value)[:40],
)
def test_free_data_holds_only_what_json_can(value: Any):
    assert refused(json_={"here": value}).startswith("json_: ")


def test_free_data_nested_without_end_is_refused():
    endless: dict[str, Any] = {}
    endless["self"] = endless
    assert "nested too deeply" in refused(json_=endless)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INT - 1, LARGEST_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_free_data_is_what_reads_back(data: dict[str, Any]):
    kept = Everything(json_=data).json_
    assert kept == data == json.loads(json.dumps(data))


def test_free_data_is_a_copy_in_the_form_that_reads_back():
    given_data: dict[str, Any] = {"a": {"b": [1]}, "pair": (1, (2, 3)), "level": Level.HIGH}
    before = copy.deepcopy(given_data)
    kept = Everything(json_=given_data).json_
    given_data["a"]["b"].append(2)
    given_data["c"] = 1

    assert kept == {"a": before["a"], "pair": [1, [2, 3]], "level": 2}


def test_many_findings_are_one_line_of_three():
    message = refused(text=1, whole="1", fraction="1", yes=1)
    assert message.count("; ") == 2 and message.endswith(" …")


def test_a_value_that_was_refused_is_not_repeated():
    assert "secret-123" not in refused(whole="secret-123")


# --- Deciders


class Counted(Event):
    by: int


class Renamed(Event):
    name: str


COUNTER: Decider[int] = Decider("counter", 0)


@COUNTER.on(Counted)
def _counted(state: int, event: Counted) -> int:
    return state + event.by


def test_a_decider_evolves_by_the_events_it_knows_and_ignores_the_rest():
    state = COUNTER.initial
    for event in (Counted(by=2), Renamed(name="x"), Counted(by=3)):
        state = COUNTER.evolve(state, event)
    assert state == 5


def test_a_later_handler_replaces_an_earlier_one():
    decider: Decider[int] = Decider("counter", 0)
    decider.on(Counted, Renamed)(lambda state, _: state + 1)
    decider.on(Counted)(lambda state, event: state + event.by)
    assert decider.evolve(decider.evolve(0, Renamed(name="x")), Counted(by=5)) == 6
