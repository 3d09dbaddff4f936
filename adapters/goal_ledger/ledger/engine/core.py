"""What the light copies of one open ledger share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.views.log import Log
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Invalid, Rejected, Unavailable
from goal_ledger.domain.registry import NAMES
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import given_by_name, with_installed
from goal_ledger.ledger.engine.fresh_ids import FreshIds
from goal_ledger.ledger.engine.location import locate
from goal_ledger.ledger.engine.reactions import Reactions
from goal_ledger.ledger.engine.transaction import StateCache
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views

T = TypeVar("T")

_AT_REST = 2  # objects of one kind: for a thread that writes and one that looks on


class Core:
    """What the light copies of one open ledger share.

    log: what they read: the store, or what it held in the past. reactions: what follows from events. projections: those
    that are read beside the built-in and the installed ones.
    """

    def __init__(
        self,
        store: Store,
        backend: Backend,
        clock: Callable[[], datetime],
        settings: Settings,
        reactions: Reactions,
        projections: Iterable[Projection[Any]] = (),
        *,
        read_only: bool,
    ) -> None:
        self.store = store
        self.log: Log = store
        self.backend = backend
        self.clock = clock
        self.settings = settings
        self.reactions = reactions
        self.projections = tuple(projections)
        self.read_only = read_only
        self.ids = FreshIds()
        self.states = StateCache(settings.state_cache)
        self.rows = StateCache(settings.state_cache)
        self.closed = False
        self.pasts: WeakSet[Core] = WeakSet()
        self._ledger_id: str | None = None
        self._held: set[str] = set()
        self._at_rest: dict[type[Any], deque[Any]] = {}
        self._views: Views | None = None
        self._lock = threading.RLock()
        self._in_transaction = False

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Threads of this process take turns; a transaction inside a transaction is refused."""
        with self._lock:
            if self._in_transaction:
                raise Rejected("nested", "a transaction is under way in this thread", hint="use its tx instead")
            self._in_transaction = True
            try:
                yield
            finally:
                self._in_transaction = False

    def refuse_writes(self) -> None:
        """Refuse, unless it may be written. Rejected: read_only."""
        if self.read_only:
            raise Rejected("read_only", "the ledger was opened read-only", hint="open it without read_only")

    def require_present(self, what: str) -> None:
        """Refuse what only the log itself can answer. Rejected: not_of_the_past, never here."""

    def head(self) -> int:
        """The position of the last event."""
        return self.log.head()

    def untimed(self) -> int:
        """How many events were left out of what was asked because nobody knows when they were true."""
        return 0

    def stream(self, *streams: str) -> list[Recorded | Unreadable]:
        """The events of some streams, in order."""
        events = [item for stream in streams for item in self.log.stream(stream)]
        return events if len(streams) == 1 else sorted(events, key=lambda item: item.position)

    def events(self, after: int) -> Iterator[Recorded | Unreadable]:
        """The events behind a position, in order."""
        while rows := self.log.page(after, self.settings.page):
            yield from map(self.log.decode, rows)
            after = rows[-1][0]

    def ledger_id(self) -> str:
        """The stream of the first event; blank while there is none."""
        if self._ledger_id is None:
            rows = self.store.page(0, 1)
            if not rows:
                return ""
            self._ledger_id = rows[0][1]
        return self._ledger_id

    def has_held(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so; nothing is ever deleted, so that a yes is remembered."""
        if prefix not in self._held and self.store.has_streams(prefix):
            self._held.add(prefix)
        return prefix in self._held

    def at_rest(self, kind: type[T]) -> deque[T]:
        """What capabilities keep from one question to the next: a thread takes it away while it uses it."""
        return self._at_rest.setdefault(kind, deque(maxlen=_AT_REST))

    def views(self) -> Views:
        """The read models, opened when they are first asked for."""
        if self._views is not None:  # readers don't wait for a transaction under way
            return self._views
        with self._lock:
            if self.closed:
                raise Unavailable("closed", "the ledger is closed", hint="open it again")
            if self._views is None:
                self._views = self._open_views()
            return self._views

    def wait_for_events(self, after: int, timeout_s: float) -> None:
        """Wait until there are events behind a position, by whatever process, or for timeout_s seconds."""
        with suppress(Unavailable):  # closed by another thread, just now
            self.store.wait(after, timeout_s)

    def close(self) -> None:
        """Close the files and wake the followers."""
        self.closed = True
        with self._lock:
            for past in list(self.pasts):
                past.close()
            if self._views is not None:
                self._views.close()
            self.store.close()

    def _open_views(self) -> Views:
        """The read models that belong to the log; in memory when they must leave no trace."""
        backend = locate(":memory:") if self.read_only else self.backend
        projections = every_projection(self.projections).values()
        return backend.open_views(self.log, projections, self.settings, ledger=self.ledger_id(), store=self.store)


def every_projection(given: Iterable[Projection[Any]] = (), *, with_others: bool = True) -> dict[str, Projection[Any]]:
    """Every read model by name: the built-in ones, those given, those installed. with_others: False leaves those out.

    Invalid: duplicate_name, unknown_event. Unavailable: bad_extension.
    """
    from goal_ledger.projections.registry import PROJECTIONS  # commands on one goal need no read models

    more = given_by_name(((one.name, one) for one in given), PROJECTIONS)
    if with_others:
        more = with_installed(extensions.PROJECTIONS, Projection, more, PROJECTIONS)
    for one in more.values():
        if unknown := [event.__name__ for event in one.folds if event not in NAMES]:
            raise Invalid("unknown_event", f"the projection {one.name} reads {unknown[0]}, no event of a ledger")
    return PROJECTIONS | more
