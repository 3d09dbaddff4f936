"""Building beside, comparing, swapping and swapping back, while readers read."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from goal_ledger.adapters.sql.session import AnyDatabase, Rows, Session
from goal_ledger.adapters.views.rebuilds import State
from goal_ledger.adapters.views.shelf import Role
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.errors import LedgerError
from goal_ledger.projections.base import Projection
from tests.adapters.views.histories import Tally, begin, everything, ready, tally, tell
from tests.adapters.views.homes import Home, PlaceHome
from tests.places import FilePlace


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
        first = views.rebuilds.status()[0].table
        spoil(kept, first)
        views.rebuilds.build(["tally"])
        assert [row.moves for row in everything(views, mine)] == [99, 99]
        assert (views.rebuilds.status()[0].building, views.rebuilds.status()[0].table) == (3, first)

        tell(kept.log, ready("b"))  # the new table lags, the one in use does not
        assert everything(views, mine)[1].moves == 100
        assert views.rebuilds.swap(["tally"]) == 4
        assert [row.moves for row in everything(views, mine)] == [1, 1]
        [status] = views.rebuilds.status()
        assert (status.building, status.kept, status.behind) == (None, [first], 0)


def test_a_swap_back_catches_up_what_it_brings_back(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a"))
    with kept.views(mine) as views, kept.views(mine) as other:
        views.catch_up()
        spoil(kept, views.rebuilds.status()[0].table)
        views.rebuilds.rebuild()
        tell(kept.log, ready("a"))
        assert everything(other, mine) == everything(views, mine) == [Tally("a", 1, 0.5, True)]
        views.rebuilds.swap_back(["tally"])
        assert everything(other, mine) == everything(views, mine) == [Tally("a", 100, 0.5, True)]
        views.rebuilds.swap_back(["tally"])  # and forth
        assert everything(other, mine) == [Tally("a", 1, 0.5, True)]


def test_the_whole_way_of_a_careful_maintainer(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("a"))
    with kept.views(mine) as views:
        views.catch_up()
        kept.ask(f"UPDATE \"{views.rebuilds.status()[0].table}\" SET moves = 7 WHERE stream = 'a'")
        views.rebuilds.build(["tally"])
        before_swap = views.rebuilds.diff("tally")
        views.rebuilds.swap(["tally"])
        after_swap = views.rebuilds.diff("tally")
        assert before_swap == after_swap  # of the new against the one in use, then of that one against the old
        assert [(change.key, change.fields) for change in after_swap.changes] == [("a", {"moves": (7, 1)})]
        views.rebuilds.swap_back(["tally"])
        [back] = views.rebuilds.diff("tally").changes
        assert back.fields == {"moves": (1, 7)}
        assert views.rebuilds.drop_old() == [before_swap.after]
        assert views.rebuilds.drop_old() == []
        assert names(kept) == {"live": before_swap.before}


def test_only_two_tables_are_kept_however_often_it_is_rebuilt(kept: Home):
    tell(kept.log, *begin("a"))
    seen = []
    with kept.views(tally()) as views:
        for _ in range(4):
            views.rebuilds.rebuild()
            seen.append(names(kept))
            views.rebuilds.build()
            views.rebuilds.swap(["tally"])
    assert [*seen[0]] == ["live"] and all({*roles} == {"live", "old"} for roles in seen[1:])
    lives = [roles["live"] for roles in seen]
    assert len(set(lives)) == len(lives)  # a name is not used again: somebody may be about to ask for it


@pytest.mark.parametrize(
    ("ask", "refused"),
    [
        (lambda views: views.rebuilds.swap(["tally"]), ("nothing_built", 3)),
        (lambda views: views.rebuilds.swap_back(["tally"]), ("nothing_kept", 3)),
        (lambda views: views.rebuilds.diff("tally"), ("nothing_built", 3)),
        (lambda views: views.rebuilds.swap(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.rebuilds.swap_back(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.rebuilds.build(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.rebuilds.diff("talli"), ("unknown_projection", 5)),
        (lambda views: views.rebuilds.dry_run(["talli"]), ("unknown_projection", 5)),
        (lambda views: views.rebuilds.drop_old(["talli"]), ("unknown_projection", 5)),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    home: Home, ask: Callable[[Views], object], refused: tuple[str, int]
):
    tell(home.log, *begin("a"))
    with home.views(tally()) as views:
        for _ in range(2):
            before = views.rebuilds.status()
            assert refusal(lambda: ask(views)) == refused
            assert views.rebuilds.status() == before
            views.catch_up()


def test_a_first_build_has_nothing_to_be_compared_with(home: Home):
    tell(home.log, *begin("a"))
    with home.views(tally()) as views:
        views.rebuilds.build()
        assert refusal(lambda: views.rebuilds.diff("tally")) == ("nothing_to_compare", 3)
        assert views.rebuilds.dry_run() == []
        assert views.rebuilds.status()[0].state is State.MISSING
        views.rebuilds.swap(["tally"])
        assert everything(views, tally()) == [Tally("a", 0, None, False)]


def test_all_named_are_refused_when_one_is_not_ready(kept: Home):
    tell(kept.log, *begin("a"))
    with kept.views(tally(), tally("other")) as views:
        views.rebuilds.rebuild(["tally"])
        views.rebuilds.rebuild(["tally"])
        views.rebuilds.build(["tally"])
        before = names(kept)
        assert refusal(lambda: views.rebuilds.swap(["tally", "other"])) == ("nothing_built", 3)
        assert refusal(lambda: views.rebuilds.swap_back(["tally", "other"])) == ("nothing_kept", 3)
        assert names(kept) == before


def test_a_build_by_code_that_was_wrong_is_thrown_away_and_begun_again(kept: Home):
    wrong, right = tally(step=7), tally()
    assert wrong.digest == right.digest
    tell(kept.log, *begin("a"), *[ready("a")] * 120)
    with kept.views(right, page=1) as views:
        views.catch_up()
    with kept.views(wrong, page=1) as views:
        views.rebuilds.build()
    with kept.views(right, page=1) as views, kept.views(right) as other:
        [change] = views.rebuilds.diff("tally").changes
        assert change.fields == {"moves": (120, 840)}
        kept.ask(f"UPDATE folded SET builder = 'elsewhere/1/x', lease_until = {time.time() + 20} WHERE role = 'new'")
        assert other.rebuilds.drop_new() == []  # somebody is still at it
        kept.ask("UPDATE folded SET lease_until = 1")
        assert other.rebuilds.drop_new(["tally"]) == [f"tally__{right.digest}__2"]
        assert refusal(lambda: other.rebuilds.drop_new(["talli"])) == ("unknown_projection", 5)
        views.rebuilds.rebuild()
        assert everything(views, right) == [Tally("a", 120, 0.5, False)]
        assert {*names(kept)} == {"live", "old"}


# --- Old code and new code


def test_old_code_and_new_code_each_see_their_own_and_both_follow(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        assert everything(before, old)[0].moves == 1
        assert (after.rebuilds.status()[0].state, after.rebuilds.status()[0].table) == (State.STALE, None)
        assert after.rebuilds.status()[0].kept == [before.rebuilds.status()[0].table]
        for _ in range(2):
            tell(kept.log, ready("a"))
            assert everything(before, old)[0].moves * 10 == everything(after, new)[0].moves
        assert after.rebuilds.status()[0].state is before.rebuilds.status()[0].state is State.CURRENT


def test_new_code_drops_what_old_code_left_but_not_before_it_has_its_own(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        before.catch_up()
        assert refusal(after.rebuilds.drop_old) == ("nothing_live", 3)
        after.rebuilds.build()
        assert refusal(after.rebuilds.drop_old) == ("nothing_live", 3)
        after.rebuilds.swap(["tally"])
        assert after.rebuilds.drop_old() == [f"tally__{old.digest}"]
        assert [name for (name,) in kept.ask("SELECT name FROM folded")] == [f"tally__{new.digest}"]


def test_old_code_whose_table_was_dropped_folds_it_again(kept: Home):
    old, new = tally(), tally(step=10, version=2)
    tell(kept.log, *begin("a"), ready("a"))
    with kept.views(old) as before, kept.views(new) as after:
        assert everything(before, old)[0].moves == 1
        after.rebuilds.rebuild()
        after.rebuilds.drop_old()
        assert everything(before, old)[0].moves == 1  # nothing was written in between
        assert everything(after, new)[0].moves == 10


# --- Another past


def test_a_table_of_another_past_is_neither_compared_nor_brought_back(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"))
    with kept.views(mine) as views:
        views.rebuilds.rebuild()
        views.rebuilds.rebuild()
        views.rebuilds.build()
        for role in ("old", "new"):
            kept.ask(f"UPDATE folded SET ledger = 'meta_other' WHERE role = '{role}'")
        assert refusal(lambda: views.rebuilds.swap(["tally"])) == ("nothing_built", 3)
        assert refusal(lambda: views.rebuilds.swap_back(["tally"])) == ("nothing_kept", 3)
        assert refusal(lambda: views.rebuilds.diff("tally")) == ("nothing_built", 3)
        assert views.rebuilds.status()[0].building is None
        kept.ask("UPDATE folded SET ledger = 'meta_other'")
        assert (views.rebuilds.dry_run(), views.rebuilds.status()[0].state) == ([], State.MISSING)
        assert everything(views, mine) == [Tally("a", 0, None, False), Tally("b", 0, None, False)]


# --- Readers


class Interrupted:
    """A database whose readers are held up once, each time between the name of a table and its rows."""

    def __init__(self, database: AnyDatabase) -> None:
        self._database = database
        self.meanwhile: Callable[[], object] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._database.read() as session:
            yield InterruptedSession(session, self)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        with self._database.snapshot() as session:
            yield InterruptedSession(session, self)


class InterruptedSession(NamedTuple):
    session: Session
    database: Interrupted

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        meanwhile = self.database.meanwhile
        if meanwhile is not None and 'FROM "' in sql:
            self.database.meanwhile = None
            meanwhile()
        return self.session.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        return self.session.executemany(sql, rows)


def interrupted(views: Views) -> Interrupted:
    """Let the readers of views be held up."""
    found = Interrupted(views.models.database)
    views.models.database = found
    return found


def swap_and_drop(views: Views) -> None:
    views.rebuilds.rebuild()
    views.rebuilds.drop_old()


def bring_back(views: Views) -> None:
    """Bring the earlier table back, and drop the later one."""
    views.rebuilds.swap(["tally"]) if views.rebuilds.status()[0].building is not None else None
    views.rebuilds.swap_back(["tally"])
    views.rebuilds.drop_old()


def forget(views: Views) -> None:
    """Drop every table."""
    with views.models.writing() as shelf:
        shelf.drop(shelf.places())


def begin_to_build_after(change: Callable[[Views], object], views: Views) -> None:
    """Do as a builder does until it writes for the first time."""
    change(views)
    with views.models.writing() as shelf:
        shelf.create(views.models.projections["tally"], Role.NEW)


@pytest.mark.parametrize("meanwhile", [swap_and_drop, bring_back, forget])
def test_a_reader_between_the_name_of_a_table_and_its_rows_gets_rows(kept: Home, meanwhile: Callable[[Views], object]):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("b"))
    with kept.views(mine) as views, kept.views(mine) as others:
        views.rebuilds.rebuild()
        views.rebuilds.rebuild()
        reader = interrupted(views)
        asked: list[Callable[[], object]] = [
            lambda: [row.moves for row in everything(views, mine)],
            lambda: views.get(mine, "b"),
            lambda: views.select_columns(mine, ("moves",), order=("stream",)),
        ]
        for ask in asked:
            others.rebuilds.drop_new()
            others.rebuilds.rebuild()  # so that there is one to swap back to
            expected = ask()
            reader.meanwhile = lambda: begin_to_build_after(meanwhile, others)
            assert ask() == expected
            assert reader.meanwhile is None


def test_what_is_told_of_the_tables_is_of_one_moment(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a", "b"), ready("b", "raise"))
    with kept.views(mine) as views, kept.views(mine) as others:
        views.rebuilds.rebuild()
        reader = interrupted(views)
        for _ in range(3):
            reader.meanwhile = lambda: swap_and_drop(others)
            [status] = views.rebuilds.status()
            assert (status.state, status.rows, status.quarantined) == (State.CURRENT, 2, 1)
            assert reader.meanwhile is None


def test_a_reader_sees_the_table_whose_name_it_read(tmp_path: Path):
    mine, kept = tally(), PlaceHome(FilePlace(tmp_path / "ledger.db"))
    tell(kept.log, *begin("a"))
    with closing(kept.log), kept.views(mine) as views, kept.views(mine) as others:
        views.rebuilds.rebuild()
        spoil(kept, others.rebuilds.status()[0].table)
        interrupted(views).meanwhile = lambda: swap_and_drop(others)
        assert [row.moves for row in everything(views, mine)] == [99]  # as of when it asked
        assert [row.moves for row in everything(views, mine)] == [0]


def test_no_name_is_given_twice_whoever_drops_and_whenever(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a"))
    seen: list[str] = []
    for _ in range(2):  # processes
        with kept.views(mine) as views:
            views.rebuilds.rebuild()
            for drop in (views.rebuilds.drop_new, lambda: bring_back(views), lambda: forget(views)):
                views.rebuilds.build()
                seen.append(names(kept)["new"])
                drop()
    assert len(set(seen)) == len(seen) == 6


def test_views_of_a_version_that_did_not_note_the_numbers_go_on_behind_those_that_are_there(kept: Home):
    mine = tally()
    tell(kept.log, *begin("a"))
    with kept.views(mine) as views:
        views.rebuilds.rebuild()
        views.rebuilds.rebuild()
        kept.ask("DROP TABLE numbers")
    with kept.views(mine) as views:
        assert everything(views, mine) == [Tally("a", 0, None, False)]
        views.rebuilds.build()
        assert names(kept) == {role: f"tally__{mine.digest}{number}" for role, number in
                               (("old", ""), ("live", "__2"), ("new", "__3"))}  # fmt: skip


class Reader(threading.Thread):
    """Reads all the time. answers: what it got, in order."""

    def __init__(self, views: Views, projection: Projection[Tally]) -> None:
        super().__init__()
        self.answers: list[tuple[int, ...]] = []
        self.failure: BaseException | None = None
        self._views = views
        self._projection = projection
        self._over = False
        self._read = threading.Condition()

    def run(self) -> None:
        try:
            while not self._over:
                answer = tuple(row.moves for row in everything(self._views, self._projection))
                assert self._views.get(self._projection, "h") is not None
                with self._read:
                    self.answers.append(answer)
                    self._read.notify()
        except BaseException as error:
            self.failure = error
        finally:
            with self._read:
                self._over = True
                self._read.notify()

    def next_answer(self) -> tuple[int, ...]:
        """What it gets that it asks for from now on; its failure is raised."""
        with self._read:
            next_one = len(self.answers) + 1  # the one after the next: it may be reading already
            self._read.wait_for(lambda: len(self.answers) > next_one or self._over)
        if self.failure is not None:
            raise self.failure
        return self.answers[next_one]

    def stop(self) -> None:
        self._over = True
        self.join()


def test_readers_see_wholly_old_or_wholly_new_rows_while_tables_are_swapped_and_dropped(kept: Home):
    mine = tally()
    tell(kept.log, *begin(*"abcdefgh"))
    with kept.views(mine) as views, kept.views(mine) as elsewhere:
        views.catch_up()
        readers = [Reader(reader, mine) for reader in (views, elsewhere, elsewhere)]

        def seen() -> set[tuple[int, ...]]:
            return {reader.next_answer() for reader in readers}

        for reader in readers:
            reader.start()
        try:
            before = 0
            for number in range(1, 13):
                views.rebuilds.build()
                kept.ask(f'UPDATE "{names(kept)["new"]}" SET moves = {number}')
                assert seen() == {(before,) * 8}
                views.rebuilds.swap(["tally"])
                assert seen() == {(number,) * 8}
                if number % 2:
                    views.rebuilds.swap_back(["tally"])
                    assert seen() == {(before,) * 8}
                else:
                    before = number
                views.rebuilds.drop_old()
        finally:
            for reader in readers:
                reader.stop()
    assert [reader.failure for reader in readers] == [None] * 3
    for reader in readers:
        assert {*reader.answers} == {(number,) * 8 for number in range(13)}
