"""Beliefs and projects: what people see of them."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data


def belief_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["belief_id"], row["status"], row["text"])


def beliefs(rows: Sequence[Data]) -> None:
    """A table of beliefs."""
    draw.table(rows, Column("belief", "belief_id"), draw.statuses("status", "status"), Column("text", "text"))


def belief(row: Data) -> None:
    """Everything about a belief that is set."""
    belief_line(row)
    draw.details(row, hidden={"belief_id", "status", "text", "position"})


def project_line(row: Data) -> None:
    """A project on one line."""
    draw.line((row["project_id"], "bold"), (_percent(row), ""), (row["name"], ""))


def projects(rows: Sequence[Data]) -> None:
    """A table of projects."""
    draw.table(
        rows,
        draw.ids("project", "project_id"),
        Column("done", _percent, number=True),
        Column("features", lambda row: f"{row['features_done']} of {row['features_total']}"),
        Column("bugs", "open_bugs", number=True),
        Column("critical", "critical_bugs", number=True),
        Column("name", "name"),
    )


def _percent(row: Data) -> str:
    return f"{row['percent_complete']:g} %"


def project(row: Data) -> None:
    """Everything about a project that is set; of its bugs those that are open."""
    project_line(row)
    features = [f"{one['feature_id']} {one['title']}" + (" (done)" * one["done"]) for one in row["features"]]
    bugs = [f"{bug['bug_id']} {bug['title']} ({bug['severity']})" for bug in row["bugs"] if not bug["resolved"]]
    hidden = {"project_id", "name", "percent_complete", "features_done", "features_total", "position"}
    draw.details(row, {"features": features, "bugs": bugs}, hidden=hidden)
