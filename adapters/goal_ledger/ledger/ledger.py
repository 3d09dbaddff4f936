"""The ledger: open it, act on it, ask it."""

from __future__ import annotations

import copy
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from goal_ledger.adapters.store.base import Command
from goal_ledger.adapters.store.codec import StoredRow
from goal_ledger.domain.base import Decider, Event, Recorded, Unreadable, operation_of
from goal_ledger.domain.continuity.meta import LedgerCreated
from goal_ledger.domain.errors import Damaged, Invalid, LedgerError, Rejected, Unavailable
from goal_ledger.domain.runs.run import CONSEQUENTIAL
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.continuity.sessions import Sessions
from goal_ledger.ledger.engine.circumstances import Circumstances
from goal_ledger.ledger.engine.core import Core
from goal_ledger.ledger.engine.location import Location, locate
from goal_ledger.ledger.engine.opening import open_store
from goal_ledger.ledger.engine.transaction import Pending, Tx, folded
from goal_ledger.ledger.engine.wishes import Wish
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.ledger.goals.loops import Loops
from goal_ledger.ledger.learning.lessons import Lessons
from goal_ledger.ledger.runs.runs import Runs
from goal_ledger.ledger.work.roll_up import roll_up
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.adapters.store.verify import Problem
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.ledger.audit.archive import Copied, Copy
    from goal_ledger.ledger.audit.decisions import Replay, Why
    from goal_ledger.ledger.audit.diff import Change
    from goal_ledger.ledger.audit.state_hash import StateHash
    from goal_ledger.ledger.audit.when import Held
    from goal_ledger.ledger.goals.experiments import Experiments
    from goal_ledger.ledger.goals.key_results import KeyResults
    from goal_ledger.ledger.learning.learning import Learning
    from goal_ledger.ledger.learning.playbook import Playbook
    from goal_ledger.ledger.learning.reviews import Reviews
    from goal_ledger.ledger.proposals.history import History
    from goal_ledger.ledger.proposals.proposals import Proposals
    from goal_ledger.ledger.runs.feeds import Feeds
    from goal_ledger.ledger.runs.imports import Imports
    from goal_ledger.ledger.strategy.beliefs import Beliefs
    from goal_ledger.ledger.strategy.projects import Projects
    from goal_ledger.ledger.tick import Attention, Ticked
    from goal_ledger.ledger.work.work import Work
    from goal_ledger.projections.continuity.sessions import SessionRow

S = TypeVar("S")
R = TypeVar("R", bound=tuple[Any, ...])
P = ParamSpec("P")

_META: Decider[None] = Decider("ledger", None)


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class Stats(NamedTuple):
    """path: where the log is, without any password. head: the position of the last event. digest: of that event, in
    hex; None when there is none. bytes: size of the log as it is now, 0 in memory.

    `head:digest`, kept elsewhere, is what `verify` can expect of the log later.
    """

    ledger_id: str
    path: str
    events: int
    streams: int
    head: int
    digest: str | None
    first_at: str | None
    last_at: str | None
    bytes: int


