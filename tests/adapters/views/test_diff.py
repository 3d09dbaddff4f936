"""What a rebuild would change, row by row, and the event that explains each."""

from typing import Any, NamedTuple

import pytest

from goal_ledger.adapters.views.rebuilds import State
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.goals.goal import GoalBlocked, GoalCreated, GoalFailed, GoalReadied
from goal_ledger.projections.base import Projection
from tests.adapters.views.histories import (
    Stop,
    begin,
    blocked,
    changes_of,
    everything,
    failed,
    fill,
    ready,
    stop_at,
    tally,
    tell,
)
from tests.adapters.views.homes import Home


def roles(kept: Home) -> list[str]:
    return sorted(role for (role,) in kept.ask("SELECT role FROM folded"))


# --- After a change of the code


class Wider(NamedTuple):
    stream: str
    moves: int
    share: float | None
    odd: bool
    why: str | None


def wider() -> Projection[Wider]:
    """The tally with one field more: the reason for which it was readied last."""
    projection = Projection("tally", Wider, key="stream", indexes=(("moves", "stream"),))

    @projection.on(GoalCreated)
    def begun(_: Wider | None, item: Recorded, event: GoalCreated) -> Wider:
        return Wider(item.stream, 0, None, False, None)

    @projection.on(GoalReadied)
    def moved(row: Wider | None, item: Recorded, event: GoalReadied) -> Wider | None:
        return row and row._replace(moves=row.moves + 1, share=0.5, odd=not row.odd, why=event.reason)

    @projection.on(GoalFailed)
    def gone(row: Wider | None, item: Recorded, event: GoalFailed) -> Wider | None:
        return None

    return projection


def with_blocks() -> Projection[Any]:
    """The tally, with blocks counted as well."""
    projection = tally()

    @projection.on(GoalBlocked)
    def moved(row: Any, item: Recorded, event: GoalBlocked) -> Any:
        return row and row._replace(moves=row.moves + 100)

    return projection


HISTORY = [*begin("a", "b", "c"), ready("a", "key"), ready("b"), blocked("b"), ready("a", "key"), blocked("a")]
HISTORY += [*begin("d"), failed("d"), ready("c"), failed("c"), *begin("c")]

CODE_CHANGES: dict[str, tuple[Projection[Any], list[tuple[Any, ...]]]] = {
    "a field more": (wider(), [("a", "changed", {"why": (None, "key")}, 4)]),
    "another fold": (
        tally(step=3, version=2),
        [("a", "changed", {"moves": (2, 6)}, 7), ("b", "changed", {"moves": (1, 3)}, 5)],
    ),
    "an event more": (
        with_blocks(),
        [("a", "changed", {"moves": (2, 102)}, 8), ("b", "changed", {"moves": (1, 101)}, 6)],
    ),
}


@pytest.mark.parametrize("change", CODE_CHANGES)
def test_after_a_change_of_the_code_a_dry_run_tells_each_row_that_changes_and_leaves_nothing(kept: Home, change: str):
    old, (new, expected) = tally(), CODE_CHANGES[change]
    tell(kept.log, *HISTORY)
    with kept.views(old) as views:
        views.catch_up()
    before = kept.tables()
    with kept.views(new) as views:
        assert views.rebuilds.status()[0].state is State.STALE
        [diff] = views.rebuilds.dry_run()
        assert changes_of(diff) == expected
        assert (diff.added, diff.removed, diff.changed, diff.rows) == (0, 0, len(expected), 3)
        assert (diff.columns_added, diff.columns_removed) == (["why"] if change == "a field more" else [], [])
        assert (diff.before, diff.position) == (f"tally__{old.digest}", len(HISTORY))
        assert views.rebuilds.status()[0].state is State.STALE
    assert roles(kept) == ["live"] and kept.tables() == before


def test_a_field_that_goes_is_told_with_what_stood_there(kept: Home):
    tell(kept.log, *HISTORY)
    with kept.views(wider()) as views:
        views.catch_up()
    with kept.views(tally()) as views:
        [diff] = views.rebuilds.dry_run()
    assert changes_of(diff) == [
        ("a", "changed", {"why": ("key", None)}, 1)
    ]  # without it, the row is what it was at first
    assert (diff.columns_added, diff.columns_removed) == ([], ["why"])


class Retyped(NamedTuple):
    stream: str
    moves: str
    share: float | None
    odd: int


def test_a_field_of_another_type_is_compared_by_what_it_says(kept: Home):
    retyped = Projection("tally", Retyped, key="stream")

    @retyped.on(GoalCreated)
    def _(_: Retyped | None, item: Recorded, event: GoalCreated) -> Retyped:
        return Retyped(item.stream, "none" if item.stream == "b" else "0", None, 7)

    tell(kept.log, *begin("a", "b"))
    with kept.views(tally()) as views:
        views.catch_up()
    with kept.views(retyped) as views:
        [diff] = views.rebuilds.dry_run()
    assert [(change.key, change.what) for change in diff.changes] == [("a", "changed"), ("b", "changed")]
    assert [set(change.fields) - {"moves"} for change in diff.changes] == [{"odd"}, {"odd"}]
    assert diff.changes[1].fields["moves"][1] == "none"


class Renamed(NamedTuple):
    goal: str


