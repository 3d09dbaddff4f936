"""Lists in pages: each begins behind the last row of the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from warnings import warn

from goal_ledger.domain.errors import Invalid
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views

R = TypeVar("R", bound=tuple[Any, ...])

Cursor = tuple[int | str, ...]
"""Where a page ended: the last row's values of the columns that it is ordered by."""


class _Page(NamedTuple, Generic[R]):
    rows: Sequence[R]
    next: Cursor | None


class Page(_Page[R]):
    """Some rows, and where the next page begins: None when there are no more.

    formerly: the name under which the rows can be read too, which is deprecated.
    """

    formerly: str = ""

    if not TYPE_CHECKING:  # a checker must know every attribute

        def __getattr__(self, name: str) -> Any:
            if name == self.formerly:
                warn(f"Page.{name} is deprecated: use Page.rows", DeprecationWarning, stacklevel=2)
                return self.rows
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def page_of(
    ask: Callable[[int | None], Sequence[R]], *, order: Sequence[str], limit: int | None, formerly: str
) -> Page[R]:
    """A page of what is asked for.

    ask: gives the first so many rows behind the page before, in this order; None for all. limit: of rows, None for all.
    formerly: see `Page`.

    Invalid: bad_limit.
    """
    if limit is not None and limit < 1:
        raise Invalid("bad_limit", f"a page of {limit} holds nothing; the least is 1")
    rows = ask(None if limit is None else limit + 1)  # one more, so that it shows whether there are more
    if limit is None or len(rows) <= limit:
        page = Page(rows, None)
    else:
        page = Page(rows[:limit], cursor(rows[limit - 1], order))
    page.formerly = formerly
    return page


def select_page(
    views: Views,
    projection: Projection[R],
    wanted: Mapping[str, Any],
    *,
    order: Sequence[str],
    descending: bool,
    after: Cursor | None,
    limit: int | None,
    formerly: str,
) -> Page[R]:
    """A page of the rows of a projection.

    wanted: what columns must equal, None for anything. after: where the page before ended. Others, and errors: those of
    `page_of`.
    """
    where = {column: value for column, value in wanted.items() if value is not None}

    def ask(most: int | None) -> Sequence[R]:
        return views.select(projection, where, order=order, descending=descending, after=after, limit=most)

    return page_of(ask, order=order, limit=limit, formerly=formerly)


def cursor(row: tuple[Any, ...], order: Sequence[str]) -> Cursor:
    """Where a row stands in its order."""
    return tuple(getattr(row, column) for column in order)
