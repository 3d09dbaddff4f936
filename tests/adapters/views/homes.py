"""Where read models can be: beside a log of their own, opened as often as there are processes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.adapters.views.log import Log, LogRow
from goal_ledger.adapters.views.sqlite import sqlite_views
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.location import locate
from goal_ledger.projections.base import Projection
from goal_ledger.projections.registry import PROJECTIONS
from tests.places import PLACES, Place
from tests.postgres import Server
from tests.tools import PATIENCE_S, tables_by


class Home(ABC):
    """A log, and a place for views of it."""

    log: Store

    def views(self, *projections: Projection[Any], log: Log | None = None, **options: Any) -> "closing[Views]":
        """The views as one more process sees them; of every projection by default."""
        options = {"ledger": "meta_1", "wait_s": PATIENCE_S, **options}
        return closing(self._open(log or self.log, projections or PROJECTIONS.values(), options))

    @abstractmethod
    def _open(self, log: Log, projections: Iterable[Projection[Any]], options: dict[str, Any]) -> Views: ...

    @abstractmethod
    def ask(self, sql: str) -> list[Any]:
        """What the views' database itself answers, or what somebody does to it."""

    def tables(self, role: str = "live") -> dict[str, list[Any]]:
        """What the tables that have a role hold, and what is noted about them, by projection."""
        return tables_by(self.ask, role)


class MemoryHome(Home):
    """Here every process has views of its own."""

    def __init__(self) -> None:
        self.log = SqliteStore(None)

    def _open(self, log: Log, projections: Iterable[Projection[Any]], options: dict[str, Any]) -> Views:
        return sqlite_views(None, log, projections, **options)

    def ask(self, sql: str) -> list[Any]:
        raise NotImplementedError("nobody else can ask")


class PlaceHome(Home):
    """Where a ledger would have them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.log = place.store()

    def _open(self, log: Log, projections: Iterable[Projection[Any]], options: dict[str, Any]) -> Views:
        renamed = {"wait_s": "lock_wait_s"}
        ledger = options.pop("ledger")
        settings = Settings().model_copy(update={renamed.get(name, name): each for name, each in options.items()})
        return locate(self.place.url).open_views(log, projections, settings, ledger=ledger)

    def ask(self, sql: str) -> list[Any]:
        return self.place.views_rows(sql)


def _at(name: str) -> Callable[[Path, Callable[[], Server]], Home]:
    return lambda folder, server: PlaceHome(PLACES[name](folder, server))


HOMES: dict[str, Callable[[Path, Callable[[], Server]], Home]] = {
    "memory": lambda _, __: MemoryHome(),
    **{name: _at(name) for name in PLACES},
}
KEPT = [name for name in HOMES if name != "memory"]


class Watched:
    """A log that remembers what was read of it. decoded: the positions, in order."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.decoded: list[int] = []

    def head(self) -> int:
        return self._log.head()

    def digest_at(self, position: int) -> bytes | None:
        return self._log.digest_at(position)

    def page(self, after: int, limit: int) -> list[LogRow]:
        return self._log.page(after, limit)

    def decode(self, row: LogRow) -> Recorded | Unreadable:
        self.decoded.append(row[0])
        return self._log.decode(row)

    def stream(self, stream: str, *, after: int = 0, up_to: int | None = None) -> list[Recorded | Unreadable]:
        return self._log.stream(stream, after=after, up_to=up_to)

    def position_at(self, at: str) -> int:
        return self._log.position_at(at)

    def counts(self) -> tuple[int, int]:
        return self._log.counts()
