"""The read models of one ledger: questions, each answered from rows that are caught up with the log first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from warnings import warn

from goal_ledger.adapters.views.builder import Builder
from goal_ledger.adapters.views.catching_up import CatchUp
from goal_ledger.adapters.views.log import Progress, quiet
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.rebuilds import Rebuilds
from goal_ledger.adapters.views.repairs import Repairs
from goal_ledger.adapters.views.shelf import Role, Shelf
from goal_ledger.adapters.views.table import Table
from goal_ledger.domain.settings import Stale
from goal_ledger.projections.base import Key, Projection

R = TypeVar("R", bound=tuple[Any, ...])

Edition = tuple[int, Sequence[str]]
"""How often rows were repaired in place, and the tables that readers see."""

_REBUILDS = ("status", "rebuild", "build", "swap", "swap_back", "diff", "dry_run", "drop_old", "drop_new")
_REPAIRS = ("quarantined", "repair", "retry")
_MOVED = dict.fromkeys(_REBUILDS, "rebuilds") | dict.fromkeys(_REPAIRS, "repairs")
"""Methods that `Views` had, and where they are now."""


class Views:
    """The read models of one ledger. rebuilds: of whole tables. repairs: of single rows.

    stale: what to do when the tables of this code are not there and the log is longer than a page.
    """

    def __init__(self, models: ReadModels, stale: Stale = Stale.REBUILD) -> None:
        self.models = models
        builder = Builder(models)
        self._catch_up = CatchUp(models, builder, stale)
        self.rebuilds = Rebuilds(models, builder)
        self.repairs = Repairs(models, self._catch_up)

    def get(self, projection: Projection[R], key: Key) -> R | None:
        """The row under a key, as of now. Unavailable: stale_views."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.get, (key,)

        rows: list[R] = self._ask(projection, ask)
        return rows[0] if rows else None

    def select(
        self,
        projection: Projection[R],
        where: Mapping[str, Any] | None = None,
        *,
        order: Sequence[str],
        descending: bool = False,
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[R]:
        """Rows as of now; see `Table.select` for the arguments. Unavailable: stale_views."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.select(where or {}, order, descending=descending, after=after, limit=limit)

        return self._ask(projection, ask)

    def select_columns(
        self,
        projection: Projection[Any],
        columns: Sequence[str],
        where: Mapping[str, Any] | None = None,
        *,
        order: Sequence[str],
        after: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[tuple[Any, ...]]:
        """Some columns of rows as of now: most of the time that wide rows take is spent on what nobody asked for."""

        def ask(table: Table[Any]) -> tuple[str, Sequence[Any]]:
            return table.select(where or {}, order, descending=False, after=after, limit=limit, columns=columns)

        return self._ask(projection, ask, lambda table: table.decoder(columns))

    def stream_at(self, position: int) -> str | None:
        """The stream whose last event stood at a position, as the rows remember it; nothing is caught up first."""

        def ask(shelf: Shelf) -> str | None:
            for projection in self.models.projections.values():
                place = shelf.place(projection, Role.LIVE)
                column = projection.key if projection.is_by_stream else "goal_id"
                if place is not None and {column, "position"} <= set(projection.row._fields):
                    sql = f'SELECT {column} FROM "{place.name}" WHERE position = ?'
                    if (row := shelf.session.execute(sql, (position,)).fetchone()) is not None:
                        return str(row[0])
            return None

        return self.models.at_one_moment(ask)

    def edition(self, *projections: Projection[Any]) -> Edition:
        """Another one than before when rows may have changed other than by catching up.

        That is when tables were swapped, by whatever process, and when this one repaired or retried.
        """
        digests = [self.models.digests[projection.name] for projection in projections]
        sql = f"SELECT name FROM folded WHERE role = ? AND digest IN ({', '.join('?' * len(digests))}) ORDER BY name"
        with self.models.reading() as shelf:
            return self.repairs.count, [name for (name,) in shelf.session.execute(sql, (Role.LIVE, *digests))]

    def catch_up(self, progress: Progress = quiet) -> int:
        """Fold what the log holds beyond the tables; the position reached. Unavailable: stale_views. Conflict: busy."""
        return self._catch_up.run(progress)

    def close(self) -> None:
        """Close every connection."""
        self.models.database.close()

    def _ask(
        self,
        projection: Projection[Any],
        question: Callable[[Table[Any]], tuple[str, Sequence[Any]]],
        decoder: Callable[[Table[Any]], Callable[[Sequence[Any]], R]] = lambda table: table.decode,
    ) -> list[R]:
        models, digest = self.models, self.models.digests[projection.name]

        def answer(shelf: Shelf) -> list[R] | None:
            name = shelf.live(projection.name, digest)
            if name is None:
                return None
            table: Table[Any] = models.table(projection, name)
            return list(map(decoder(table), shelf.session.execute(*question(table)).fetchall()))

        while True:
            self._catch_up.run(quiet)
            rows = models.at_one_moment(answer)
            if rows is not None:
                return rows
            self._catch_up.look_again()

    # --- Names of before

    if not TYPE_CHECKING:  # a checker must know every attribute

        def __getattr__(self, name: str) -> Any:
            if name in _MOVED:
                now = f"{_MOVED[name]}.{name}"
                warn(f"Views.{name} is deprecated: use Views.{now}", DeprecationWarning, stacklevel=2)
                return getattr(getattr(self, _MOVED[name]), name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
