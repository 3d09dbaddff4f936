"""What people see of lessons, rules and reviews.

Drawn by `draw`. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import moment, visible
from goal_ledger.cli.show import draw

Data = dict[str, Any]


# --- Lessons


def lesson_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.line((row["lesson_id"], "bold"), draw.word(_state(row)), (f"confidence {row['confidence']:.2f}", ""))


def lessons(rows: Sequence[Data]) -> None:
    """A table of lessons."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(
        screen.width, "lesson", "sure", *(("for", "against", "goals", "actions") if wide else ()), "text"
    )
    for row in rows:
        more = (row["evidence_for"], row["evidence_against"], row["goal_type"] or "any", row["action_type"] or "any")
        mark = "" if row["active"] else f" ({_state(row)})"
        table.add_row(
            draw.cell(row["lesson_id"]),
            draw.cell(f"{row['confidence']:.2f}"),
            *(map(draw.cell, more) if wide else ()),
            draw.cell(f"{row['lesson_text']} ({row['category']}){mark}"),
        )
    draw.put(screen, table)


def lesson(row: Data) -> None:
    """Everything about a lesson that is set."""
    lesson_line(row)
    hidden = {
        "lesson_id",
        "active",
        "confidence",
        "position",
        "recalled",
        "evidence_run_ids",
        "awaited",
        "applied_by_hand",
    }
    told = {name: value for name, value in row.items() if name not in hidden}
    draw.details(told | {"evidence": [_evidence(one) for one in row["evidence"]]})


def _evidence(one: Data) -> str:
    marks = [mark for mark in (one["aar_id"], "taught it" if one["founding"] else None) if mark]
    return str(one["run_id"]) + (f" ({', '.join(marks)})" if marks else "")


def _state(row: Data) -> str:
    return "active" if row["active"] else "recalled" if row["recalled"] else "retired"


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


# --- Rules


def rule_line(row: Data) -> None:
    """A short confirmation after a write."""
    mode = row["activation_mode"] if row["active"] else "retired"
    draw.line((row["rule_id"], "bold"), draw.word(mode), (row["title"], ""))


def rules(rows: Sequence[Data]) -> None:
    """A table of rules."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(
        screen.width, "rule", "status", *(("with it", "without", "goals", "actions") if wide else ()), "title"
    )
    for row in rows:
        told, won = row["times_applied"], row["times_validated"]
        with_it, without = f"{won} of {told} won", f"{row['control_won']} of {row['control_runs']} won"
        more = (with_it, without, row["applies_to_goal_type"] or "any", row["applies_to_action_type"] or "any")
        mode = row["activation_mode"] if row["active"] else "retired"
        table.add_row(
            draw.cell(row["rule_id"]),
            draw.status(mode),
            *(map(draw.cell, more) if wide else ()),
            draw.cell(row["title"]),
        )
    draw.put(screen, table)


def rule(row: Data) -> None:
    """Everything about a rule that is set."""
    rule_line(row)
    hidden = {"rule_id", "active", "activation_mode", "title", "position", "round_position", "mode_position"}
    draw.details({name: value for name, value in row.items() if name not in hidden and value != 0})


def evaluation(data: Data) -> None:
    """What the counts of a rule say."""
    rule_line(data["rule"])
    if data["choice"] is None:
        draw.line(("nothing is compared in shadow", "yellow"))
        return
    screen = console()
    table = draw.table(screen.width, "question", "reached", "counts")
    for question in data["questions"]:
        table.add_row(
            draw.cell(question["name"]), draw.cell(f"{max(0.0, question['score']):.0%}"), draw.cell(question["counts"])
        )
    draw.put(screen, table)
    if data["choice"] != "wait":
        draw.line((data["choice"], "green" if data["choice"] == "promote" else "red"), (data["cause"] or "", ""))
        return
    missing = data["missing"]
    more = "" if missing is None else f"about {missing:,} more runs would settle it at these rates"
    draw.line(("inconclusive", "yellow"), *([(more, "")] if more else []))


# --- Reviews and learning


def review_line(row: Data) -> None:
    """A short confirmation after a write."""
    lessons = f"lessons {', '.join(row['lesson_ids'])}" if row["promoted"] else "no lesson taken yet"
    draw.line((row["aar_id"], "bold"), draw.word(row["notable"]), (lessons, ""))


def reviews(rows: Sequence[Data]) -> None:
    """A table of reviews."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(screen.width, "review", *(("written", "run") if wide else ()), "why", "what happened")
    for row in rows:
        marks = (" (reopened)" if row["reopened_by"] else "") + (" (promoted)" if row["promoted"] else "")
        more = (draw.when(row["created_at"]), draw.cell(row["run_id"])) if wide else ()
        table.add_row(
            draw.cell(row["aar_id"]), *more, draw.status(row["notable"]), draw.cell(row["what_happened"] + marks)
        )
    draw.put(screen, table)


