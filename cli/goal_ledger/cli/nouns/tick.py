"""Do what follows from time and conditions, once or for ever.

Listed: verb 50
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import orjson

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.options import Time
from goal_ledger.cli.frame.stopping import asked_to_stop
from goal_ledger.cli.frame.text import as_json, visible

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger

Data = dict[str, Any]


@click.command(
    "tick",
    cls=Verb,
    examples=(
        "goal-ledger tick",
        "goal-ledger tick --check",
        "goal-ledger tick --duty deadlines --now 2026-03-01",
        "goal-ledger tick --forever --interval 60",
    ),
)
@click.option("--now", type=Time(), help="Act as if it were this time; what is done is recorded as true then.")
@click.option("--duty", "duties", multiple=True, metavar="NAME", help="Only this duty.  [many]")
@click.option("--check", is_flag=True, help="Then list what is overdue, and runs without a sign of life.")
@click.option("--forever", is_flag=True, help="Again and again, until Ctrl-C or a plain kill.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1, max=86_400), metavar="SECONDS", help="With --forever; 60 by default."
)
@click.pass_context
def tick(
    ctx: click.Context,
    now: datetime | None,
    duties: tuple[str, ...],
    check: bool,
    forever: bool,
    interval: float | None,
) -> None:
    """Do what follows from time and conditions, once, however often it is asked: fit for cron.

    Says what it did, and nothing when there was nothing to do. A failed duty is reported; the others run; the
    exit code is then 1. With --forever and --json each tick that did something is a line of its own (NDJSON), without
    the envelope of the other commands.
    """
    app = ctx.ensure_object(App)
    if forever and now is not None:
        raise click.UsageError("--forever goes with the time; --now stands still.")
    if interval is not None and not forever:
        raise click.UsageError("--interval says how often; it goes with --forever.")
    ledger = app.ledger
    if forever:
        ok = _again_and_again(app, ledger, duties, check, interval or 60.0)
    else:
        row = _tick(ledger, now, duties, check)
        app.show(row, _show)
        ok = _report_problems(app, row)
    if not ok:
        ctx.exit(1)


def _again_and_again(app: App, ledger: Ledger, duties: tuple[str, ...], check: bool, interval: float) -> bool:
    """Tick until asked to stop; whether no duty ever failed."""
    ok = True
    with asked_to_stop() as stop:
        while not stop.is_set():
            row = _tick(ledger, None, duties, check)
            if not app.wants_json:
                _show(row)
            elif row["attention"] or any(duty["done"] or duty["problem"] for duty in row["duties"]):
                app.answered = True
                click.echo(orjson.dumps(row, default=as_json))
            ok = _report_problems(app, row) and ok
            stop.wait(interval)
    app.say("stopped")
    return ok


def _tick(ledger: Ledger, now: datetime | None, duties: tuple[str, ...], check: bool) -> Data:
    ticked = ledger.tick(now, duties=duties)
    return {
        "now": ticked.now,
        "duties": [duty._asdict() for duty in ticked.duties],
        "attention": [item._asdict() for item in ledger.attention(ticked.now)] if check else [],
    }


def _show(row: Data) -> None:
    for duty in row["duties"]:
        for line in duty["done"]:
            click.echo(visible(f"{duty['name']}: {line}"))
    for item in row["attention"]:
        click.echo(visible(f"{item['kind']}: {item['id']} since {item['since']}"))


def _report_problems(app: App, row: Data) -> bool:
    """Whether no duty failed."""
    failed = [duty for duty in row["duties"] if duty["problem"] is not None]
    for duty in failed:
        app.say(f"error: duty {duty['name']}: {duty['problem']}")
    return not failed
