"""The open goals that are worth most, people's and the system's alike.

Listed: verb 20
"""

from typing import Literal

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.options import Time, as_of
from goal_ledger.cli.show import work


@click.command(
    "rank",
    cls=Verb,
    examples=("goal-ledger rank", "goal-ledger rank --policy revenue --limit 50", "goal-ledger rank --explain"),
)
@click.option("--policy", type=click.Choice(["utility", "revenue"]), default="utility", help="What decides.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="So many at the most.")
@click.option("--explain", is_flag=True, help="What each score is made of.")
@click.option("--now", type=Time(), help="Rank as if it were this time.")
@as_of(folds=True)
def rank(app: App, policy: Literal["utility", "revenue"], limit: int, explain: bool) -> None:
    """The open goals that are worth most, people's and the system's alike; nothing is written.

    `next` may serve another goal first: one that advances the key result that is furthest behind, or has a higher
    priority.

    utility: value, effort, risk, how near the deadline is and how it fits the beliefs, each weighed as the settings
    say; 0 against a belief that is held. revenue: critical goals and blockers first, then by what they earn a month,
    which is `revenue_per_month` in a goal's metadata, priority, and how it fits the beliefs.
    """
    rows = [row._asdict() for row in app.ledger.work.rank(policy, limit=limit)]
    app.show_list(
        rows,
        work.ranking_explained if explain else work.ranking,
        empty="No open goal; create one: goal-ledger goal create TITLE",
    )
