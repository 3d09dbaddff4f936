"""The engine: load, decide, append, fold and ask, whatever the events are about.

It knows no capability: what follows from events is handed in as a table, see `reactions`.
"""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, Unpack

from goal_ledger.adapters.store.base import Command
from goal_ledger.adapters.store.codec import StoredRow
from goal_ledger.domain.base import Decider, Event, Recorded, Unreadable, operation_of
from goal_ledger.domain.continuity.meta import LedgerCreated
from goal_ledger.domain.errors import Invalid, LedgerError, Rejected, Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.engine.circumstances import Circumstances, Metadata
from goal_ledger.ledger.engine.core import Core
from goal_ledger.ledger.engine.transaction import Pending, Tx, folded
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.ledger.engine.wishes import Wish

S = TypeVar("S")
R = TypeVar("R", bound=tuple[Any, ...])
P = ParamSpec("P")

_META: Decider[None] = Decider("ledger", None)


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class Engine:
    """An open ledger, without any capability. Safe to share between threads.

    core: what its light copies share.
    """

    def __init__(self, core: Core, circumstances: Circumstances) -> None:
        self.core = core
        self._circumstances = circumstances
        if core.store.head() == 0 and not core.read_only:
            self._found()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; `follow` ends."""
        self.core.close()

    # --- Writing

    def using(self, **circumstances: Unpack[Metadata]) -> Self:
        """The same ledger under other circumstances: actor, command_id, occurred_at, cause, if_version.

        Invalid: bad_actor, bad_command_id, naive_time, bad_time, invalid_value.
        """
        other = copy.copy(self)
        other._circumstances = self._circumstances.changed(circumstances, Metadata.__annotations__).checked()
        return other

    def part(self, name: str) -> Self:
        """The same ledger for one part of a larger wish, so that of several transactions each is made once.

        name: tells the parts of one command id apart; without a command id nothing changes. Invalid: bad_command_id.
        """
        whole = self._circumstances.command_id
        return self if whole is None else self.using(command_id=f"{whole}:{name}")

    def act(
        self,
        stream: str,
        decider: Decider[S],
        decide: Callable[Concatenate[S, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> tuple[Recorded, ...]:
        """Decide on one stream and append what was decided, in one transaction. What was appended; () means already so.

        decide: named by `operation`, so that a repeat under a command id is known by that name; a decision without a
        name is known by its kind and its function's name.

        Errors: those of the decision, of `Tx.act` and of `transact`.
        """
        return self.transact(
            lambda tx: tx.act(stream, decider, decide, *args, **wish),
            operation=operation_of(decider, decide),
            arguments={"stream": stream, "args": args, **wish},
        )

    def transact(
        self,
        work: Callable[[Tx], object],
        *,
        operation: str | None = None,
        arguments: dict[str, Any] | None = None,
        is_history: bool = False,
    ) -> tuple[Recorded, ...]:
        """Run work under the write lock and append everything it gathered, or nothing when it raises.

        What follows from the events is decided in the same transaction, see `reactions`: those events come last.

        operation, arguments: what makes the wish the same wish when its command id comes again; arguments that equal
        their default don't count, see `domain.base.operation`. Under a command id without an operation, the qualified
        name of the function stands for it, which is deprecated. is_history: what is told happened long ago, so that
        only reactions to history follow.

        What work raises, and Rejected: read_only, nested, command_id_reused, endless_reactions. Conflict: busy,
        wrong_version. Invalid: invalid_value, for events that do not fit their type. Unavailable: disk_full, io_error,
        bad_extension.
        """
        core, who = self.core, self._circumstances
        core.refuse_writes()
        core.reactions.find()
        command = wish = None
        if who.command_id is not None:
            from goal_ledger.ledger.engine.wishes import Wish  # few commands have an id

            wish = Wish(operation or _unnamed(work), arguments or {})
            command = (who.command_id, wish.digest)
        with core.one_at_a_time():
            with core.store.transaction() as log:
                if command is not None and wish is not None and (known := log.command(command[0])) is not None:
                    return _same_wish(wish, command[0], known, log.between(known.first_position, known.last_position))
                pending = Pending(log, core.states, core.rows, core.clock(), core.settings.text_limit, core.ledger_id)
                tx = Tx(pending, who, command, core.ids)
                pending.follow = lambda: core.reactions.follow(self, tx, is_history=is_history)
                with tx.all_or_nothing():
                    work(tx)
                    tx.follow()
                if pending.rows:
                    log.append(pending.rows)
                    if command is not None:
                        span = pending.rows[0][0], pending.rows[-1][0]
                        log.remember(command[0], Command(command[1], *span))
            core.states.update(pending.states)
        for name, then in pending.afterwards:
            self._do_afterwards(name, then)
        return tuple(pending.recorded)

    def _do_afterwards(self, name: str, then: Callable[[], object]) -> None:
        """What a reaction left for after the commit; that it failed is kept, for what it follows is done.

        Nothing is raised: the caller would take it for a refusal of what is written.
        """
        try:
            then()
        except Exception as error:
            refusal = (
                error if isinstance(error, LedgerError) else LedgerError("failed", f"{type(error).__name__}: {error}")
            )
            plain = self.using(command_id=None, if_version=None)
            try:
                plain.transact(lambda tx: self.core.reactions.refused(tx, name, refusal), operation="reaction.refused")
            except LedgerError as second:  # such as a lock that stayed busy
                lost = f"{name} failed after the commit, and that is not kept: {refusal.message} ({second.message})"
                warnings.warn(lost, RuntimeWarning, stacklevel=3)

    # --- Reading

    @property
    def id(self) -> str:
        """The ledger's own id, in its first event."""
        return self.core.ledger_id()

    @property
    def path(self) -> Path | None:
        """The log's file; None in memory and on a server."""
        return self.core.backend.path

    @property
    def settings(self) -> Settings:
        """The settings it was opened with."""
        return self.core.settings

    @property
    def views(self) -> Views:
        """The read models."""
        return self.core.views()

    @property
    def head(self) -> int:
        """The position of the last event."""
        return self.core.head()

    def has_held(self, prefix: str) -> bool:
        """Whether there is a stream whose name begins so; before the lock is taken, so under it ask again."""
        return self.core.has_held(prefix)

    @property
    def occurred_at(self) -> datetime | None:
        """When a wish made here is true, as the caller says; None when nobody says, or knows."""
        occurred = self._circumstances.occurred_at
        return occurred if isinstance(occurred, datetime) else None

    def now(self) -> datetime:
        """When a wish made here would be true."""
        return self.occurred_at or self.core.clock()

    def has_answered(self, command_id: str) -> bool:
        """Whether something was written under this command id."""
        return any(True for _ in self.core.store.commands([command_id]))

    @property
    def is_answered(self) -> bool:
        """Whether something was written under the command id of a wish made here: the wish is a repeat."""
        command_id = self._circumstances.command_id
        return command_id is not None and self.has_answered(command_id)

    def stream(self, *streams: str) -> list[Recorded | Unreadable]:
        """The events of one stream, or of several together, in order; [] when there are none."""
        return self.core.stream(*streams)

    def fold(self, projection: Projection[R], stream: str) -> R | None:
        """The row of one stream, folded from its own events. None when there is no row.

        For projections whose rows belong to one stream each. Damaged: cannot_fold.
        """
        return self._fold(projection, stream, None)

    def answer(self, projection: Projection[R], stream: str, recorded: Sequence[Recorded]) -> R | None:
        """The row of one stream as it stood right after what was recorded; as it stands when that is nothing."""
        return self._fold(projection, stream, recorded[-1].position if recorded else None)

    def _fold(self, projection: Projection[R], stream: str, up_to: int | None) -> R | None:
        log, cache = self.core.log, self.core.rows
        key = (stream, projection.name)
        version, (position, row) = cache.get(key) or (0, (0, None))
        if up_to is not None and position > up_to:
            version, row = 0, None  # what is remembered is newer than what is asked
        if news := log.stream(stream, after=version, up_to=up_to):
            row = folded(projection, row, news)
            last = max(news, key=lambda item: item.version)
            if last.position > position:
                cache.update({key: (last.version, (last.position, row))})
        return None if row is None else _unshared(row)

    def rows(self) -> Iterator[StoredRow]:
        """The log as it is stored, in order. Rejected: not_of_the_past."""
        self.core.require_present("the stored log")
        store, after = self.core.store, 0
        while page := store.page(after, self.core.settings.page):
            yield from page
            after = page[-1][0]

    def as_of(self, when: datetime | str | int | None = None, *, valid_at: datetime | str | None = None) -> Self:
        """The same ledger as it was known at a time: a light copy that answers every question as of then, read-only.

        when: a moment, its ISO 8601 text, or a position, now by default; what was recorded later is not known.
        valid_at: of what was known, only what had occurred by then, in the order in which it did; what nobody knows the
        time of is left out (see `untimed`). What depends on the present time, e.g. what is overdue, is told as of then.

        Invalid: bad_time, naive_time, beyond_head.
        """
        from goal_ledger.ledger.engine.past import PastCore

        position = self.head if when is None else self.position_at(when)
        moment = None
        if valid_at is not None:
            moment = instant(valid_at)
        elif when is not None:
            moment = self._recorded_at(position) if is_position(when) else instant(when)
        other = copy.copy(self)
        other.core = PastCore(self.core, position, None if valid_at is None else utc_text(instant(valid_at)))
        if moment is not None and other._circumstances.occurred_at is None:
            other._circumstances = other._circumstances._replace(occurred_at=moment)
        return other

    @property
    def untimed(self) -> int:
        """How many events without a known time `as_of(valid_at=…)` has left out of its answers so far."""
        return self.core.untimed()

    def position_at(self, when: datetime | str | int) -> int:
        """The last position recorded at or before an instant, 0 when it is older than the ledger.

        when: a moment, its ISO 8601 text, or a position, which is given back when the log reaches it.

        Invalid: bad_time, naive_time, beyond_head.
        """
        if isinstance(when, str) and not when.isdecimal():
            when = parse_utc(when)
        if isinstance(when, datetime):
            return self.core.log.position_at(utc_text(when))
        position, head = int(when), self.core.head()
        if position < 0:
            raise Invalid("bad_time", f"{position} is no position: they count from 1", hint="0 is before the first")
        if position > head:
            raise Invalid(
                "beyond_head",
                f"position {position} is not reached yet: the log ends at {head}",
                hint="give a position up to there, or a time like 2026-02-24T09:00:00Z",
            )
        return position

    def events(self, *, after: int = 0) -> Iterator[Recorded | Unreadable]:
        """Every event recorded behind a position, in order, as of the moment each page is read."""
        return self.core.events(after)

    def follow(
        self,
        callback: Callable[[Recorded | Unreadable], object],
        *,
        after: int = 0,
        poll_s: float = 0.2,
        stop: threading.Event | None = None,
    ) -> int:
        """Call back for every event behind a position, then for new ones as they come, in order, each once.

        Blocks until stop is set or the ledger is closed; poll_s: how often to look whether it is, in seconds; events
        are told as they come. The last position told: keep it, and go on from it next time. Rejected: not_of_the_past.
        """
        self.core.require_present("following")
        stop = stop or threading.Event()
        while not stop.is_set() and not self.core.closed:
            try:
                rows = self.core.store.page(after, self.core.settings.page)
            except Unavailable as error:
                if error.code == "closed":  # by another thread, just now
                    break
                raise
            for recorded in map(self.core.store.decode, rows):
                callback(recorded)
                after = recorded.position
                if stop.is_set() or self.core.closed:
                    return after
            if not rows:
                self.core.wait_for_events(after, poll_s)
        return after

    def _recorded_at(self, position: int) -> datetime | None:
        """When the event at a position was recorded."""
        recorded = next(self.events(after=position - 1), None) if position else None
        return parse_utc(recorded.at) if isinstance(recorded, Recorded) else None

    def _found(self) -> None:
        """Write the first event; another process may have been quicker."""

        def found(tx: Tx) -> None:
            if tx.is_first:
                from importlib.metadata import version  # slow to import, and needed once in a ledger's life

                software = f"goal-ledger {version('goal-ledger')}"
                tx.act(tx.new_id("meta_"), _META, lambda _: [LedgerCreated(software=software)])

        self.transact(found, operation="ledger.create")


