"""Settings and health: what people see of them."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data


def settings(rows: Sequence[Data]) -> None:
    """A table of settings."""
    draw.table(
        rows,
        Column("setting", "name"),
        Column("value", lambda row: draw.flat(row["value"]), number=True),
        Column("from", "origin"),
        Column("allowed", "allowed"),
    )


def health(data: Data) -> None:
    """A line for each finding, and what to do about it."""
    draw.table(
        data["findings"],
        Column("", lambda finding: draw.word(finding["level"])),
        Column("", "check"),
        Column("", lambda finding: [finding["says"], *([f"→ {finding['do']}"] if finding["do"] else [])]),
        header=False,
    )
