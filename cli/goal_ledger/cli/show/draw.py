"""Lines, tables and trees that fit 80 columns and survive a pipe.

rich is imported when something is drawn. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson

from goal_ledger.cli.frame.screen import NARROWEST, console
from goal_ledger.cli.frame.text import as_json, moment, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

Data = dict[str, Any]

USUAL_WIDTH = 80
WIDE = 132  # columns: room for what is left out at 80

STYLES = {
    "completed": "green", "succeeded": "green", "passed": "green", "active": "cyan", "running": "cyan",
    "completed_with_caveats": "yellow", "partial": "yellow", "waiting": "yellow", "retrying": "yellow",
    "checkpointed": "yellow", "blocked": "red", "failed": "red", "interrupted": "red", "rejected": "red",
    "draining": "yellow", "stopped": "dim", "open": "yellow", "closed": "dim",
    "archived": "dim", "retired": "dim", "recalled": "red", "ok": "green", "warning": "yellow", "problem": "red",
    "full": "green", "canary": "yellow", "shadow": "dim",
    "verifier_failed": "red", "degraded": "red", "requested": "dim",
    "current": "green", "stale": "yellow", "missing": "yellow", "queued": "yellow",
}  # fmt: skip


def put(screen: Console, drawing: RenderableType) -> None:
    """Draw it, without the blanks that fill up the lines."""
    from rich.text import Text

    for line in screen.render_lines(drawing, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line if not segment.control))
        text.rstrip()
        screen.print(text, soft_wrap=True)


def text(*parts: tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*((visible(words), style) for words, style in parts), overflow="fold")


def line(*parts: tuple[str, str]) -> None:
    if plainly(["  ".join(visible(words) for words, _ in parts)]):
        return
    spaced = [piece for part in parts for piece in (("  ", ""), part)]
    put(console(), text(*spaced[1:]))


def word(status: str) -> tuple[str, str]:
    return str(status), STYLES.get(status, "")


def status(status: str) -> Text:
    return text(word(status))


def cell(value: object) -> Text:
    return text(("" if value is None else str(value), ""))


def when(stored: str | None) -> Text:
    return cell(moment(stored))


def dollars(amount: object) -> str | None:
    return None if amount is None else f"${amount}"


def table(width: int, *columns: str) -> Table:
    """A table without lines. Ids keep their width, whatever else must give way."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    whole = {"goal", "run", "lesson", "rule", "loop", "review", "cycle", "week", "project"} | (
        {"status", "outcome", "started", "stopped", "position", "until", "last seen"} if width >= USUAL_WIDTH else set()
    )
    numbers = {
        "results",
        "rate",
        "value",
        "current",
        "target",
        "progress",
        "pri",
        "no",
        "sure",
        "for",
        "against",
        "cost",
        "took",
        "done",
        "bugs",
        "critical",
        "events",
        "position",
        "behind",
        "rows",
        "runs",
        "reviews",
        "lessons",
        "succeeded",
        "partial",
        "failed",
    }
    for name in columns:
        table.add_column(
            name,
            no_wrap=name in whole,
            overflow="fold",
            justify="right" if name in numbers and name != columns[-1] else "left",
        )
    return table


def details(fields: Data) -> None:
    """Names and values, one below the other; what is not set is left out."""
    rows = [
        (f"  {name.replace('_', ' ')}", value) for name, value in fields.items() if value not in (None, "", (), [], {})
    ]
    width = max((len(name) for name, _ in rows), default=0)
    plain = [
        f"{name if at == 0 else '':<{width}}  {visible(flat(one))}"
        for name, value in rows
        for at, one in enumerate(each(value))
    ]
    if plainly(plain):
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, lines(value))
    put(console(), grid)


def plainly(lines: Sequence[str]) -> bool:
    """Print lines that need neither colour nor folding, False when they do: importing rich takes its time."""
    if sys.stdout.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE")):
        return False
    columns = os.environ.get("COLUMNS", "")
    width = max(NARROWEST, int(columns) if columns.isdecimal() else USUAL_WIDTH)
    if not all(line.isascii() and len(line) <= width for line in lines):
        return False
    click.echo("\n".join(line.rstrip() for line in lines))
    return True


def lines(value: Any) -> Text:
    from rich.text import Text

    return Text("\n").join(text((flat(one), "")) for one in each(value))


def each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else [value]


def flat(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and "text" in value:  # a criterion
        return str(value["text"]) + ("" if value.get("required", True) else " (optional)")
    if hasattr(value, "text"):
        return str(value.text)
    if hasattr(value, "detail"):  # a root cause
        return ": ".join(part for part in (value.category, value.detail) if part)
    if hasattr(value, "policy"):  # a receipt
        return f"{value.policy}, from {value.count:,}"
    if hasattr(value, "model_dump"):  # a part of an event
        parts = [f"{name} {flat(part)}" for name, part in value if part not in (None, "", ())]
        return "; ".join(parts)
    if isinstance(value, (tuple, list)):
        return ", ".join(map(flat, value)) or "none"
    if isinstance(value, dict):
        return orjson.dumps(value, default=as_json).decode()
    return str(value)


def percent(share: float | None) -> str | None:
    """A share for people: whole percents, cut rather than rounded up to a hundred."""
    return None if share is None else f"{min(round(100 * share), 99) if share < 1 else 100}%"
