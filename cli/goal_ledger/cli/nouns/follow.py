"""Print every event, then new ones as they come.

Listed: verb 80
"""

import select
import sys
import threading
from contextlib import suppress
from typing import Any

import click
import orjson

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.stopping import asked_to_stop
from goal_ledger.cli.frame.text import as_json
from goal_ledger.cli.show.log import event_data, event_line
from goal_ledger.domain.base import Recorded, Unreadable


class Position(click.ParamType[int | str]):
    """A position in the log, or `now` for its present end."""

    name = "position"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return value if value == "now" else click.IntRange(min=0).convert(value, param, ctx)


@click.command(
    "follow",
    cls=Verb,
    examples=("goal-ledger follow --after now", "goal-ledger follow --json --after 1200 --until-head"),
)
@click.option(
    "--after", type=Position(), default=0, metavar="N|now", help="Begin behind this position, or with what is new."
)
@click.option("--until-head", is_flag=True, help="Stop at the present end instead of waiting for more.")
@click.pass_obj
def follow(app: App, after: int | str, until_head: bool) -> None:
    """Print every event, one line each, then new ones as they come, until Ctrl-C.

    With --json each line is an object of its own (NDJSON), without the envelope of the other commands: an endless
    list is no document. The last position is said at the end: go on from it with --after.
    """
    ledger = app.ledger
    head = ledger.head
    last = head if after == "now" else ledger.position_at(after)

    def show(recorded: Recorded | Unreadable) -> None:
        nonlocal last
        row = event_data(recorded)
        app.answered = True
        if app.wants_json:
            click.echo(orjson.dumps(row, default=as_json))
        else:
            event_line(row)
        last = recorded.position

    with asked_to_stop() as stop:
        reader_left = _watch_reader(stop)
        if until_head:
            for recorded in ledger.events(after=last):
                if recorded.position > head or stop.is_set():
                    break
                show(recorded)
        else:
            ledger.follow(show, after=last, stop=stop)
    if reader_left.is_set():
        raise BrokenPipeError
    app.say(f"stopped behind position {last}; to go on: {app.command} --after {last}")


def _watch_reader(stop: threading.Event) -> threading.Event:
    """Set, and stop too, when nobody reads our output any more: a quiet log would never let us notice."""
    left = threading.Event()

    def watch() -> None:
        with suppress(AttributeError, OSError, ValueError):  # no poll on this system, or no real stdout
            poll = select.poll()
            poll.register(sys.stdout.fileno(), 0)  # errors only
            poll.poll()
            left.set()
            stop.set()

    threading.Thread(target=watch, daemon=True).start()
    return left
