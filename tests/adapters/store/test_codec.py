"""The codec: what is stored, what is refused, and what cannot be read."""

import json
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from goal_ledger.adapters.store.codec import Codec, encode, envelope
from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.goals.goal import GoalAmended, GoalCompleted
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.runs.run import CostRecorded, RunHeartbeat

BODY = {
    "v": 1,
    "at": "2026-02-24T09:00:00.000000Z",
    "occurred_at": None,
    "by": "x",
    "command": None,
    "cause": None,
    "data": {"from_status": "active"},
}


def encoded(event: Event, **changed: Any) -> bytes:
    text_limit = changed.pop("text_limit", 100)
    circumstances: dict[str, Any] = {
        "at": BODY["at"], "occurred_at": None, "by": "x", "command": None, "cause": None,
    }  # fmt: skip
    return encode(event, envelope(**{**circumstances, **changed}), text_limit=text_limit)


def refusal(event: Event, **changed: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        encoded(event, **changed)
    return refused.value


def read(body: bytes | dict[str, Any], name: str = "goal.completed", codec: Codec | None = None) -> Any:
    stored = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (codec or Codec()).decode((7, "goal_1", 3, name, stored))


# --- Writing


def test_a_body_is_compact_json_without_what_was_not_said():
    assert encoded(CostRecorded(goal_id="goal_1", cost_usd=Decimal("0.10"))) == (
        b'{"v":1,"at":"2026-02-24T09:00:00.000000Z","occurred_at":null,"by":"x","command":null,"cause":null,'
        b'"data":{"goal_id":"goal_1","cost_usd":"0.10"}}'
    )


@pytest.mark.parametrize("text", ["x" * 101, "é" * 101, "🌙" * 101])
def test_text_is_limited_in_characters(text: str):
    assert refusal(RunHeartbeat(goal_id="g", note=text)).code == "text_too_long"
    assert encoded(RunHeartbeat(goal_id="g", note=text[:-1]))
    assert refusal(GoalAmended(changes={"a": [{"deep": text}]}, was={})).code == "text_too_long"
    assert refusal(GoalAmended(changes={text: 1}, was={})).code == "text_too_long"


@pytest.mark.parametrize("text", ["\0", "a\0b"])
def test_nul_is_refused_however_deep(text: str):
    assert refusal(RunHeartbeat(goal_id="g", note=text)).code == "bad_text"
    assert refusal(GoalAmended(changes={"a": [{"deep": text}]}, was={})).code == "bad_text"
    assert refusal(GoalAmended(changes={text: 1}, was={})).code == "bad_text"


def test_the_letters_of_an_escaped_nul_are_text():
    [said] = [r"\u0000 and \\u0000"]
    recorded = read(encoded(RunHeartbeat(goal_id="g", note=said)), "run.heartbeat")
    assert recorded.event == RunHeartbeat(goal_id="g", note=said)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_lone_surrogates_are_refused(text: str):
    assert refusal(GoalAmended(changes={"a": text}, was={})).code == "bad_text"
    assert refusal(GoalAmended(changes={text: 1}, was={})).code == "bad_text"


def test_data_nested_deeper_than_json_can_be_read_is_refused():
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    assert refusal(GoalAmended(changes=deep, was={})).code == "bad_number"


# --- Reading


def test_a_body_reads_back_with_its_place():
    body = {**BODY, "occurred_at": "2025-11-09T11:00:00.000000Z", "command": {"id": "c", "digest": "d"}, "cause": 2}
    assert read(body) == Recorded(
        7, "goal_1", 3, "goal.completed", "2026-02-24T09:00:00.000000Z", "2025-11-09T11:00:00.000000Z", "x", "c", 2,
        GoalCompleted(from_status=GoalStatus.ACTIVE),
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"null",
        b"5",
        b"[]",
        b"{}",
        b'"text"',
        json.dumps(BODY).encode()[:-1],
        *({key: value for key, value in BODY.items() if key != lost} for lost in BODY),
        {**BODY, "v": 0},
        {**BODY, "v": -1},
        {**BODY, "v": "1"},
        {**BODY, "v": None},
        {**BODY, "command": "c"},
        {**BODY, "command": {}},
        {**BODY, "data": None},
        {**BODY, "data": []},
        {**BODY, "data": {}},
        {**BODY, "data": {"from_status": "sleeping"}},
        {**BODY, "data": {"from_status": "active", "colour": "red"}},
        {**BODY, "data": {"from_status": "active", "evidence": 5}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_a_broken_body_is_unreadable_and_says_why(body: Any):
    found = read(body)
    assert isinstance(found, Unreadable) and found.problem
    assert (*found[:4], found.newer, found.event) == (7, "goal_1", 3, "goal.completed", False, None)


def test_an_unknown_name_is_unreadable():
    assert read(BODY, "goal.teleported")[:6] == (
        7, "goal_1", 3, "goal.teleported", "unknown event, written by newer code", True,
    )  # fmt: skip


def test_what_cannot_be_read_can_be_asked_for_all_that_other_events_have():
    body = {**BODY, "occurred_at": "2025-11-09T11:00:00.000000Z", "command": {"id": "c", "digest": "d"}, "cause": 2}
    event, unreadable = read(body), read(body, "goal.teleported")
    assert isinstance(event, Recorded) and isinstance(unreadable, Unreadable)
    names = [name for name in Recorded._fields if name not in ("name", "event")]
    assert [getattr(unreadable, name) for name in names] == [getattr(event, name) for name in names]
    assert unreadable.event is None


@pytest.mark.parametrize("beside", [{"at": 5, "by": None, "occurred_at": [], "command": {"id": 7}, "cause": True}, {}])
def test_what_cannot_be_read_beside_it_is_none(beside: dict[str, Any]):
    found = read({"v": 9, "data": {}, **beside})
    assert isinstance(found, Unreadable)
    assert (found.at, found.by, found.occurred_at, found.command, found.cause) == (None,) * 5


def test_a_newer_version_is_unreadable():
    found = read({**BODY, "v": 2})
    assert (found.newer, found.problem) == (True, "version 2 of goal.completed was written by newer code")


class Moved(Event):
    schema_version: ClassVar[int] = 3

    place: str
    metres: int

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        return {"place": data["where"]}

    @staticmethod
    def upcast_v2(data: dict[str, Any]) -> dict[str, Any]:
        return data | {"metres": 0}


class Mistaken(Event):
    schema_version: ClassVar[int] = 2

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("no idea")


class Forgotten(Event):
    schema_version: ClassVar[int] = 3

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        return data


NEWER = Codec({"thing.moved": Moved, "thing.mistaken": Mistaken, "thing.forgotten": Forgotten})


@pytest.mark.parametrize(
    ("version", "data", "event"),
    [
        (1, {"where": "here"}, Moved(place="here", metres=0)),
        (2, {"place": "here"}, Moved(place="here", metres=0)),
        (3, {"place": "here", "metres": 5}, Moved(place="here", metres=5)),
    ],
)
def test_an_older_version_is_brought_to_the_present_step_by_step(version: int, data: dict[str, Any], event: Event):
    assert read({**BODY, "v": version, "data": data}, "thing.moved", NEWER).event == event


@pytest.mark.parametrize(
    ("name", "version", "data", "problem"),
    [
        ("thing.moved", 1, {"place": "here"}, "upcast_v1 of thing.moved failed: KeyError: 'where'"),
        ("thing.moved", 2, {"site": "here"}, "place: field required; site: extra inputs are not permitted"),
        ("thing.mistaken", 1, {}, "upcast_v1 of thing.mistaken failed: RuntimeError: no idea"),
        ("thing.forgotten", 1, {}, "there is no upcast_v2 of thing.forgotten"),
        ("thing.forgotten", 0, {}, "there is no upcast_v0 of thing.forgotten"),
    ],
)
def test_a_body_that_cannot_be_brought_to_the_present_says_where_it_stopped(
    name: str, version: int, data: dict[str, Any], problem: str
):
    found = read({**BODY, "v": version, "data": data}, name, NEWER)
    assert found[:6] == (7, "goal_1", 3, name, problem, False)
