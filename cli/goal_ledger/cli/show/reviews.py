"""Reviews, learning cycles and suggestions: their data, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goal_ledger.cli.frame.hints import line
from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.learning.suggestions import Suggestion

# --- Reviews


def review_line(row: Data) -> None:
    """A short confirmation after a write."""
    lessons = f"lessons {', '.join(row['lesson_ids'])}" if row["promoted"] else "no lesson taken yet"
    draw.heading(row["aar_id"], row["notable"], lessons)


def reviews(rows: Sequence[Data]) -> None:
    """A table of reviews."""
    draw.table(
        rows,
        draw.ids("review", "aar_id"),
        draw.moments("written", "created_at", wide=True),
        Column("run", "run_id", whole=0, wide=True),
        Column("why", lambda row: draw.word(row["notable"])),
        Column("what happened", _marked_review),
    )


def _marked_review(row: Data) -> str:
    marks = {"reopened": row["reopened_by"], "promoted": row["promoted"]}
    return str(row["what_happened"]) + "".join(f" ({mark})" for mark, holds in marks.items() if holds)


_REVIEW_HIDDEN = {"aar_id", "notable", "promoted", "reopened", "failure_category", "position"}


def review(row: Data) -> None:
    """Everything about a review that is set."""
    review_line(row)
    cause = row["root_cause"]
    words = ": ".join(part for part in (cause["category"], cause["detail"]) if part)
    draw.details(row, {"root_cause": words}, hidden=_REVIEW_HIDDEN)


# --- Cycles


def cycle(row: Data) -> None:
    """The report of a learning cycle."""
    draw.line((row["cycle_id"], "bold"), (f"{moment(row['since'])} to {moment(row['until'])}", ""))
    draw.details(
        {
            "runs": f"{row['runs']:,}, {row['failed']:,} failed, {row['partial']:,} partial",
            "untimed": f"{row['untimed']:,} of the ledger, in no week" if row["untimed"] else None,
            "reviews": f"{row['reviews']:,} written",
            "groups": [f"{group['runs']:>5,}  {_failure(group)}" for group in row["groups"]],
            "more groups": max(0, row["group_count"] - len(row["groups"])) or None,
            "candidates": [f"{one['score']:>5g}  {one['why'].partition(': ')[2]}" for one in row["candidates"]],
            "more candidates": max(0, row["candidate_count"] - len(row["candidates"])) or None,
            "lessons": row["lessons"],
            "rules": row["rules"],
            "advanced": row["advanced"],
            "reason": row["reason"],
        }
    )


def _failure(group: Data) -> str:
    return " · ".join(group[name] for name in ("goal_type", "action_type", "failure_category") if group[name])


def cycles(rows: Sequence[Data]) -> None:
    """A table of learning cycles."""
    draw.table(
        rows,
        draw.ids("cycle", "cycle_id"),
        draw.moments("until", "until", whole=draw.USUAL_WIDTH),
        Column("runs", "runs", number=True),
        Column("lessons", lambda row: len(row["lessons"]), number=True),
        Column("reviews", "reviews", number=True, wide=True),
        Column("rules", lambda row: len(row["rules"]), wide=True),
    )


def failure_groups(rows: Sequence[Data]) -> None:
    """A table of what keeps failing."""
    draw.table(
        rows,
        Column("runs", "runs", number=True),
        draw.moments("last seen", "last_seen_at", whole=draw.USUAL_WIDTH),
        Column("failure", "signature"),
    )


def rates(rows: Sequence[Data]) -> None:
    """A table of weeks."""
    counts = (Column(name, name, number=True) for name in ("runs", "succeeded", "partial", "failed"))
    draw.table(rows, draw.ids("week", "week"), *counts, Column("rate", lambda row: draw.percent(row["rate"])))


def suggestion_data(_: Ledger, row: Suggestion) -> Data:
    """What to improve, with the command as it is typed."""
    return row._asdict() | {"command": line(row.command)}


def suggestions(rows: Sequence[Data]) -> None:
    """What to improve, each with why and the command to begin with."""
    for row in rows:
        draw.line((row["what"], "bold"))
        draw.line((f"  {row['why']}: {row['command']}", ""))
