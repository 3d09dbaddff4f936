"""What it costs that a question first folds what was written since: one event, and very many."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson

from benchmarks.history import Row, extend, goal_id, interleaved, ledger_files, life, write
from benchmarks.measure import Bench, Prepare, Result
from benchmarks.raw import INSERT
from benchmarks.rebuild import finished_rows
from goal_ledger.adapters.backends.sqlite import views_beside
from goal_ledger.adapters.store.codec import digest
from goal_ledger.adapters.views.table import Table
from goal_ledger.ledger import Ledger, Settings
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.registry import PROJECTIONS

_PAGE = 5_000
_VERSION = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
_NEWS = (
    "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events WHERE rowid > ? ORDER BY rowid"
)


def catchup(bench: Bench) -> Iterator[Result]:
    """Ask right after one change, and after very many."""
    yield from _one(bench)
    yield _many(bench)


# --- One event behind


def _one(bench: Bench) -> Iterator[Result]:
    """Change a goal, then list one: the question alone, and both. Not durable, so that no sync hides the work.

    Raw does by hand what comes down to the same: insert the event; see what is new, parse it, update the row and the
    position in the other file, select.
    """
    goals, operations = bench.size(10_000, 100), bench.size(500, 20)
    path = bench.folder / "catchup.db"
    write(path, open_goals(goals))
    settings = Settings(durable=False)
    with Ledger.open(path, actor="agent:bench", settings=settings) as ledger:
        ledger.goals.list(limit=1)
        theirs = _copied(path, bench.folder / "catchup-raw.db")
        numbers = count()
        with (
            closing(sqlite3.connect(theirs, isolation_level=None)) as log,
            closing(sqlite3.connect(views_beside(theirs), isolation_level=None)) as views,
        ):
            for connection in (log, views):
                connection.execute("PRAGMA synchronous = NORMAL")

            def change() -> None:
                number = next(numbers)
                ledger.goals.amend(goal_id(number * 7919 % goals), title=f"Cut checkout errors, plan {number}")

            def ask() -> None:
                ledger.goals.list(limit=1)

            def and_both(first: Callable[[], None], then: Callable[[], None]) -> tuple[float, float]:
                began = perf_counter()
                first()
                written = perf_counter()
                then()
                return perf_counter() - written, perf_counter() - began

            change()
            [name, body] = ledger.core.store.page(ledger.head - 1, 1)[0][3:]
            raw = _Raw(log, views, _live(views), goals, name, orjson.loads(body))
            yield Result(
                "goals.list(limit=1) after a change",
                operations,
                bench.latencies(
                    {"ours": lambda: and_both(change, ask)[0], "raw": lambda: and_both(raw.change, raw.ask)[0]},
                    operations,
                ),
            )
            yield Result(
                "goals.amend, then goals.list(limit=1)",
                operations,
                bench.latencies(
                    {"ours": lambda: and_both(change, ask)[1], "raw": lambda: and_both(raw.change, raw.ask)[1]},
                    operations,
                ),
            )


class _Raw:
    """One change and one question with sqlite3 alone, on copies of the ledger's own files."""

    def __init__(
        self, log: sqlite3.Connection, views: sqlite3.Connection, table: str, goals: int, name: str, said: Any
    ) -> None:
        self._log, self._views, self._goals = log, views, goals
        self._name, self._said = name, said
        self._numbers = count()
        self._update = f'UPDATE "{table}" SET title = ?, position = ? WHERE goal_id = ?'
        self._first = Table(goal_definitions, table).select(
            {}, ("priority", "goal_id"), descending=False, after=None, limit=1
        )
        self._at = self._head()

    def change(self) -> None:
        execute, number = self._log.execute, next(self._numbers)
        stream = goal_id(number * 7919 % self._goals)
        said = {
            **self._said,
            "data": {**self._said["data"], "changes": {"title": f"Cut checkout errors, plan {number}"}},
        }
        execute("BEGIN IMMEDIATE")
        version = execute(_VERSION, (stream,)).fetchone()[0] + 1
        row = (self._head() + 1, stream, version, self._name, orjson.dumps(said))
        execute(INSERT, (*row, digest(*row)))
        execute("COMMIT")

    def ask(self) -> None:
        execute = self._views.execute
        execute("BEGIN IMMEDIATE")
        for position, stream, _, _, body in self._log.execute(_NEWS, (self._at,)):
            execute(self._update, (orjson.loads(body)["data"]["changes"]["title"], position, stream))
            self._at = position
        execute("UPDATE folded SET position = ?", (self._at,))
        execute("COMMIT")
        assert execute(*self._first).fetchone()

    def _head(self) -> int:
        position: int = self._log.execute("SELECT MAX(rowid) FROM stored_events").fetchone()[0]
        return position


def open_goals(goals: int) -> Iterator[Row]:
    """So many goals, made and ready."""
    for number in range(goals):
        yield from islice(life(number), 2)


# --- Far behind


def _many(bench: Bench) -> Result:
    """Fold many events into tables that hold as many already; raw reads and parses them and writes the rows.

    Mixed: goals go on that began before.
    """
    events = bench.size(100_000, 1_000)
    path, before = bench.folder / "behind.db", bench.folder / "before.db"
    history = interleaved(2 * events)
    write(path, islice(history, events))
    with Ledger.open(path, actor="agent:bench") as ledger:
        ledger.views.catch_up()
        head, old = ledger.head, {name: set(rows) for name, rows in finished_rows(path, ledger).items()}
    shutil.copy(views_beside(path), before)
    extend(path, history)
    with Ledger.open(path, actor="agent:bench") as ledger:
        ledger.views.catch_up()
        changed = {
            name: [row for row in rows if row not in old[name]] for name, rows in finished_rows(path, ledger).items()
        }
        tables = {
            status.name: Table(PROJECTIONS[status.name], status.table) for status in ledger.views.rebuilds.status()
        }
    target = bench.folder / "behind-raw.views.db"

    def ours() -> Callable[[], None]:
        for file in ledger_files(path)[3:]:
            file.unlink(missing_ok=True)
        shutil.copy(before, views_beside(path))
        ledger = Ledger.open(path, actor="agent:bench")
        views = ledger.views

        def work() -> None:
            views.catch_up()
            ledger.close()

        return work

    def raw() -> Callable[[], None]:
        shutil.copy(before, target)

        def work() -> None:
            with closing(sqlite3.connect(path)) as log, closing(sqlite3.connect(target, isolation_level=None)) as views:
                views.execute("PRAGMA synchronous = NORMAL")
                views.execute("BEGIN IMMEDIATE")
                rows = log.execute(_NEWS, (head,))
                while page := rows.fetchmany(_PAGE):
                    for row in page:
                        orjson.loads(row[4])
                for name, table in tables.items():
                    views.executemany(table.upsert, changed[name])
                views.execute("COMMIT")

        return work

    ways: dict[str, Prepare] = {"ours": ours, "raw": raw}
    return Result(f"catch up {events:,} events, mixed", events, bench.compare(ways, events))


def _copied(path: Path, to: Path) -> Path:
    """Copies of a ledger's two files, as they are now."""
    for source, target in ((path, to), (views_beside(path), views_beside(to))):
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
    return to


def _live(views: sqlite3.Connection) -> str:
    live = "SELECT name FROM folded WHERE projection = ? AND role = 'live'"
    name: str = views.execute(live, (goal_definitions.name,)).fetchone()[0]
    return name
