"""What one call of the command shares: the ledger it asks, and the one way to answer.

What help does not need is imported at use.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from goal_ledger.cli.frame.text import as_json, visible
from goal_ledger.domain.errors import Invalid, NotFound

if TYPE_CHECKING:
    from goal_ledger.adapters.backends.backend import Backend
    from goal_ledger.adapters.views.repairs import Quarantined
    from goal_ledger.cli.frame.progress import Progress
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.circumstances import Metadata
    from goal_ledger.ledger.engine.configuration import Configuration

PROGRAM = "goal-ledger"
COMPLETION = "_GOAL_LEDGER_COMPLETE"  # set by the shell that asks what could be typed next
MOST_WARNINGS = 20


class Place(NamedTuple):
    """Which ledger is meant. origin: who says so."""

    origin: str
    location: "Backend"


class App:
    """The global options, as far as they are known, and what follows from them.

    json_expected: `--json` stands somewhere on the command line; it decides while the line is not understood yet.
    """

    def __init__(self, *, json_expected: bool = False) -> None:
        self.db: str | None = None
        self.actor: str | None = None
        self.json = False
        self.json_expected = json_expected
        self.understood = False
        self.command = PROGRAM
        self.answered = False
        self.tells_progress = False
        self.circumstances: Metadata = {}
        self._opened: Ledger | None = None
        self._asked: tuple[datetime | int | None, datetime | None] | None = None
        self._past: Ledger | None = None

    @property
    def wants_json(self) -> bool:
        """Whether the answer, or the refusal, is a JSON document."""
        return self.json or (self.json_expected and not self.understood)

    # --- The ledger

    def place(self) -> Place:
        """Where the ledger is, or would be created. Errors: those of `locate`."""
        from pathlib import Path

        from goal_ledger.ledger.engine.location import locate, nearest

        if self.db is not None:
            return Place("--db", locate(self.db))
        if url := os.environ.get("GOAL_LEDGER_DB"):
            return Place("GOAL_LEDGER_DB", locate(url))
        found = nearest(Path.cwd())
        if found.parent == Path.cwd():
            return Place("this folder", locate(found.name))
        return Place("a folder above this one", locate(found))

    def configuration(self) -> "Configuration":
        """The settings that hold for the ledger, from the file beside it and the environment."""
        from goal_ledger.ledger.engine.configuration import configure

        location = self.place().location
        try:
            return configure(location.settings_file)
        except Invalid as error:
            error.hint = error.hint or "correct it there, or take it away"
            raise

    @property
    def ledger(self) -> "Ledger":
        """The ledger, which must exist, as of the time that is asked for. NotFound: no_ledger."""
        if self._asked is None:
            return self.present
        if self._past is None:
            when, valid_at = self._asked
            self._past = self.present.as_of(when, valid_at=valid_at)
        return self._past

    @property
    def present(self) -> "Ledger":
        """The ledger as it is, whatever is asked. NotFound: no_ledger."""
        return self.open(create=False)

    def look_back(self, when: datetime | int | None, valid_at: datetime | None) -> None:
        """Ask `ledger` about the past from now on; see `Ledger.as_of`."""
        self._asked = when, valid_at

    def open(self, *, create: bool) -> "Ledger":
        """The ledger under the circumstances of this call; it is closed when the call ends."""
        if self._opened is None:
            from goal_ledger.ledger import Ledger

            location = self.place().location
            actor = self.actor if self.actor is not None else os.environ.get("GOAL_LEDGER_ACTOR") or _login()
            settings = self.configuration().settings
            try:
                opened = Ledger.open(location, actor=actor, settings=settings, create=create)
            except NotFound as error:
                error.hint = f"create one: {self.beginning()}"
                raise
            self._opened = opened
            if (context := click.get_current_context(silent=True)) is not None:
                context.find_root().call_on_close(self.close)
        return self._opened.using(**self.circumstances)

    def close(self) -> None:
        """Close the ledger, when it was opened."""
        if self._opened is not None:
            self._opened.close()

    def beginning(self) -> str:
        """The command that creates the ledger of this call."""
        import shlex

        if self.db is None:
            where = ""
        else:  # never the url as it was typed: a hint is copied into logs
            where = f"--db {shlex.quote(self.place().location.name)} "
        return f'goal-ledger {where}goal create "Cut checkout errors"'

    # --- Answers

    def show(self, data: Any, human: Callable[[Any], None], *, warnings: Sequence[str] = (), **beside: Any) -> None:
        """Answer with data: as the JSON document, or as `human` draws it.

        beside: what stands next to `data` in the document, e.g. `next`.
        """
        warnings = [*warnings, *self._untimed()]
        if self.wants_json:
            self.document({"version": 1, "status": "ok", "data": data, **beside, "warnings": warnings})
            return
        human(data)
        for warning in warnings:
            self.say(f"warning: {warning}")

    def show_list(
        self,
        rows: Sequence[Any],
        human: Callable[[Any], None],
        *,
        next_page: str | None = None,
        empty: str,
        warnings: Sequence[str] = (),
    ) -> None:
        """Answer with a list.

        next_page: the cursor where the next page begins. empty: what to say to people when there is nothing.
        """
        if self._asked is not None:
            empty = "Nothing as of then."
        self.show(rows, human if rows else lambda _: self.say(empty), warnings=[*warnings, *self._quarantine()],
                  next=next_page)  # fmt: skip
        if next_page is not None and not self.wants_json:
            self.say(f"{len(rows)} shown; for more add: --after {next_page}")

    def document(self, document: dict[str, Any]) -> None:
        """Print the one JSON document of this call."""
        import orjson

        self.answered = True
        click.echo(orjson.dumps(document, default=as_json))

    def say(self, words: str) -> None:
        """Words beside the data, to stderr, on one line."""
        click.echo(visible(words), err=True)

    @contextmanager
    def progress(self, what: str) -> Iterator["Progress"]:
        """How far long work is, on stderr: a bar when somebody watches, lines when they are asked for."""
        if self.tells_progress:
            from goal_ledger.cli.frame.progress import lines

            yield lines(what, self.say)
        elif self.wants_json or not sys.stderr.isatty():
            yield lambda _done, _of: None
        else:
            from goal_ledger.cli.frame.progress import bar

            with bar(what) as progress:
                yield progress

    def _untimed(self) -> list[str]:
        """A warning when the answer leaves out events because nobody knows when they were true."""
        if self._past is None or not (count := self._past.untimed):
            return []
        words = (
            "1 event does not say when it was true and is"
            if count == 1
            else f"{count:,} events do not say when they were true and are"
        )
        return [f"{words} left out"]

    def _quarantine(self) -> list[str]:
        """One warning per event that the read models could not fold: rows may lack what it says."""
        if self._opened is None:
            return []
        return lacking(self.ledger.views.repairs.quarantined())


def lacking(events: "Iterable[Quarantined]") -> list[str]:
    """One warning per event that a read model could not fold."""
    found = [f"{each.projection} lacks position {each.position}, {each.event} of {each.stream}: {each.problem}"
             for each in events]  # fmt: skip
    return at_most(found, "events are lacking; see goal-ledger projection status")


def at_most(warnings: Sequence[str], rest: str) -> list[str]:
    """The first warnings, and how many there are beyond them."""
    more = len(warnings) - MOST_WARNINGS
    return [*warnings[:MOST_WARNINGS], *([f"{more} more {rest}"] if more > 0 else [])]


def _login() -> str:
    if login := os.environ.get("LOGNAME") or os.environ.get("USER"):
        return f"cli:{login}"
    import getpass  # asks the terminal and the list of users, which is slow

    try:
        return f"cli:{getpass.getuser()}"
    except (ImportError, KeyError, OSError):  # a user without a name, as in many containers
        return "cli:unknown"


pass_app = click.make_pass_decorator(App)
