"""What every store does: it appends, never changes, and reads back what it holds."""

from collections.abc import Iterator

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from goal_ledger.adapters.store.base import Store
from goal_ledger.ledger import Ledger
from tests.places import Place
from tests.tools import Clock


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with Ledger.open(place.url, actor="test:files", clock=Clock()) as ledger:
        ledger.goals.create("A")
    store = place.store()
    yield store
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET topic = 'x'",
        "UPDATE stored_events SET rowid = 9 WHERE rowid = 1",
        "DELETE FROM stored_events",
        "DELETE FROM stored_events WHERE rowid = 2",
    ],
)
def test_an_event_is_never_changed_nor_deleted(place: Place, store: Store, statement: str):
    before = store.page(0, 100)
    with pytest.raises(place.refused, match="append-only"):
        place.run(statement)
    assert store.page(0, 100) == before


def test_the_library_cannot_append_a_version_twice(store: Store):
    [_, (_, stream, version, _, _)] = store.page(0, 100)
    before = store.page(0, 100)
    with pytest.raises(IntegrityError):
        store.insert_events([StoredEvent("other", 1, "x", b""), StoredEvent(stream, version, "x", b"")])  # type: ignore[attr-defined]
    assert store.page(0, 100) == before


def test_the_library_appends_behind_the_head_without_a_gap(store: Store):
    events = [StoredEvent("other", version, "x", b"{}") for version in (1, 2)]
    assert store.insert_events(events) == [3, 4]  # type: ignore[attr-defined]
    assert store.page(2, 100) == [(3, "other", 1, "x", b"{}"), (4, "other", 2, "x", b"{}")]
    assert store.insert_events([]) == []  # type: ignore[attr-defined]


def test_a_store_names_what_it_holds(store: Store):
    [first, second] = store.page(0, 100)
    assert (store.head(), store.counts(), store.page(1, 100)) == (2, (2, 2), [second])
    assert [store.page(2, 100), store.digest_at(3), store.stream("goal_x")] == [[], None, []]
    assert store.stream(second[1]) == [store.decode(second)] == store.stream(second[1], up_to=2)
    assert (
        store.stream(second[1], up_to=1) == store.stream(second[1], up_to=0) == store.stream(second[1], after=1) == []
    )
    assert store.digest_at(1) != store.digest_at(2)
    assert store.stream(first[1], up_to=0) == []
    assert store.bytes() > 0


def test_a_store_knows_whether_it_holds_streams_of_a_kind(store: Store):
    assert [store.has_streams(prefix) for prefix in ("meta_", "goal_", "les_", "goal`", "")] == [
        True, True, False, False, True,
    ]  # fmt: skip
    with store.transaction() as log:
        assert (log.has_streams("goal_"), log.has_streams("les_")) == (True, False)
