"""goal-ledger ledger: the log itself."""

import click

from goal_ledger.cli import render
from goal_ledger.cli.app import App
from goal_ledger.cli.command import Noun


@click.group(cls=Noun, examples=("goal-ledger ledger stats", "goal-ledger ledger verify"))
def ledger() -> None:
    """The log itself: its size, and proof that it is unaltered."""


@ledger.command("stats", examples=("goal-ledger ledger stats",))
@click.pass_obj
def stats(app: App) -> None:
    """How large the log is, and from when to when it goes."""
    app.show(app.ledger.stats()._asdict(), render.stats)


@ledger.command("verify", examples=("goal-ledger ledger verify",))
@click.pass_obj
def verify(app: App) -> None:
    """Prove that the log is what was written: every byte, every place, every command id."""
    opened = app.ledger
    with app.progress("checking") as progress:
        of = opened.stats().events
        events = opened.verify(lambda done: progress(done, of))
    app.show({"ok": True, "events": events, "head": opened.stats().head}, render.verified)
