"""What the organisation holds true.

Listed: noun 80
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import id_argument, writes
from goal_ledger.cli.show import answers, strategy
from goal_ledger.domain.strategy.belief import BeliefStatus

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.strategy.beliefs import BeliefRow

ID = "belief_00000000004Q8VN5T1WZ3RXK7M"


@click.group(cls=Noun, examples=('goal-ledger belief hold "Backups must restore"', "goal-ledger belief list"))
def belief() -> None:
    """What the organisation holds true: proposed goals are measured against it."""


@belief.command("hold", examples=('goal-ledger belief hold "Backups must restore"',))
@click.argument("text")
@writes
def hold(app: App, text: str, reason: str | None) -> None:
    """Hold TEXT true; the same text again is the same belief."""
    app.show(app.open(create=True).beliefs.hold(text, reason=reason)._asdict(), strategy.belief_line)


@belief.command("contradict", examples=(f'goal-ledger belief contradict {ID} --reason "two restores failed"',))
@id_argument("belief")
@writes
def contradict(app: App, belief_id: str, reason: str | None) -> None:
    """Say what speaks against BELIEF; it counts for nothing until it is held again."""
    app.show(app.ledger.beliefs.contradict(belief_id, reason=reason)._asdict(), strategy.belief_line)


@belief.command("retract", examples=(f'goal-ledger belief retract {ID} --reason "we sold that business"',))
@id_argument("belief")
@writes
def retract(app: App, belief_id: str, reason: str | None) -> None:
    """Give BELIEF up."""
    app.show(app.ledger.beliefs.retract(belief_id, reason=reason)._asdict(), strategy.belief_line)


# --- Looking


@belief.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.belief_id, row.text) for row in ledger.beliefs.list().rows)


@belief.command("show", examples=(f"goal-ledger belief show {ID}",))
@id_argument("belief")
@answers.one(strategy.belief)
def show(ledger: Ledger, belief_id: str) -> BeliefRow:
    """Everything about BELIEF."""
    return ledger.beliefs.get(belief_id)


@belief.command("list", examples=("goal-ledger belief list", "goal-ledger belief list --all"))
@click.option("--all", "every", is_flag=True, help="Those that are contradicted or given up too.")
@answers.page(
    strategy.beliefs, empty='Nothing is held true; hold something: goal-ledger belief hold "Backups must restore"'
)
def list_(ledger: Ledger, every: bool, **page: Any) -> Page[BeliefRow]:
    """What is held true, what changed last first."""
    return ledger.beliefs.list(status=None if every else BeliefStatus.ACTIVE, **page)


@belief.command("timeline", examples=(f"goal-ledger belief timeline {ID}",))
@id_argument("belief")
@answers.events
def timeline(ledger: Ledger, belief_id: str) -> answers.Events:
    """Every event of BELIEF, in order."""
    return ledger.beliefs.timeline(belief_id)
