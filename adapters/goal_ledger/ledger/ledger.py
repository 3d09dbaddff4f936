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
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.audit.questions import Past
from goal_ledger.ledger.engine.circumstances import Circumstances
from goal_ledger.ledger.engine.core import Core, every_projection
from goal_ledger.ledger.engine.engine import utc_now
from goal_ledger.ledger.engine.extensions import all_of
from goal_ledger.ledger.engine.location import locate
from goal_ledger.ledger.engine.reactions import Reaction, Reactions
from goal_ledger.ledger.goals.loops import note_refusal
from goal_ledger.ledger.reactions import REACTIONS
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.ledger.audit.log import Log
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
    from goal_ledger.ledger.work.work import Work
    from goal_ledger.projections.continuity.sessions import SessionRow

_OF_THE_LOG = frozenset(
    {"stats", "digest_at", "verify", "verify_deep", "verify_file", "state_hash", "export", "backup", "copy"}
)
"""What was asked of the ledger before there was `Ledger.log`."""


class Ledger(Past):
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
        bad_extension. Invalid: bad_url, duplicate_name, unknown_event, wrong_type, bad_reaction.
        """
        backend = locate(url)
        if actor is None:
            actor = f"user:{os.environ.get('USER') or 'unknown'}"
        circumstances = Circumstances(actor).checked()
        following = Reactions(REACTIONS, note_refusal, reactions)
        if projections := all_of(Projection, projections, "projections"):
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
        from goal_ledger.ledger.learning.briefing import briefing
        from goal_ledger.ledger.work.work import Work

        return Work(self, briefing)

    @property
    def runs(self) -> Runs:
        """What was tried."""
        from goal_ledger.ledger.learning.briefing import briefing
        from goal_ledger.ledger.runs.runs import Runs

        return Runs(self, briefing)

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

    # --- Names of before

    @property
    def playbook(self) -> Playbook:
        """Deprecated: `rules`."""
        warn("Ledger.playbook is deprecated: use Ledger.rules", DeprecationWarning, stacklevel=2)
        return self.rules

    if not TYPE_CHECKING:  # a checker must know every attribute

        def __getattr__(self, name: str) -> Any:
            if name == "has_learned":
                warn("Ledger.has_learned is deprecated: use Ledger.has_held", DeprecationWarning, stacklevel=2)
                return self.has_held("les_")
            if name in _OF_THE_LOG:
                warn(f"Ledger.{name} is deprecated: use Ledger.log.{name}", DeprecationWarning, stacklevel=2)
                return getattr(self.log, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
