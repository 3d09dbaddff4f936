"""The read models: what they hold, rebuild them.

Listed: noun 160
"""

from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import progress_lines
from goal_ledger.cli.show import projections

if TYPE_CHECKING:
    from goal_ledger.adapters.views.diff import Change, Diff
    from goal_ledger.adapters.views.views import Views

limited = click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="Changed rows to show; all are counted."
)


@click.group(cls=Noun, examples=("goal-ledger projection status", "goal-ledger projection rebuild"))
def projection() -> None:
    """The read models: what they hold, where they stand, rebuild them."""


@projection.command("list", examples=("goal-ledger projection list",))
@click.pass_obj
def list_(app: App) -> None:
    """What read models there are; no ledger is needed."""
    from goal_ledger.domain.registry import NAMES
    from goal_ledger.ledger.engine.core import every_projection

    rows = [
        {
            "name": name,
            "key": each.key,
            "digest": each.digest,
            "columns": each.row._fields,
            "reads": sorted(NAMES[event] for event in each.folds),
        }
        for name, each in every_projection().items()
    ]
    app.show_list(rows, projections.projections, empty="No projections.")


@projection.command("status", examples=("goal-ledger projection status",))
@click.pass_obj
def status(app: App) -> None:
    """Where each read model stands, without moving it, and what it could not fold.

    Stale: only tables of other code are there; a question, or a rebuild, folds a new one.
    """
    app.show_list(_status(app.ledger.views), projections.projection_status, empty="No projections.")


@projection.command(
    "rebuild",
    examples=(
        "goal-ledger projection rebuild",
        "goal-ledger projection rebuild goal_definitions --dry-run",
        "goal-ledger projection rebuild --stream goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF",
    ),
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every read model; the same as no NAME.")
@click.option("--stream", metavar="ID", help="Only the rows of this goal, run or lesson, in place.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--no-swap", is_flag=True, help="Build, but leave readers with the tables in use: then diff, then swap.")
@limited
@click.pass_obj
@progress_lines
def rebuild(
    app: App, names: tuple[str, ...], all_: bool, stream: str | None, dry_run: bool, no_swap: bool, limit: int
) -> None:
    """Fold the named read models, or all, anew from the log, and swap them in when they are whole.

    Writers go on, and readers see the tables in use until the swap, which keeps those as the old ones. Cut off, it
    goes on where it stopped when it is started again.
    """
    if bool(names) + all_ + bool(stream) > 1 or bool(stream) + dry_run + no_swap > 1:
        raise click.UsageError("NAME, --all and --stream exclude each other, so do --stream, --dry-run and --no-swap.")
    views = app.ledger.views
    if stream is not None:
        app.show([done._asdict() for done in views.repairs.repair(stream)], projections.repaired)
        return
    with app.progress("folding") as progress:
        if dry_run:
            diffs = views.rebuilds.dry_run(names, progress, limit)
            app.show([_diff(diff) for diff in diffs], projections.diffs)
        elif no_swap:
            views.rebuilds.build(names, progress)
            _show_status(app, views, names, projections.built)
        else:
            views.rebuilds.rebuild(names, progress)
            _show_status(app, views, names, projections.rebuilt)


@projection.command("diff", examples=("goal-ledger projection diff goal_definitions",))
@click.argument("name")
@limited
@click.pass_obj
def diff(app: App, name: str, limit: int) -> None:
    """How the new table of NAME differs from the one in use, and which event gave each row its value.

    After a swap: how the one in use differs from the old one.
    """
    app.show([_diff(app.ledger.views.rebuilds.diff(name, limit))], projections.diffs)


@projection.command(
    "swap", examples=("goal-ledger projection swap goal_definitions", "goal-ledger projection swap runs --back")
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--back", is_flag=True, help="Let readers see the old table again.")
@click.pass_obj
def swap(app: App, names: tuple[str, ...], back: bool) -> None:
    """Let readers see the tables that `rebuild --no-swap` built; those in use are kept as the old ones."""
    views = app.ledger.views
    with app.progress("folding") as progress:
        views.rebuilds.swap_back(names) if back else views.rebuilds.swap(names, progress)
    _show_status(app, views, names, projections.rebuilt)


@projection.command("drop-old", examples=("goal-ledger projection drop-old", "goal-ledger projection drop-old runs"))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def drop_old(app: App, names: tuple[str, ...]) -> None:
    """Drop the tables of earlier builds and of other code; nothing of the log is lost."""
    app.show({"dropped": app.ledger.views.rebuilds.drop_old(names)}, projections.dropped)


@projection.command("drop-new", examples=("goal-ledger projection drop-new goal_definitions",))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def drop_new(app: App, names: tuple[str, ...]) -> None:
    """Throw away tables that were built and not swapped in, or whose build was cut off."""
    app.show({"dropped": app.ledger.views.rebuilds.drop_new(names)}, projections.dropped)


@projection.command("retry", examples=("goal-ledger projection retry",))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.pass_obj
def retry(app: App, names: tuple[str, ...]) -> None:
    """Fold quarantined events again, after the code that could not read them was mended."""
    views = app.ledger.views
    healed = views.repairs.retry(names)
    rows = [row for row in _status(views) if not names or row["name"] in names]
    app.show({"healed": healed, "projections": rows}, projections.retried)


def _show_status(app: App, views: "Views", names: tuple[str, ...], draw: Any) -> None:
    rows = [row for row in _status(views) if not names or row["name"] in names]
    app.show({"position": app.ledger.head, "projections": rows}, draw)


def _status(views: "Views") -> list[dict[str, Any]]:
    problems = [item._asdict() for item in views.repairs.quarantined()]
    return [
        {**row._asdict(), "problems": [item for item in problems if item["projection"] == row.name]}
        for row in views.rebuilds.status()
    ]


def _diff(diff: "Diff") -> dict[str, Any]:
    return {**diff._asdict(), "changes": [_change(change) for change in diff.changes]}


def _change(change: "Change") -> dict[str, Any]:
    event = change.because
    because = None if event is None else {name: getattr(event, name) for name in ("position", "name", "at", "by")}
    return {**change._asdict(), "because": because}
