"""Processes that write to one PostgreSQL ledger at the same time, each event a commit of its own.

Raw takes the ledger's own tables, row lock and row format, in two round trips: BEGIN, lock and the stream's version
together, then INSERT, count and COMMIT together. It tells no follower. Stock is `insert_events` of the eventsourcing
library's PostgresApplicationRecorder, which locks its table; it loads and decides nothing.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.synchronize import Barrier
from statistics import median
from time import monotonic
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from benchmarks.history import body_of
from benchmarks.measure import Figure, latency
from goal_ledger.adapters.backends.postgres import at
from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.runs import run as runs
from goal_ledger.domain.runs.run import RUN, RunHeartbeat
from goal_ledger.ledger import Ledger

Write = Callable[[], object]
"""Appends one event and commits it."""

_WARM = 5
_NOTE = "still reading"
_gate: Barrier


class Writers:
    """So many processes that write at once, a round at a time.

    streams: whose events they write, one for each process, in turns. operations: of all together, in a round.
    """

    def __init__(self, count: int, way: str, url: str, streams: list[str], operations: int) -> None:
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(["benchmarks.writers"])
        self._pool = processes.Pool(count, _meet_at, (processes.Barrier(count),))
        each = -(-operations // count)
        self._work = [(way, url, streams[number % len(streams)], each) for number in range(count)]
        self._rounds: list[float] = []
        self._singles: list[float] = []

    def round(self) -> None:
        """Let all of them write, from one moment on."""
        times = [time for done in self._pool.starmap(_run, self._work, chunksize=1) for time in done]
        took = max(ended for _, ended in times) - min(began for began, _ in times)
        self._rounds.append(took / len(times))
        self._singles += [ended - began for began, ended in times]

    @property
    def figure(self) -> Figure:
        """What one event cost: the median round, and single events over all rounds."""
        return latency(self._singles)._replace(wall_s=median(self._rounds))

    def close(self) -> None:
        """Let them go."""
        self._pool.close()
        self._pool.join()


def _meet_at(gate: Barrier) -> None:
    global _gate
    _gate = gate


def _run(way: str, url: str, stream: str, operations: int) -> list[tuple[float, float]]:
    """When each write began and ended, by a clock that all processes of the machine share."""
    times = []
    with WAYS[way](url, stream) as write:
        for _ in range(_WARM):
            write()
        _gate.wait(60)
        for _ in range(operations):
            began = monotonic()
            write()
            times.append((began, monotonic()))
    return times


@contextmanager
def _ours(url: str, stream: str) -> Iterator[Write]:
    with Ledger.open(url, actor="agent:bench") as ledger:
        yield lambda: ledger.act(stream, RUN, runs.heartbeat, note=_NOTE)


@contextmanager
def _raw(url: str, stream: str) -> Iterator[Write]:
    location = at(url)
    said = orjson.loads(body_of(RunHeartbeat(goal_id="goal_" + "0" * 26, note=_NOTE)))
    with psycopg.connect(location.url, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (location.schema,))
        execute = connection.execute

        def write() -> None:
            with connection.pipeline():
                execute(b"BEGIN")
                head = execute(b"SELECT position FROM ledger_head FOR UPDATE", binary=True)
                last = execute(
                    b"SELECT MAX(originator_version) FROM stored_events WHERE originator_id = %s",
                    (stream,),
                    binary=True,
                )
            [position], [version] = head.fetchone() or (0,), last.fetchone() or (0,)
            row = (position + 1, stream, version + 1, "run.heartbeat", orjson.dumps(said))
            with connection.pipeline():
                execute(b"INSERT INTO stored_events VALUES (%s, %s, %s, %s, %s, %s)", (*row, digest(*row)), binary=True)
                execute(b"UPDATE ledger_head SET position = %s", (row[0],), binary=True)
                execute(b"COMMIT")

        yield write


@contextmanager
def _stock(url: str, _stream: str) -> Iterator[Write]:
    location = at(url)
    datastore = PostgresDatastore(**stock_arguments(location.url), schema=location.schema)
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stock_events")
    stream, version = uuid4(), iter(range(1, 10**9))
    state = body_of(RunHeartbeat(goal_id="goal_" + "0" * 26, note=_NOTE))
    try:
        yield lambda: recorder.insert_events([StoredEvent(stream, next(version), "run.heartbeat", state)])
    finally:
        datastore.close()


def create_stock(url: str) -> None:
    """Make the tables of the library's recorder in the ledger's schema."""
    location = at(url)
    datastore = PostgresDatastore(**stock_arguments(location.url), schema=location.schema)
    PostgresApplicationRecorder(datastore, events_table_name="stock_events").create_table()
    datastore.close()


def stock_arguments(url: str) -> dict[str, Any]:
    """Where the library finds a server, in the names of its PostgresDatastore."""
    given = conninfo_to_dict(url)
    return {
        "dbname": given.get("dbname", ""),
        "host": given.get("host", ""),
        "port": given.get("port", "5432"),
        "user": given.get("user", ""),
        "password": given.get("password", ""),
    }


WAYS: Mapping[str, Callable[[str, str], AbstractContextManager[Write]]] = {"ours": _ours, "raw": _raw, "stock": _stock}
