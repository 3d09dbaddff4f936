"""What to work on next, and why; claim it.

Listed: verb 10
"""

from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.options import writes
from goal_ledger.cli.show import work
from goal_ledger.cli.show.runs import silent

if TYPE_CHECKING:
    from goal_ledger.domain.work.router import Choice

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
@click.option("--agent", metavar="AGENT", help="Who works on it; the actor by default.")
@click.option("--lease", "lease_s", type=float, metavar="SECONDS", help="How long the worker may be silent.")
@writes
def next_(app: App, explain: bool, claim: bool, agent: str | None, lease_s: float | None, reason: str | None) -> None:
    """What to work on next: what advances the key result that is furthest behind, then by priority and age.

    Left out are goals whose last run succeeded (they wait to be completed), imported history and what contradicts a
    belief. Within a key result and a priority it is worth that decides, as `rank` says it.

    Shows and writes nothing, unless it is claimed. The answer to a claim is the run, which is the worker's token.
    """
    if explain and claim:
        raise click.UsageError("--explain only shows and --claim writes; give one of them.")
    if not claim and (agent is not None or lease_s is not None):
        raise click.UsageError("--agent and --lease belong to a claim; add --claim.")
    if claim:
        run = app.ledger.work.claim(agent=agent, lease_s=lease_s, reason=reason)
        app.show(
            None if run is None else run._asdict(), work.claimed if run is not None else lambda _: app.say(_NOTHING)
        )
        return
    if explain:
        found = app.ledger.work.explain()
        choices = [*(_with_plan(app, best) for best in found[:1]), *(other._asdict() for other in found[1:])]
        app.show_list(choices, work.choices, empty="No open goal; create one: goal-ledger goal create TITLE",
                      warnings=silent(app.ledger))  # fmt: skip
        return
    best = app.ledger.work.next()
    app.show(
        None if best is None else _with_plan(app, best),
        work.choice if best is not None else lambda _: app.say(_NOTHING),
        warnings=silent(app.ledger),
    )


def _with_plan(app: App, choice: "Choice") -> dict[str, Any]:
    """A choice with the steps that it is broken down into, when a method applies to it."""
    plan = app.ledger.work.plan(choice.goal_id) if choice.eligible else None
    return {**choice._asdict(), "plan": None if plan is None else plan._asdict()}
