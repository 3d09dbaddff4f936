"""What the shell is told when it asks what could be typed next."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, shell_complete

from goal_ledger.cli.frame.app import COMPLETION, PROGRAM, App
from goal_ledger.cli.frame.text import visible

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger

_MOST = 50  # ids offered at once
_LAST = "~"  # sorts behind everything an id can hold
_ABOUT = 60  # characters of what stands beside an id


def answer(root: click.Command, app: App) -> int:
    """Tell the shell what could be typed next; the exit code."""
    return shell_complete(root, {"obj": app}, PROGRAM, COMPLETION, os.environ[COMPLETION])


def ids(kind: str, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The ids of a kind that begin like this, the newest first. Nothing is created, and nothing goes wrong."""
    app = ctx.find_object(App)
    if app is None:
        return []
    try:
        found = _BY_KIND[kind](app.ledger, incomplete)
        return [CompletionItem(one, help=visible(about)[:_ABOUT]) for one, about in found]
    except Exception:  # whatever it is, the command itself will say it
        return []
    finally:
        app.close()


def _goals(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    for row in ledger.goals.list(sort="newest", after=(start + _LAST,), limit=_MOST).rows:
        if row.goal_id.startswith(start):
            yield row.goal_id, f"{row.status}  {row.title}"


def _runs(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    for row in ledger.runs.list(after=(start + _LAST,), limit=_MOST).rows:
        if row.run_id.startswith(start):
            yield row.run_id, f"{row.local_outcome or row.status}  attempt {row.attempt}"


def _lessons(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    matching = (row for row in ledger.lessons.list(active=None).rows if row.lesson_id.startswith(start))
    for row, _ in zip(matching, range(_MOST), strict=False):
        yield row.lesson_id, row.lesson_text


def _loops(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    matching = (row for row in ledger.loops.list().rows if row.loop_id.startswith(start))
    for row, _ in zip(matching, range(_MOST), strict=False):
        yield row.loop_id, f"{row.kind}  {row.question}"


def _projects(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    matching = (row for row in ledger.projects.list().rows if row.project_id.startswith(start))
    for row, _ in zip(matching, range(_MOST), strict=False):
        yield row.project_id, row.name


def _reviews(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    matching = (row for row in ledger.reviews.list().rows if row.aar_id.startswith(start))
    for row, _ in zip(matching, range(_MOST), strict=False):
        yield row.aar_id, f"{row.notable}  {row.signature or row.what_happened}"


def _cycles(ledger: "Ledger", start: str) -> Iterator[tuple[str, str]]:
    matching = (row for row in ledger.learning.list().rows if row.cycle_id.startswith(start))
    for row, _ in zip(matching, range(_MOST), strict=False):
        yield row.cycle_id, f"until {row.until}  {row.runs} runs"


_BY_KIND: dict[str, Callable[["Ledger", str], Iterator[tuple[str, str]]]] = {
    "goal": _goals,
    "run": _runs,
    "lesson": _lessons,
    "loop": _loops,
    "project": _projects,
    "review": _reviews,
    "cycle": _cycles,
}
