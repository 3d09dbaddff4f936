"""Rows that are each folded from a stream of their own: one, a page of them, the events of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Generic, NamedTuple, TypeVar
from warnings import warn

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.ids import require_id
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page, select_page
from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])
T = TypeVar("T")


class Kind(NamedTuple, Generic[R]):
    """What rows are of.

    prefix: of their ids. noun: of one, as codes of errors have it. words: how messages call one, default: the noun.
    command: that lists them, default: the noun. order, descending: of a list, default: the one that changed last first.
    """

    projection: Projection[R]
    prefix: str
    noun: str
    words: str | None = None
    command: str | None = None
    order: Sequence[str] = ("position",)
    descending: bool = True

    def get(self, engine: Engine, stream: str) -> R:
        """The row of a stream. NotFound: unknown_…, with the noun."""
        return self.existing(engine.fold(self.projection, require_id(self.prefix, stream)), stream)

    def existing(self, row: R | None, stream: str) -> R:
        """The row, when there is one. NotFound: unknown_…, with the noun."""
        if row is None:
            raise self.unknown(stream)
        return row

    def unknown(self, stream: str) -> NotFound:
        """The error that nothing stands under an id."""
        return NotFound(
            f"unknown_{self.noun}",
            f"there is no {self.words or self.noun} {stream}",
            hint=Hint(self.command or self.noun, "list"),
        )


def _also_by_name(method: Callable[[Any, str], T]) -> Callable[[Any, str], T]:
    """Take the id also as the row names it, e.g. `get(goal_id=…)`, which is deprecated."""

    @wraps(method)
    def call(self: Rows[Any], *ids: str, **named: str) -> T:
        name = self.kind.projection.key
        if not ids and set(named) == {name}:
            told = f"{method.__name__}({name}=…) is deprecated: give the id without a name"
            warn(told, DeprecationWarning, stacklevel=2)
            return method(self, named[name])
        return method(self, *ids, **named)

    return call


class Rows(Generic[R]):
    """What every capability has whose things are each a stream with a row."""

    kind: Kind[R]
    """Set by each class."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @_also_by_name
    def get(self, id: str, /) -> R:
        """The one with this id, as it stands. NotFound: unknown_…, with its noun."""
        return self.kind.get(self._engine, id)

    @_also_by_name
    def timeline(self, id: str, /) -> Sequence[Recorded | Unreadable]:
        """The events of the one with this id, in order. Errors of `get`."""
        self.get(id)
        return self._engine.stream(id)

    def _page(self, wanted: Mapping[str, Any] | None = None, *, after: Cursor | None, limit: int | None) -> Page[R]:
        """A page of them; see `select_page`."""
        kind = self.kind
        return select_page(
            self._engine.views, kind.projection, wanted or {}, order=kind.order, descending=kind.descending,
            after=after, limit=limit, formerly=f"{kind.noun}s",
        )  # fmt: skip

    def _answer(self, stream: str, recorded: Sequence[Recorded]) -> R:
        """The row of a stream right after what was recorded; as it stands when that is nothing. Errors of `get`."""
        return self.kind.existing(self._engine.answer(self.kind.projection, stream, recorded), stream)
