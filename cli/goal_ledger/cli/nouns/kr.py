"""What is measured: key results, their values and their progress.

Listed: noun 20
"""

from datetime import datetime
from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, Time, as_of, bad_cursor, cursor_number, pages, writes
from goal_ledger.cli.show import render
from goal_ledger.cli.show.data import key_result_data

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=(f"goal-ledger kr record {ID} 87.5", f"goal-ledger kr show {ID}"))
def kr() -> None:
    """What is measured: key results, their values and their progress."""


@kr.command(
    "record",
    context_settings={"ignore_unknown_options": True},  # a value may be negative
    examples=(f'goal-ledger kr record {ID} 87.5 --note "after the new prompt"',),
)
@click.argument("goal_id", metavar="GOAL", type=Id("goal"))
@click.argument("value", type=float)
@click.option("--note", metavar="TEXT", help="What to know about it.")
@click.option("--at", type=Time(), help="When it was measured; the same as --occurred-at.")
@writes
def record(app: App, goal_id: str, value: float, note: str | None, at: datetime | None, reason: str | None) -> None:
    """Note that the key result GOAL is at VALUE now.

    The first value becomes the baseline when GOAL has none.
    """
    if at is not None and app.circumstances.get("occurred_at") is not None:
        raise click.UsageError("--at, --occurred-at and --now say the same thing; give one of them.")
    results = app.ledger.key_results
    first = results.get(goal_id).baseline is None
    row = results.record(goal_id, value, note=note, at=at, reason=reason)
    unsure = first and row.target is not None and row.baseline is not None and row.baseline > row.target
    words = f"{value:g} is the baseline now, so less is better; if not: goal-ledger goal amend {goal_id} --baseline 0"
    app.show(key_result_data(row), render.key_result_line, warnings=[words] if unsure else [])


@kr.command("show", examples=(f"goal-ledger kr show {ID}", f"goal-ledger kr show {ID} --as-of 2026-02-24T09:00:00Z"))
@click.argument("goal_id", metavar="GOAL", type=Id("goal"))
@as_of()
def show(app: App, goal_id: str) -> None:
    """Where the key result GOAL began, is and should get, with every value."""
    results = app.ledger.key_results
    history = [row._asdict() for row in results.history(goal_id).rows]
    app.show({**key_result_data(results.get(goal_id)), "history": history}, render.key_result)


@kr.command("list", examples=("goal-ledger kr list", f"goal-ledger kr list --objective {ID}"))
@click.option("--objective", "objective_id", type=Id("goal"), metavar="GOAL", help="Of this objective.")
@as_of(folds=True)
@pages
def list_(app: App, after: str | None, limit: int | None, objective_id: str | None) -> None:
    """Key results by priority, then age."""
    page = app.ledger.key_results.list(objective_id=objective_id, after=_place(after), limit=limit)
    app.show_list(
        [key_result_data(row) for row in page.rows],
        render.key_results,
        next_page=None if page.next is None else ":".join(map(str, page.next)),
        empty="No key results; create one: goal-ledger goal create TITLE --type key_result --parent GOAL --target 95",
    )


@kr.command("history", examples=(f"goal-ledger kr history {ID}",))
@click.argument("goal_id", metavar="GOAL", type=Id("goal"))
@as_of()
@pages
def history(app: App, goal_id: str, after: str | None, limit: int | None) -> None:
    """Every value of the key result GOAL, in the order in which they were recorded."""
    page = app.ledger.key_results.history(goal_id, after=_position(after), limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render.values,
        next_page=None if page.next is None else str(page.next[0]),
        empty=f"Nothing measured yet: goal-ledger kr record {goal_id} VALUE",
    )


def _place(cursor: str | None) -> tuple[int | str, ...] | None:
    if cursor is None:
        return None
    priority, _, goal_id = cursor.partition(":")
    try:
        if not goal_id.startswith("goal_"):
            raise ValueError
        return cursor_number(priority), goal_id
    except ValueError:
        raise bad_cursor(cursor) from None


def _position(cursor: str | None) -> tuple[Any, ...] | None:
    try:
        return None if cursor is None else (cursor_number(cursor),)
    except ValueError:
        raise bad_cursor(str(cursor)) from None
