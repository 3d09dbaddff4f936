"""Why a policy decided as it did in EVENT, and whether it would again.

Listed: verb 30
"""

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.show import decisions


@click.command(
    "why",
    cls=Verb,
    examples=("goal-ledger why 1234", "goal-ledger why grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"),
)
@click.argument("event", metavar="EVENT")
@click.pass_obj
def why(app: App, event: str) -> None:
    """Why a policy decided as it did in EVENT, and whether it would again.

    Nothing is written. EVENT is a position; or the id of a goal, a run, a proposal or a rule, for the last decision
    about it. The receipt that the event holds is shown, and re-evaluated: by the same version, under the present
    settings, on the ledger as it was known then.
    """
    app.show(decisions.why_data(app.present.why(event)), decisions.why)
