"""What was stored once stays readable, and read models don't change their meaning silently."""

import re
from typing import Any

import pytest

from goal_ledger.adapters.store.codec import Codec, encode, envelope
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.registry import EVENTS
from goal_ledger.projections.base import Projection
from goal_ledger.projections.registry import PROJECTIONS
from tests.golden.examples import EXAMPLES
from tests.golden.files import (
    FOLDER,
    TEXT_LIMIT,
    bodies,
    circumstances,
    decoded,
    digests,
    fold_changed_silently,
    golden_digests,
    golden_file,
    history,
    name_of,
    stored,
)

FILES = sorted(path.name for path in FOLDER.glob("*"))
CURRENT = [(name, number) for name in EVENTS for number in range(len(EXAMPLES.get(name, ())))]


def test_every_event_has_examples_of_its_own():
    assert set(EXAMPLES) ^ set(EVENTS) == set()
    assert [name for name, events in EXAMPLES.items() if {name_of(event) for event in events} != {name}] == []


@pytest.mark.parametrize("name", EVENTS)
def test_the_examples_of_an_event_say_every_field_and_leave_out_what_may_be(name: str):
    said = {field for event in EXAMPLES[name] for field, value in event.__dict__.items() if value not in (None, (), {})}
    unsaid = {field for event in EXAMPLES[name] for field, value in event.__dict__.items() if value is None}
    optional = {field for field, info in EVENTS[name].model_fields.items() if info.default is None}
    assert said == set(EVENTS[name].model_fields)
    assert unsaid == (optional if len(EXAMPLES[name]) > 1 else set())


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
    said = circumstances(number)
    assert Codec().decode((7, "stream", 3, name, body)) == Recorded(
        7, "stream", 3, name, said["at"], said["occurred_at"], said["by"], said["command"] and said["command"][0],
        said["cause"], EXAMPLES[name][number],
    )  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_stored_in_the_same_bytes_as_ever(name: str):
    golden = stored(name, EVENTS[name].schema_version)
    assert bodies(name) == golden, "another form needs schema_version + 1 and an upcast"
    again = [
        encode(decoded(name, body), envelope(**circumstances(number)), text_limit=TEXT_LIMIT)
        for number, body in enumerate(golden)
    ]
    assert again == golden


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
