"""A monitor: the outcomes of a scheduled task that is no goal's run, such as a cron job or an uptime check."""

from typing import NamedTuple

from goal_ledger.domain.base import Decider, Event, Seconds, operation
from goal_ledger.domain.errors import Rejected
from goal_ledger.domain.ids import derived_id


def monitor_id(source: str, task: str) -> str:
    """The id of the monitor of this task: the same task of the same source has one stream."""
    return derived_id("mon_", source, task, None)


# --- Events


class CheckRecorded(Event):
    """A scheduled task ran. error: what went wrong, None when it is not known or nothing did.

    source: who schedules it. source_id: the record it was imported from.
    """

    stored = "monitor.check_recorded"

    task: str
    ok: bool
    error: str | None = None
    duration_seconds: Seconds | None = None
    source: str = ""
    source_id: str | None = None


# --- State


class Monitor(NamedTuple):
    """checks: how many were recorded."""

    checks: int = 0


MONITOR = Decider("monitor", Monitor())


@MONITOR.on(CheckRecorded)
def _recorded(monitor: Monitor, _: CheckRecorded) -> Monitor:
    return Monitor(monitor.checks + 1)


# --- Decisions


@operation("monitor.record")
def record(
    _: Monitor,
    *,
    task: str,
    ok: bool,
    error: str | None = None,
    duration_seconds: float | None = None,
    source: str = "",
    source_id: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Note how a task went; the same outcome twice is two outcomes. Rejected: no_task, unexpected_error."""
    if not task.strip():
        raise Rejected("no_task", "a check needs the name of its task")
    if ok and error is not None:
        raise Rejected("unexpected_error", "a task that went well has no error")
    return [
        CheckRecorded(
            task=task.strip(),
            ok=ok,
            error=error,
            duration_seconds=duration_seconds,
            source=source,
            source_id=source_id,
            reason=reason,
        )
    ]
