"""Work: what should be done next, and claiming it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING, Literal

from goal_ledger.domain.base import operation
from goal_ledger.domain.continuity.session import SESSION, dispatch_allowed, session_stream
from goal_ledger.domain.errors import Invalid, Rejected
from goal_ledger.domain.policies import receipt
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import utc_text
from goal_ledger.domain.work.planning import METHODS, Plan, plan
from goal_ledger.domain.work.ranking import Rankable, Ranked, by_revenue, by_utility
from goal_ledger.domain.work.router import BY_PRIORITY, CLOSED, ROUTER, Choice, obstacle
from goal_ledger.domain.work.serving_order import ServingOrder
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.ledger.work.candidates import Candidates
from goal_ledger.ledger.work.dispatch import Attempt, begun, claim_in, refuse_when_stopped
from goal_ledger.ledger.work.leases import expire_in, silent
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

if TYPE_CHECKING:
    from goal_ledger.ledger.work.dispatch import Brief, Briefing


RankPolicy = Literal["utility", "revenue"]


class Work:
    """The open goals of a ledger, in the order in which they should be served.

    brief: prepares what chooses what the runs that start here are told.
    """

    def __init__(self, engine: Engine, brief: Brief) -> None:
        self._engine = engine
        self._core = engine.core
        self._brief = brief

    def next(self) -> Choice | None:
        """The goal to work on next; None when there is nothing to do. Writes nothing."""
        with self._candidates() as candidates:
            choice = next(candidates.refreshed(self._core, utc_text(self._engine.now())).eligible(), None)
        return None if choice is None else self._with_leases([choice])[0]

    def explain(self) -> Sequence[Choice]:
        """Every open goal with what the router thinks of it, the best first, those that cannot be served last."""
        with self._candidates() as candidates:
            choices = candidates.refreshed(self._core, utc_text(self._engine.now())).choices()
        return self._with_leases(choices)

    def silent(self) -> Sequence[RunRow]:
        """The running runs whose leases are over, in order: each holds its goal until a claim or a tick frees it."""
        return silent(self._engine, self._engine.now())

    @operation("work.claim")
    def claim(
        self, *, agent: str | None = None, lease_s: float | None = None, reason: str | None = None
    ) -> RunRow | None:
        """Start a run on the goal to work on next, so that nobody else gets it; None when there is nothing to do.

        Runs whose leases are over are interrupted first, in a transaction of their own. A queued run of that goal is
        started before a new one. The choice and the start are one transaction; the policy's receipt stands in
        `goal.run_dispatched`. agent: who works on it, the actor by default. lease_s: how long it may be silent before
        the run may be given to another. The steps that a goal is broken down into are the run's `plan_summary`.

        Rejected: draining, stopped. Invalid: invalid_value.
        """
        self._free_the_silent()
        with self._candidates() as candidates:
            if candidates.is_behind(self._core):  # what takes a while is done before others wait for the lock
                candidates.refreshed(self._core, utc_text(self._engine.now()))
        brief = self._brief(self._engine)

        def work(tx: Tx) -> None:
            refuse_when_stopped(tx)
            attempt = Attempt(agent=agent or tx.by, lease_s=lease_s, reason=reason)
            with self._candidates() as candidates:
                order = candidates.refreshed(self._core, utc_text(tx.now or tx.at))
                serve(tx, order, attempt, ROUTER, self._core.settings, brief)

        recorded = self._engine.transact(
            work, operation="work.claim", arguments={"agent": agent, "lease_s": lease_s, "reason": reason}
        )
        return self._engine.answer(goal_runs, begun(recorded), recorded) if recorded else None

    def rank(
        self, policy: RankPolicy = "utility", *, limit: int | None = 10, now: datetime | None = None
    ) -> Sequence[Ranked]:
        """The open goals that are worth most, people's and the system's alike, each with what its worth is made of.

        policy: `utility`, or `revenue`: critical ones and blockers first, then by what they earn, which is
        `revenue_per_month` in a goal's metadata. limit: so many, None for all. now: the ledger's clock by default.
        What cannot be worked on yet says why.

        Invalid: bad_limit.
        """
        if limit is not None and limit < 1:
            raise Invalid("bad_limit", f"a ranking of {limit} holds nothing; the least is 1")
        moment = now or self._engine.now()
        when = utc_text(moment)
        with self._candidates() as candidates:
            order = candidates.refreshed(self._core, when)
            works = order.works()
            if policy == "utility":
                best = nsmallest(limit or len(works), ((-worth, goal_id) for worth, goal_id in order.worth()))
                goals = [works[goal_id] for _, goal_id in best]
            else:
                goals = [work for work in works.values() if work.status not in CLOSED]
            rankable = [
                Rankable(one.goal_id, one.title, one.priority, one.estimates, obstacle(one, works, when))
                for one in goals
            ]
        if policy == "utility":
            return by_utility(rankable, now=moment, weights=self._core.settings.weight)
        return by_revenue(rankable, now=moment, limit=limit)

    def plan(self, goal_id: str) -> Plan | None:
        """The steps that the cheapest applicable method breaks a goal down into; None when no method applies.

        NotFound: unknown_goal.
        """
        return plan(Goals(self._engine).get(goal_id).metadata, METHODS)

    def _with_leases(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        """What is thought of goals, with the leases of workers that fell silent."""
        silent = {row.goal_id: row for row in self.silent()}
        return [
            choice._replace(why=f"{choice.why}; the lease of {run.run_id} was over at {run.lease_until}")
            if (run := silent.get(choice.goal_id))
            else choice
            for choice in choices
        ]

    def _free_the_silent(self) -> None:
        """Interrupt the runs whose leases are over, unless no work is handed out or the wish is a repeat."""
        if self._engine.is_answered or not (found := [row.run_id for row in self.silent()]):
            return
        now = self._engine.now()

        def work(tx: Tx) -> None:
            if dispatch_allowed(tx.load(session_stream(tx.ledger_id), SESSION)):
                expire_in(tx, found, now)

        self._engine.using(command_id=None, if_version=None).transact(work, operation="run.expire_leases")

    @contextmanager
    def _candidates(self) -> Iterator[Candidates]:
        """What was seen last, for this thread alone."""
        at_rest = self._core.at_rest(Candidates)
        try:
            candidates = at_rest.pop()
        except IndexError:  # none yet, or other threads are at them
            candidates = Candidates(self._core.settings.weight)
        try:
            yield candidates
        finally:
            at_rest.append(candidates)


def serve(
    tx: Tx, order: ServingOrder, attempt: Attempt, policy: str, settings: Settings, brief: Briefing
) -> str | None:
    """Start a run on the first goal that can be served, with the policy's receipt; its id, None when there is none."""
    used = {} if policy == BY_PRIORITY else {"weight": settings.weight.model_dump()}
    ranked = order.ranked()
    for choice in order.eligible():
        why = receipt(policy, ranked, choice.goal_id, position=tx.head, settings=used)
        try:
            with tx.all_or_nothing():
                claim_in(tx, choice.goal_id, attempt, why, brief=brief)
                return choice.goal_id
        except Rejected:  # what the read models show is checked again on the streams: take the next one
            continue
    return None
