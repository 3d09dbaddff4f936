"""What verbs have in common: kinds of values, and the options that say why, when and under which id."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from json import loads
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Section
from goal_ledger.cli.frame.cursor import DIGITS
from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Invalid, NotFound
from goal_ledger.domain.times import parse_utc, utc_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PAGE = 50  # rows of a list that people see unless they say otherwise


class OneOf(click.Choice[str]):
    """One of the words of an enum, as that enum."""

    def __init__(self, words: Sequence[StrEnum] | type[StrEnum]) -> None:
        self.words = {str(word): word for word in words}
        super().__init__(list(self.words))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> StrEnum:
        return value if isinstance(value, StrEnum) else self.words[super().convert(value, param, ctx)]


class Time(click.ParamType[datetime | str]):
    """An ISO 8601 instant. also: a word that is taken as it is."""

    name = "time"

    def __init__(self, also: str | None = None) -> None:
        self.also = also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | str:
        if value == self.also or isinstance(value, datetime):
            return value  # type: ignore[no-any-return]
        try:
            return parse_utc(value)
        except Invalid as error:
            where = f"{param.opts[0]}: " if param is not None else ""
            raise Invalid(error.code, where + error.message, hint=error.hint) from None


class Instant(Time):
    """A position in the log, or an ISO 8601 instant."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, int) or (value.isdecimal() and len(value) < DIGITS):
            return int(value)
        return super().convert(value, param, ctx)


class Id(click.ParamType[str]):
    """The id of what a noun is about; the shell can ask for those that there are."""

    name = "id"

    def __init__(self, noun: str) -> None:
        self.noun = noun

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from goal_ledger.cli.frame.completion import ids

        return ids(self.noun, ctx, incomplete)


