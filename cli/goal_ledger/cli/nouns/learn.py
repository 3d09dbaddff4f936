"""Learn from the runs of a week.

Listed: verb 60
"""

from datetime import datetime

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, Time, as_of, bad_cursor, cursor_number, pages
from goal_ledger.cli.show import render_learning

ID = "cycle_01JFRD0G00SWPNN1QHDTVH7B45"


@click.group(
    "learn",
    cls=Noun,
    invoke_without_command=True,
    examples=("goal-ledger learn", "goal-ledger learn --now 2026-03-02", "goal-ledger learn groups"),
)
@click.option("--now", type=Time(), help="Learn from the seven days up to this time; up to now unless said.")
@click.option("--reason", metavar="TEXT", help="Why, in one line, for the audit.")
@click.pass_context
def learn(ctx: click.Context, now: datetime | None, reason: str | None) -> None:
    """Learn from the runs of a week: reviews, lessons and drafts of rules.

    Takes the runs that finished in the seven days up to now, imported ones too. Once for a time: a repeat shows the
    first report. `goal-ledger tick` does it every week.
    """
    if ctx.invoked_subcommand is None:
        app = ctx.ensure_object(App)
        app.show(app.ledger.learning.cycle(now, reason=reason)._asdict(), render_learning.cycle)
    elif now is not None or reason is not None:
        raise click.UsageError("--now and --reason go with `learn` alone.")


@learn.command("list", examples=("goal-ledger learn list",))
@as_of(folds=True)
@pages
def list_(app: App, after: str | None, limit: int | None) -> None:
    """The reports of the cycles, the latest week first."""
    place = None if after is None else _after(after)
    page = app.ledger.learning.list(after=place, limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_learning.cycles,
        next_page=None if page.next is None else "/".join(map(str, page.next)),
        empty="No learning cycle yet; start one: goal-ledger learn",
    )


@learn.command("show", examples=(f"goal-ledger learn show {ID}",))
@click.argument("cycle_id", metavar="CYCLE", type=Id("cycle"))
@as_of()
def show(app: App, cycle_id: str) -> None:
    """The report of CYCLE: what was found in its week, and what was learned."""
    app.show(app.ledger.learning.get(cycle_id)._asdict(), render_learning.cycle)


@learn.command("groups", examples=("goal-ledger learn groups --limit 10",))
@as_of(folds=True)
@pages
def groups(app: App, after: str | None, limit: int | None) -> None:
    """The failures that were reviewed, by what they have in common, the most frequent first."""
    place = None
    if after is not None:
        runs, slash, signature = after.partition("/")
        if not slash:
            raise bad_cursor(after)
        place = (_number(runs, after), signature)
    page = app.ledger.learning.groups(after=place, limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_learning.failure_groups,
        next_page=None if page.next is None else "/".join(map(str, page.next)),
        empty="No failure was reviewed yet; learn from a week: goal-ledger learn",
    )


@learn.command("rates", examples=("goal-ledger learn rates",))
@as_of(folds=True)
def rates(app: App) -> None:
    """How many runs succeeded, week by week: whether it gets better."""
    app.show_list(
        [row._asdict() for row in app.ledger.learning.rates()],
        render_learning.rates,
        empty="No run has finished yet; start one: goal-ledger run start GOAL",
    )


def _after(cursor: str) -> tuple[str, str]:
    until, slash, cycle_id = cursor.partition("/")
    if not slash:
        raise bad_cursor(cursor)
    return until, cycle_id


def _number(text: str, cursor: str) -> int:
    try:
        return cursor_number(text)
    except ValueError:
        raise bad_cursor(cursor) from None
