"""Leases: a worker that falls silent loses its run, and somebody else goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from goal_ledger.domain.runs import run as rules
from goal_ledger.domain.runs.run import RUN, RunInterrupted, RunStatus
from goal_ledger.domain.times import seconds_between, utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs


def silence_s(tx: Tx, run_id: str) -> float | None:
    """Seconds since the last sign of life of a run that has a lease; None without one."""
    if tx.load(run_id, RUN).lease_s is None:
        return None
    last = rules.last_sign_of_life(tx.history(run_id))
    return None if last is None else seconds_between(last, utc_text(tx.now or tx.at))


def silent(engine: Engine, now: datetime) -> list[RunRow]:
    """The running runs whose leases are over, as the read models tell: each holds its goal until it is interrupted."""
    running = engine.views.select(goal_runs, {"status": RunStatus.RUNNING}, order=("run_id",))
    return [row for row in running if row.is_silent(utc_text(now))]


def expire_leases(engine: Engine, now: datetime) -> list[str]:
    """Interrupt the running runs whose leases are over; what was done, in words."""
    found = [row.run_id for row in silent(engine, now)]
    if not found:
        return []
    recorded = engine.transact(lambda tx: expire_in(tx, found, now), operation="run.expire_leases")
    return [
        f"{one.stream} interrupted: {one.event.reason}" for one in recorded if isinstance(one.event, RunInterrupted)
    ]


def expire_in(tx: Tx, run_ids: Iterable[str], now: datetime) -> None:
    """Interrupt those of the runs that are running and whose leases are over."""
    for run_id in run_ids:
        run = tx.load(run_id, RUN)
        if run.status is not RunStatus.RUNNING or run.lease_s is None:
            continue
        history = tx.history(run_id)
        if not rules.is_alive(run, history, utc_text(now)):
            last = rules.last_sign_of_life(history)
            reason = f"orphaned: no sign of life since {last}, its lease was {run.lease_s:g} s"
            tx.act(run_id, RUN, rules.interrupt, reason=reason, orphaned=True)
            tx.follow()  # one after the other, as if each were interrupted by itself
