"""What to work on: what people see of choices and rankings."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data
from goal_ledger.cli.show.runs import run_line


def choice(row: Data) -> None:
    """What to work on next, and why."""
    draw.line((row["goal_id"], "bold"), (row["title"], ""))
    draw.line((f"  {row['why']}", "dim"))
    _steps(row)


def _steps(row: Data) -> None:
    """What a goal is broken down into, when a method applies to it."""
    if (plan := row.get("plan")) is not None:
        draw.line((f"  {plan['method']}:", "dim"))
        for number, step in enumerate(plan["steps"], start=1):
            draw.line((f"  {number}. {step}", ""))


def choices(rows: Sequence[Data]) -> None:
    """Every open goal in the order in which it is served, with the reason."""
    draw.table(
        rows,
        draw.ids("goal", "goal_id"),
        Column("score", lambda row: "" if row["score"] is None else f"{row['score']:.2f}"),
        Column("title", "title"),
        Column("why", "why"),
    )
    _steps(rows[0])


def claimed(row: Data) -> None:
    """A run that was just claimed, and the goal that it serves."""
    run_line(row)
    draw.line((f"  for {row['goal_id']}", "dim"))


def ranking(rows: Sequence[Data]) -> None:
    """A table of goals by what they are worth."""
    draw.table(
        rows,
        draw.ids("goal", "goal_id"),
        Column("score", lambda row: f"{row['score']:.3f}"),
        Column("title", _marked),
    )


def _marked(row: Data) -> str:
    """The title, and why the goal is not worked on."""
    marks = ["overdue"] * row["is_overdue"] + ([row["obstacle"]] if row["obstacle"] else [])
    return str(row["title"]) + "".join(f" ({mark})" for mark in marks)


def ranking_explained(rows: Sequence[Data]) -> None:
    """The same, each with what its score is made of."""
    for row in rows:
        draw.line((row["goal_id"], "bold"), (f"{row['score']:.3f}", ""), (row["title"], ""))
        draw.line(("  ", ""), (row["why"] + (f"; {row['obstacle']}" if row["obstacle"] else ""), "dim"))