def test_rows_under_another_key_are_not_compared(kept: Home):
    renamed = Projection("tally", Renamed, key="goal")

    @renamed.on(GoalCreated)
    def _(_: Renamed | None, item: Recorded, event: GoalCreated) -> Renamed:
        return Renamed(item.stream)

    tell(kept.log, *begin("a"))
    with kept.views(tally()) as views:
        views.catch_up()
    with kept.views(renamed) as views:
        with pytest.raises(Rejected) as refused:
            views.rebuilds.dry_run()
        assert (refused.value.code, roles(kept)) == ("nothing_to_compare", ["live"])
        assert everything(views, renamed) == [Renamed("a")]


def where_all_stay() -> Projection[Any]:
    """The tally, but a goal that failed keeps its row."""
    projection = tally()
    del projection.folds[GoalFailed]
    return projection


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [(tally(), where_all_stay(), ("a", "added", {}, 1)), (where_all_stay(), tally(), ("a", "removed", {}, 4))],
    ids=["added", "removed"],
)
def test_rows_that_come_and_go_are_told_with_the_event_that_made_or_took_them(
    kept: Home, old: Projection[Any], new: Projection[Any], change: tuple[Any, ...]
):
    tell(kept.log, *begin("a", "b"), ready("a"), failed("a"))
    with kept.views(old) as views:
        views.catch_up()
    with kept.views(new) as views:
        [diff] = views.rebuilds.dry_run()
    assert changes_of(diff) == [change]
    assert (diff.added, diff.removed, diff.changed) == (change[1] == "added", change[1] == "removed", 0)


def test_a_value_that_a_row_had_lost_and_found_again_is_explained_by_when_it_came_back(kept: Home):
    tell(kept.log, *begin("a"), ready("a"), failed("a"), *begin("a"), ready("a"), blocked("a"))
    with kept.views(tally()) as views:
        views.catch_up()
        kept.ask(f'UPDATE "{views.rebuilds.status()[0].table}" SET moves = 5, share = 9.0')
        [diff] = views.rebuilds.dry_run()
    assert changes_of(diff) == [("a", "changed", {"moves": (5, 1), "share": (9.0, 0.5)}, 5)]


def test_rows_of_single_events_are_explained_by_them(kept: Home):
    fill(kept.log)
    with kept.views() as views:
        views.catch_up()
        table = next(row.table for row in views.rebuilds.status() if row.name == "goal_state_events")
        kept.ask(f'UPDATE "{table}" SET reason = \'forged\' WHERE position = (SELECT MIN(position) FROM "{table}")')
        kept.ask(f'DELETE FROM "{table}" WHERE position = (SELECT MAX(position) FROM "{table}")')
        [diff] = views.rebuilds.dry_run(["goal_state_events"])
    assert [(change.what, change.key == change.because.position) for change in diff.changes if change.because] == [
        ("changed", True),
        ("added", True),
    ]


def test_more_changes_than_asked_for_are_counted(kept: Home):
    tell(kept.log, *begin(*"abcdef"))
    with kept.views(tally()) as views:
        views.catch_up()
        kept.ask(f'UPDATE "{views.rebuilds.status()[0].table}" SET moves = 7')
        views.rebuilds.build()
        diff = views.rebuilds.diff("tally", limit=2)
        assert (diff.changed, [change.key for change in diff.changes]) == (6, ["a", "b"])
        assert (views.rebuilds.diff("tally", limit=0).changed, views.rebuilds.diff("tally", limit=0).changes) == (6, [])


# --- What a dry run leaves alone


def test_a_dry_run_keeps_a_table_that_was_being_built(kept: Home):
    tell(kept.log, *begin("a"))
    with kept.views(tally()) as views:
        views.catch_up()
        views.rebuilds.build()
        building = kept.tables("new")
        [diff] = views.rebuilds.dry_run()
        assert diff.is_empty and kept.tables("new") == building
        assert views.rebuilds.swap(["tally"]) == 1


def test_a_dry_run_that_is_cancelled_leaves_nothing(kept: Home):
    tell(kept.log, *begin(*"abc"))

    with kept.views(tally(), page=1) as views:
        views.catch_up()
        with pytest.raises(Stop):
            views.rebuilds.dry_run(progress=stop_at(1))
        assert roles(kept) == ["live"]


def test_a_dry_run_changes_no_table_in_use_and_answers_go_on(kept: Home):
    fill(kept.log)
    with kept.views() as views:
        views.catch_up()
        before = kept.tables()
        assert all(diff.is_empty for diff in views.rebuilds.dry_run())
        assert kept.tables() == before and set(roles(kept)) == {"live"}


def test_a_new_table_that_is_further_than_that_of_other_code_is_not_compared(kept: Home):
    new = tally(step=2, version=2)
    tell(kept.log, *begin("a"))
    with kept.views(tally()) as views:
        views.catch_up()
    tell(kept.log, *[ready("a")] * 60)
    with kept.views(new, page=1) as views:
        views.rebuilds.build()
        assert views.rebuilds.diff("tally").position == 1  # as far as the other one
        with pytest.raises(Stop):  # a rebuild goes further, and is cut off before it swaps
            views.rebuilds.rebuild(progress=stop_at(55))
        with pytest.raises(Rejected) as refused:
            views.rebuilds.diff("tally")
        assert refused.value.code == "ahead" and "swap tally" in str(refused.value.hint)
