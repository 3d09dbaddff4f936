"""What single runs taught: after-action reviews.

Listed: noun 100
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Filter, Id, OneOf, id_argument, writes
from goal_ledger.cli.show import answers, reviews
from goal_ledger.domain.learning.review import Notable

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.learning.after_action_reviews import ReviewRow

ID = "aar_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger review list", f"goal-ledger review show {ID}"))
def review() -> None:
    """What single runs taught: after-action reviews, and the lessons taken from them."""


@review.command("write", examples=(f"goal-ledger review write {RUN}",))
@id_argument("run")
@writes
def write(app: App, run_id: str, reason: str | None) -> None:
    """Write the review of RUN, also when it was won; a run that went wrong has one already."""
    app.show(app.ledger.reviews.write(run_id, reason=reason)._asdict(), reviews.review_line)


@review.command("promote", examples=(f'goal-ledger review promote {ID} --reason "seen before"',))
@id_argument("review", "aar_id")
@writes
def promote(app: App, aar_id: str, reason: str | None) -> None:
    """Take the lessons that REVIEW proposes into the store, with its run as evidence."""
    app.show(app.ledger.reviews.promote(aar_id, reason=reason)._asdict(), reviews.review_line)


# --- Looking


@review.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.aar_id, f"{row.notable}  {row.signature or row.what_happened}") for row in ledger.reviews.list().rows)


@review.command(
    "show", examples=(f"goal-ledger review show {ID}", f"goal-ledger review show {ID} --as-of 2026-02-24T09:00:00Z")
)
@id_argument("review", "aar_id")
@answers.one(reviews.review)
def show(ledger: Ledger, aar_id: str) -> ReviewRow:
    """Everything about REVIEW as it stands, or stood."""
    return ledger.reviews.get(aar_id)


@review.command("list", examples=("goal-ledger review list", "goal-ledger review list --notable failed --unpromoted"))
@click.option("--goal", "goal_id", cls=Filter, type=Id("goal"), metavar="GOAL", help="Of runs of this goal.")
@click.option(
    "--notable", cls=Filter, type=OneOf(Notable), metavar="WHY", help=f"Why there is one: {', '.join(Notable)}."
)
@click.option("--promoted/--unpromoted", cls=Filter, default=None, help="Whether lessons were taken from it.")
@click.option("--signature", cls=Filter, metavar="TEXT", help="Of this kind of failure, as `learn groups` names it.")
@answers.page(
    reviews.reviews,
    empty="No reviews yet; a run that goes wrong gets one, for another: goal-ledger review write RUN",
    no_match="No review matches; see all: goal-ledger review list",
)
def list_(ledger: Ledger, **where: Any) -> Page[ReviewRow]:
    """Reviews, the one that changed last first."""
    return ledger.reviews.list(**where)


@review.command("timeline", examples=(f"goal-ledger review timeline {ID}",))
@id_argument("review", "aar_id")
@answers.events
def timeline(ledger: Ledger, aar_id: str) -> answers.Events:
    """Every event of REVIEW, in order: when it was written, what reopened it, what was learned."""
    return ledger.reviews.timeline(aar_id)
