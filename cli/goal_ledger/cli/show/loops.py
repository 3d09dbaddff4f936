"""Open loops: their data, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.projections.goals.open_loops import LoopRow

_FLAGS = ("overdue", "holds_goal")  # shown when they are set


def loop_data(ledger: Ledger, row: LoopRow) -> Data:
    """A loop with what depends on the time, without what only sorts."""
    data = row._asdict() | {"overdue": ledger.loops.is_overdue(row)}
    del data["due_order"]
    return data


def loop_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["loop_id"], row["status"], f"{row['kind']}: {row['question']}")


def loops(rows: Sequence[Data]) -> None:
    """A table of loops."""
    draw.table(
        rows,
        draw.ids("loop", "loop_id"),
        Column("kind", "kind"),
        draw.moments("due", "due_at", wide=True),
        Column("goal", "goal_id", whole=0, wide=True),
        Column("question", _marked),
    )


def _marked(row: Data) -> str:
    marks = {"overdue": row["overdue"], "closed": row["status"] == "closed"}
    return str(row["question"]) + "".join(f" ({mark})" for mark, holds in marks.items() if holds)


def loop(row: Data) -> None:
    """Everything about a loop that is set."""
    loop_line(row)
    flags = {name: True for name in _FLAGS if row[name]}
    draw.details(row, flags, hidden={"loop_id", "status", "kind", "question", "position", *_FLAGS})
