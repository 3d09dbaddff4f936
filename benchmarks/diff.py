"""Questions that fold history: what a rebuild changed, what was so then, when something first held."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.catchup import open_goals
from benchmarks.history import goal_id, sequential, write
from benchmarks.measure import Bench, Prepare, Result
from benchmarks.raw import parse_all
from goal_ledger.adapters.backends.sqlite import views_beside
from goal_ledger.ledger import Ledger
from goal_ledger.projections.goals.goal_definitions import goal_definitions


def diff(bench: Bench) -> Iterator[Result]:
    """Compare two tables of a read model, mend one stream's rows, ask as of a position, and when."""
    yield from _tables(bench)
    yield from _history(bench)


def _tables(bench: Bench) -> Iterator[Result]:
    """`projection diff` and `projection rebuild --stream`, on a read model of many goals.

    Raw is the plain SQL for the keys that differ, without the fields and the events that explain them.
    """
    goals, apart = bench.size(100_000, 300), bench.size(1_000, 100)  # every so many-th row differs
    path = bench.folder / "diff.db"
    write(path, open_goals(goals))
    with Ledger.open(path, actor="agent:bench") as ledger:
        ledger.views.catch_up()
        live = _table(path, "live")
        with closing(sqlite3.connect(views_beside(path))) as views, views:
            views.execute(f"UPDATE \"{live}\" SET title = 'as it was' WHERE rowid % {apart} = 0")
        ledger.views.rebuilds.build([goal_definitions.name])
        new = _table(path, "new")

        def ours() -> Callable[[], None]:
            def work() -> None:
                assert ledger.views.rebuilds.diff(goal_definitions.name).changed == goals // apart

            return work

        def raw() -> Callable[[], None]:
            def work() -> None:
                with closing(sqlite3.connect(views_beside(path))) as views:
                    sql = f'SELECT goal_id FROM (SELECT * FROM "{new}" EXCEPT SELECT * FROM "{live}")'
                    assert len(views.execute(sql).fetchall()) == goals // apart

            return work

        ways: dict[str, Prepare] = {"ours": ours, "raw": raw}
        yield Result(f"projection diff, {goals:,} rows", goals, bench.compare(ways, goals))

        times = bench.size(100, 5)

        def mend() -> Callable[[], None]:
            def work() -> None:
                for number in range(times):
                    ledger.views.repairs.repair(goal_id(number))

            return work

        yield Result(f"rebuild --stream, one of {goals:,}", times, bench.compare({"ours": mend}, times))


def _table(path: Path, role: str) -> str:
    with closing(sqlite3.connect(views_beside(path))) as views:
        sql = "SELECT name FROM folded WHERE projection = ? AND role = ?"
        name: str = views.execute(sql, (goal_definitions.name, role)).fetchone()[0]
        return name


def _history(bench: Bench) -> Iterator[Result]:
    """A list as of a position, and when a condition first held, on a log that has to be read for it.

    Raw reads the log and parses every body. The condition never held, so that all of the log is read.
    """
    events = bench.size(100_000, 500)
    path = bench.folder / "past.db"
    write(path, sequential(events))
    condition = 'goal.title = "Something else"'

    def as_of() -> Callable[[], None]:
        ledger = Ledger.open(path, actor="agent:bench")

        def work() -> None:
            assert len(ledger.as_of(events).goals.list(limit=10).rows) == 10
            ledger.close()

        return work

    def when() -> Callable[[], None]:
        ledger = Ledger.open(path, actor="agent:bench")

        def work() -> None:
            assert ledger.when(condition) is None
            ledger.close()

        return work

    def raw() -> Callable[[], None]:
        return lambda: parse_all(path)

    for case, ours in ((f"as_of: goals.list, {events:,} events", as_of), (f"ledger when, {events:,} events", when)):
        ways: dict[str, Prepare] = {"ours": ours, "raw": raw}
        yield Result(case, events, bench.compare(ways, events))