def id_argument(noun: str, name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The argument that says which one is meant, `GOAL` of a goal. name: in Python; default: `goal_id`."""
    return click.argument(name or f"{noun}_id", metavar=noun.upper(), type=Id(noun))


def active_ones(*, every: bool, retired: bool) -> bool | None:
    """What `--all` and `--retired` of a list ask for: the active ones, the others, or None for both. UsageError."""
    if every and retired:
        raise click.UsageError("--all and --retired exclude each other; give one of them.")
    return None if every else not retired


class Filter(click.Option):
    """An option that leaves rows out of a list."""


class Amount(click.ParamType[Decimal]):
    """An exact number."""

    name = "decimal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a decimal number.", param, ctx)


class Pair(click.ParamType[tuple[str, Any]]):
    """KEY=VALUE, the value read by `read`, which raises ValueError."""

    name = "pair"

    def __init__(self, read: Callable[[str], Any], example: str) -> None:
        self.read = read
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        try:
            if not (key and equals):
                raise ValueError
            return key, self.read(text)
        except (ValueError, RecursionError):
            self.fail(f"{value!r} cannot be read; write it like {self.example}", param, ctx)


def number(text: str) -> int | float:
    """A whole number as int, any other as float. ValueError."""
    try:
        return int(text)
    except ValueError:
        return float(text)


JSON_PAIR = Pair(loads, "team='\"payments\"' or retries=3")
NUMBER_PAIR = Pair(number, "error_rate=0.7")

_RECORDING = "Recording options"


def writes(function: Callable[..., None]) -> Callable[..., None]:
    """A verb that writes: `--reason` goes to the function, the other circumstances to the ledger it opens."""

    def option(*names: str, **kwargs: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
        return click.option(*names, cls=Section, section=_RECORDING, **kwargs)

    @option("--reason", metavar="TEXT", help="Why, in one line, for the audit.")
    @option("--command-id", metavar="ID", help="The same id and the same wish again change nothing.")
    @option("--occurred-at", type=Time("unknown"), help="When it was true, or `unknown`; now by default.")
    @option("--now", type=Time(), help="Act as if it were this time: for deadlines and as --occurred-at.")
    @option("--if-version", type=click.IntRange(min=0), metavar="N", help="Only if the version is still N.")
    @functools.wraps(function)
    def writing(
        *,
        command_id: str | None,
        occurred_at: datetime | str | None,
        now: datetime | None,
        if_version: int | None,
        **wish: Any,
    ) -> None:
        if occurred_at is not None and now is not None:
            raise click.UsageError("--now and --occurred-at say the same thing; give one of them.")
        app = click.get_current_context().ensure_object(App)
        when = occurred_at or now
        if when == "unknown":
            from goal_ledger.ledger import UNKNOWN

            app.circumstances["occurred_at"] = UNKNOWN
        elif isinstance(when, datetime):
            app.circumstances["occurred_at"] = when
        app.circumstances |= {"command_id": command_id, "if_version": if_version}
        function(app, **wish)

    return writing


def as_of(*, folds: bool = False, overdue: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A verb that can show what was: `app.ledger` is then the ledger as of the time that is asked for.

    folds: it reads lists, for which the log is folded up to there. overdue: it tells what is overdue, as of `--now`.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @click.option(
            "--as-of",
            "--known-at",
            "when",
            type=Instant(),
            metavar="TIME|POSITION",
            help="As it was known at a time, or when the log ended at a position.",
        )
        @click.option("--valid-at", type=Time(), help="As it was true at a time: only what had occurred by then.")
        @functools.wraps(function)
        def reading(
            *, when: datetime | int | None, valid_at: datetime | None, now: datetime | None = None, **question: Any
        ) -> None:
            app = click.get_current_context().ensure_object(App)
            if now is not None:
                app.circumstances["occurred_at"] = now
            if when is None and valid_at is None:
                function(app, **question)
                return
            app.look_back(when, valid_at)
            if folds:
                with app.progress("folding") as progress:
                    app.ledger.views.catch_up(progress)
            try:
                function(app, **question)
            except NotFound as error:
                raise _not_yet(error, app, when, valid_at) from None

        if not overdue:
            return reading
        return click.option("--now", type=Time(), help="What is overdue as of this time; now by default.")(reading)

    return decorate


def _not_yet(error: NotFound, app: App, when: datetime | int | None, valid_at: datetime | None) -> NotFound:
    """The error of somebody who asks for a time before the thing existed."""
    context = click.get_current_context()
    things = [
        str(context.params[param.name or ""])
        for param in context.command.params
        if isinstance(param.type, Id) and isinstance(param, click.Argument)
    ]
    began = next(iter(app.present.stream(things[0])), None) if things and things[0] in error.message else None
    if began is None:
        return error
    command = f"{context.command_path} {things[0]}"
    if began.position > app.ledger.head:
        then = utc_text(when) if isinstance(when, datetime) else f"position {when}"
        return NotFound(
            error.code,
            f"as of {then}, {error.message}: it began at position {began.position}",
            hint=f"{command} --as-of {began.position}",
        )
    if not isinstance(began, Recorded) or began.occurred_at is None:
        since, hint = "nobody knows when it began", command
    else:
        since, hint = f"it began at {began.occurred_at}", f"{command} --valid-at {began.occurred_at}"
    then = "" if valid_at is None else utc_text(valid_at)
    return NotFound(error.code, f"true at {then}, {error.message}: {since}", hint=hint)


def pages(function: Callable[..., None]) -> Callable[..., None]:
    """A list that comes in pages. `limit` is None for all."""

    @click.option(
        "--limit",
        type=click.IntRange(min=1, max=10**9),
        metavar="N",
        help=f"At most N rows; {PAGE} by default, with --json all.",
    )
    @click.option("--after", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
    @functools.wraps(function)
    def listing(app: App, *, limit: int | None, **question: Any) -> None:
        function(app, limit=limit or (None if app.wants_json else PAGE), **question)

    return listing


def progress_lines(function: Callable[..., None]) -> Callable[..., None]:
    """Long work that can tell how far it is even when nobody watches."""

    @click.option("--progress", is_flag=True, help="Say how far it is, at what rate and how long still, line by line.")
    @functools.wraps(function)
    def telling(app: App, *, progress: bool, **wish: Any) -> None:
        app.tells_progress = progress
        function(app, **wish)

    return telling
