"""Rebuilding: the same rows again, mended ones, and how far it is."""

import pytest

from goal_ledger.adapters.views.rebuilds import State, Status
from goal_ledger.adapters.views.repairs import Quarantined
from goal_ledger.domain.errors import NotFound
from tests.adapters.views.histories import Tally, begin, everything, fill, ready, tally, tell
from tests.adapters.views.homes import Home


def test_a_rebuild_gives_byte_identical_tables(kept: Home):
    fill(kept.log, repeat=2)
    with kept.views(page=9) as views:
        views.catch_up()
        before = kept.tables()
        assert views.rebuilds.rebuild() == kept.log.head()
        assert kept.tables() == before
        assert views.rebuilds.rebuild(["goal_runs"]) == kept.log.head()
        assert kept.tables() == before
        assert sum(len(found) for found in before.values()) > 20


def test_a_rebuild_mends_rows_that_somebody_changed(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"))
    with kept.views(mine) as views:
        views.catch_up()
        kept.ask(f'UPDATE "tally__{mine.digest}" SET moves = 99')
        kept.ask(f"DELETE FROM \"tally__{mine.digest}\" WHERE stream = 'b'")
        assert everything(views, mine) == [Tally("a", 99, None, False)]
        views.rebuilds.rebuild()
        assert everything(views, mine) == [Tally("a", 0, None, False), Tally("b", 0, None, False)]


def test_only_a_known_read_model_can_be_rebuilt(home: Home):
    with home.views() as views, pytest.raises(NotFound) as missing:
        views.rebuilds.rebuild(["goal_definitions", "gaol_board"])
    assert missing.value.code == "unknown_projection"


def test_long_work_tells_how_far_it_is(home: Home):
    tell(home.log, *begin(*"abcde"))
    told: list[tuple[int, int]] = []
    with home.views(tally(), page=2) as views:
        views.catch_up(lambda done, of: told.append((done, of)))
        assert told[-1] == (5, 5) and told == sorted(told)
        told.clear()
        views.rebuilds.rebuild(progress=lambda done, of: told.append((done, of)))
        assert told == [(2, 5), (4, 5), (5, 5)]  # the last page with the swap


def test_status_says_where_each_stands_without_moving_it(home: Home):
    mine = tally()
    with home.views(mine) as views:
        tell(home.log, *begin("a", "b"))
        assert views.rebuilds.status() == [Status("tally", State.MISSING, None, 0, 2, 0, 0, None, [])]
        views.catch_up()
        tell(home.log, ready("a", "raise"), ready("b"), *begin("c"))
        assert views.rebuilds.status() == [
            Status("tally", State.CURRENT, f"tally__{mine.digest}", 2, 3, 2, 0, None, [])
        ]
        views.catch_up()
        assert views.rebuilds.status() == [
            Status("tally", State.CURRENT, f"tally__{mine.digest}", 5, 0, 3, 1, None, [])
        ]
        assert views.repairs.quarantined() == [
            Quarantined("tally", 3, "a", "goal.readied", "RuntimeError: cannot count that")
        ]
