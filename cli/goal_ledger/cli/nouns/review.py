"""What single runs taught: after-action reviews.

Listed: noun 100
"""

from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, as_of, pages, position_place, writes
from goal_ledger.cli.show import render, render_learning
from goal_ledger.cli.show.data import timeline_data
from goal_ledger.domain.learning.review import Notable

ID = "aar_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger review list", f"goal-ledger review show {ID}"))
def review() -> None:
    """What single runs taught: after-action reviews, and the lessons taken from them."""


@review.command("write", examples=(f"goal-ledger review write {RUN}",))
@click.argument("run_id", metavar="RUN", type=Id("run"))
@writes
def write(app: App, run_id: str, reason: str | None) -> None:
    """Write the review of RUN, also when it was won; a run that went wrong has one already."""
    app.show(app.ledger.reviews.write(run_id, reason=reason)._asdict(), render_learning.review_line)


@review.command("promote", examples=(f'goal-ledger review promote {ID} --reason "seen before"',))
@click.argument("aar_id", metavar="REVIEW", type=Id("review"))
@writes
def promote(app: App, aar_id: str, reason: str | None) -> None:
    """Take the lessons that REVIEW proposes into the store, with its run as evidence."""
    app.show(app.ledger.reviews.promote(aar_id, reason=reason)._asdict(), render_learning.review_line)


# --- Looking


@review.command(
    "show", examples=(f"goal-ledger review show {ID}", f"goal-ledger review show {ID} --as-of 2026-02-24T09:00:00Z")
)
@click.argument("aar_id", metavar="REVIEW", type=Id("review"))
@as_of()
def show(app: App, aar_id: str) -> None:
    """Everything about REVIEW as it stands, or stood."""
    app.show(app.ledger.reviews.get(aar_id)._asdict(), render_learning.review)


@review.command("list", examples=("goal-ledger review list", "goal-ledger review list --notable failed --unpromoted"))
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="Of runs of this goal.")
@click.option("--notable", type=OneOf(Notable), metavar="WHY", help=f"Why there is one: {', '.join(Notable)}.")
@click.option("--promoted/--unpromoted", default=None, help="Whether lessons were taken from it.")
@click.option("--signature", metavar="TEXT", help="Of this kind of failure, as `learn groups` names it.")
@as_of(folds=True)
@pages
def list_(app: App, after: str | None, limit: int | None, **where: Any) -> None:
    """Reviews, the one that changed last first."""
    page = app.ledger.reviews.list(after=None if after is None else position_place(after), limit=limit, **where)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_learning.reviews,
        next_page=None if page.next is None else str(page.next[0]),
        empty="No review matches; see all: goal-ledger review list"
        if after or any(value is not None for value in where.values())
        else "No reviews yet; a run that goes wrong gets one, for another: goal-ledger review write RUN",
    )


@review.command("timeline", examples=(f"goal-ledger review timeline {ID}",))
@click.argument("aar_id", metavar="REVIEW", type=Id("review"))
@as_of()
def timeline(app: App, aar_id: str) -> None:
    """Every event of REVIEW, in order: when it was written, what reopened it, what was learned."""
    app.show_list(timeline_data(app.ledger.reviews.timeline(aar_id)), render.timeline, empty="No events.")
