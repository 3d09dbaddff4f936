"""How scheduled tasks went that are no goal's runs.

Listed: noun 60
"""

from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import as_of, pages, position_place, writes
from goal_ledger.cli.show import render_strategy


@click.group(cls=Noun, examples=("goal-ledger check record daily_backup --failed --error timeout",))
def check() -> None:
    """How scheduled tasks went that are no goal's runs, such as cron jobs and monitors."""


@check.command(
    "record",
    examples=(
        "goal-ledger check record daily_backup --ok",
        "goal-ledger check record daily_backup --failed --error timeout",
    ),
)
@click.argument("task")
@click.option("--ok/--failed", required=True, help="How it went.")
@click.option("--error", metavar="TEXT", help="What went wrong.")
@click.option("--duration", "duration_seconds", type=float, metavar="SECONDS", help="How long it took.")
@click.option("--source", default="", metavar="NAME", help="Who schedules it.")
@writes
def record(app: App, task: str, ok: bool, **wish: Any) -> None:
    """Note how TASK went; detectors look at it."""
    app.show(app.open(create=True).history.record(task, ok, **wish)._asdict(), render_strategy.check_line)


@check.command("list", examples=("goal-ledger check list --task daily_backup", "goal-ledger check list --failed"))
@click.option("--task", metavar="NAME", help="Of this task.")
@click.option("--ok/--failed", default=None, help="That went well, or did not.")
@as_of(folds=True)
@pages
def list_(app: App, task: str | None, ok: bool | None, after: str | None, limit: int | None) -> None:
    """Outcomes, the one recorded last first."""
    place = None if after is None else position_place(after)
    page = app.ledger.history.list(task=task, ok=ok, after=place, limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_strategy.checks,
        next_page=None if page.next is None else str(page.next[0]),
        empty="No outcome matches." if task or after or ok is not None else "No outcomes of scheduled tasks yet.",
    )
