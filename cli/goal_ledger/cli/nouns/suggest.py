"""What to improve.

Listed: verb 70
"""

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.hints import line
from goal_ledger.cli.frame.options import as_of
from goal_ledger.cli.show import render_learning


@click.command("suggest", cls=Verb, examples=("goal-ledger suggest", "goal-ledger suggest --as-of 2026-02-24"))
@as_of(folds=True)
def suggest(app: App) -> None:
    """What to improve: failures without a lesson, failures that came back, lessons that do not hold.

    Nothing is changed; each comes with the command to begin with.
    """
    rows = [row._asdict() | {"command": line(row.command)} for row in app.ledger.learning.suggestions()]
    app.show_list(rows, render_learning.suggestions, empty="Nothing to suggest.")
