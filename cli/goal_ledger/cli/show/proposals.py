"""Proposals: what people see of them, and of the scans that made them."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data


def scanned(data: Data) -> None:
    """What a scan found, and what came of each proposal."""
    for one in data["proposals"]:
        became = "rejected" if one["code"] else "active" if one["auto"] else "proposed"
        why = f"{one['code']}: {one['value']}" if one["code"] else one["goal_id"] or "in a dry run"
        draw.line((one["proposal_id"], "bold"), draw.word(became), (f"{one['confidence']:.2f}", ""), (one["text"], ""))
        draw.line(("  ", ""), (why, "dim"))
    telemetry(data["telemetry"])


def telemetry(data: Data) -> None:
    """What came of the proposals of one scan or of several."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in data["rejection_reasons"].items())
    counts = (
        f"{data['total_proposals_evaluated']} evaluated, {data['total_goals_created']} created, "
        f"{data['total_goals_rejected']} rejected, {data['auto_approved_count']} auto-approved"
    )
    draw.line((counts, ""), *([(f"({reasons})", "dim")] if reasons else []))


def proposals(rows: Sequence[Data]) -> None:
    """A table of proposals."""
    draw.table(
        rows,
        Column("proposal", "proposal_id"),
        draw.statuses("status", "status"),
        Column("sure", lambda row: f"{row['confidence']:.2f}", number=True),
        Column("text", lambda row: row["text"] + (f" ({row['code']})" if row["code"] else "")),
    )


def proposal(row: Data) -> None:
    """Everything about a proposal that is set."""
    draw.heading(row["proposal_id"], row["status"], row["text"])
    draw.details(row, hidden={"proposal_id", "status", "text", "position"})
