"""What is compared: results of the arms of an experiment, and its winner.

Listed: noun 30
"""

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, as_of, writes
from goal_ledger.cli.show import render
from goal_ledger.cli.show.data import report_data

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=(f"goal-ledger experiment report {ID}",))
def experiment() -> None:
    """What is compared: results of the arms of an experiment, and its winner."""


@experiment.command("record", examples=(f"goal-ledger experiment record {ID} new-prompt --success",))
@click.argument("goal_id", metavar="GOAL", type=Id("goal"))
@click.argument("arm")
@click.option("--success/--failure", "success", default=None, help="How it went; one of them is needed.")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that gave it, which counts once.")
@writes
def record(app: App, goal_id: str, arm: str, success: bool | None, run_id: str | None, reason: str | None) -> None:
    """Note a success or a failure of an ARM of the experiment GOAL."""
    if success is None:
        raise click.UsageError("Say how it went: --success or --failure.")
    found = app.ledger.experiments.record(goal_id, arm, success=success, run_id=run_id, reason=reason)
    app.show(report_data(goal_id, found), render.report)


@experiment.command("report", examples=(f"goal-ledger experiment report {ID}",))
@click.argument("goal_id", metavar="GOAL", type=Id("goal"))
@as_of()
def report(app: App, goal_id: str) -> None:
    """How each arm of the experiment GOAL did, and whether one of them wins.

    Look as often as you like: that makes no false winner more likely.
    """
    app.show(report_data(goal_id, app.ledger.experiments.report(goal_id)), render.report)
