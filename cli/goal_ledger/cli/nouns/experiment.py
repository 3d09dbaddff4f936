"""What is compared: results of the arms of an experiment, and its winner.

Listed: noun 30
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, id_argument, writes
from goal_ledger.cli.show import answers, key_results

if TYPE_CHECKING:
    from goal_ledger.domain.goals.experiment import Report
    from goal_ledger.ledger import Ledger

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=(f"goal-ledger experiment report {ID}",))
def experiment() -> None:
    """What is compared: results of the arms of an experiment, and its winner."""


@experiment.command("record", examples=(f"goal-ledger experiment record {ID} new-prompt --success",))
@id_argument("goal")
@click.argument("arm")
@click.option("--success/--failure", "success", default=None, help="How it went; one of them is needed.")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that gave it, which counts once.")
@writes
def record(app: App, goal_id: str, arm: str, success: bool | None, run_id: str | None, reason: str | None) -> None:
    """Note a success or a failure of an ARM of the experiment GOAL."""
    if success is None:
        raise click.UsageError("Say how it went: --success or --failure.")
    found = app.ledger.experiments.record(goal_id, arm, success=success, run_id=run_id, reason=reason)
    app.show(key_results.report_data(app.ledger, (goal_id, found)), key_results.report)


@experiment.command("report", examples=(f"goal-ledger experiment report {ID}",))
@id_argument("goal")
@answers.one(key_results.report, data=key_results.report_data)
def report(ledger: Ledger, goal_id: str) -> tuple[str, Report]:
    """How each arm of the experiment GOAL did, and whether one of them wins.

    Look as often as you like: that makes no false winner more likely.
    """
    return goal_id, ledger.experiments.report(goal_id)