def review(row: Data) -> None:
    """Everything about a review that is set."""
    review_line(row)
    hidden = {"aar_id", "notable", "promoted", "reopened", "failure_category", "position"}
    cause = row["root_cause"]
    told = {name: value for name, value in row.items() if name not in hidden}
    draw.details(told | {"root_cause": ": ".join(part for part in (cause["category"], cause["detail"]) if part)})


def cycle(row: Data) -> None:
    """The report of a learning cycle."""
    draw.line((row["cycle_id"], "bold"), (f"{moment(row['since'])} to {moment(row['until'])}", ""))
    told = {
        "runs": f"{row['runs']:,}, {row['failed']:,} failed, {row['partial']:,} partial",
        "untimed": f"{row['untimed']:,} of the ledger, in no week" if row["untimed"] else None,
        "reviews": f"{row['reviews']:,} written",
        "groups": [f"{group['runs']:>5,}  {_named(group)}" for group in row["groups"]],
        "more groups": max(0, row["group_count"] - len(row["groups"])) or None,
        "candidates": [f"{one['score']:>5g}  {one['why'].partition(': ')[2]}" for one in row["candidates"]],
        "more candidates": max(0, row["candidate_count"] - len(row["candidates"])) or None,
        "lessons": row["lessons"],
        "rules": row["rules"],
        "advanced": row["advanced"],
        "reason": row["reason"],
    }
    draw.details(told)


def cycles(rows: Sequence[Data]) -> None:
    """A table of learning cycles."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(screen.width, "cycle", "until", "runs", "lessons", *(("reviews", "rules") if wide else ()))
    for row in rows:
        counts = row["runs"], len(row["lessons"]), *((row["reviews"], len(row["rules"])) if wide else ())
        table.add_row(draw.cell(row["cycle_id"]), draw.when(row["until"]), *map(draw.cell, counts))
    draw.put(screen, table)


def failure_groups(rows: Sequence[Data]) -> None:
    """A table of what keeps failing."""
    screen = console()
    table = draw.table(screen.width, "runs", "last seen", "failure")
    for row in rows:
        table.add_row(draw.cell(row["runs"]), draw.when(row["last_seen_at"]), draw.cell(row["signature"]))
    draw.put(screen, table)


def rates(rows: Sequence[Data]) -> None:
    """A table of weeks."""
    screen = console()
    table = draw.table(screen.width, "week", "runs", "succeeded", "partial", "failed", "rate")
    for row in rows:
        counts = row["runs"], row["succeeded"], row["partial"], row["failed"]
        table.add_row(draw.cell(row["week"]), *map(draw.cell, counts), draw.cell(draw.percent(row["rate"])))
    draw.put(screen, table)


def suggestions(rows: Sequence[Data]) -> None:
    """What to improve, each with why and the command to begin with."""
    for row in rows:
        draw.line((row["what"], "bold"))
        draw.line((f"  {row['why']}: {row['command']}", ""))


def _named(group: Data) -> str:
    return " · ".join(group[name] for name in ("goal_type", "action_type", "failure_category") if group[name])
