"""Let every detector look for what should become a goal.

Listed: verb 40
"""

from datetime import datetime

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.options import Time
from goal_ledger.cli.show import proposals


@click.command(
    "detect",
    cls=Verb,
    examples=("goal-ledger detect", "goal-ledger detect --now 2025-11-09T14:00:00Z --dry-run"),
)
@click.option("--now", type=Time(), help="Look as if it were this time; what is done is recorded as true then.")
@click.option("--dry-run", is_flag=True, help="Show what would come of it; write nothing.")
@click.pass_obj
def detect(app: App, now: datetime | None, dry_run: bool) -> None:
    """Let every detector look for what should become a goal, and evaluate what it proposes.

    A proposal that passes becomes a goal: proposed, for a person to approve, or active at once when it is sure enough.
    """
    scanned = app.ledger.proposals.scan(now=now, dry_run=dry_run)
    data = {
        **scanned._asdict(),
        "proposals": [one._asdict() for one in scanned.proposals],
        "telemetry": scanned.telemetry.model_dump(),
        "dry_run": dry_run,
    }
    warnings = [f"detector {name}: {problem}" for name, problem in scanned.failed.items()]
    app.show(data, proposals.scanned, warnings=warnings)
