"""Bulk import: records of runs become goals and runs through the same decisions as everything else."""

import gzip
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import orjson

from benchmarks.measure import Bench, Budget, Prepare, Result
from benchmarks.peak import peak_mb
from benchmarks.raw import insert_all, open_raw
from goal_ledger.adapters.store.codec import StoredRow
from goal_ledger.ledger import Ledger

_ALL = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"
_RECORDS_PER_COMMIT = 500


class _Landed(Exception):
    """Every record is in the log; the read models have not followed yet."""


def imports(bench: Bench) -> Iterator[Result]:
    """Import a file of run records into a new ledger, durable; raw parses, encodes, digests and inserts as many."""
    if not hasattr(Ledger, "imports"):
        yield Result("bulk import through decisions", skipped="Ledger.imports does not exist yet")
        return
    path = bench.data / "runs_metr.jsonl.gz"
    if bench.quick or not path.exists():
        path = bench.folder / "runs.jsonl.gz"
        _write_records(path, bench.size(4_400, 100))
    stored, records = _stored(bench, path)
    bodies = [(*row, orjson.loads(body)) for *row, body in stored]
    commits = -(-records // _RECORDS_PER_COMMIT)
    numbers = count()
    ways: dict[str, Prepare] = {
        "ours": lambda: _ours(bench.folder / f"import-{next(numbers)}.db", path, and_views=False),
        "raw": lambda: _raw(bench.folder / f"import-{next(numbers)}.db", path, bodies, -(-len(bodies) // commits)),
        "with read models": lambda: _ours(bench.folder / f"import-{next(numbers)}.db", path, and_views=True),
    }
    figures = bench.compare(ways, len(bodies))
    yield Result(
        f"import {records:,} runs, {len(bodies):,} events",
        len(bodies),
        {"ours": figures["ours"], "raw": figures["raw"]},
        (Budget("share", 0.40), Budget("rate", 50_000)),
    )
    yield Result(
        "the same, then read models follow",
        len(bodies),
        {"ours": figures["with read models"], "raw": figures["raw"]},
    )
    yield Result("peak memory of the import", peak_mb=peak_mb("imports", bench.folder / "import-peak.db", path))


def _stored(bench: Bench, path: Path) -> tuple[list[StoredRow], int]:
    log = bench.folder / "import-model.db"
    with Ledger.open(log, actor="cli:bench") as ledger:
        records = ledger.imports.runs(path).records
    connection = sqlite3.connect(log)
    try:
        return connection.execute(_ALL).fetchall()[1:], records
    finally:
        connection.close()


def _ours(log: Path, path: Path, *, and_views: bool) -> Callable[[], None]:
    ledger = Ledger.open(log, actor="cli:bench")

    def progress(done: int, of: int) -> None:
        if done == of and not and_views:
            raise _Landed

    def work() -> None:
        try:
            ledger.imports.runs(path, progress=progress)
        except _Landed:
            pass
        finally:
            ledger.close()

    return work


def _raw(log: Path, path: Path, bodies: list[tuple[Any, ...]], size: int) -> Callable[[], None]:
    connection = open_raw(log, synchronous="FULL")

    def work() -> None:
        with gzip.open(path) as lines:
            for line in lines:
                orjson.loads(line)
        rows = ((position, *row, orjson.dumps(body)) for position, *row, body in bodies)
        insert_all(connection, rows, size)
        connection.close()

    return work


def _write_records(path: Path, records: int) -> None:
    """Records of the shape of published agent runs: a few hundred tasks, several agents, some without clock times."""
    chance = Random(7)
    with gzip.open(path, "wb") as file:
        for number in range(records):
            task, good, timed = number // 25, chance.random() < 0.5, chance.random() < 0.8
            record = {
                "source": "generated",
                "run_id": str(number),
                "task_id": f"family_{task // 5}/task_{task}",
                "category": f"family_{task // 5}",
                "agent": f"agent-{chance.randrange(12)}",
                "model": f"model-{chance.randrange(12)}",
                "attempt": number % 25 + 1,
                "outcome": "success" if good else "failure",
                "score": 1.0 if good else 0.0,
                "success": int(good),
                "verifier": "task_scorer",
                "verifier_status": "pass" if good else "fail",
                "failure_category": None if good else "wrong_result",
                "time_limit_s": 3600,
                "started_at": f"2026-02-{number % 28 + 1:02d}T09:00:00Z" if timed else None,
                "finished_at": f"2026-02-{number % 28 + 1:02d}T09:30:00Z" if timed else None,
                "duration_s": 1800.0,
                "cost_usd": chance.randrange(1, 10_000) / 1000,
                "human_minutes": 30.0,
            }
            file.write(orjson.dumps(record) + b"\n")
