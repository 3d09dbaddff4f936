"""What detectors propose, and what became of it.

Listed: noun 70
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.cursor import Cursor
from goal_ledger.cli.frame.options import Filter, OneOf, Time, as_of, id_argument
from goal_ledger.cli.show import answers, proposals
from goal_ledger.domain.proposals.proposal import ProposalStatus, RejectionCode

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.proposals.proposals import ProposalRow

ID = "prop_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger proposal list --status rejected", f"goal-ledger proposal show {ID}"))
def proposal() -> None:
    """What detectors propose, and what became of it."""


@proposal.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.proposal_id, f"{row.status}  {row.text}") for row in ledger.proposals.list().rows)


@proposal.command("show", examples=(f"goal-ledger proposal show {ID}",))
@id_argument("proposal")
@answers.one(proposals.proposal)
def show(ledger: Ledger, proposal_id: str) -> ProposalRow:
    """Everything about PROPOSAL: what was found, how sure the detector is, why it became a goal or not."""
    return ledger.proposals.get(proposal_id)


@proposal.command(
    "list",
    examples=("goal-ledger proposal list", "goal-ledger proposal list --status rejected --code rate_limit_exceeded"),
)
@click.option("--status", cls=Filter, type=OneOf(ProposalStatus), help="Of this status.")
@click.option("--detector", cls=Filter, metavar="NAME", help="By this detector.")
@click.option(
    "--code", cls=Filter, type=OneOf(RejectionCode), metavar="CODE", help=f"Rejected for: {', '.join(RejectionCode)}."
)
@answers.page(
    proposals.proposals,
    cursor=Cursor(str),
    empty="No proposals; let the detectors look: goal-ledger detect",
    no_match="No proposal matches; see all: goal-ledger proposal list",
)
def list_(ledger: Ledger, **where: Any) -> Page[ProposalRow]:
    """Proposals, the newest first."""
    return ledger.proposals.list(**where)


@proposal.command("timeline", examples=(f"goal-ledger proposal timeline {ID}",))
@id_argument("proposal")
@answers.events
def timeline(ledger: Ledger, proposal_id: str) -> answers.Events:
    """Every event of PROPOSAL, in order."""
    return ledger.proposals.timeline(proposal_id)


@proposal.command("telemetry", examples=("goal-ledger proposal telemetry --since 2025-11-09",))
@click.option("--since", type=Time(), help="Scans from this time on.")
@click.option("--until", type=Time(), help="Scans up to this time.")
@as_of(folds=True)
def telemetry(app: App, since: datetime | None, until: datetime | None) -> None:
    """What came of all the scans: how many proposals, how many goals, and why not more."""
    app.show(app.ledger.proposals.telemetry(since=since, until=until).model_dump(), proposals.telemetry)
