"""goal-ledger projection: the read models, folded from the log."""

from typing import Any

import click

from goal_ledger.cli import render
from goal_ledger.cli.app import App
from goal_ledger.cli.command import Noun


@click.group(cls=Noun, examples=("goal-ledger projection status", "goal-ledger projection rebuild"))
def projection() -> None:
    """The read models: what they hold, where they stand, rebuild them."""


@projection.command("list", examples=("goal-ledger projection list",))
@click.pass_obj
def list_(app: App) -> None:
    """What read models there are; no ledger is needed."""
    from goal_ledger.domain.registry import NAMES
    from goal_ledger.projections.registry import PROJECTIONS

    rows = [
        {
            "name": name,
            "key": each.key,
            "digest": each.digest,
            "columns": each.row._fields,
            "reads": sorted(NAMES[event] for event in each.folds),
        }
        for name, each in PROJECTIONS.items()
    ]
    app.show_list(rows, render.projections, empty="No projections.")


@projection.command("status", examples=("goal-ledger projection status",))
@click.pass_obj
def status(app: App) -> None:
    """Where each read model stands, without moving it, and what it could not fold."""
    app.show_list(_status(app), render.projection_status, empty="No projections.")


@projection.command("rebuild", examples=("goal-ledger projection rebuild", "goal-ledger projection rebuild goal_board"))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def rebuild(app: App, names: tuple[str, ...]) -> None:
    """Drop the named read models, or all, and fold them anew from the log."""
    with app.progress("folding") as progress:
        position = app.ledger.views.rebuild(names, progress=progress)
    rows = [row for row in _status(app) if not names or row["name"] in names]
    app.show({"position": position, "projections": rows}, render.rebuilt)


def _status(app: App) -> list[dict[str, Any]]:
    views = app.ledger.views
    problems = [item._asdict() for item in views.quarantined()]
    return [
        {**row._asdict(), "problems": [item for item in problems if item["projection"] == row.name]}
        for row in views.status()
    ]
