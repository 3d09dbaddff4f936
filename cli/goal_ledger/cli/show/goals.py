"""Goals: their data, and what people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data
from goal_ledger.cli.show.log import DEFAULTS

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.goals.goals import GoalNode
    from goal_ledger.projections.goals.goal_definitions import GoalRow

_HIDDEN = {"goal_id", "title", "status", "position", "done"}
_FLAGS = ("overdue", "auto_approved")  # shown when they are set
_QUIET = ("catch_up", "learning_required", "overlap", "resume_if_checkpointed")  # shown when they are not the default


def goal_data(ledger: Ledger, row: GoalRow) -> Data:
    """A goal with what depends on other goals, and on the time, and with those of its conditions that act."""
    goals = ledger.goals
    more = {"blocked_by": goals.blocked_by(row), "overdue": goals.is_overdue(row), "acting": goals.acting(row)}
    return row._asdict() | more


def whole_goal_data(ledger: Ledger, row: GoalRow) -> Data:
    """A goal with what depends on others: how far it is, and what is unusual about it."""
    goals = ledger.goals
    return {**goal_data(ledger, row), "progress": goals.progress(row), "flags": goals.flags(row)}


def node_data(ledger: Ledger, node: GoalNode) -> Data:
    """A goal with its children inside it."""
    return {
        **goal_data(ledger, node.goal),
        "progress": node.progress,
        "flags": node.flags,
        "children": [node_data(ledger, child) for child in node.children],
    }


def goal_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.heading(row["goal_id"], row["status"], row["title"])


def goals(rows: Sequence[Data]) -> None:
    """A table of goals."""
    draw.table(
        rows,
        draw.ids("goal", "goal_id"),
        draw.statuses("status", "status"),
        Column("pri", "priority", number=True),
        Column("type", "goal_type", wide=True),
        Column("owner", "owner_agent", wide=True),
        Column("title", _marked),
    )


def _marked(row: Data) -> str:
    """The title, and what stands in the goal's way."""
    marks = {"overdue": row["overdue"], "blocked by others": row["blocked_by"], "incident": row["incident_open"]}
    return str(row["title"]) + "".join(f" ({mark})" for mark, holds in marks.items() if holds)


def goal(row: Data) -> None:
    """Everything about a goal that is set and is not the default."""
    goal_line(row)
    shown = {"progress": draw.percent(row["progress"]), "incident_open": row["incident_open"] or None}
    flags = {name: True for name in _FLAGS if row[name]}
    unusual = {name: row[name] for name in _QUIET if row[name] != DEFAULTS[name]}
    draw.details(row, shown | flags | unusual, hidden={*_HIDDEN, *_FLAGS, *_QUIET})


def similar(rows: Sequence[Data]) -> None:
    """A table of goals by how alike they are."""
    draw.table(
        rows,
        draw.ids("goal", "goal_id"),
        Column("score", lambda row: f"{row['score']:.2f}"),
        draw.statuses("status", "status"),
        Column("title", "title"),
    )


def tree(nodes: Sequence[Data]) -> None:
    """Goals under the goals they serve."""
    from rich.tree import Tree

    screen = console()
    for node in nodes:
        top = Tree(_leaf(node))
        _grow(top, node)
        draw.put(screen, top)


def _grow(branch: Tree, node: Data) -> None:
    for child in node["children"]:
        _grow(branch.add(_leaf(child)), child)


def _leaf(node: Data) -> Text:
    return draw.text(
        (f"{node['title']} ", ""), (f"({node['goal_type']}, ", "dim"), draw.word(node["status"]), (")", "dim"),
        (f" {draw.percent(node['progress'])}", ""), (f" {node['goal_id']}", "dim"),
        *[(f" {flag}", "yellow") for flag in node["flags"]],
    )  # fmt: skip
