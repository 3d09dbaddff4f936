"""Lessons and rules: their data, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import visible
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.learning.context import Context
    from goal_ledger.ledger.learning.lineage import LessonBehind, Lineage
    from goal_ledger.ledger.learning.playbook import Evaluation


# --- Lessons


def lesson_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["lesson_id"], _lesson_state(row), f"confidence {row['confidence']:.2f}")


def lessons(rows: Sequence[Data]) -> None:
    """A table of lessons."""
    draw.table(
        rows,
        draw.ids("lesson", "lesson_id"),
        Column("sure", lambda row: f"{row['confidence']:.2f}", number=True),
        Column("for", "evidence_for", number=True, wide=True),
        Column("against", "evidence_against", number=True, wide=True),
        Column("goals", lambda row: row["goal_type"] or "any", wide=True),
        Column("actions", lambda row: row["action_type"] or "any", wide=True),
        Column("text", _marked_lesson),
    )


def _marked_lesson(row: Data) -> str:
    return f"{row['lesson_text']} ({row['category']})" + ("" if row["active"] else f" ({_lesson_state(row)})")


_LESSON_HIDDEN = {
    "lesson_id", "active", "confidence", "position", "recalled", "evidence_run_ids", "awaited", "applied_by_hand",
}  # fmt: skip


def lesson(row: Data) -> None:
    """Everything about a lesson that is set."""
    lesson_line(row)
    draw.details(row, {"evidence": [_evidence(one) for one in row["evidence"]]}, hidden=_LESSON_HIDDEN)


def _evidence(one: Data) -> str:
    marks = [mark for mark in (one["aar_id"], "taught it" if one["founding"] else None) if mark]
    return str(one["run_id"]) + (f" ({', '.join(marks)})" if marks else "")


def _lesson_state(row: Data) -> str:
    return "active" if row["active"] else "recalled" if row["recalled"] else "retired"


def context_data(context: Context) -> Data:
    """What an agent is context: the text, and the rules and lessons in it."""
    return context._asdict() | {
        "rules": [rule._asdict() for rule in context.rules],
        "lessons": [lesson._asdict() for lesson in context.lessons],
    }


def context(data: Data) -> None:
    """What an agent is told, line by line; beside it, what found no room."""
    for line in data["text"].splitlines():
        click.echo(visible(line))
    if data["left_out"]:
        click.echo(f"{data['left_out']} left out: {data['max_tokens']} tokens are full; see --max-tokens", err=True)
    if not data["text"]:
        click.echo("Nothing to tell." if data["run_id"] is None else "It was told nothing.", err=True)


def contradictions(rows: Sequence[Data]) -> None:
    """Pairs of lessons, and why both cannot be followed."""
    for row in rows:
        draw.line((row["why"], "yellow"))
        for side in ("first", "second"):
            draw.line((f"  {row[side]}", "bold"), (row[f"{side}_text"], ""))


def recall(data: Data) -> None:
    """What falls with a lesson, or would."""
    would = "would fall" if data["dry_run"] else "fell"
    draw.line((data["lesson_id"], "bold"), ("would be recalled" if data["dry_run"] else "recalled", "red"))
    others = [lesson_id for lesson_id in data["lessons"] if lesson_id != data["lesson_id"]]
    draw.details(
        {
            f"lessons that {would} with it": others or "none",
            f"rules that {would} with it": data["rules"] or "none",
            "runs that worked by any of it": data["runs"] or "none",
        }
    )


# --- Rules


def evaluation_data(_: Ledger, found: Evaluation) -> Data:
    """A rule and what its counts say. questions: score 1.0 says yes; log_e_value has to reach log_needed."""
    verdict = found.verdict
    return {
        "rule": found.rule._asdict(),
        "choice": None if verdict is None else verdict.choice,
        "cause": None if verdict is None else verdict.cause,
        "missing": found.missing,
        "questions": [
            {
                "name": one.name,
                "counts": one.counts,
                "score": one.score,
                "log_e_value": one.reached,
                "log_needed": one.needed,
            }
            for one in (() if verdict is None else verdict.questions)
        ],
    }


def lineage_data(_: Ledger, behind: Lineage) -> Data:
    """A rule with the lessons behind it, each with its reviews, each with its runs."""

    def reviews(lesson: LessonBehind) -> list[Data]:
        return [review._asdict() | {"runs": [run._asdict() for run in review.runs]} for review in lesson.reviews]

    lessons = [lesson._asdict() | {"reviews": reviews(lesson)} for lesson in behind.lessons]
    return behind._asdict() | {"lessons": lessons}


def rule_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["rule_id"], _rule_state(row), row["title"])


def _rule_state(row: Data) -> str:
    return row["activation_mode"] if row["active"] else "retired"


def rules(rows: Sequence[Data]) -> None:
    """A table of rules."""
    draw.table(
        rows,
        draw.ids("rule", "rule_id"),
        Column("status", lambda row: draw.word(_rule_state(row)), whole=draw.USUAL_WIDTH),
        Column("with it", lambda row: f"{row['times_validated']} of {row['times_applied']} won", wide=True),
        Column("without", lambda row: f"{row['control_won']} of {row['control_runs']} won", wide=True),
        Column("goals", lambda row: row["applies_to_goal_type"] or "any", wide=True),
        Column("actions", lambda row: row["applies_to_action_type"] or "any", wide=True),
        Column("title", "title"),
    )


_RULE_HIDDEN = {"rule_id", "active", "activation_mode", "title", "position", "round_position", "mode_position"}


def rule(row: Data) -> None:
    """Everything about a rule that is set."""
    rule_line(row)
    draw.details({name: value for name, value in row.items() if value != 0}, hidden=_RULE_HIDDEN)


def evaluation(data: Data) -> None:
    """What the counts of a rule say."""
    rule_line(data["rule"])
    if data["choice"] is None:
        draw.line(("nothing is compared in shadow", "yellow"))
        return
    draw.table(
        data["questions"],
        Column("question", "name"),
        Column("reached", lambda question: f"{max(0.0, question['score']):.0%}"),
        Column("counts", "counts"),
    )
    if data["choice"] != "wait":
        draw.line((data["choice"], "green" if data["choice"] == "promote" else "red"), (data["cause"] or "", ""))
    else:
        draw.inconclusive(data["missing"], "runs")


def lineage(data: Data) -> None:
    """A rule over the lessons, reviews and runs that it stands on."""
    from rich.tree import Tree

    top = Tree(draw.text((data["rule_id"], "bold"), ("  ", ""), (data["rule_text"], ""), _fallen(data)))
    for lesson in data["lessons"]:
        branch = top.add(
            draw.text((lesson["lesson_id"], "bold"), ("  ", ""), (lesson["lesson_text"] or "", ""), _fallen(lesson))
        )
        for review in lesson["reviews"]:
            leaves = branch.add(draw.text((review["aar_id"] or "without a review", "")))
            for run in review["runs"]:
                leaves.add(draw.text((run["run_id"], ""), ("  ", ""), draw.word(run["local_outcome"] or "")))
    draw.put(console(), top)


def _fallen(row: Data) -> tuple[str, str]:
    return (f"  (recalled with {row['recalled_root']})", "red") if row["recalled"] else ("", "")
