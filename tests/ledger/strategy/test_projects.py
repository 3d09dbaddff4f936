"""Projects, from the ledger: what is counted, and what stands where."""

from collections.abc import Iterator
from typing import Any

import pytest

from goal_ledger.ledger import BugSeverity, Ledger, LedgerError
from tests.places import Place
from tests.tools import Clock, recorded


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:projects", clock=Clock()) as opened:
        yield opened


def refusal(ask: Any, *arguments: Any, **wish: Any) -> str:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value.code


def test_what_is_done_is_a_share_of_the_features(ledger: Ledger):
    shop = ledger.projects.create("Web shop").project_id
    assert ledger.projects.get(shop).percent_complete == 0.0
    for title in ("Pay", "Search", "Filter", "Ship"):
        ledger.projects.feature(shop, title)
    row = ledger.projects.feature(shop, "pay", done=True)
    assert (row.percent_complete, row.features_done, row.features_total) == (25.0, 1, 4)
    for title in ("Search", "Filter"):
        row = ledger.projects.feature(shop, title, done=True)
    assert row.percent_complete == 75.0
    assert ledger.projects.feature(shop, "Pay", done=False).percent_complete == 50.0
    assert [row] == [ledger.as_of(row.position).projects.get(shop)]


def test_critical_bugs_are_counted_until_they_are_resolved(ledger: Ledger):
    shop, other = (ledger.projects.create(name).project_id for name in ("Web shop", "Depot"))
    for title in ("Paid twice", "Cart lost", "Card shown"):
        ledger.projects.bug(shop, title, severity=BugSeverity.CRITICAL)
    ledger.projects.bug(shop, "No stock shown", severity=BugSeverity.BLOCKER)
    ledger.projects.bug(other, "Door stuck", severity=BugSeverity.CRITICAL)
    row = ledger.projects.resolve(shop, "b2")
    assert (row.critical_bugs, row.open_bugs, ledger.projects.get(other).critical_bugs) == (2, 3, 1)

    assert ledger.projects.bug(shop, "Cart lost").critical_bugs == 3  # it came back
    assert ledger.projects.bug(shop, "Cart lost", severity=BugSeverity.MINOR).critical_bugs == 2


def test_the_same_wish_again_writes_nothing(ledger: Ledger):
    shop = ledger.projects.create("Web shop", description="Sells").project_id
    ledger.projects.feature(shop, "Pay", done=True)
    ledger.projects.bug(shop, "Paid twice")
    row = ledger.projects.resolve(shop, "b1")
    before = recorded(ledger)

    assert ledger.projects.create("web SHOP") == ledger.projects.feature(shop, "pay", done=True) == row
    assert ledger.projects.resolve(shop, "b1") == row
    assert recorded(ledger) == before


def test_lists_and_rows_of_a_stream_tell_the_same(ledger: Ledger):
    ids = [ledger.projects.create(name).project_id for name in "ABC"]
    ledger.projects.bug(ids[0], "Slow")
    assert [row.name for row in ledger.projects.list().rows] == ["A", "C", "B"]
    first = ledger.projects.list(limit=2)
    assert [row.name for row in ledger.projects.list(after=first.next).rows] == ["B"]
    assert list(ledger.projects.list().rows) == [ledger.projects.get(ids[n]) for n in (0, 2, 1)]
    assert [event.version for event in ledger.projects.timeline(ids[0])] == [1, 2]


def test_a_project_that_there_is_not_is_not_found(ledger: Ledger):
    ghost = ledger.goals.create("A").goal_id.replace("goal_", "project_")
    for ask in (ledger.projects.get, ledger.projects.timeline):
        assert refusal(ask, ghost) == refusal(ask, "shop") == "unknown_project"
    assert refusal(ledger.projects.feature, ghost, "Pay") == "unknown_project"
    assert refusal(ledger.projects.resolve, ghost, "b1") == "unknown_project"
    shop = ledger.projects.create("Web shop").project_id
    assert refusal(ledger.projects.resolve, shop, "b1") == "unknown_bug"
