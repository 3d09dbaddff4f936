"""Questions to read models: filters, order, pages."""

import itertools
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import LedgerError
from goal_ledger.domain.goals.goal import GoalCreated
from goal_ledger.ledger import Ledger
from goal_ledger.projections.base import Projection
from tests.adapters.views.histories import Tally, begin, tell
from tests.adapters.views.homes import Home
from tests.tools import Clock

FIVE = [Tally(letter, number % 3, number / 8 or None, number % 2 == 1) for number, letter in enumerate("abcde")]


@pytest.fixture
def five(home: Home) -> Iterator[tuple[Views, Projection[Tally]]]:
    mine = Projection("five", Tally, key="stream", indexes=())

    @mine.on(GoalCreated)
    def _(row: Tally | None, item: Recorded, event: GoalCreated) -> Tally:
        return FIVE["abcde".index(item.stream)]

    tell(home.log, *begin(*"decab"))
    with home.views(mine) as views:
        yield views, mine


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, "abcde"),
        ({"stream": "b"}, "b"),
        ({"stream": "z"}, ""),
        ({"stream": ["b", "e", "z"]}, "be"),
        ({"stream": ()}, ""),
        ({"moves": 1}, "be"),
        ({"odd": True}, "bd"),
        ({"odd": False, "moves": [0, 1]}, "ae"),
        ({"share": 0.25}, "c"),
        ({"stream": "' OR 1=1 --"}, ""),
    ],
    ids=str,
)
def test_rows_are_filtered_by_what_columns_equal(five: Any, where: Any, found: str):
    views, mine = five
    assert views.select(mine, where, order=("stream",)) == [row for row in FIVE if row.stream in found]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", [("stream",), ("moves", "stream"), ("odd", "moves", "stream")])
def test_paging_returns_each_row_once_in_order(five: Any, order: tuple[str, ...], descending: bool):
    views, mine = five
    expected = sorted(FIVE, key=lambda row: [getattr(row, column) for column in order], reverse=descending)
    for limit in (1, 2, 3, 5, 6):
        found: list[Tally] = []
        after = None
        while page := views.select(mine, order=order, descending=descending, after=after, limit=limit):
            assert len(page) <= limit
            found += page
            assert len(found) <= len(FIVE)
            after = [getattr(page[-1], column) for column in order]
        assert found == expected
    assert views.select(mine, order=order, descending=descending) == expected


@pytest.mark.parametrize("bad", [{"where": {"colour": "red"}}, {"order": ("colour",)}, {"order": ("1; DROP",)}])
def test_only_columns_can_be_asked_for(five: Any, bad: Any):
    views, mine = five
    with pytest.raises(ValueError, match="no column"):
        views.select(mine, **{"order": ("stream",), **bad})


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(1, 7))
def test_goals_are_listed_by_priority_then_age_each_once(priorities: list[int], limit: int):
    with Ledger.open(":memory:", actor="test:views", clock=Clock()) as ledger:
        made = [ledger.goals.create(f"{n}", priority=priority) for n, priority in enumerate(priorities)]
        pages = [ledger.goals.list(limit=limit)]
        while pages[-1].next is not None:
            pages.append(ledger.goals.list(limit=limit, after=pages[-1].next))
        found = list(itertools.chain.from_iterable(page.rows for page in pages))

        assert found == sorted(made, key=lambda row: (row.priority, row.goal_id)) == ledger.goals.list().rows
        assert [len(page.rows) for page in pages[:-1]] == [limit] * (len(pages) - 1)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_holds_at_least_one_row(limit: int):
    with Ledger.open(":memory:", actor="test:views") as ledger:
        for ask in (ledger.goals.list, ledger.runs.list):
            with pytest.raises(LedgerError) as refused:
                ask(limit=limit)
            assert refused.value.code == "bad_limit"


# --- Names of before


@pytest.mark.parametrize(
    ("name", "now", "given"),
    [
        ("status", "rebuilds.status", ()),
        ("build", "rebuilds.build", ()),
        ("diff", "rebuilds.diff", ("five",)),
        ("swap", "rebuilds.swap", (["five"],)),
        ("dry_run", "rebuilds.dry_run", ()),
        ("rebuild", "rebuilds.rebuild", ()),
        ("swap_back", "rebuilds.swap_back", (["five"],)),
        ("drop_old", "rebuilds.drop_old", ()),
        ("drop_new", "rebuilds.drop_new", ()),
        ("quarantined", "repairs.quarantined", ()),
        ("repair", "repairs.repair", ("a",)),
        ("retry", "repairs.retry", ()),
    ],
)
def test_methods_that_moved_answer_under_their_old_names_and_warn(five: Any, name: str, now: str, given: Any):
    views, _ = five
    views.rebuilds.rebuild()
    views.rebuilds.rebuild()
    views.rebuilds.build()
    with pytest.warns(DeprecationWarning, match=rf"^Views\.{name} is deprecated: use Views\.{now}$") as warned:
        method = getattr(views, name)
    assert [warning.filename for warning in warned] == [__file__]
    assert method == attrgetter(now)(views)
    method(*given)


def test_what_views_never_had_is_no_attribute(five: Any):
    views, _ = five
    with pytest.raises(AttributeError, match="'Views' object has no attribute 'rebuild_all'"):
        views.rebuild_all()
