"""What is measured: key results, their values and their progress.

Listed: noun 20
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.cursor import Cursor, an_id, number
from goal_ledger.cli.frame.options import Id, Time, id_argument, writes
from goal_ledger.cli.show import answers, key_results

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.goals.goal_definitions import GoalRow
    from goal_ledger.projections.goals.key_results import KeyResultValue

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=(f"goal-ledger kr record {ID} 87.5", f"goal-ledger kr show {ID}"))
def kr() -> None:
    """What is measured: key results, their values and their progress."""


@kr.command(
    "record",
    context_settings={"ignore_unknown_options": True},  # a value may be negative
    examples=(f'goal-ledger kr record {ID} 87.5 --note "after the new prompt"',),
)
@id_argument("goal")
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
    app.show(
        key_results.key_result_data(app.ledger, row), key_results.key_result_line, warnings=[words] if unsure else []
    )


@kr.command("show", examples=(f"goal-ledger kr show {ID}", f"goal-ledger kr show {ID} --as-of 2026-02-24T09:00:00Z"))
@id_argument("goal")
@answers.one(key_results.key_result, data=key_results.whole_key_result_data)
def show(ledger: Ledger, goal_id: str) -> GoalRow:
    """Where the key result GOAL began, is and should get, with every value."""
    return ledger.key_results.get(goal_id)


@kr.command("list", examples=("goal-ledger kr list", f"goal-ledger kr list --objective {ID}"))
@click.option("--objective", "objective_id", type=Id("goal"), metavar="GOAL", help="Of this objective.")
@answers.page(
    key_results.key_results,
    data=key_results.key_result_data,
    cursor=Cursor(number, an_id("goal_")),
    empty="No key results; create one: goal-ledger goal create TITLE --type key_result --parent GOAL --target 95",
)
def list_(ledger: Ledger, **where: Any) -> Page[GoalRow]:
    """Key results by priority, then age."""
    return ledger.key_results.list(**where)


@kr.command("history", examples=(f"goal-ledger kr history {ID}",))
@id_argument("goal")
@answers.page(key_results.values, empty="Nothing measured yet: goal-ledger kr record {goal_id} VALUE", folds=False)
def history(ledger: Ledger, goal_id: str, **page: Any) -> Page[KeyResultValue]:
    """Every value of the key result GOAL, in the order in which they were recorded."""
    return ledger.key_results.history(goal_id, **page)
