"""Start (reconcile unfinished work), stop (checkpoint running work).

Listed: noun 130
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import writes
from goal_ledger.cli.show import answers, sessions

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.continuity.sessions import SessionRow


@click.group(cls=Noun, examples=("goal-ledger session start", "goal-ledger session report"))
def session() -> None:
    """Start (reconcile unfinished work), stop (checkpoint running work)."""


# --- Starting and stopping


@session.command("start", examples=("goal-ledger session start",))
@writes
def start(app: App, reason: str | None) -> None:
    """Reconcile unfinished work, and let work be handed out.

    Runs that nobody works on are interrupted and their goals flagged for another attempt; checkpointed runs go on where
    their goal allows it. Again while the session goes on, it changes nothing.
    """
    app.show(app.open(create=True).sessions.start(reason=reason)._asdict(), sessions.session_report)


@session.command("drain", examples=('goal-ledger session drain --reason "upgrade"',))
@writes
def drain(app: App, reason: str | None) -> None:
    """Hand out no new work from now on; what is under way may end."""
    app.show(app.ledger.sessions.drain(reason=reason)._asdict(), sessions.session_line)


@session.command("stop", examples=("goal-ledger session stop",))
@writes
def stop(app: App, reason: str | None) -> None:
    """Checkpoint what is under way, and write down what was happening."""
    app.show(app.ledger.sessions.stop(reason=reason)._asdict(), sessions.session_stopped)


# --- Looking


@session.command("show", examples=("goal-ledger session show", "goal-ledger session show 3"))
@click.argument("number", type=click.IntRange(min=1, max=2**63 - 1), required=False)
@answers.one(sessions.session)
def show(ledger: Ledger, number: int | None) -> SessionRow:
    """Session NUMBER, the latest by default: when it was started and stopped, and what was happening then."""
    return ledger.sessions.get(number)


@session.command("report", examples=("goal-ledger session report", "goal-ledger session report 3"))
@click.argument("number", type=click.IntRange(min=1, max=2**63 - 1), required=False)
@answers.one(sessions.session_report)
def report(ledger: Ledger, number: int | None) -> SessionRow:
    """What the start of session NUMBER, the latest by default, found unfinished, and what it did about it."""
    return ledger.sessions.get(number)


@session.command("list", examples=("goal-ledger session list --limit 5",))
@answers.page(sessions.sessions, empty="No session was ever started; start one: goal-ledger session start")
def list_(ledger: Ledger, **page: Any) -> Page[SessionRow]:
    """Sessions, the latest first."""
    return ledger.sessions.list(**page)
