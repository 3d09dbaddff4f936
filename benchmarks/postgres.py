"""A ledger on PostgreSQL: appends of one and of many processes, rebuilds, and how soon a follower hears.

The server is one of our own, with fsync and the default synchronous_commit, its files in the benchmark's folder and its
socket there too: no network in between. GOAL_LEDGER_TEST_POSTGRES names another server to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.history import sequential, write
from benchmarks.measure import Bench, Prepare, Result
from goal_ledger.adapters.backends.postgres import at
from goal_ledger.adapters.views.table import POSTGRES_TYPES, Table
from goal_ledger.domain.runs import run as runs
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger import Ledger
from goal_ledger.projections.goals.goal_definitions import goal_definitions

if TYPE_CHECKING:
    import psycopg

    from tests.postgres import Server

_PAGE = 5_000


def postgres(bench: Bench) -> Iterator[Result]:
    """Every case that needs a server; one line with the reason where there can be none."""
    with ExitStack() as stack:
        try:
            from tests.postgres import running

            server = stack.enter_context(running({}, bench.folder.parent))
            server.ask("SELECT 1")
        except Exception as error:  # whatever it is, there is no server
            yield Result("PostgreSQL", skipped=str(error).splitlines()[0])
            return
        yield from _appends(bench, server)
        yield from _rebuilds(bench, server)
        yield from _followers(bench, server)


# --- Appends


def _appends(bench: Bench, server: Server) -> Iterator[Result]:
    """One event per commit by 1, 4 and 16 processes: each on a run of its own, then all on one."""
    from benchmarks.writers import Writers, create_stock

    counts, operations = ((1, 4, 16) if not bench.quick else (2,)), bench.size(400, 10)
    url = server.fresh()
    with Ledger.open(url, actor="agent:bench") as ledger:
        streams = [begun(ledger) for _ in range(max(counts))]
    create_stock(url)
    for count in counts:
        with ExitStack() as stack:
            ways = {
                case: stack.enter_context(closing(Writers(count, way, url, where, operations)))
                for case, way, where in (
                    ("goal-ledger", "ours", streams),
                    ("goal-ledger, one hot run", "ours", streams[:1]),
                    ("raw", "raw", streams),
                    ("eventsourcing, insert only", "stock", streams),
                )
            }
            for _ in range(bench.rounds):
                for writers in ways.values():
                    writers.round()
        for case, writers in ways.items():
            what = f"PostgreSQL, {count} writer{'s' * (count > 1)}: {case}"
            yield Result(what, operations, {"ours": writers.figure, "raw": ways["raw"].figure})


def begun(ledger: Ledger) -> str:
    """A run under way."""
    goal_id = ledger.goals.create("Cut checkout errors", task_category="reliability").goal_id
    ledger.goals.ready(goal_id)
    return ledger.runs.start(goal_id, agent="agent:coder").run_id


# --- Rebuilds


def _rebuilds(bench: Bench, server: Server) -> Iterator[Result]:
    """As on SQLite: raw reads the log, parses every body, and inserts the finished rows."""
    import psycopg

    events, path, url = bench.size(100_000, 500), bench.folder / "postgres.db", server.fresh()
    write(path, sequential(events))
    with Ledger.open(path, actor="agent:bench", read_only=True) as source:
        source.log.copy(url)
    location = at(url)
    with (
        Ledger.open(url, actor="agent:bench") as ledger,
        psycopg.connect(location.url, autocommit=True) as connection,
    ):
        ledger.views.catch_up()
        table = next(status.table for status in ledger.views.rebuilds.status() if status.name == goal_definitions.name)
        rows = connection.execute(f'SELECT * FROM {location.schema}_views."{table}"'.encode()).fetchall()
        connection.execute(f"SET search_path = {location.schema}".encode())

        def ours(names: list[str]) -> Callable[[], object]:
            ledger.views.rebuilds.drop_old()
            return lambda: ledger.views.rebuilds.rebuild(names)

        ways: dict[str, Prepare] = {
            "ours": lambda: ours([goal_definitions.name]),
            "raw": lambda: _raw_rebuild(connection, rows),
        }
        yield Result("PostgreSQL, rebuild goal_definitions, in turn", events, bench.compare(ways, events))
        yield Result("PostgreSQL, rebuild all, in turn", events, bench.compare({"ours": lambda: ours([])}, events))
    yield _their_runner(bench, server)


def _raw_rebuild(connection: psycopg.Connection[Any], rows: list[Any]) -> Callable[[], None]:
    table = Table(goal_definitions, "raw_board", POSTGRES_TYPES)
    connection.execute(table.drop.encode())

    def work() -> None:
        with connection.transaction():
            after = 0
            sql = b"SELECT * FROM stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
            while page := connection.execute(sql, (after, _PAGE), binary=True).fetchall():
                for row in page:
                    orjson.loads(row[4])
                after = page[-1][0]
            connection.execute(table.create.encode())
            connection.cursor().executemany(table.upsert.replace("?", "%s").encode(), rows)
            for index in table.indexes:
                connection.execute(index.encode())

    return work


def _their_runner(bench: Bench, server: Server) -> Result:
    from benchmarks.runner import Runner

    runner = Runner(server.fresh(), bench.size(6_000, 60))
    figures = bench.compare({"ours": runner.prepare}, runner.last)
    return Result("PostgreSQL, eventsourcing's ProjectionRunner", runner.last, figures)


# --- Followers


def _followers(bench: Bench, server: Server) -> Iterator[Result]:
    """On PostgreSQL a follower is woken; on SQLite it looks every 10 ms."""
    from benchmarks.follow import followed

    events = bench.size(200, 5)
    for what, url in (("PostgreSQL", server.fresh()), ("SQLite", str(bench.folder / "follow.db"))):
        with Ledger.open(url, actor="agent:bench") as ledger:
            run = begun(ledger)

            def beat(ledger: Ledger = ledger, run: str = run) -> int:
                return ledger.act(run, RUN, runs.heartbeat, note="still reading")[-1].position

            yield Result(f"{what}, from a commit to a follower", events, {"ours": followed(url, beat, events)})
