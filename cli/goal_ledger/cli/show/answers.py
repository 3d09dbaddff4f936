"""How a verb answers: with one row, with rows, with pages of rows, or with a timeline.

A verb is then a question: a function of the ledger and of what was asked, which returns what it found.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.cursor import POSITION, Cursor
from goal_ledger.cli.frame.options import Filter, as_of, pages
from goal_ledger.cli.show.log import timeline, timeline_data
from goal_ledger.domain.base import Recorded, Unreadable

if TYPE_CHECKING:
    from goal_ledger.cli.show.draw import Data
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page

R = TypeVar("R")
N = TypeVar("N", bound=tuple[Any, ...])

Events = Sequence[Recorded | Unreadable]
Question = Callable[..., R]
Verb = Callable[..., None]
Shape = Callable[["Ledger", Any], "Data"]
"""What the document says of a row."""


def row_data(_: Ledger, row: Any) -> Data:
    """The fields of a row."""
    data: Data = row._asdict()
    return data


def one(
    draw: Callable[[Data], None],
    *,
    data: Shape = row_data,
    folds: bool = False,
    overdue: bool = False,
) -> Callable[[Question[R]], Verb]:
    """A verb that shows one thing, as it is or was. folds, overdue: see `as_of`."""

    def decorate(question: Question[R]) -> Verb:
        @as_of(folds=folds, overdue=overdue)
        @functools.wraps(question)
        def verb(app: App, **asked: Any) -> None:
            app.show(data(app.ledger, question(app.ledger, **asked)), draw)

        return verb

    return decorate


def rows(
    draw: Callable[[Sequence[Data]], None],
    *,
    data: Shape = row_data,
    empty: str,
    overdue: bool = False,
) -> Callable[[Question[Sequence[R]]], Verb]:
    """A verb that lists a few things, as they are or were. empty: what people read when there are none."""

    def decorate(question: Question[Sequence[R]]) -> Verb:
        @as_of(folds=True, overdue=overdue)
        @functools.wraps(question)
        def verb(app: App, **asked: Any) -> None:
            app.show_list([data(app.ledger, row) for row in question(app.ledger, **asked)], draw, empty=empty)

        return verb

    return decorate


def page(
    draw: Callable[[Sequence[Data]], None],
    *,
    data: Shape = row_data,
    cursor: Cursor | Mapping[str, Cursor] = POSITION,
    empty: str,
    no_match: str | None = None,
    folds: bool = True,
    overdue: bool = False,
    warnings: Callable[[Ledger], Sequence[str]] = lambda _: (),
) -> Callable[[Question[Page[N]]], Verb]:
    """A verb that lists a page of things, as they are or were; it is asked with `after` and `limit`.

    cursor: the one of the list, or of each of its orders, by `sort`. empty: what people read when there are none;
    `{goal_id}` in it stands for what was asked. no_match: what they read instead when a `Filter` or a cursor was given.
    warnings: what they should know beside it.
    """

    def decorate(question: Question[Page[N]]) -> Verb:
        @as_of(folds=folds, overdue=overdue)
        @pages
        @functools.wraps(question)
        def verb(app: App, *, after: str | None, **asked: Any) -> None:
            places = cursor if isinstance(cursor, Cursor) else cursor[asked["sort"]]
            found = question(app.ledger, after=places.read(after), **asked)
            app.show_list(
                [data(app.ledger, row) for row in found.rows],
                draw,
                next_page=places.text(found.next),
                warnings=warnings(app.ledger),
                empty=no_match
                if no_match is not None and (after is not None or _filtered())
                else empty.format(**asked),
            )

        return verb

    return decorate


def _filtered() -> bool:
    """Whether an option was given that leaves rows out."""
    context = click.get_current_context()
    filters = (param.name or "" for param in context.command.params if isinstance(param, Filter))
    return any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in filters)


def events(question: Question[Events]) -> Verb:
    """A verb that tells what happened, up to now or to then, in order."""

    @as_of()
    @functools.wraps(question)
    def verb(app: App, **asked: Any) -> None:
        app.show_list(timeline_data(question(app.ledger, **asked)), timeline, empty="No events.")

    return verb
