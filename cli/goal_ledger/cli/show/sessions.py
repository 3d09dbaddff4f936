"""Sessions: what people see of them."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

_HIDDEN = {"session_id", "number", "status", "report", "snapshot", "position", "clean"}


def session_line(row: Data) -> None:
    """A session on one line."""
    draw.heading(f"session {row['number']}", row["status"], f"started {moment(row['started_at'])}")


def sessions(rows: Sequence[Data]) -> None:
    """A table of sessions."""
    draw.table(
        rows,
        Column("no", "number", number=True),
        draw.statuses("status", "status"),
        draw.moments("started", "started_at", whole=draw.USUAL_WIDTH),
        draw.moments("stopped", "stopped_at", whole=draw.USUAL_WIDTH),
        Column("before", "last_stop"),
    )


def session(row: Data) -> None:
    """When a session was started and stopped, and what was happening then."""
    session_line(row)
    draw.details(row, _flat(row["snapshot"]), hidden=_HIDDEN)


def session_stopped(row: Data) -> None:
    """What was happening when it was stopped."""
    session_line(row)
    draw.details({"summary": row["summary"]})


def session_report(row: Data) -> None:
    """What a start found unfinished, and what it did about it."""
    session_line(row)
    draw.details(_flat(row["report"]))


def _flat(report: Data) -> Data:
    """Counts for the lists of ids, sentences for the rest."""
    flat: Data = {}
    for name, value in report.items():
        if isinstance(value, dict) and "digest" in value:
            flat[name] = f"{value['count']:,}"
        elif name == "open_loops":
            flat[name] = ", ".join(f"{of['count']:,} {kind.replace('_', ' ')}" for kind, of in value.items())
        elif name == "left_runs":
            flat[name] = [f"{run['run_id']}: {run['why']}" for run in value]
        elif name == "key_results":
            flat[name] = [f"{of['goal_id']}: {draw.flat(of['value'])}" for of in value]
        else:
            flat[name] = value
    return flat
