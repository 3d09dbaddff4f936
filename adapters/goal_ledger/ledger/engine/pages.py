"""Lists in pages: each begins behind the last row of the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from goal_ledger.domain.errors import Invalid
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views

R = TypeVar("R", bound=tuple[Any, ...])

Place = tuple[int | str, ...]
"""Where a page ended: the last row's values of the columns that it is ordered by."""


def select_page(
    views: Views,
    projection: Projection[R],
    wanted: Mapping[str, Any],
    *,
    order: Sequence[str],
    descending: bool,
    after: Place | None,
    limit: int | None,
) -> tuple[Sequence[R], Place | None]:
    """A page of rows, and where the next one begins: None when there are no more.

    wanted: what columns must equal, None for anything. Invalid: bad_limit.
    """
    where = {column: value for column, value in wanted.items() if value is not None}
    most = one_more(limit)
    rows = views.select(projection, where, order=order, descending=descending, after=after, limit=most)
    return cut(rows, order, limit)


def one_more(limit: int | None) -> int | None:
    """How many rows to ask for, so that it shows whether there are more. Invalid: bad_limit."""
    if limit is not None and limit < 1:
        raise Invalid("bad_limit", f"a page of {limit} holds nothing; the least is 1")
    return None if limit is None else limit + 1


def cut(rows: Sequence[R], order: Sequence[str], limit: int | None) -> tuple[Sequence[R], Place | None]:
    """The rows of one page, and where the next one begins."""
    if limit is None or len(rows) <= limit:
        return rows, None
    return rows[:limit], place(rows[limit - 1], order)


def place(row: tuple[Any, ...], order: Sequence[str]) -> Place:
    """Where a row stands in its order."""
    return tuple(getattr(row, column) for column in order)
