"""Folding the whole log anew: how fast, and in how much memory."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.history import Row, interleaved, ledger_files, sequential, write
from benchmarks.measure import Bench, Budget, Result
from benchmarks.peak import peak_mb
from benchmarks.raw import parse_all
from goal_ledger.adapters.backends.sqlite import views_beside
from goal_ledger.adapters.views.table import Table
from goal_ledger.ledger import Ledger
from goal_ledger.projections.registry import PROJECTIONS

_MOST_MB = 150


def rebuild(bench: Bench) -> Iterator[Result]:
    """Rebuild each projection alone and all together; a rate counts every event of the log.

    In turn: a goal is finished before the next begins. Mixed: thousands are under way at once.

    Raw reads the log, parses every body and inserts the finished rows: what no fold can do without.
    """
    events = bench.size(200_000, 300)
    yield from _rates(bench, "in turn", sequential(events), events, one=150_000, every=60_000)
    yield from _rates(bench, "mixed", interleaved(events), events, one=100_000, every=40_000)
    yield from _memory(bench)


def _rates(bench: Bench, order: str, rows: Iterable[Row], events: int, *, one: int, every: int) -> Iterator[Result]:
    path = bench.folder / f"rebuild-{order.split()[-1]}.db"
    write(path, rows)
    with Ledger.open(path, actor="agent:bench") as ledger:
        ledger.views.catch_up()
        finished = finished_rows(path, ledger)
        for name in (*(name for name, kept in finished.items() if kept), ""):
            names = [name] if name else [*finished]
            figures = bench.compare(
                {
                    "ours": partial(ours_alone, ledger, names),
                    "raw": partial(raw_alone, path, {name: finished[name] for name in names}),
                },
                events,
            )
            budget = Budget("rate", one if name else every)
            yield Result(f"rebuild {name or 'all'}, {order}", events, figures, (budget,))


def ours_alone(ledger: Ledger, names: list[str]) -> Callable[[], object]:
    ledger.views.rebuilds.drop_old()  # the table of the round before is kept, and the file would grow
    return lambda: ledger.views.rebuilds.rebuild(names)


def finished_rows(path: Path, ledger: Ledger) -> dict[str, list[Any]]:
    """The rows of every read model, as they are stored."""
    with closing(sqlite3.connect(views_beside(path))) as views:
        return {
            status.name: views.execute(f'SELECT * FROM "{status.table}"').fetchall()
            for status in ledger.views.rebuilds.status()
        }


def raw_alone(path: Path, finished: Mapping[str, list[Any]]) -> Callable[[], None]:
    target = path.with_name("rebuild-raw.db")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    tables = [Table(PROJECTIONS[name]) for name in finished]

    def work() -> None:
        parse_all(path)
        with closing(sqlite3.connect(target, isolation_level=None)) as built:
            built.execute("PRAGMA journal_mode = WAL")
            built.execute("PRAGMA synchronous = NORMAL")
            built.execute("BEGIN IMMEDIATE")
            for table in tables:
                built.execute(table.create)
                built.executemany(table.upsert, finished[table.projection.name])
                for index in table.indexes:
                    built.execute(index)
            built.execute("COMMIT")

    return work


def _memory(bench: Bench) -> Iterator[Result]:
    sizes = [500] if bench.quick else [100_000, 1_000_000] + [10_000_000] * bench.large
    for events in sizes:
        path = bench.folder / f"memory-{events}.db"
        write(path, interleaved(events))
        yield Result(
            f"peak memory at {events:,} events",
            events,
            budgets=(Budget("mb", _MOST_MB),),
            peak_mb=peak_mb("rebuild", path),
        )
        for file in ledger_files(path):
            file.unlink(missing_ok=True)
