"""Leases: a worker that falls silent loses its run, and somebody else goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.runs.run import (
    RUN,
    ActionTaken,
    RunHeartbeat,
    RunInterrupted,
    RunResumed,
    RunStarted,
    RunStatus,
    lease_end,
)
from goal_ledger.domain.times import seconds_between, utc_text
from goal_ledger.ledger.work.dispatch import orphan_in
from goal_ledger.projections.runs.goal_runs import goal_runs

if TYPE_CHECKING:
    from goal_ledger.domain.settings import Settings
    from goal_ledger.ledger.engine.transaction import Tx
    from goal_ledger.ledger.ledger import Ledger

_SIGNS = (RunStarted, ActionTaken, RunHeartbeat, RunResumed)


def last_sign_of_life(history: Iterable[Recorded | Unreadable]) -> str | None:
    """When the worker was heard of last; when that was recorded, where nobody knows when it was."""
    last = None
    for one in history:
        if isinstance(one, Recorded) and isinstance(one.event, _SIGNS):
            last = one.occurred_at or one.at
    return last


def silence_s(tx: Tx, run_id: str) -> float | None:
    """Seconds since the last sign of life of a run that has a lease; None without one."""
    if tx.load(run_id, RUN).lease_s is None:
        return None
    last = last_sign_of_life(tx.history(run_id))
    return None if last is None else seconds_between(last, utc_text(tx.now or tx.at))


def expire_leases(ledger: Ledger, now: datetime) -> list[str]:
    """Interrupt the running runs whose leases are over; what was done, in words."""
    running = ledger.views.select(goal_runs, {"status": RunStatus.RUNNING}, order=("run_id",))
    found = [row.run_id for row in running if row.lease_until is not None and row.lease_until < utc_text(now)]
    if not found:
        return []
    recorded = ledger.transact(lambda tx: _expire_in(tx, found, now, ledger.settings), operation="run.expire_leases")
    return [
        f"{one.stream} interrupted: {one.event.reason}" for one in recorded if isinstance(one.event, RunInterrupted)
    ]


def _expire_in(tx: Tx, run_ids: Iterable[str], now: datetime, settings: Settings) -> None:
    """Interrupt those of the runs that are running and whose leases are over."""
    for run_id in run_ids:
        run = tx.load(run_id, RUN)
        if run.status is not RunStatus.RUNNING:
            continue
        last = last_sign_of_life(tx.history(run_id))
        until = lease_end(last, run.lease_s)
        if until is not None and until < utc_text(now):
            reason = f"orphaned: no sign of life since {last}, its lease was {run.lease_s:g} s"
            orphan_in(tx, run_id, reason, settings)
