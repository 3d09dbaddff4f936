"""Runs: attempts at goals, from dispatch to outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from goal_ledger.domain.base import Event, operation, operation_of
from goal_ledger.domain.errors import Blank, Hint, Invalid, Rejected
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as rules
from goal_ledger.domain.runs.run import (
    RUN,
    BusinessOutcome,
    FailureCategory,
    LocalOutcome,
    Run,
    RunStatus,
    VerifierStatus,
)
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals import conditions
from goal_ledger.ledger.goals.key_results import snapshot
from goal_ledger.ledger.work.dispatch import Attempt, begun, bill_in, start_in, take_over_in
from goal_ledger.ledger.work.leases import silence_s
from goal_ledger.ledger.work.settling import complete_in
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

if TYPE_CHECKING:
    from goal_ledger.ledger.work.dispatch import Brief

P = ParamSpec("P")

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Runs(Rows[RunRow]):
    """The runs of a ledger. Every method that writes returns the run as it then stands.

    brief: prepares what chooses what the runs that start here are told.
    """

    kind = Kind(goal_runs, "grun_", "run", order=("run_id",))

    def __init__(self, engine: Engine, brief: Brief) -> None:
        super().__init__(engine)
        self._brief = brief

    # --- Writing

    @operation("run.start")
    def start(
        self,
        goal_id: str,
        *,
        agent: str | None = None,
        job_id: str | None = None,
        plan_summary: str | None = None,
        metrics_before: dict[str, Any] | None = None,
        overlap: bool = False,
        lease_s: float | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Hand out the goal's next attempt and start it; a ready goal becomes active with it.

        overlap: allow it beside a run that is still open, whatever the goal says. A goal whose overlap is `enqueue` has
        it wait for its turn: the run is then `queued`. lease_s: how long the worker may be silent before the run may be
        given to another; without end by default. metrics_before: by default the values of the key results
        around the goal.

        Rejected: not_allowed, open_dependencies, run_overlap, no_attempts_left, over_budget, policy_block, draining,
        stopped. NotFound: unknown_goal.
        """
        attempt = Attempt(agent, job_id, plan_summary, metrics_before, lease_s, reason)
        arguments = {
            "goal_id": goal_id, "agent": agent, "job_id": job_id, "plan_summary": plan_summary,
            "metrics_before": metrics_before, "overlap": overlap, "lease_s": lease_s, "reason": reason,
        }  # fmt: skip
        brief = self._brief(self._engine)
        recorded = self._engine.transact(
            lambda tx: start_in(tx, goal_id, attempt, overlap=Overlap.ALLOW if overlap else None, brief=brief),
            operation="run.start",
            arguments=arguments,
        )
        return self._answer(begun(recorded), recorded)

    @operation("run.take_over")
    def take_over(
        self, run_or_goal_id: str, *, agent: str | None = None, lease_s: float | None = None, reason: str | None
    ) -> RunRow:
        """Interrupt an open run, or the one that a goal has, and start the next attempt in its place; the new run.

        The new run's id is the token of whoever works on: what the worker before it still says is refused.

        Rejected: no_reason, not_allowed, nothing_to_take_over, several_runs, and what `start` refuses.
        NotFound: unknown_run, unknown_goal.
        """
        attempt = Attempt(agent=agent, lease_s=lease_s, reason=reason)
        brief = self._brief(self._engine)
        recorded = self._engine.transact(
            lambda tx: take_over_in(tx, _open_run(tx, run_or_goal_id), attempt, brief=brief),
            operation="run.take_over",
            arguments={"of": run_or_goal_id, "agent": agent, "lease_s": lease_s, "reason": reason},
        )
        return self._answer(begun(recorded), recorded)

    @operation("run.act")
    def act(
        self,
        run_id: str,
        action: str,
        *,
        action_type: str | None = None,
        ok: bool | None = None,
        detail: str | None = None,
        attributes: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Note an action. ok: whether it worked, None when nobody said.

        Rejected: not_allowed, lease_lost, no_action; policy_block, of a type that its goal does not allow, or when it
        breaks a constraint.
        """

        def work(tx: Tx, **wish: Any) -> None:
            goal_id = rules.goal_of(tx.load(run_id, RUN))
            allowed = tx.load(goal_id, GOAL).contract.get("allowed_capabilities", ())
            tx.act(run_id, RUN, rules.act, allowed=allowed, **wish)
            conditions.check_constraints(tx, goal_id, run_id)

        return self._transact(
            run_id, "act", work, action=action, action_type=action_type, ok=ok, detail=detail, attributes=attributes,
            reason=reason,
        )  # fmt: skip

    @operation("run.heartbeat")
    def heartbeat(
        self, run_id: str, *, note: str | None = None, lease_s: float | None = None, reason: str | None = None
    ) -> RunRow:
        """Say that the worker is alive. Without a note it is quiet in the first half of the lease.

        lease_s: how long it may be silent from now on, as before by default. Rejected: not_allowed, lease_lost.
        """

        def work(tx: Tx, **wish: Any) -> None:
            tx.act(run_id, RUN, rules.heartbeat, silent_s=silence_s(tx, run_id), **wish)

        wish = {} if lease_s is None else {"lease_s": lease_s}  # as 0.1.0 has it, which stored what it was given
        return self._transact(run_id, "heartbeat", work, note=note, reason=reason, **wish)

    def checkpoint(self, run_id: str, checkpoint_ref: str, *, reason: str | None = None) -> RunRow:
        """Lay the run down where it can be resumed."""
        return self._act(run_id, rules.checkpoint, checkpoint_ref=checkpoint_ref, reason=reason)

    def resume(self, run_id: str, *, reason: str | None = None) -> RunRow:
        """Go on from the last checkpoint."""
        return self._act(run_id, rules.resume, reason=reason)

    @operation("run.interrupt")
    def interrupt(self, run_id: str, *, reason: str | None) -> RunRow:
        """Say that the worker is gone for good, or take a queued run out of the queue.

        With `max_attempts` its goal is tried again later, or fails after the last attempt.
        """
        return self._act(run_id, rules.interrupt, reason=reason)

    def verify(
        self,
        run_id: str,
        verifier_status: VerifierStatus,
        *,
        verifier: str | None = None,
        score: float | None = None,
        detail: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Record a verifier's verdict; the latest one counts."""
        return self._act(
            run_id, rules.verify, verifier_status=verifier_status, verifier=verifier, score=score, detail=detail,
            reason=reason,
        )  # fmt: skip

    @operation("run.record_cost")
    def cost(
        self,
        run_id: str,
        *,
        cost_usd: Decimal | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        model: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Add a bill; what is not said stays unknown. Beyond its budget the goal waits; the run goes on.

        Rejected: policy_block, when it breaks a constraint.
        """

        def work(tx: Tx, **bill: Any) -> None:
            bill_in(tx, run_id, **bill)
            conditions.check_constraints(tx, tx.load(run_id, RUN).goal_id, run_id)

        return self._transact(
            run_id, "record_cost", work, cost_usd=cost_usd, tokens_in=tokens_in, tokens_out=tokens_out, model=model,
            reason=reason,
        )  # fmt: skip

    @operation("run.finish")
    def finish(
        self,
        run_id: str,
        local_outcome: LocalOutcome,
        *,
        failure_category: FailureCategory | None = None,
        detail: str | None = None,
        duration_seconds: float | None = None,
        metrics_after: dict[str, Any] | None = None,
        complete: bool = False,
        evidence: str | None = None,
        caveats: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Close the run with its outcome, once; a failed one needs a category.

        After a success its goal is served no more and waits to be completed: by this call when `complete` is said, in
        the same transaction, so that a refusal to complete refuses both. evidence: what shows it, the run by default.
        caveats: what is missing. What a failure condition turns into a failure completes nothing, and what goes on
        after a success (a watchdog, an experiment, maintenance) stays open.

        A success completes the oldest open occurrence of a maintenance goal, which goes on. duration_seconds: wall time
        as measured; the time since the start by default. metrics_after: the values of the key results around the goal
        by default.
        When it failed and its goal has `max_attempts`, the goal is tried again later, or fails after the last attempt.
        The failure conditions of the goal may turn what is reported as succeeded into failed. When a run of a goal of
        type learning is won, a learning cycle follows, up to that time.

        Rejected: not_allowed, no_failure_category, unexpected_failure_category, not_succeeded, and what completing the
        goal refuses. Invalid: not_complete, for evidence or caveats of a goal that is not to be completed.
        """
        if not complete and (evidence is not None or caveats is not None):
            raise Invalid("not_complete", "evidence and caveats are of a goal's completion; complete it with them")

        def work(tx: Tx, metrics_after: dict[str, Any] | None, **wish: Any) -> None:
            run = tx.load(run_id, RUN)
            measured = metrics_after or (snapshot(tx, run.goal_id) if run.is_open else None)
            finish = conditions.classified(tx, run_id, {**wish, "metrics_after": measured})
            tx.act(run_id, RUN, rules.finish, **finish)
            if complete:
                rules.require_success(local_outcome)
                if finish["local_outcome"] == LocalOutcome.SUCCEEDED:
                    complete_in(tx, run_id, run.goal_id, evidence=evidence, caveats=caveats, reason=reason)

        return self._transact(
            run_id, "finish", work, {"complete": complete, "evidence": evidence, "caveats": caveats},
            local_outcome=local_outcome, failure_category=failure_category, detail=detail,
            duration_seconds=duration_seconds, metrics_after=metrics_after, reason=reason,
        )  # fmt: skip

    def outcome(
        self,
        run_id: str,
        business_outcome: BusinessOutcome,
        *,
        source: str | None = None,
        external_id: str | None = None,
        detail: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Record what a finished run was worth; the latest word counts, every one is kept."""
        return self._act(
            run_id, rules.record_outcome, business_outcome=business_outcome, source=source, external_id=external_id,
            detail=detail, reason=reason,
        )  # fmt: skip

    # --- Reading

    def list(
        self,
        *,
        goal_id: str | None = None,
        status: RunStatus | None = None,
        agent: str | None = None,
        local_outcome: LocalOutcome | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[RunRow]:
        """Runs, the newest first; after: where the page before ended."""
        wanted = {"goal_id": goal_id, "status": status, "agent": agent, "local_outcome": local_outcome}
        return self._page(wanted, after=after, limit=limit)

    # --- Shared

    def _act(
        self, run_id: str, decide: Callable[Concatenate[Run, P], Sequence[Event]], *args: P.args, **wish: P.kwargs
    ) -> RunRow:
        def work(tx: Tx) -> None:
            tx.act(require_id("grun_", run_id), RUN, decide, *args, **wish)

        arguments = {"stream": run_id, "args": args, **wish}
        return self._answer(
            run_id, self._engine.transact(work, operation=operation_of(RUN, decide), arguments=arguments)
        )

    def _transact(
        self, run_id: str, verb: str, work: Callable[..., None], beside: Mapping[str, Any] = NOTHING, /, **wish: Any
    ) -> RunRow:
        """Act on a run and on what hangs together with it. beside: what else was asked, of which `work` knows."""
        require_id("grun_", run_id)
        recorded = self._engine.transact(
            lambda tx: work(tx, **wish),
            operation=f"run.{verb}",
            arguments={"stream": run_id, "args": (), **wish, **beside},
        )
        return self._answer(run_id, recorded)


def _open_run(tx: Tx, run_or_goal_id: str) -> str:
    """The run that is meant: itself, or the only open one of a goal."""
    if not run_or_goal_id.startswith("goal_"):
        return require_id("grun_", run_or_goal_id)
    goal = tx.load(require_id("goal_", run_or_goal_id), GOAL)
    goal_rules.existing(goal)
    still = [run_id for run_id in goal.running if tx.load(run_id, RUN).is_open]
    if len(still) == 1:
        return still[0]
    if still:
        raise Rejected("several_runs", f"goal {run_or_goal_id} has {len(still)} open runs: {', '.join(still)}",
                       hint=Hint("run", "take-over", still[0], reason=Blank()))  # fmt: skip
    raise Rejected("nothing_to_take_over", f"goal {run_or_goal_id} has no open run",
                   hint=Hint("run", "start", run_or_goal_id))  # fmt: skip
