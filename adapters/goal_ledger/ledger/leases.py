"""Leases: a worker that falls silent loses its run, and somebody else goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from goal_ledger.ledger.dispatching import orphan_in
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

if TYPE_CHECKING:
    from goal_ledger.domain.settings import Settings
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

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
    found = [row.run_id for row in _running(ledger) if row.lease_until is not None and row.lease_until < utc_text(now)]
    return _told(ledger, found, now, without_lease=False)


def orphan_all(ledger: Ledger, now: datetime) -> list[str]:
    """Interrupt every running run that has no live lease, as after a crash; what was done, in words."""
    return _told(ledger, [row.run_id for row in _running(ledger)], now, without_lease=True)


def expire_in(
    tx: Tx, run_ids: Iterable[str], now: datetime, settings: Settings, *, without_lease: bool = False
) -> list[str]:
    """Interrupt those of the runs that are running without a live lease; those that were interrupted.

    without_lease: also those that never had one.
    """
    orphaned = []
    for run_id in run_ids:
        run = tx.load(run_id, RUN)
        if run.status is not RunStatus.RUNNING:
            continue
        last = last_sign_of_life(tx.history(run_id))
        until = lease_end(last, run.lease_s)
        if until is not None and until < utc_text(now):
            reason = f"orphaned: no sign of life since {last}, its lease was {run.lease_s:g} s"
        elif run.lease_s is None and without_lease:
            reason = "orphaned: its worker holds no lease"
        else:
            continue
        orphan_in(tx, run_id, reason, settings)
        orphaned.append(run_id)
    return orphaned


def _running(ledger: Ledger) -> Sequence[RunRow]:
    return ledger.views.select(goal_runs, {"status": RunStatus.RUNNING}, order=("run_id",))


def _told(ledger: Ledger, run_ids: Sequence[str], now: datetime, *, without_lease: bool) -> list[str]:
    if not run_ids:
        return []
    recorded = ledger.transact(
        lambda tx: expire_in(tx, run_ids, now, ledger.settings, without_lease=without_lease),
        operation="run.expire_leases",
    )
    return [
        f"{one.stream} interrupted: {one.event.reason}" for one in recorded if isinstance(one.event, RunInterrupted)
    ]
