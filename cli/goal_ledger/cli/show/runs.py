"""Runs, what they were worth, checks and imports: what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger

_COUNTS = ("records", "rows", "goals", "runs", "events", "outcomes", "baselines", "unchanged", "skipped")


def silent(ledger: Ledger) -> list[str]:
    """A warning when leases are over and nobody ticked since."""
    if not (found := ledger.work.silent()):
        return []
    more = "" if len(found) == 1 else f" (and of {len(found) - 1:,} more)"
    until = found[0].lease_until
    return [f"the lease of {found[0].run_id}{more} was over at {until}; to free what it holds: goal-ledger tick"]


def run_line(row: Data) -> None:
    """A short confirmation after a write."""
    outcome = ""
    if row["local_outcome"]:
        outcome = f"  {row['local_outcome']}" + (f" ({row['failure_category']})" if row["failure_category"] else "")
    draw.heading(row["run_id"], row["status"], f"attempt {row['attempt']}{outcome}")


def runs(rows: Sequence[Data]) -> None:
    """A table of runs."""
    draw.table(
        rows,
        draw.ids("run", "run_id"),
        Column("no", "attempt", number=True),
        Column("outcome", lambda row: draw.word(row["local_outcome"] or row["status"]), whole=draw.USUAL_WIDTH),
        Column("cost", lambda row: draw.dollars(row["cost_usd"]), number=True),
        Column("took", _took, number=True, wide=True),
        draw.moments("started", "started_at", whole=draw.USUAL_WIDTH, wide=True),
        Column("agent", "agent", wide=True),
        Column("category", "failure_category"),
    )


def _took(row: Data) -> str | None:
    return None if row["duration_seconds"] is None else f"{row['duration_seconds']:.0f}s"


def run(row: Data) -> None:
    """Everything about a run that is set."""
    run_line(row)
    given = {f"given {name}": ids for name, ids in (row["context"] or {}).items()}
    draw.details(row, given, hidden={"run_id", "status", "attempt", "position", "context"})


def outcomes(rows: Sequence[Data]) -> None:
    """A table of what runs were worth."""
    draw.table(
        rows,
        draw.ids("run", "run_id"),
        Column("outcome", "business_outcome", whole=draw.USUAL_WIDTH),
        Column("source", "source", wide=True),
        draw.moments("when", "occurred_at", wide=True),
        Column("detail", "detail"),
    )


def check_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["task"], _went(row), row["error"] or "")


def checks(rows: Sequence[Data]) -> None:
    """A table of outcomes of scheduled tasks."""
    draw.table(
        rows,
        draw.moments("when", "checked_at"),
        Column("went", lambda row: draw.word(_went(row))),
        Column("task", "task"),
        Column("error", "error"),
    )


def _went(row: Data) -> str:
    return "ok" if row["ok"] else "failed"


def imported(data: Data) -> None:
    """What an import did."""
    draw.details({name: f"{data[name]:,}" for name in _COUNTS if name in data})
    for source_id in data.get("changed", ()):
        draw.line(("changed since it was imported, left as it was:", "yellow"), (source_id, ""))
