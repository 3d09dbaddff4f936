"""How scheduled tasks went that are no goal's runs.

Listed: noun 60
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Filter, writes
from goal_ledger.cli.show import answers, runs

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.runs.checks import CheckRow


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
    app.show(app.open(create=True).history.record(task, ok, **wish)._asdict(), runs.check_line)


@check.command("list", examples=("goal-ledger check list --task daily_backup", "goal-ledger check list --failed"))
@click.option("--task", cls=Filter, metavar="NAME", help="Of this task.")
@click.option("--ok/--failed", cls=Filter, default=None, help="That went well, or did not.")
@answers.page(runs.checks, empty="No outcomes of scheduled tasks yet.", no_match="No outcome matches.")
def list_(ledger: Ledger, **where: Any) -> Page[CheckRow]:
    """Outcomes, the one recorded last first."""
    return ledger.history.list(**where)
