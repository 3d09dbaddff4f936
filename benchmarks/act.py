"""Load, decide, append: what a command costs beside the SELECT and INSERT that it comes down to."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import count
from typing import Any

import orjson

from benchmarks.measure import Bench, Budget, Prepare, Result
from benchmarks.raw import INSERT, insert_all, open_raw
from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.domain.goals import goal as goals
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.runs import run as runs
from goal_ledger.domain.runs.run import RUN, VerifierStatus
from goal_ledger.ledger import Ledger, Settings

_LAST = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
_ALL = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY rowid"

Pair = tuple[str, str]
"""A goal and its run."""


def act(bench: Bench) -> Iterator[Result]:
    """Commands on goals and runs that exist, one transaction each, without a sync per commit."""
    pairs_wanted = bench.size(200, 5)
    with (
        Ledger.open(bench.folder / "act-ours.db", actor="agent:bench", settings=Settings(durable=False)) as ledger,
        closing(open_raw(bench.folder / "act-raw.db", synchronous="NORMAL")) as raw,
    ):
        pairs = [_begun(ledger, number) for number in range(pairs_wanted)]
        before = ledger.log.stats().head
        _play(ledger, pairs)()
        said = list(_rows(ledger))
        insert_all(raw, said, 500)
        positions = count(len(said) + 1)
        wishes = [(stream, name, orjson.loads(body)) for _, stream, _, name, body in said[before:]]
        ways: dict[str, Prepare] = {"ours": lambda: _play(ledger, pairs), "raw": lambda: _raw(raw, positions, wishes)}
        yield Result(
            "load + decide + append per command",
            len(wishes),
            bench.compare(ways, len(wishes)),
            (Budget("share", 0.45),),
        )
        # The convenient methods answer with the row as it then stands.
        beats = [(run, "run.heartbeat", wish) for run, name, wish in wishes if name == "run.heartbeat"]
        ways = {"ours": lambda: _beat(ledger, [run for _, run in pairs]), "raw": lambda: _raw(raw, positions, beats)}
        yield Result("ledger.runs.heartbeat, row answered", len(beats), bench.compare(ways, len(beats)))


def _begun(ledger: Ledger, number: int) -> Pair:
    goal = ledger.goals.create(f"Cut checkout errors in shop {number}", task_category="reliability", priority=2)
    ledger.goals.ready(goal.goal_id)
    return goal.goal_id, ledger.runs.start(goal.goal_id, agent="agent:coder").run_id


def _play(ledger: Ledger, pairs: list[Pair]) -> Callable[[], None]:
    """Ten commands for each pair, in turns; every goal and run ends as it began, so the play can be repeated."""

    def work() -> None:
        act = ledger.act
        for _, run in pairs:
            act(run, RUN, runs.act, action="read the error log", action_type="search", ok=True, attributes={"files": 3})
        for _, run in pairs:
            act(run, RUN, runs.heartbeat, note="still reading")
        for _, run in pairs:
            act(run, RUN, runs.checkpoint, checkpoint_ref="s3://checkpoints/17")
        for goal, _ in pairs:
            act(goal, GOAL, goals.wait, reason="the build is queued")
        for goal, _ in pairs:
            act(goal, GOAL, goals.activate, reason="the build is done")
        for _, run in pairs:
            act(run, RUN, runs.resume)
        for _, run in pairs:
            act(run, RUN, runs.record_cost, cost_usd=Decimal("0.0125"), tokens_in=1_820, tokens_out=241, model="m1")
        for _, run in pairs:
            act(run, RUN, runs.verify, verifier_status=VerifierStatus.PASSED, verifier="pytest", score=0.97)
        for goal, _ in pairs:
            act(goal, GOAL, goals.block, reason="the build server is gone")
        for goal, _ in pairs:
            act(goal, GOAL, goals.unblock, reason="it is back")

    return work


def _beat(ledger: Ledger, run_ids: list[str]) -> Callable[[], None]:
    def work() -> None:
        for run in run_ids:
            ledger.runs.heartbeat(run, note="still reading")

    return work


def _raw(
    connection: sqlite3.Connection, positions: Iterator[int], wishes: list[tuple[str, str, dict[str, Any]]]
) -> Callable[[], None]:
    def work() -> None:
        execute = connection.execute
        for stream, name, body in wishes:
            execute("BEGIN IMMEDIATE")
            version = execute(_LAST, (stream,)).fetchone()[0] + 1
            row = (next(positions), stream, version, name, orjson.dumps(body))
            execute(INSERT, (*row, digest(*row)))
            execute("COMMIT")

    return work


def _rows(ledger: Ledger) -> Iterator[StoredRow]:
    assert ledger.path is not None
    with closing(sqlite3.connect(ledger.path)) as connection:
        yield from connection.execute(_ALL)