class Ledger:
    """The memory of an organisation of agents: one append-only log and the read models folded from it.

    Safe to share between threads. A context manager: leaving it closes the files.
    """

    @classmethod
    def open(
        cls,
        url: str | Path | Location = "goal-ledger.db",
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        settings: Settings = Settings(),
        read_only: bool = False,
        create: bool = True,
    ) -> Ledger:
        """Open a ledger, and create it when there is none.

        url: a path, `sqlite:///path`, `:memory:` or `postgresql://user@host/database?schema=name`. actor: who writes
        unless said otherwise, `user:<login>` by default. clock: gives `at`, in UTC. read_only: nothing is written,
        views are folded in memory. create: False refuses a ledger that does not exist.

        NotFound: no_ledger. Unavailable: cannot_open, not_writable, not_a_ledger, newer_format, missing_extra.
        Invalid: bad_url.
        """
        location = locate(url)
        if actor is None:
            actor = f"user:{os.environ.get('USER') or 'unknown'}"
        circumstances = Circumstances(actor).checked()
        store = open_store(location, settings, read_only=read_only, create=create)
        try:
            return cls(Core(store, location, clock, settings, read_only), circumstances)
        except BaseException:
            store.close()
            raise

    def __init__(self, core: Core, circumstances: Circumstances) -> None:
        self._core = core
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
        self._core.close()

    # --- Capabilities

    @property
    def goals(self) -> Goals:
        """What should be achieved."""
        return Goals(self)

    @property
    def runs(self) -> Runs:
        """What was tried."""
        return Runs(self)

    @property
    def work(self) -> Work:
        """What should be done next."""
        from goal_ledger.ledger.work.work import Work  # few commands choose

        return Work(self, self._core)

    @property
    def history(self) -> History:
        """What was executed: scheduled tasks, and what detectors look at."""
        from goal_ledger.ledger.proposals.history import History  # few commands look back

        return History(self)

    @property
    def proposals(self) -> Proposals:
        """The goals that detectors propose."""
        from goal_ledger.ledger.proposals.proposals import Proposals  # few commands propose

        return Proposals(self)

    @property
    def beliefs(self) -> Beliefs:
        """What is held true."""
        from goal_ledger.ledger.strategy.beliefs import Beliefs  # few commands ask

        return Beliefs(self)

    @property
    def lessons(self) -> Lessons:
        """What was learned."""
        return Lessons(self)

    @property
    def playbook(self) -> Playbook:
        """Rules drawn from lessons, tried before they are in force."""
        from goal_ledger.ledger.learning.playbook import Playbook

        return Playbook(self)

    @property
    def reviews(self) -> Reviews:
        """What runs that went wrong taught."""
        from goal_ledger.ledger.learning.reviews import Reviews

        return Reviews(self)

    @property
    def learning(self) -> Learning:
        """What many runs teach together."""
        from goal_ledger.ledger.learning.learning import Learning

        return Learning(self)

    @property
    def key_results(self) -> KeyResults:
        """What is measured."""
        from goal_ledger.ledger.goals.key_results import KeyResults

        return KeyResults(self)

    @property
    def experiments(self) -> Experiments:
        """What is compared."""
        from goal_ledger.ledger.goals.experiments import Experiments

        return Experiments(self)

    @property
    def loops(self) -> Loops:
        """What is still owed."""
        return Loops(self)

    @property
    def projects(self) -> Projects:
        """What is to be built."""
        from goal_ledger.ledger.strategy.projects import Projects

        return Projects(self)

    @property
    def sessions(self) -> Sessions:
        """Starts and stops, and what was reconciled between them."""
        return Sessions(self)

    @property
    def imports(self) -> Imports:
        """Histories from elsewhere."""
        from goal_ledger.ledger.runs.imports import Imports  # its record formats are models that few commands need

        return Imports(self)

    @property
    def feeds(self) -> Feeds:
        """What the world measured."""
        from goal_ledger.ledger.runs.feeds import Feeds  # few commands speak HTTP

        return Feeds(self)

    # --- Writing

    def using(self, **circumstances: Any) -> Ledger:
        """The same ledger under other circumstances: actor, command_id, occurred_at, cause, if_version.

        Invalid: bad_actor, bad_command_id, naive_time.
        """
        other = copy.copy(self)
        other._circumstances = self._circumstances._replace(**circumstances).checked()
        return other

    def part(self, name: str) -> Ledger:
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

        Goals that are made of tasks follow them in the same transaction, see `rolling_up`: those events come last.

        operation, arguments: what makes the wish the same wish when its command id comes again; arguments that equal
        their default don't count, see `domain.base.operation`. Under a command id without an operation, the qualified
        name of the function stands for it, which is deprecated. is_history: what is told happened long ago, so that no
        goal follows.

        What work raises, and Rejected: read_only, nested, command_id_reused. Conflict: busy, wrong_version.
        Invalid: invalid_value, for events that do not fit their type. Unavailable: disk_full, io_error.
        """
        core, who = self._core, self._circumstances
        core.refuse_writes()
        command = wish = None
        if who.command_id is not None:
            wish = Wish(operation or _unnamed(work), arguments or {})
            command = (who.command_id, wish.digest)
        with core.one_at_a_time():
            with core.store.transaction() as log:
                if command is not None and wish is not None and (known := log.command(command[0])) is not None:
                    return _same_wish(wish, command[0], known, log.between(known.first_position, known.last_position))
                pending = Pending(log, core.states, core.rows, core.clock(), core.settings.text_limit, core.ledger_id)
                tx = Tx(pending, who, command, core.ids)
                with tx.all_or_nothing():
                    work(tx)
                    if not is_history:
                        if not CONSEQUENTIAL.isdisjoint(type(one.event) for one in pending.recorded):
                            self._follow(tx, tuple(pending.recorded))
                        roll_up(tx, pending.recorded)
                if pending.rows:
                    log.append(pending.rows)
                    if command is not None:
                        span = pending.rows[0][0], pending.rows[-1][0]
                        log.remember(command[0], Command(command[1], *span))
            core.states.update(pending.states)
        return tuple(pending.recorded)

    def _follow(self, tx: Tx, gathered: tuple[Recorded, ...]) -> None:
        from goal_ledger.ledger.learning.consequences import follow  # few commands end a run

        follow(self, tx, gathered)

    def session(self) -> AbstractContextManager[SessionRow]:
        """A session for the length of a `with` block: stopped in order at its end, also by an error or SIGTERM.

        See `Sessions.running`.
        """
        return self.sessions.running()

    # --- Reading

    @property
    def id(self) -> str:
        """The ledger's own id, in its first event."""
        return self._core.ledger_id()

    @property
    def path(self) -> Path | None:
        """The log's file; None in memory and on a server."""
        return self._core.location.path

    @property
    def settings(self) -> Settings:
        """The settings it was opened with."""
        return self._core.settings

    @property
    def views(self) -> Views:
        """The read models."""
        return self._core.views()

    @property
    def head(self) -> int:
        """The position of the last event."""
        return self._core.head()

    @property
    def has_learned(self) -> bool:
        """Whether there was a lesson or a rule when this process first asked."""
        return self._core.has_learned()

    def now(self) -> datetime:
        """When a wish made here would be true."""
        occurred = self._circumstances.occurred_at
        return occurred if isinstance(occurred, datetime) else self._core.clock()

    def has_answered(self, command_id: str) -> bool:
        """Whether something was written under this command id."""
        return any(True for _ in self._core.store.commands([command_id]))

    def stream(self, *streams: str) -> list[Recorded | Unreadable]:
        """The events of one stream, or of several together, in order; [] when there are none."""
        return self._core.stream(*streams)

    def fold(self, projection: Projection[R], stream: str) -> R | None:
        """The row of one stream, folded from its own events. None when there is no row.

        For projections whose rows belong to one stream each. Damaged: cannot_fold.
        """
        return self._fold(projection, stream, None)

    def answer(self, projection: Projection[R], stream: str, recorded: Sequence[Recorded]) -> R | None:
        """The row of one stream as it stood right after what was recorded; as it stands when that is nothing."""
        return self._fold(projection, stream, recorded[-1].position if recorded else None)

    def _fold(self, projection: Projection[R], stream: str, up_to: int | None) -> R | None:
        log, cache = self._core.log, self._core.rows
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
        self._core.require_present("the stored log")
        store, after = self._core.store, 0
        while page := store.page(after, self._core.settings.page):
            yield from page
            after = page[-1][0]

    def as_of(self, when: datetime | str | int | None = None, *, valid_at: datetime | str | None = None) -> Ledger:
        """The same ledger as it was known at a time: a light copy that answers every question as of then, read-only.

        when: a moment, its ISO 8601 text, or a position, now unless said; what was recorded later is not known.
        valid_at: of what was known, only what had occurred by then, in the order in which it did; what nobody knows the
        time of is left out (see `untimed`). What depends on the present time, e.g. what is overdue, is told as of then.

        Invalid: bad_time, naive_time, beyond_head.
        """
        from goal_ledger.ledger.engine.past import PastCore

        position = self.head if when is None else self.position_at(when)
        moment = None
        if valid_at is not None:
            moment = _instant(valid_at)
        elif when is not None:
            moment = self._recorded_at(position) if _is_position(when) else _instant(when)
        other = copy.copy(self)
        other._core = PastCore(self._core, position, None if valid_at is None else utc_text(_instant(valid_at)))
        if moment is not None and other._circumstances.occurred_at is None:
            other._circumstances = other._circumstances._replace(occurred_at=moment)
        return other

    @property
    def untimed(self) -> int:
        """How many events without a known time `as_of(valid_at=…)` has left out of its answers so far."""
        return self._core.untimed()

    def position_at(self, when: datetime | str | int) -> int:
        """The last position recorded at or before an instant, 0 when it is older than the ledger.

        when: a moment, its ISO 8601 text, or a position, which is given back when the log reaches it.

        Invalid: bad_time, naive_time, beyond_head.
        """
        if isinstance(when, str) and not when.isdecimal():
            when = parse_utc(when)
        if isinstance(when, datetime):
            return self._core.log.position_at(utc_text(when))
        position, head = int(when), self._core.head()
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
        return self._core.events(after)

    def diff(
        self, start: datetime | str | int, end: datetime | str | int | None = None, *, stream: str | None = None
    ) -> list[Change]:
        """The goals, runs and lessons that changed from one time or position to another, the first touched first.

        end: now unless said. stream: only this one; of a goal, its runs too.

        Invalid: bad_interval, bad_time, naive_time, beyond_head. NotFound: unknown_goal.
        """
        from goal_ledger.ledger.audit.diff import changes

        first, last = self.position_at(start), self.head if end is None else self.position_at(end)
        backwards = first > last
        if end is not None and not _is_position(start) and not _is_position(end):
            backwards = _instant(start) > _instant(end)
        if backwards:
            raise Invalid(
                "bad_interval", f"from {start} to {end or 'now'} is backwards", hint="give the earlier one first"
            )
        return changes(self.as_of(first), self.as_of(last), stream)

    def when(self, condition: str, *, goal_id: str | None = None, after: datetime | str | int = 0) -> Held | None:
        """The event after which a condition first held, and the row that fulfils it; None when it never held.

        condition: see docs/conditions.md. goal_id: only this goal and its runs. after: look behind this time or
        position, for a row for which it did not hold yet.

        Invalid: bad_condition, beyond_head. NotFound: unknown_goal.
        """
        from goal_ledger.ledger.audit.when import first_held, read

        wanted = read(condition, of_one_goal=goal_id is not None)
        events = self.events() if goal_id is None else self.goals.timeline(goal_id)
        return first_held(events, wanted, self.position_at(after))

    def why(self, event: int | str) -> Why:
        """The decision that a policy made in an event, and the same made again on the ledger as the policy saw it.

        event: a position; or the id of a goal, a run, a proposal or a rule, for the last decision about it. Writes
        nothing.

        NotFound: unknown_position, unknown_goal, unknown_run, unknown_proposal, unknown_rule, unknown_policy.
        Rejected: no_receipt, no_choice, bad_receipt, unreadable, not_of_the_past. Invalid: bad_event.
        """
        self._core.require_present("explaining a decision")
        from goal_ledger.ledger.audit.decisions import why

        return why(self, self._core, int(event) if isinstance(event, str) and event.isdecimal() else event)

    def replay(
        self,
        policy: str,
        *,
        settings: Settings | None = None,
        start: datetime | str | int = 1,
        end: datetime | str | int | None = None,
        limit: int | None = None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Replay:
        """Make the recorded decisions of a policy's family again, in order, and tell those that would be others.

        policy: a version, e.g. `router@2`; decisions of its other versions are made again by this one. settings: the
        present ones unless said. start: from this position on, or behind this time. end: up to there, included. limit:
        of the decisions. Each is made on the ledger as it was then, whatever became of those before it. Writes nothing.

        NotFound: unknown_policy. Rejected: not_of_the_past. Invalid: bad_time, naive_time, beyond_head.
        """
        self._core.require_present("replaying decisions")
        from goal_ledger.ledger.audit.decisions import replay

        first = self.position_at(start) if _is_position(start) else self.position_at(start) + 1
        last = self.head if end is None else self.position_at(end)
        return replay(
            self,
            self._core,
            policy,
            self.settings if settings is None else settings,
            first=first,
            last=last,
            limit=limit,
            progress=progress,
        )

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
        self._core.require_present("following")
        stop = stop or threading.Event()
        while not stop.is_set() and not self._core.closed:
            try:
                rows = self._core.store.page(after, self._core.settings.page)
            except Unavailable as error:
                if error.code == "closed":  # by another thread, just now
                    break
                raise
            for recorded in map(self._core.store.decode, rows):
                callback(recorded)
                after = recorded.position
                if stop.is_set() or self._core.closed:
                    return after
            if not rows:
                self._core.wait_for_events(after, poll_s)
        return after

    def tick(self, now: datetime | None = None, *, duties: Sequence[str] = ()) -> Ticked:
        """Do what is due by now: everything that follows from time and conditions, once, however often it is asked.

        now: the present time unless said. duties: only these. A duty that fails is told of, and stops no other.

        Invalid: unknown_duty, naive_time. Rejected: read_only, not_of_the_past.
        """
        self._core.refuse_writes()
        from goal_ledger.ledger.tick import tick

        return tick(self, now, duties)

    def attention(self, now: datetime | None = None) -> list[Attention]:
        """What is overdue, and the running runs that gave no sign of life for `stuck_after_s`; nothing is changed."""
        from goal_ledger.ledger.tick import attention

        return attention(self, now)

    def stats(self) -> Stats:
        """How large the log is."""
        log = self._core.log
        events, streams = log.counts()
        last = log.head()
        ends = [log.decode(row) for at in {1, last} for row in log.page(at - 1, 1)] if last else []
        times = sorted(recorded.at for recorded in ends if isinstance(recorded, Recorded))
        return Stats(
            self.id, self._core.location.name, events, streams, self.head, self.digest_at(self.head),
            times[0] if times else None, times[-1] if times else None, self._core.store.bytes(),
        )  # fmt: skip

    def digest_at(self, position: int) -> str | None:
        """The digest of the event at a position, in hex; None when there is no such event."""
        digest = self._core.store.digest_at(position)
        return digest.hex() if isinstance(digest, bytes) else None  # somebody may have put text there

    def verify(self, progress: Callable[[int], None] = lambda _: None, *, expect: str | None = None) -> int:
        """Prove that the log is what was written; the number of events checked.

        expect: `head` or `head:digest` of earlier `stats`, so that a lost tail is noticed even when the file knows
        nothing of it. The first 8 digits of the digest are enough.

        Damaged: lost_tail, when the log does not reach to there or holds another event there; damaged; both with every
        problem. Invalid: bad_head.
        """
        self._core.require_present("verifying")
        from goal_ledger.adapters.store.verify import kept_head, problems

        kept = None if expect is None else kept_head(expect)
        found = problems(self._core.store, progress, kept)
        if not found:
            return self._core.store.head()  # positions are gapless, as was just proven
        lost = [problem for problem in found if problem.is_lost_tail]
        named = tuple(str(self._named(problem)) for problem in (*lost, *(each for each in found if each not in lost)))
        more = f" (and {len(named) - 1} more)" if len(named) > 1 else ""
        raise Damaged(
            "lost_tail" if lost else "damaged",
            named[0] + more,
            hint="restore a newer backup, or the file together with its -wal; do not write until then"
            if lost
            else "restore a backup; do not write until then",
            problems=named,
        )

    def verify_deep(
        self, progress: Callable[[int, int], None] = lambda _done, _of: None, *, expect: str | None = None
    ) -> StateHash:
        """Prove that the log is what was written, then fold it anew. The hash of what it folds into.

        What cannot be folded is named in `lacking`; it may be newer than this code, and is no damage.

        Errors of `verify` and `state_hash`.
        """
        of = 2 * self.head  # every event is checked, then folded
        head = self.verify(lambda done: progress(done, of), expect=expect)
        return self.as_of(head).state_hash(lambda done, _: progress(head + done, 2 * head))

    def state_hash(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> StateHash:
        """Fold the log anew and hash every row: equal wherever the state is equal. See `audit.state_hash`.

        Unavailable: disk_full, no_temporary_folder.
        """
        from goal_ledger.ledger.audit.state_hash import state_hash

        pinned = self.as_of(self.head)._core.log
        return state_hash(pinned, ledger=self.id, page=self.settings.page, progress=progress)

    def verify_file(self, path: str | Path, *, partial: bool = False) -> int:
        """Prove that an exported file is what the log says; the number of lines. See `archive.verify_file`."""
        from goal_ledger.ledger.audit.archive import verify_file

        return verify_file(Path(path), self, partial=partial)

    # --- Copies

    def export(self, path: str | Path, progress: Callable[[int], None] = lambda _: None) -> Copy:
        """Write the identity ledger as NDJSON, a byte prefix of every later export. Unavailable: cannot_write."""
        from goal_ledger.ledger.audit.archive import export

        return export(self, Path(path), progress)

    def backup(self, path: str | Path) -> Copy:
        """Copy the log as of one moment, while writers go on, and prove the copy. Rejected: file_exists."""
        self._core.require_present("a backup")
        from goal_ledger.ledger.audit.archive import backup

        return backup(self._core.store, Path(path))

    def copy(self, to: str | Path | Location, progress: Callable[[int], None] = lambda _: None) -> Copied:
        """Bring another ledger, in a file or on a server, to where this one is, and prove it. See `archive.copy`."""
        self._core.require_present("a copy")
        from goal_ledger.ledger.audit.archive import copy

        return copy(self, self._core.store, to, progress)

    def _named(self, problem: Problem) -> Problem:
        """The problem with the stream that the read models remember, where the log itself cannot tell."""
        if problem.stream is not None or problem.position is None:
            return problem
        try:
            return problem._replace(stream=self.views.stream_at(problem.position))
        except LedgerError:
            return problem

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


def _is_position(when: datetime | str | int) -> bool:
    return isinstance(when, int) or (isinstance(when, str) and when.isdecimal())


def _instant(when: Any) -> datetime:
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
