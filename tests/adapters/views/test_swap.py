"""Building beside, comparing, swapping and swapping back, while readers read."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from goal_ledger.adapters.views.views import State, Views
from goal_ledger.domain.errors import LedgerError
from tests.adapters.views.histories import Tally, begin, everything, ready, tally, tell
from tests.adapters.views.homes import Home


def refusal(ask: Callable[[], object]) -> tuple[str, int]:
    """The code of a refusal and the exit code that goes with it."""
    with pytest.raises(LedgerError) as refused:
        ask()
    return refused.value.code, refused.value.exit_code


def spoil(kept: Home, table: str | None) -> None:
    """Make every row of a table recognisable."""
    kept.ask(f'UPDATE "{table}" SET moves = 99')


def names(kept: Home) -> dict[str, str]:
    """The tables by their roles."""
    return dict(kept.ask("SELECT role, name FROM folded"))


def test_what_is_built_beside_is_seen_after_the_swap_only(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("a"))
    with kept.views(mine) as views:
        views.catch_up()
        first = views.status()[0].table
        spoil(kept, first)
        views.build(["tally"])
        assert [row.moves for row in everything(views, mine)] == [99, 99]
        assert (views.status()[0].building, views.status()[0].table) == (3, first)

        tell(kept.log, ready("b"))  # the new table lags, the one in use does not
        assert everything(views, mine)[1].moves == 100
        assert views.swap(["tally"]) == 4
        assert [row.moves for row in everything(views, mine)] == [1, 1]
        [status] = views.status()
        assert (status.building, status.kept, status.behind) == (None, [first], 0)


def test_a_swap_back_catches_up_what_it_brings_back(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a"))
    with kept.views(mine) as views, kept.views(mine) as other:
        views.catch_up()
        spoil(kept, views.status()[0].table)
        views.rebuild()
        tell(kept.log, ready("a"))
        assert everything(other, mine) == everything(views, mine) == [Tally("a", 1, 0.5, True)]
        views.swap_back(["tally"])
        assert everything(other, mine) == everything(views, mine) == [Tally("a", 100, 0.5, True)]
        views.swap_back(["tally"])  # and forth
        assert everything(other, mine) == [Tally("a", 1, 0.5, True)]


def test_the_whole_way_of_a_careful_maintainer(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("a"))
    with kept.views(mine) as views:
        views.catch_up()
        kept.ask(f"UPDATE \"{views.status()[0].table}\" SET moves = 7 WHERE stream = 'a'")
        views.build(["tally"])
        before_swap = views.diff("tally")
        views.swap(["tally"])
        after_swap = views.diff("tally")
        assert before_swap == after_swap  # of the new against the one in use, then of that one against the old
        assert [(change.key, change.fields) for change in after_swap.changes] == [("a", {"moves": (7, 1)})]
        views.swap_back(["tally"])
        [back] = views.diff("tally").changes
        assert back.fields == {"moves": (1, 7)}
        assert views.drop_old() == [before_swap.after]
        assert views.drop_old() == []
        assert names(kept) == {"live": before_swap.before}


def test_only_two_tables_are_kept_however_often_it_is_rebuilt(kept: Home):
    tell(kept.log, *begin("a"))
    seen = []
    with kept.views(tally()) as views:
        for _ in range(4):
            views.rebuild()
            seen.append(names(kept))
            views.build()
            views.swap(["tally"])
    assert [*seen[0]] == ["live"] and all({*roles} == {"live", "old"} for roles in seen[1:])
    lives = [roles["live"] for roles in seen]
    assert len(set(lives)) == len(lives)  # a name is not used again: somebody may be about to ask for it


@pytest.mark.parametrize(
    ("ask", "refused"),
    [
        (lambda views: views.swap(["tally"]), ("nothing_built", 3)),
        (lambda views: views.swap_back(["tally"]), ("nothing_kept", 3)),
        (lambda views: views.diff("tally"), ("nothing_built", 3)),
        (lambda views: views.swap(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.swap_back(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.build(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.diff("talli"), ("unknown_projection", 5)),
        (lambda views: views.dry_run(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.drop_old(["talli"]), ("unknown_projection", 5)),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    home: Home, ask: Callable[[Views], object], refused: tuple[str, int]
):
    tell(home.log, *begin("a"))
    with home.views(tally()) as views:
        for _ in range(2):
            before = views.status()
            assert refusal(lambda: ask(views)) == refused
            assert views.status() == before
            views.catch_up()


def test_a_first_build_has_nothing_to_be_compared_with(home: Home):
    tell(home.log, *begin("a"))
    with home.views(tally()) as views:
        views.build()
        assert refusal(lambda: views.diff("tally")) == ("nothing_to_compare", 3)
        assert views.dry_run() == []
        assert views.status()[0].state is State.MISSING
        views.swap(["tally"])
        assert everything(views, tally()) == [Tally("a", 0, None, False)]


def test_all_named_are_refused_when_one_is_not_ready(kept: Home):
    tell(kept.log, *begin("a"))
    with kept.views(tally(), tally("other")) as views:
        views.rebuild(["tally"])
        views.rebuild(["tally"])
        views.build(["tally"])
        before = names(kept)
        assert refusal(lambda: views.swap(["tally", "other"])) == ("nothing_built", 3)
        assert refusal(lambda: views.swap_back(["tally", "other"])) == ("nothing_kept", 3)
        assert names(kept) == before


def test_a_build_by_code_that_was_wrong_is_thrown_away_and_begun_again(kept: Home):
    wrong, right = tally(step=7), tally()
    assert wrong.digest == right.digest
    tell(kept.log, *begin("a"), *[ready("a")] * 120)
    with kept.views(right, page=1) as views:
        views.catch_up()
    with kept.views(wrong, page=1) as views:
        views.build()
    with kept.views(right, page=1) as views, kept.views(right) as other:
        [change] = views.diff("tally").changes
        assert change.fields == {"moves": (120, 840)}
        kept.ask(f"UPDATE folded SET builder = 'elsewhere/1/x', lease_until = {time.time() + 20} WHERE role = 'new'")
        assert other.drop_new() == []  # somebody is still at it
        kept.ask("UPDATE folded SET lease_until = 1")
        assert other.drop_new(["tally"]) == [f"tally__{right.digest}__2"]
        assert refusal(lambda: other.drop_new(["talli"])) == ("unknown_projection", 5)
        views.rebuild()
        assert everything(views, right) == [Tally("a", 120, 0.5, False)]
        assert {*names(kept)} == {"live", "old"}


# --- Old code and new code


def test_old_code_and_new_code_each_see_their_own_and_both_follow(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        assert everything(before, old)[0].moves == 1
        assert (after.status()[0].state, after.status()[0].table) == (State.STALE, None)
        assert after.status()[0].kept == [before.status()[0].table]
        for _ in range(2):
            tell(kept.log, ready("a"))
            assert everything(before, old)[0].moves * 10 == everything(after, new)[0].moves
        assert after.status()[0].state is before.status()[0].state is State.CURRENT


def test_new_code_drops_what_old_code_left_but_not_before_it_has_its_own(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        before.catch_up()
        assert refusal(after.drop_old) == ("nothing_live", 3)
        after.build()
        assert refusal(after.drop_old) == ("nothing_live", 3)
        after.swap(["tally"])
        assert after.drop_old() == [f"tally__{old.digest}"]
        assert [name for (name,) in kept.ask("SELECT name FROM folded")] == [f"tally__{new.digest}"]


def test_old_code_whose_table_was_dropped_folds_it_again(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        assert everything(before, old)[0].moves == 1
        after.rebuild()
        after.drop_old()
        assert everything(before, old)[0].moves == 1  # nothing was written in between
        assert everything(after, new)[0].moves == 10


# --- Another past


def test_a_table_of_another_past_is_neither_compared_nor_brought_back(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"))
    with kept.views(mine) as views:
        views.rebuild()
        views.rebuild()
        views.build()
        for role in ("old", "new"):
            kept.ask(f"UPDATE folded SET ledger = 'meta_other' WHERE role = '{role}'")
        assert refusal(lambda: views.swap(["tally"])) == ("nothing_built", 3)
        assert refusal(lambda: views.swap_back(["tally"])) == ("nothing_kept", 3)
        assert refusal(lambda: views.diff("tally")) == ("nothing_built", 3)
        assert views.status()[0].building is None
        kept.ask("UPDATE folded SET ledger = 'meta_other'")
        assert (views.dry_run(), views.status()[0].state) == ([], State.MISSING)
        assert everything(views, mine) == [Tally("a", 0, None, False), Tally("b", 0, None, False)]


# --- Readers


def test_readers_see_wholly_old_or_wholly_new_rows_while_tables_are_swapped_and_dropped(kept: Home):
    mine = tally()
    tell(kept.log, *begin(*"abcdefgh"))
    with kept.views(mine) as views, kept.views(mine) as elsewhere:
        views.catch_up()
        done, failures = threading.Event(), list[BaseException]()
        answers: set[tuple[Any, ...]] = set()

        def read(reader: Views) -> None:
            try:
                while not done.is_set():
                    answers.add(tuple(row.moves for row in everything(reader, mine)))
                    assert reader.get(mine, "h") is not None
            except BaseException as error:
                failures.append(error)

        readers = [threading.Thread(target=read, args=[reader]) for reader in (views, elsewhere, elsewhere)]
        for thread in readers:
            thread.start()
        for number in range(12):
            views.build()
            kept.ask(f'UPDATE "{names(kept)["new"]}" SET moves = {number}')
            views.swap(["tally"])
            if number % 2:
                views.swap_back(["tally"])
            views.drop_old()
        done.set()
        for thread in readers:
            thread.join()
    assert failures == []
    assert answers <= {(0,) * 8} | {(number,) * 8 for number in range(12)}
