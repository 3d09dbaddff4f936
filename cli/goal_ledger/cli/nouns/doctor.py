"""Look at the ledger and all around it, and say what to do.

Listed: verb 100
"""

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.hints import line
from goal_ledger.cli.show.settings import health as health_table


@click.command("doctor", cls=Verb, examples=("goal-ledger doctor", "goal-ledger doctor --verify"))
@click.option("--verify", is_flag=True, help="Prove every event too; that takes as long as reading the whole log.")
@click.pass_context
def doctor(ctx: click.Context, verify: bool) -> None:
    """Look at the ledger and all around it, and say what to do where something is wrong.

    Versions, settings, permissions, the log, the read models. Nothing is created, repaired or moved; no ledger is
    needed. Exits 0 when nothing is broken, 6 when the ledger is damaged, 1 for any other problem.
    """
    from goal_ledger.ledger.health import examine

    app = ctx.ensure_object(App)
    place = app.place()
    with app.progress("checking") as progress:
        health = examine(place.location, verify=verify, progress=progress)
    path = "memory" if place.location.is_memory else place.location.name
    where = {"check": "place", "level": "ok", "says": f"{path} ({place.origin})", "do": None}
    findings = [where, *(each._asdict() | {"do": each.do and line(each.do)} for each in health.findings)]
    app.show({"ok": health.ok, "origin": place.origin, "path": path, "findings": findings}, health_table)
    ctx.exit(6 if health.damaged else 0 if health.ok else 1)
