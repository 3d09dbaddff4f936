"""The ledger: an engine with its capabilities."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from warnings import warn

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.circumstances import Circumstances
from goal_ledger.ledger.engine.core import Core, every_projection
from goal_ledger.ledger.engine.engine import Engine, instant, is_position, utc_now
from goal_ledger.ledger.engine.location import locate
from goal_ledger.ledger.engine.reactions import Reaction, Reactions
from goal_ledger.ledger.goals.loops import note_refusal
from goal_ledger.ledger.reactions import REACTIONS
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.ledger.audit.decisions import Replay, Why
    from goal_ledger.ledger.audit.diff import Change
    from goal_ledger.ledger.audit.log import Log
    from goal_ledger.ledger.audit.when import Held
    from goal_ledger.ledger.continuity.sessions import Sessions
    from goal_ledger.ledger.duties import Duty
    from goal_ledger.ledger.goals.experiments import Experiments
    from goal_ledger.ledger.goals.goals import Goals
    from goal_ledger.ledger.goals.key_results import KeyResults
    from goal_ledger.ledger.goals.loops import Loops
    from goal_ledger.ledger.learning.learning import Learning
    from goal_ledger.ledger.learning.lessons import Lessons
    from goal_ledger.ledger.learning.playbook import Playbook
    from goal_ledger.ledger.learning.reviews import Reviews
    from goal_ledger.ledger.proposals.history import History
    from goal_ledger.ledger.proposals.proposals import Proposals
    from goal_ledger.ledger.runs.feeds import Feeds
    from goal_ledger.ledger.runs.imports import Imports
    from goal_ledger.ledger.runs.runs import Runs
    from goal_ledger.ledger.strategy.beliefs import Beliefs
    from goal_ledger.ledger.strategy.projects import Projects
    from goal_ledger.ledger.tick import Attention, Ticked
    from goal_ledger.ledger.work.dispatch import Briefing
    from goal_ledger.ledger.work.work import Work
    from goal_ledger.projections.continuity.sessions import SessionRow

_OF_THE_LOG = frozenset(
    {"stats", "digest_at", "verify", "verify_deep", "verify_file", "state_hash", "export", "backup", "copy"}
)
"""What was asked of the ledger before there was `Ledger.log`."""


class Ledger(Engine):
    """The memory of an organisation of agents: one append-only log and the read models folded from it.

    Safe to share between threads. A context manager: leaving it closes the files. Capabilities are imported when they
    are first used, so that a program loads what it works with.
    """

    _duties: Mapping[str, Duty] = MappingProxyType({})

    @classmethod
    def open(
        cls,
        url: str | Path | Backend = "goal-ledger.db",
        *,
        actor: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        settings: Settings = Settings(),
        read_only: bool = False,
        create: bool = True,
        projections: Iterable[Projection[Any]] = (),
        reactions: Iterable[Reaction] = (),
        duties: Mapping[str, Duty] = MappingProxyType({}),
    ) -> Ledger:
        """Open a ledger, and create it when there is none.

        url: a path, `sqlite:///path`, `:memory:` or `postgresql://user@host/database?schema=name`. actor: who writes,
        default: `user:<login>`. clock: gives `at`, in UTC. read_only: nothing is written, views are folded in memory.
        create: False refuses a ledger that does not exist.

        projections, reactions, duties: are added to those that are built in and those of installed packages, each under
        a name of its own; see docs/embedding.md.

        NotFound: no_ledger. Unavailable: cannot_open, not_writable, not_a_ledger, newer_format, missing_extra,
        bad_extension. Invalid: bad_url, duplicate_name, unknown_event.
        """
        backend = locate(url)
        if actor is None:
            actor = f"user:{os.environ.get('USER') or 'unknown'}"
        circumstances = Circumstances(actor).checked()
        following = Reactions(REACTIONS, note_refusal, reactions)
        if projections := tuple(projections):
            every_projection(projections, with_others=False)  # refuses what cannot be added
        if duties:
            from goal_ledger.ledger.duties import every_duty

            every_duty(duties)
        store = backend.open_store(settings, read_only=read_only, create=create)
        try:
            core = Core(store, backend, clock, settings, following, projections, read_only=read_only)
            opened = cls(core, circumstances)
        except BaseException:
            store.close()
            raise
        opened._duties = dict(duties)
        return opened

    # --- Capabilities

    @property
    def goals(self) -> Goals:
        """What should be achieved."""
        from goal_ledger.ledger.goals.goals import Goals

        return Goals(self)

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
        """Open loops: pending retries, questions, follow-ups."""
        from goal_ledger.ledger.goals.loops import Loops

        return Loops(self)

    @property
    def beliefs(self) -> Beliefs:
        """What is held true."""
        from goal_ledger.ledger.strategy.beliefs import Beliefs

        return Beliefs(self)

    @property
    def projects(self) -> Projects:
        """What is to be built."""
        from goal_ledger.ledger.strategy.projects import Projects

        return Projects(self)

    @property
    def work(self) -> Work:
        """What should be done next."""
        from goal_ledger.ledger.work.work import Work

        return Work(self, _brief)

    @property
    def runs(self) -> Runs:
        """What was tried."""
        from goal_ledger.ledger.runs.runs import Runs

        return Runs(self, _brief)

    @property
    def imports(self) -> Imports:
        """Histories from elsewhere."""
        from goal_ledger.ledger.runs.imports import Imports

        return Imports(self)

    @property
    def feeds(self) -> Feeds:
        """What the world measured."""
        from goal_ledger.ledger.runs.feeds import Feeds

        return Feeds(self)

    @property
    def proposals(self) -> Proposals:
        """The goals that detectors propose."""
        from goal_ledger.ledger.proposals.proposals import Proposals

        return Proposals(self)

    @property
    def history(self) -> History:
        """What was executed: scheduled tasks, and what detectors look at."""
        from goal_ledger.ledger.proposals.history import History

        return History(self)

    @property
    def lessons(self) -> Lessons:
        """What was learned."""
        from goal_ledger.ledger.learning.lessons import Lessons

        return Lessons(self)

    @property
    def rules(self) -> Playbook:
        """The playbook: rules drawn from lessons, tried before they are in force."""
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
    def sessions(self) -> Sessions:
        """Starts and stops, and what was reconciled between them."""
        from goal_ledger.ledger.continuity.sessions import Sessions

        return Sessions(self)

    def session(self) -> AbstractContextManager[SessionRow]:
        """A session for the length of a `with` block: stopped in order at its end, also by an error or SIGTERM.

        See `Sessions.running`.
        """
        return self.sessions.running()

    @property
    def log(self) -> Log:
        """The log itself: its size, proof that it is what was written, and copies of it."""
        from goal_ledger.ledger.audit.log import Log

        return Log(self)

    # --- Time

    def tick(self, now: datetime | None = None, *, duties: Sequence[str] = ()) -> Ticked:
        """Do what is due by now: everything that follows from time and conditions, once, however often it is asked.

        now: default: the present time. duties: only these. A failed duty is reported; the others run.

        Invalid: unknown_duty, naive_time. Rejected: read_only, not_of_the_past.
        """
        self.core.refuse_writes()
        from goal_ledger.ledger.duties import every_duty
        from goal_ledger.ledger.tick import tick

        return tick(self, now, duties, every_duty(self._duties))

    def attention(self, now: datetime | None = None) -> list[Attention]:
        """What is overdue, and the running runs that gave no sign of life for `stuck_after_s`; nothing is changed."""
        from goal_ledger.ledger.tick import attention

        return attention(self, now)

    # --- Questions about the past

    def diff(
        self, start: datetime | str | int, end: datetime | str | int | None = None, *, stream: str | None = None
    ) -> list[Change]:
        """The goals, runs and lessons that changed from one time or position to another, the first touched first.

        end: default: now. stream: only this one; of a goal, its runs too.

        Invalid: bad_interval, bad_time, naive_time, beyond_head. NotFound: unknown_goal.
        """
        from goal_ledger.ledger.audit.diff import changes

        first, last = self.position_at(start), self.head if end is None else self.position_at(end)
        backwards = first > last
        if end is not None and not is_position(start) and not is_position(end):
            backwards = instant(start) > instant(end)
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
        self.core.require_present("explaining a decision")
        from goal_ledger.ledger.audit.decisions import why

        return why(self, int(event) if isinstance(event, str) and event.isdecimal() else event)

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

        policy: a version, e.g. `router@2`; decisions of its other versions are made again by this one. settings:
        default: the present ones. start: from this position on, or behind this time. end: up to there, included. limit:
        of the decisions. Each is made on the ledger as it was then, whatever became of those before it. Writes nothing.

        NotFound: unknown_policy. Rejected: not_of_the_past. Invalid: bad_time, naive_time, beyond_head.
        """
        self.core.require_present("replaying decisions")
        from goal_ledger.ledger.audit.decisions import replay

        first = self.position_at(start) if is_position(start) else self.position_at(start) + 1
        last = self.head if end is None else self.position_at(end)
        settings = self.settings if settings is None else settings
        return replay(self, policy, settings, first=first, last=last, limit=limit, progress=progress)

    # --- Names of before

    @property
    def playbook(self) -> Playbook:
        """Deprecated: `rules`."""
        warn("Ledger.playbook is deprecated: use Ledger.rules", DeprecationWarning, stacklevel=2)
        return self.rules

    if not TYPE_CHECKING:  # a checker must know every attribute

        def __getattr__(self, name: str) -> Any:
            if name in _OF_THE_LOG:
                warn(f"Ledger.{name} is deprecated: use Ledger.log.{name}", DeprecationWarning, stacklevel=2)
                return getattr(self.log, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _brief(engine: Engine) -> Briefing:
    """What a run is told is learning's to choose, and work's and runs' to hand out."""
    from goal_ledger.ledger.learning.briefing import briefing

    return briefing(engine)
