"""goal-ledger next: what to work on, and claiming it."""

import click

from goal_ledger.cli import render
from goal_ledger.cli.app import App
from goal_ledger.cli.command import Verb
from goal_ledger.cli.options import writes

_NOTHING = "Nothing to do now; see why: goal-ledger next --explain"


@click.command(
    "next",
    cls=Verb,
    examples=(
        "goal-ledger next",
        "goal-ledger next --explain",
        "goal-ledger next --claim --as agent:fixer --lease 300",
    ),
)
@click.option("--explain", is_flag=True, help="Every open goal in its order, and why; also why not.")
@click.option("--claim", is_flag=True, help="Start a run on it, so that nobody else gets it.")
@click.option("--agent", metavar="AGENT", help="Who works on it; the actor unless said.")
@click.option("--lease", "lease_s", type=float, metavar="SECONDS", help="How long the worker may be silent.")
@writes
def next_(app: App, explain: bool, claim: bool, agent: str | None, lease_s: float | None, reason: str | None) -> None:
    """What to work on next: what advances the key result that is furthest behind, then by priority and age.

    Shows and writes nothing, unless it is claimed. The answer to a claim is the run, which is the worker's token.
    """
    if explain and claim:
        raise click.UsageError("--explain only shows and --claim writes; give one of them.")
    if not claim and (agent is not None or lease_s is not None):
        raise click.UsageError("--agent and --lease belong to a claim; add --claim.")
    if claim:
        run = app.ledger.work.claim(agent=agent, lease_s=lease_s, reason=reason)
        app.show(
            None if run is None else run._asdict(), render.claimed if run is not None else lambda _: app.say(_NOTHING)
        )
        return
    if explain:
        choices = [choice._asdict() for choice in app.ledger.work.explain()]
        app.show_list(choices, render.choices, empty="No open goal; create one: goal-ledger goal create TITLE")
        return
    best = app.ledger.work.next()
    app.show(
        None if best is None else best._asdict(), render.choice if best is not None else lambda _: app.say(_NOTHING)
    )
