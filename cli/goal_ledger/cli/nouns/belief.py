"""What the organisation holds true.

Listed: noun 80
"""

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, as_of, pages, position_place, writes
from goal_ledger.cli.show import render, render_strategy
from goal_ledger.cli.show.data import timeline_data
from goal_ledger.domain.strategy.belief import BeliefStatus

ID = "belief_00000000004Q8VN5T1WZ3RXK7M"


@click.group(cls=Noun, examples=('goal-ledger belief hold "Backups must restore"', "goal-ledger belief list"))
def belief() -> None:
    """What the organisation holds true: proposed goals are measured against it."""


@belief.command("hold", examples=('goal-ledger belief hold "Backups must restore"',))
@click.argument("text")
@writes
def hold(app: App, text: str, reason: str | None) -> None:
    """Hold TEXT true; the same text again is the same belief."""
    app.show(app.open(create=True).beliefs.hold(text, reason=reason)._asdict(), render_strategy.belief_line)


@belief.command("contradict", examples=(f'goal-ledger belief contradict {ID} --reason "two restores failed"',))
@click.argument("belief_id", metavar="BELIEF", type=Id("belief"))
@writes
def contradict(app: App, belief_id: str, reason: str | None) -> None:
    """Say what speaks against BELIEF; it counts for nothing until it is held again."""
    app.show(app.ledger.beliefs.contradict(belief_id, reason=reason)._asdict(), render_strategy.belief_line)


@belief.command("retract", examples=(f'goal-ledger belief retract {ID} --reason "we sold that business"',))
@click.argument("belief_id", metavar="BELIEF", type=Id("belief"))
@writes
def retract(app: App, belief_id: str, reason: str | None) -> None:
    """Give BELIEF up."""
    app.show(app.ledger.beliefs.retract(belief_id, reason=reason)._asdict(), render_strategy.belief_line)


@belief.command("show", examples=(f"goal-ledger belief show {ID}",))
@click.argument("belief_id", metavar="BELIEF", type=Id("belief"))
@as_of()
def show(app: App, belief_id: str) -> None:
    """Everything about BELIEF."""
    app.show(app.ledger.beliefs.get(belief_id)._asdict(), render_strategy.belief)


@belief.command("list", examples=("goal-ledger belief list", "goal-ledger belief list --all"))
@click.option("--all", "every", is_flag=True, help="Those that are contradicted or given up too.")
@as_of(folds=True)
@pages
def list_(app: App, every: bool, after: str | None, limit: int | None) -> None:
    """What is held true, what changed last first."""
    place = None if after is None else position_place(after)
    page = app.ledger.beliefs.list(status=None if every else BeliefStatus.ACTIVE, after=place, limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_strategy.beliefs,
        next_page=None if page.next is None else str(page.next[0]),
        empty='Nothing is held true; hold something: goal-ledger belief hold "Backups must restore"',
    )


@belief.command("timeline", examples=(f"goal-ledger belief timeline {ID}",))
@click.argument("belief_id", metavar="BELIEF", type=Id("belief"))
@as_of()
def timeline(app: App, belief_id: str) -> None:
    """Every event of BELIEF, in order."""
    app.show_list(timeline_data(app.ledger.beliefs.timeline(belief_id)), render.timeline, empty="No events.")
