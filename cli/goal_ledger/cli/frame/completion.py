"""What the shell is told when it asks what could be typed next."""

import os
from itertools import islice

import click
from click.shell_completion import CompletionItem, shell_complete

from goal_ledger.cli.frame.app import COMPLETION, PROGRAM, App
from goal_ledger.cli.frame.command import MOST_IDS, Noun
from goal_ledger.cli.frame.text import visible

_ABOUT = 60  # characters of what stands beside an id


def answer(root: click.Command, app: App) -> int:
    """Tell the shell what could be typed next; the exit code."""
    return shell_complete(root, {"obj": app}, PROGRAM, COMPLETION, os.environ[COMPLETION])


def ids(noun: str, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The ids of a noun that begin like this, as it lists them. Nothing is created, and nothing goes wrong."""
    app, root = ctx.find_object(App), ctx.find_root().command
    if app is None or not isinstance(root, click.Group):
        return []
    try:
        found = root.get_command(ctx, noun)
        if not isinstance(found, Noun) or found.candidates is None:
            return []
        matching = (each for each in found.candidates(app.ledger, incomplete) if each[0].startswith(incomplete))
        return [CompletionItem(one, help=visible(about)[:_ABOUT]) for one, about in islice(matching, MOST_IDS)]
    except Exception:  # whatever it is, the command itself will say it
        return []
    finally:
        app.close()
