"""What detectors propose, and what became of it.

Listed: noun 70
"""

from datetime import datetime
from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, Time, as_of, pages
from goal_ledger.cli.show import render, render_strategy
from goal_ledger.cli.show.data import timeline_data
from goal_ledger.domain.proposals.proposal import ProposalStatus, RejectionCode

ID = "prop_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger proposal list --status rejected", f"goal-ledger proposal show {ID}"))
def proposal() -> None:
    """What detectors propose, and what became of it."""


@proposal.command("show", examples=(f"goal-ledger proposal show {ID}",))
@click.argument("proposal_id", metavar="PROPOSAL", type=Id("proposal"))
@as_of()
def show(app: App, proposal_id: str) -> None:
    """Everything about PROPOSAL: what was found, how sure the detector is, why it became a goal or not."""
    app.show(app.ledger.proposals.get(proposal_id)._asdict(), render_strategy.proposal)


@proposal.command(
    "list",
    examples=("goal-ledger proposal list", "goal-ledger proposal list --status rejected --code rate_limit_exceeded"),
)
@click.option("--status", type=OneOf(ProposalStatus), help="Of this status.")
@click.option("--detector", metavar="NAME", help="By this detector.")
@click.option("--code", type=OneOf(RejectionCode), metavar="CODE", help=f"Rejected for: {', '.join(RejectionCode)}.")
@as_of(folds=True)
@pages
def list_(app: App, after: str | None, limit: int | None, **where: Any) -> None:
    """Proposals, the newest first."""
    page = app.ledger.proposals.list(after=None if after is None else (after,), limit=limit, **where)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_strategy.proposals,
        next_page=None if page.next is None else str(page.next[0]),
        empty="No proposal matches; see all: goal-ledger proposal list"
        if any(where.values()) or after
        else "No proposals; let the detectors look: goal-ledger detect",
    )


@proposal.command("timeline", examples=(f"goal-ledger proposal timeline {ID}",))
@click.argument("proposal_id", metavar="PROPOSAL", type=Id("proposal"))
@as_of()
def timeline(app: App, proposal_id: str) -> None:
    """Every event of PROPOSAL, in order."""
    app.show_list(timeline_data(app.ledger.proposals.timeline(proposal_id)), render.timeline, empty="No events.")


@proposal.command("telemetry", examples=("goal-ledger proposal telemetry --since 2025-11-09",))
@click.option("--since", type=Time(), help="Scans from this time on.")
@click.option("--until", type=Time(), help="Scans up to this time.")
@as_of(folds=True)
def telemetry(app: App, since: datetime | None, until: datetime | None) -> None:
    """What came of all the scans: how many proposals, how many goals, and why not more."""
    app.show(app.ledger.proposals.telemetry(since=since, until=until).model_dump(), render_strategy.telemetry)
