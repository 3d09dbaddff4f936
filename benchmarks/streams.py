"""Loading one long stream, as a timeline or a fold of one goal's past needs it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import orjson

from benchmarks.history import AT, Row, body_of, goal_id, run_id, write
from benchmarks.measure import Bench, Budget, Result
from goal_ledger.domain.base import Event
from goal_ledger.domain.runs.run import ActionTaken, CostRecorded, RunHeartbeat, RunStarted, RunVerified, VerifierStatus
from goal_ledger.ledger import Ledger

_STREAM = "SELECT state FROM stored_events WHERE originator_id = ? ORDER BY originator_version"


def streams(bench: Bench) -> Iterator[Result]:
    """Load one stream of 1,000 events as typed events; raw fetches the same rows and parses their JSON."""
    loads = bench.size(20, 2)
    path = bench.folder / "streams.db"
    write(path, _one_run(1_000))

    def ours() -> Callable[[], None]:
        def work() -> None:
            for _ in range(loads):
                assert len(ledger.stream(run_id(1))) == 1_000

        return work

    def raw() -> Callable[[], None]:
        def work() -> None:
            for _ in range(loads):
                rows = connection.execute(_STREAM, (run_id(1),)).fetchall()
                assert len([orjson.loads(body) for (body,) in rows]) == 1_000

        return work

    with Ledger.open(path, actor="agent:bench") as ledger, closing(sqlite3.connect(path)) as connection:
        figures = bench.compare({"ours": ours, "raw": raw}, loads)
    yield Result("load one stream of 1,000 events", loads, figures, (Budget("times", 3), Budget("ms", 5)))


def _one_run(length: int) -> Iterator[Row]:
    goal = goal_id(1)
    names = {
        RunStarted: "run.started",
        ActionTaken: "run.action_taken",
        RunHeartbeat: "run.heartbeat",
        RunVerified: "run.verified",
        CostRecorded: "run.cost_recorded",
    }
    work: list[Event] = [
        ActionTaken(goal_id=goal, action="read the error log", action_type="search", ok=True, attributes={"files": 3}),
        ActionTaken(goal_id=goal, action="patch the timeout", action_type="edit", detail="in payment.py"),
        RunHeartbeat(goal_id=goal, note=f"alive since {AT}"),
        CostRecorded(goal_id=goal, tokens_in=1_820, tokens_out=241, model="m1"),
        RunVerified(goal_id=goal, verifier_status=VerifierStatus.PASSED, verifier="pytest", score=0.97),
    ]
    for version in range(1, length + 1):
        event = RunStarted(goal_id=goal, attempt=1, agent="agent:coder") if version == 1 else work[version % len(work)]
        yield run_id(1), version, names[type(event)], body_of(event)