def is_position(when: datetime | str | int) -> bool:
    """Whether it names a position and no time."""
    return isinstance(when, int) or (isinstance(when, str) and when.isdecimal())


def instant(when: Any) -> datetime:
    """The time that is named. Invalid: bad_time, naive_time."""
    if isinstance(when, datetime):
        utc_text(when)
        return when
    return parse_utc(str(when))


def _unnamed(work: Callable[[Tx], object]) -> str:
    name = work.__qualname__
    warnings.warn(
        f"transact({name}) has a command id and no operation: give it operation='<noun>.<verb>', for the name of a "
        "function that is renamed makes another wish",
        DeprecationWarning,
        stacklevel=3,
    )
    return name


def _same_wish(wish: Wish, command_id: str, known: Command, first: list[Recorded | Unreadable]) -> tuple[Recorded, ...]:
    if not wish.is_stored_as(known.digest):
        raise Rejected(
            "command_id_reused",
            f"command id {command_id!r} was used for another wish, at position {known.first_position}",
            hint="use a new command id for a new wish",
        )
    return tuple(recorded for recorded in first if isinstance(recorded, Recorded))


def _unshared(row: R) -> R:
    """The row with dicts of its own: the remembered one must not change with what a caller does to it."""
    cells = [
        copy.deepcopy(cell)
        if cell and (type(cell) is dict or (type(cell) is tuple and type(cell[0]) is dict))
        else cell
        for cell in row
    ]
    return type(row)._make(cells)  # type: ignore[attr-defined, no-any-return]
