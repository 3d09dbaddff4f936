"""Learn from the runs of a week.

Listed: verb 60
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.cursor import Cursor, number
from goal_ledger.cli.frame.options import Id, Time
from goal_ledger.cli.show import answers, reviews

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.learning.failure_groups import FailureGroup
    from goal_ledger.projections.learning.learning_cycle_reports import CycleRow
    from goal_ledger.projections.learning.success_rates import WeekRow

ID = "cycle_01JFRD0G00SWPNN1QHDTVH7B45"


@click.group(
    "learn",
    cls=Noun,
    invoke_without_command=True,
    examples=("goal-ledger learn", "goal-ledger learn --now 2026-03-02", "goal-ledger learn groups"),
)
@click.option("--now", type=Time(), help="Learn from the seven days up to this time; up to now by default.")
@click.option("--reason", metavar="TEXT", help="Why, in one line, for the audit.")
@click.pass_context
def learn(ctx: click.Context, now: datetime | None, reason: str | None) -> None:
    """Learn from the runs of a week: reviews, lessons and drafts of rules.

    Takes the runs that finished in the seven days up to now, imported ones too. Once for a time: a repeat shows the
    first report. `goal-ledger tick` does it every week.
    """
    if ctx.invoked_subcommand is None:
        app = ctx.ensure_object(App)
        app.show(app.ledger.learning.cycle(now, reason=reason)._asdict(), reviews.cycle)
    elif now is not None or reason is not None:
        raise click.UsageError("--now and --reason go with `learn` alone.")


@learn.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.cycle_id, f"until {row.until}  {row.runs} runs") for row in ledger.learning.list().rows)


@learn.command("list", examples=("goal-ledger learn list",))
@answers.page(
    reviews.cycles, cursor=Cursor(str, str, between="/"), empty="No learning cycle yet; start one: goal-ledger learn"
)
def list_(ledger: Ledger, **page: Any) -> Page[CycleRow]:
    """The reports of the cycles, the latest week first."""
    return ledger.learning.list(**page)


@learn.command("show", examples=(f"goal-ledger learn show {ID}",))
@click.argument("cycle_id", metavar="CYCLE", type=Id("learn"))
@answers.one(reviews.cycle)
def show(ledger: Ledger, cycle_id: str) -> CycleRow:
    """The report of CYCLE: what was found in its week, and what was learned."""
    return ledger.learning.get(cycle_id)


@learn.command("groups", examples=("goal-ledger learn groups --limit 10",))
@answers.page(
    reviews.failure_groups,
    cursor=Cursor(number, str, between="/"),
    empty="No failure was reviewed yet; learn from a week: goal-ledger learn",
)
def groups(ledger: Ledger, **page: Any) -> Page[FailureGroup]:
    """The failures that were reviewed, by what they have in common, the most frequent first."""
    return ledger.learning.groups(**page)


@learn.command("rates", examples=("goal-ledger learn rates",))
@answers.rows(reviews.rates, empty="No run has finished yet; start one: goal-ledger run start GOAL")
def rates(ledger: Ledger) -> Sequence[WeekRow]:
    """How many runs succeeded, week by week: whether it gets better."""
    return ledger.learning.rates()
