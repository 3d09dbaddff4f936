"""What people see of rankings, proposals, beliefs, checks and projects.

Drawn by `draw`. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw

Data = dict[str, Any]


# --- Rankings


def ranking(rows: Sequence[Data]) -> None:
    """A table of goals by what they are worth."""
    screen = console()
    table = draw.table(screen.width, "goal", "score", "title")
    for row in rows:
        marks = (" (overdue)" if row["is_overdue"] else "") + (f" ({row['obstacle']})" if row["obstacle"] else "")
        table.add_row(draw.cell(row["goal_id"]), draw.cell(f"{row['score']:.3f}"), draw.cell(row["title"] + marks))
    draw.put(screen, table)


def ranking_explained(rows: Sequence[Data]) -> None:
    """The same, each with what its score is made of."""
    for row in rows:
        draw.line((row["goal_id"], "bold"), (f"{row['score']:.3f}", ""), (row["title"], ""))
        draw.line(("  ", ""), (row["why"] + (f"; {row['obstacle']}" if row["obstacle"] else ""), "dim"))


# --- Proposals, beliefs and checks


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
    told = (
        f"{data['total_proposals_evaluated']} evaluated, {data['total_goals_created']} created, "
        f"{data['total_goals_rejected']} rejected, {data['auto_approved_count']} auto-approved"
    )
    draw.line((told, ""), *([(f"({reasons})", "dim")] if reasons else []))


def proposals(rows: Sequence[Data]) -> None:
    """A table of proposals."""
    screen = console()
    table = draw.table(screen.width, "proposal", "status", "sure", "text")
    for row in rows:
        why = f" ({row['code']})" if row["code"] else ""
        table.add_row(
            draw.cell(row["proposal_id"]),
            draw.status(row["status"]),
            draw.cell(f"{row['confidence']:.2f}"),
            draw.cell(row["text"] + why),
        )
    draw.put(screen, table)


def proposal(row: Data) -> None:
    """Everything about a proposal that is set."""
    draw.line((row["proposal_id"], "bold"), draw.word(row["status"]), (row["text"], ""))
    draw.details(
        {name: value for name, value in row.items() if name not in {"proposal_id", "status", "text", "position"}}
    )


def belief_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.line((row["belief_id"], "bold"), draw.word(row["status"]), (row["text"], ""))


def beliefs(rows: Sequence[Data]) -> None:
    """A table of beliefs."""
    screen = console()
    table = draw.table(screen.width, "belief", "status", "text")
    for row in rows:
        table.add_row(draw.cell(row["belief_id"]), draw.status(row["status"]), draw.cell(row["text"]))
    draw.put(screen, table)


def belief(row: Data) -> None:
    """Everything about a belief that is set."""
    belief_line(row)
    draw.details(
        {name: value for name, value in row.items() if name not in {"belief_id", "status", "text", "position"}}
    )


def check_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.line((row["task"], "bold"), draw.word("ok" if row["ok"] else "failed"), (row["error"] or "", ""))


def checks(rows: Sequence[Data]) -> None:
    """A table of outcomes of scheduled tasks."""
    screen = console()
    table = draw.table(screen.width, "when", "went", "task", "error")
    for row in rows:
        table.add_row(
            draw.cell(moment(row["checked_at"])),
            draw.status("ok" if row["ok"] else "failed"),
            draw.cell(row["task"]),
            draw.cell(row["error"]),
        )
    draw.put(screen, table)


# --- Projects


def project_line(row: Data) -> None:
    """A project on one line."""
    draw.line((row["project_id"], "bold"), (f"{row['percent_complete']:g} %", ""), (row["name"], ""))


def projects(rows: Sequence[Data]) -> None:
    """A table of projects."""
    screen = console()
    table = draw.table(screen.width, "project", "done", "features", "bugs", "critical", "name")
    for row in rows:
        features = f"{row['features_done']} of {row['features_total']}"
        numbers = (f"{row['percent_complete']:g} %", features, row["open_bugs"], row["critical_bugs"])
        table.add_row(draw.cell(row["project_id"]), *map(draw.cell, numbers), draw.cell(row["name"]))
    draw.put(screen, table)


def project(row: Data) -> None:
    """Everything about a project that is set; of its bugs those that are open."""
    project_line(row)
    hidden = {"project_id", "name", "percent_complete", "features_done", "features_total", "position"}
    features = [f"{one['feature_id']} {one['title']}" + (" (done)" * one["done"]) for one in row["features"]]
    bugs = [f"{bug['bug_id']} {bug['title']} ({bug['severity']})" for bug in row["bugs"] if not bug["resolved"]]
    shown = {name: value for name, value in row.items() if name not in hidden}
    draw.details({**shown, "features": features, "bugs": bugs})
