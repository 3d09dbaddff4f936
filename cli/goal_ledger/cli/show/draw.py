"""Lines, tables and trees that fit 80 columns and survive a pipe.

rich is imported when something is drawn. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import orjson

from goal_ledger.cli.frame.screen import NARROWEST, console
from goal_ledger.cli.frame.text import as_json, moment, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
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


def heading(name: object, status: str, words: str) -> None:
    """What a row is about, on one line: also the short confirmation after a write."""
    line((str(name), "bold"), word(status), (words, ""))


def dollars(amount: object) -> str | None:
    return None if amount is None else f"${amount}"


class Column(NamedTuple):
    """A column of a table.

    value: a field of the row, or what makes its words of the row: text, text with a style, a list with a line each.
    number: on the right, unless the column is the last. whole: the width of the screen from which on it is not folded.
    wide: only where the screen has room.
    """

    title: str
    value: str | Callable[[Data], object]
    number: bool = False
    whole: int | None = None
    wide: bool = False

    def cell(self, row: Data) -> Text:
        """What stands in it in a row."""
        found = row[self.value] if isinstance(self.value, str) else self.value(row)
        if isinstance(found, tuple):
            return text(found)
        return lines(found) if isinstance(found, list) else text(("" if found is None else str(found), ""))


def ids(title: str, field: str) -> Column:
    """A column of ids, which keep their width whatever else must give way."""
    return Column(title, field, whole=0)


def statuses(title: str, field: str) -> Column:
    """A column of words in the colours of what they say."""
    return Column(title, lambda row: word(row[field]), whole=USUAL_WIDTH)


def moments(title: str, field: str, *, whole: int | None = None, wide: bool = False) -> Column:
    """A column of stored instants."""
    return Column(title, lambda row: moment(row[field]), whole=whole, wide=wide)


def table(rows: Sequence[Data], *columns: Column, header: bool = True) -> None:
    """A table without lines."""
    from rich.table import Table

    screen = console()
    shown = [column for column in columns if not column.wide or screen.width >= WIDE]
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=header)
    for column in shown:
        drawn.add_column(
            column.title,
            no_wrap=column.whole is not None and screen.width >= column.whole,
            overflow="fold",
            justify="right" if column.number and column is not shown[-1] else "left",
        )
    for row in rows:
        drawn.add_row(*(column.cell(row) for column in shown))
    put(screen, drawn)


def details(fields: Data, more: Data | None = None, *, hidden: Collection[str] = ()) -> None:
    """Names and values, one below the other; what is not set is left out.

    hidden: fields that are shown elsewhere, or not at all. more: what is shown in place of fields, and behind them.
    """
    shown = {name: value for name, value in fields.items() if name not in hidden} | (more or {})
    rows = [
        (f"  {name.replace('_', ' ')}", value) for name, value in shown.items() if value not in (None, "", (), [], {})
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


def inconclusive(further: int | None, things: str) -> None:
    """That a comparison is not settled yet, and how many more it would take."""
    more = "" if further is None else f"about {further:,} more {things} would settle it at these rates"
    line(("inconclusive", "yellow"), *([(more, "")] if more else []))
