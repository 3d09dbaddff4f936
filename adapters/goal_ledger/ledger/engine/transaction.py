"""Inside a transaction: load streams, decide, and collect the events that the commit will append."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, Unpack

from pydantic import ValidationError

from goal_ledger.adapters.store.codec import StoredRow, encode, envelope, name_of
from goal_ledger.domain.base import Decider, Event, Recorded, Unreadable, invalid
from goal_ledger.domain.errors import Conflict, Damaged, Hint, Invalid, LedgerError, Rejected
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.circumstances import UNKNOWN, Circumstances, TxMetadata
from goal_ledger.ledger.engine.fresh_ids import FreshIds
from goal_ledger.projections.base import Projection

S = TypeVar("S")
R = TypeVar("R", bound=tuple[Any, ...])
P = ParamSpec("P")

StateKey = tuple[str, str]
"""A stream, and what folded it."""


class StateCache:
    """What was folded from the streams used last, with the version it stands at, so that a load reads only the rest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._states: OrderedDict[StateKey, tuple[int, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: StateKey) -> tuple[int, Any] | None:
        """Version and state, when they are remembered."""
        return self._states.get(key)

    def update(self, states: dict[StateKey, tuple[int, Any]]) -> None:
        """Remember these; the ones not used for longest are forgotten."""
        with self._lock:
            for key, state in states.items():
                self._states[key] = state
                self._states.move_to_end(key)
            while len(self._states) > self._most:
                self._states.popitem(last=False)


class Stored(Protocol):
    """What a transaction reads of the log."""

    def head(self) -> int: ...
    def tail(self, stream: str, after: int) -> list[Recorded | Unreadable]: ...
    def recent(self, stream: str, count: int) -> list[Recorded | Unreadable]: ...
    def between(self, first: int, last: int) -> list[Recorded | Unreadable]: ...
    def has_streams(self, prefix: str) -> bool: ...


class Pending:
    """What a transaction has gathered so far; shared by the copies of a Tx."""

    def __init__(
        self,
        log: Stored,
        cache: StateCache,
        folded: StateCache,
        at: datetime,
        text_limit: int,
        ledger_id: Callable[[], str],
    ) -> None:
        self.log = log
        self.ledger_id = ledger_id
        self.cache = cache
        self.folded = folded
        self.at = at
        self.at_text = utc_text(at)
        self.text_limit = text_limit
        self.head = log.head()
        self.rows: list[StoredRow] = []
        self.recorded: list[Recorded] = []
        self.states: dict[StateKey, tuple[int, Any]] = {}
        self.fresh: set[str] = set()  # ids made in this transaction: nothing can be stored under them
        self.journal: list[tuple[StateKey, tuple[int, Any] | None]] = []
        self.expectation_met = False
        self.followed = 0  # so many of the recorded were handed to the reactions
        self.follow: Callable[[], None] = lambda: None
        self.is_following = False
        self.afterwards: list[tuple[str, Callable[[], object]]] = []

    def set_state(self, key: StateKey, state: tuple[int, Any]) -> None:
        """Hold a state, and note what it replaces."""
        self.journal.append((key, self.states.get(key)))
        self.states[key] = state

    def forget(self, changes: int) -> None:
        """Take back every change of state behind the first ones."""
        while len(self.journal) > changes:
            key, before = self.journal.pop()
            if before is None:
                del self.states[key]
            else:
                self.states[key] = before


def folded(projection: Projection[R], row: R | None, news: Iterable[Recorded | Unreadable]) -> R | None:
    """The row after these events of its stream. Damaged: cannot_fold."""
    for recorded in news:
        try:
            row = projection.fold(row, recorded)
        except Exception as error:  # a handler's mistake: the lists quarantine such an event
            place = f"position {recorded.position}, stream {recorded.stream}"
            raise Damaged("cannot_fold", f"{place}: {recorded.name} cannot be folded: {error}") from error
    return row


class Tx:
    """One transaction under the write lock. Handed to the function that `Ledger.transact` calls."""

    def __init__(
        self,
        pending: Pending,
        circumstances: Circumstances,
        command: tuple[str, str] | None,
        ids: FreshIds,
    ) -> None:
        self._pending = pending
        self._circumstances = circumstances
        self._command = command
        self._ids = ids
        occurred = circumstances.occurred_at
        self.now: datetime | None = None if occurred is UNKNOWN else occurred or pending.at
        """When the wish is true; None when nobody knows."""
        self._shared: bytes | None = None
        self._occurred_at = None if self.now is None else pending.at_text if occurred is None else utc_text(self.now)

    @property
    def at(self) -> datetime:
        """When it is recorded, by the ledger's clock."""
        return self._pending.at

    @property
    def by(self) -> str:
        """Who acts."""
        return self._circumstances.actor

    @property
    def head(self) -> int:
        """The position of the last stored event."""
        return self._pending.head

    @property
    def is_first(self) -> bool:
        """Whether the log is still empty."""
        return self._pending.head == 0

    @property
    def ledger_id(self) -> str:
        """The ledger's own id; blank before its first event."""
        return self._pending.ledger_id()

    @property
    def text_limit(self) -> int:
        """The longest text that an event may hold, in characters."""
        return self._pending.text_limit

    def using(self, **circumstances: Unpack[TxMetadata]) -> "Tx":
        """The same transaction under other circumstances: actor, occurred_at, cause, if_version.

        Invalid: bad_actor, naive_time, bad_time, invalid_value.
        """
        changed = self._circumstances.changed(circumstances, TxMetadata.__annotations__)
        if circumstances.keys() - {"occurred_at"}:  # that one is checked below, and imports change it for every record
            changed.checked()
        return Tx(self._pending, changed, self._command, self._ids)

    def new_id(self, prefix: str) -> str:
        """A new id from the ledger's clock."""
        fresh = self._ids(prefix, self._pending.at)
        self._pending.fresh.add(fresh)
        return fresh

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A part of the transaction: when the block raises, what it gathered is forgotten, the rest stays.

        Invalid: invalid_value, for events that do not fit their type.
        """
        pending = self._pending
        rows, changes, then = len(pending.rows), len(pending.journal), len(pending.afterwards)
        try:
            yield
        except BaseException as error:
            del pending.rows[rows:], pending.recorded[rows:], pending.afterwards[then:]
            pending.followed = min(pending.followed, rows)
            pending.forget(changes)
            if isinstance(error, ValidationError):
                raise invalid(error) from None
            raise

    def follow(self) -> None:
        """Let the reactions to what was gathered so far run now; the rest of the transaction sees what they gathered.

        At its end a transaction does so by itself, and what a reaction gathers is followed anyway: asked by one, this
        does nothing. Rejected: endless_reactions.
        """
        pending = self._pending
        if not pending.is_following:
            pending.is_following = True
            try:
                pending.follow()
            finally:
                pending.is_following = False

    def take_unfollowed(self) -> Sequence[Recorded]:
        """What was gathered since the reactions ran last; it counts as handed to them."""
        pending = self._pending
        news = pending.recorded[pending.followed :]
        pending.followed = len(pending.recorded)
        return news

    def afterwards(self, name: str, then: Callable[[], object]) -> None:
        """Do something after the commit, without the lock. name: what it is called when it is refused."""
        self._pending.afterwards.append((name, then))

    def load(self, stream: str, decider: Decider[S]) -> S:
        """The state of a stream, everything gathered so far included. Rejected: newer_event. Invalid: bad_stream."""
        state: S = self._load(stream, decider)[1]
        return state

    def fold(self, projection: Projection[R], stream: str) -> R | None:
        """The row of a stream, everything gathered so far included; not to be changed. None when there is no row.

        For projections whose rows belong to one stream each. Damaged: cannot_fold.
        """
        pending, key = self._pending, (stream, projection.name)
        version, (_, row) = pending.folded.get(key) or (0, (0, None))
        if stored := pending.log.tail(stream, version):
            row = folded(projection, row, stored)
            pending.folded.update({key: (stored[-1].version, (stored[-1].position, row))})
        return folded(projection, row, self.gathered(stream))

    def history(self, stream: str) -> list[Recorded | Unreadable]:
        """The stored events of a stream, without what was gathered so far."""
        return self._pending.log.tail(stream, 0)

    @property
    def all_gathered(self) -> Sequence[Recorded]:
        """What was gathered so far, of every stream."""
        return tuple(self._pending.recorded)

    def has_streams(self, prefix: str) -> bool:
        """Whether something is stored of a stream whose name begins so."""
        return self._pending.log.has_streams(prefix)

    def gathered(self, stream: str) -> list[Recorded]:
        """What was gathered so far of a stream."""
        return [recorded for recorded in self._pending.recorded if recorded.stream == stream]

    def since(self, position: int) -> list[Recorded | Unreadable]:
        """The stored events behind a position: what came in after views were asked that stood there."""
        return self._pending.log.between(position + 1, self._pending.head)

    def act(
        self,
        stream: str,
        decider: Decider[S],
        decide: Callable[Concatenate[S, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> list[Recorded]:
        """Decide on a stream and gather the events; the state loaded next holds them. What was gathered.

        Errors of the decision, and Conflict: wrong_version; Invalid: bad_text, text_too_long, bad_number.
        """
        version, state = self._load(stream, decider)
        if self._circumstances.if_version is not None:
            self._expect(stream, version, self._circumstances.if_version)
        try:
            events = decide(state, *args, **wish)
        except LedgerError as error:
            error.about(stream)
            raise
        gathered: list[Recorded] = []
        already = len(self._pending.rows)
        try:
            for event in events:
                version += 1
                gathered.append(self._gather(stream, version, event))
                state = decider.evolve(state, event)
        except BaseException:
            del self._pending.rows[already:], self._pending.recorded[already:]  # all events of a decision or none
            raise
        if events:
            self._pending.set_state((stream, decider.kind), (version, state))
        return gathered

    def _load(self, stream: str, decider: Decider[S]) -> tuple[int, S]:
        pending = self._pending
        if not (isinstance(stream, str) and 0 < len(stream) <= 200 and stream.isprintable()):
            raise Invalid("bad_stream", "the name of a stream must be 1 to 200 printable characters")
        key = (stream, decider.kind)
        if (loaded := pending.states.get(key)) is not None:
            return loaded
        version, state = pending.cache.get(key) or (0, decider.initial)
        news: Iterable[Recorded | Unreadable] = ()
        if stream in pending.fresh:  # nothing can be stored yet
            pass
        elif decider.recent is not None and version == 0:
            news = pending.log.recent(stream, decider.recent)
        else:
            news = pending.log.tail(stream, version)
        for recorded in news:
            if isinstance(recorded, Unreadable):
                raise Rejected(
                    "newer_event",
                    f"{decider.kind} {stream} holds {recorded.name} at position {recorded.position}, which this code "
                    f"cannot read ({recorded.problem}); it takes no writes until then",
                    hint="upgrade goal-ledger, or run " + Hint("ledger", "verify"),
                )
            state = decider.evolve(state, recorded.event)
            version = recorded.version
        pending.set_state(key, (version, state))
        return version, state

    def _expect(self, stream: str, version: int, expected: int) -> None:
        if self._pending.expectation_met:
            return
        if version != expected:
            raise Conflict(
                "wrong_version",
                f"{stream} is at version {version}, not {expected}: somebody changed it meanwhile",
                hint="look at it again, then repeat with its version",
            )
        self._pending.expectation_met = True

    def _gather(self, stream: str, version: int, event: Event) -> Recorded:
        pending, who = self._pending, self._circumstances
        if self._shared is None:
            self._shared = envelope(
                at=pending.at_text, occurred_at=self._occurred_at, by=who.actor, command=self._command, cause=who.cause
            )
        body = encode(event, self._shared, text_limit=pending.text_limit)
        name = name_of(event)
        position = pending.head + len(pending.rows) + 1
        recorded = Recorded(
            position,
            stream,
            version,
            name,
            pending.at_text,
            self._occurred_at,
            who.actor,
            None if self._command is None else self._command[0],
            who.cause,
            event,
        )
        pending.rows.append((position, stream, version, name, body))
        pending.recorded.append(recorded)
        return recorded
