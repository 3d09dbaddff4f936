"""What changed between two instants, field by field.

Listed: verb 90
"""

from datetime import datetime

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.options import Id, Instant
from goal_ledger.cli.show import log


@click.command(
    "diff",
    cls=Verb,
    examples=(
        "goal-ledger diff --from 2026-02-23 --to 2026-02-24",
        "goal-ledger diff --from 1200 goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF",
    ),
)
@click.argument("goal_id", metavar="[GOAL]", type=Id("goal"), required=False)
@click.option("--from", "start", type=Instant(), required=True, metavar="TIME|POSITION", help="What was known then.")
@click.option("--to", "end", type=Instant(), metavar="TIME|POSITION", help="What was known then; now by default.")
@click.pass_obj
def diff(app: App, goal_id: str | None, start: datetime | int, end: datetime | int | None) -> None:
    """What changed between two instants, field by field, and the events that did it.

    Of goals, runs, lessons, rules, loops, beliefs, proposals, projects and scans; with GOAL, of that goal and its runs.
    """
    changes = app.ledger.diff(start, end, stream=goal_id)
    app.show_list([log.change_data(change) for change in changes], log.changes, empty="Nothing changed.")
