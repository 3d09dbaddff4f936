"""What was stored once stays readable, and read models don't change their meaning silently."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from goal_ledger.adapters.store.codec import Codec
from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.registry import EVENTS
from goal_ledger.projections.base import Projection
from goal_ledger.projections.registry import PROJECTIONS
from tests.golden.examples import made
from tests.golden.files import (
    FOLDER,
    bodies,
    circumstances,
    decoded,
    digests,
    examples,
    fold_changed_silently,
    golden_digests,
    golden_file,
    history,
    stored,
)

FILES = sorted(path.name for path in FOLDER.glob("*"))
CURRENT = [(name, number) for name in EVENTS for number in range(len(examples(name)))]


def says(events: Sequence[Event]) -> tuple[set[str], set[str]]:
    """The fields that examples say, and those that they leave out."""
    said = {field for event in events for field, value in event.__dict__.items() if value not in (None, (), {})}
    return said, {field for event in events for field, value in event.__dict__.items() if value is None}


@pytest.mark.parametrize("name", EVENTS)
def test_the_examples_of_an_event_say_every_field_and_leave_out_what_may_be(name: str):
    fields = EVENTS[name].model_fields
    optional = {field for field, info in fields.items() if info.default is None}
    for events in (examples(name), made(EVENTS[name])):
        said, unsaid = says(events)
        assert said == set(fields), "another field needs schema_version + 1 and an upcast"
        assert unsaid == (optional if len(events) > 1 else set())


@pytest.mark.parametrize("name", EVENTS)
def test_what_is_made_from_the_types_of_an_event_reads_back_as_it_was_made(name: str):
    events = made(EVENTS[name])
    assert [decoded(name, body) for body in bodies(events)] == list(events)
    assert made(EVENTS[name]) == events


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda projection: projection.name)
def test_what_is_made_from_the_types_of_events_can_be_folded(projection: Projection[Any]):
    rows: dict[Any, Any] = {}
    for position, event_type in enumerate(projection.folds, start=1):
        for version, event in enumerate(made(event_type), start=1):
            at = "2026-02-24T09:00:00.000000Z"
            recorded = Recorded(position, "one", version, event.stored, at, at, "x", None, None, event)
            fold = projection.folds[event_type]
            key = recorded.stream if fold.at is None else fold.at(recorded, event)
            rows[key] = fold.handler(rows.get(key), recorded, event)
    assert rows


@pytest.mark.parametrize("file", FILES)
def test_a_golden_file_belongs_to_an_event_and_a_version_of_it(file: str):
    match = re.fullmatch(r"(.+)\.v(\d+)\.jsonl", file)
    assert match is not None and match[1] in EVENTS, "stored names are never renamed, nor taken out of the registry"
    assert 1 <= int(match[2]) <= EVENTS[match[1]].schema_version


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_has_a_golden_file_for_every_version_it_ever_had(name: str):
    lacking = [v for v in range(1, EVENTS[name].schema_version + 1) if not golden_file(name, v).exists()]
    assert lacking == [], "python -m tests.golden.write"


@pytest.mark.parametrize("file", FILES)
def test_every_golden_body_of_any_version_can_be_read(file: str):
    name, version = file.removesuffix(".jsonl").rsplit(".v", 1)
    for body in stored(name, int(version)):
        assert isinstance(Codec().decode((7, "stream", 3, name, body)), Recorded)


@pytest.mark.parametrize(("name", "number"), CURRENT)
def test_a_golden_body_reads_back_as_the_event_it_was(name: str, number: int):
    body = stored(name, EVENTS[name].schema_version)[number]
    said, wrote = circumstances(number), orjson.loads(body)["data"]
    event = decoded(name, body)
    assert Codec().decode((7, "stream", 3, name, body)) == Recorded(
        7, "stream", 3, name, said["at"], said["occurred_at"], said["by"], said["command"] and said["command"][0],
        said["cause"], event,
    )  # fmt: skip
    assert {field for field, value in event.__dict__.items() if value is not None} == set(wrote)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_stored_in_the_same_bytes_as_ever(name: str):
    golden = stored(name, EVENTS[name].schema_version)
    assert bodies(examples(name)) == golden, "another form needs schema_version + 1 and an upcast"


# --- Read models


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda projection: projection.name)
def test_a_fold_changes_only_with_its_version(projection: Projection[Any]):
    before, now = golden_digests().get(projection.name), digests(projection)
    assert not fold_changed_silently(before, now), f"add 1 to version= of {projection.name}"
    assert before == now, "python -m tests.golden.write"


def test_the_golden_read_models_are_the_registered_ones():
    assert set(golden_digests()) == set(PROJECTIONS)


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=lambda projection: projection.name)
def test_a_fold_is_the_same_twice(projection: Projection[Any]):
    assert digests(projection) == digests(projection)
    assert [recorded.position for recorded, _ in history(projection)] == list(range(1, 3 * len(projection.folds) + 1))


def test_a_silent_change_is_told_from_an_announced_one():
    before = {"projection": "a", "events": "b", "rows": "c"}
    assert not fold_changed_silently(None, before)
    assert not fold_changed_silently(before, before)
    assert fold_changed_silently(before, {**before, "rows": "d"})
    assert not fold_changed_silently(before, {**before, "rows": "d", "projection": "e"})
    assert not fold_changed_silently(before, {**before, "rows": "d", "events": "e"})
