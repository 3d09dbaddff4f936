"""What runs say about the lessons they were given, in the transaction in which they start and end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from goal_ledger.domain.errors import Hint, Rejected
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.learning import lesson as rules
from goal_ledger.domain.learning.lesson import LESSON, Evidence
from goal_ledger.domain.learning.rule import RULE
from goal_ledger.domain.runs.run import (
    BEYOND_THE_AGENT,
    RUN,
    LocalOutcome,
    RunContext,
    RunFinished,
    VerifierStatus,
)
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx


def note_applied(tx: Tx, run_id: str, lesson_ids: Iterable[str]) -> None:
    """A run began: it works by the lessons that it was given."""
    for lesson_id in lesson_ids:
        tx.act(lesson_id, LESSON, rules.apply, run_id=run_id, given=True)


def note_judged(tx: Tx, run_id: str, finished: RunFinished) -> None:
    """A run finished: it confirms the lessons that it was given, or contradicts them.

    Nothing is said by a run that was partial or failed for a reason beyond its agent, that was given something that
    turned out false, or whose goal asks for no learning.
    """
    run = tx.load(run_id, RUN)
    if run.context is None:
        return
    held = _held(finished, run.verdict)
    if held is None or not tx.load(run.goal_id, GOAL).contract.get("learning_required", True):
        return
    if _false_of(tx, run.context) is None:
        for lesson_id in run.context.lessons:
            tx.act(lesson_id, LESSON, rules.judge, run_id=run_id, held=held)


def refuse_tainted(engine: Engine, tx: Tx, run_ids: Iterable[str]) -> None:
    """Refuse runs as evidence that were given what turned out false. Rejected: tainted. NotFound: unknown_run."""
    for run_id in run_ids:
        if (false := tainted_by(engine, tx, run_id)) is not None:
            raise Rejected(
                "tainted",
                f"run {run_id} worked by {false}, which was recalled: it is no evidence for a lesson",
                hint=Hint("lesson", "context", run_id=run_id),
            )


def untainted(engine: Engine, tx: Tx, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The evidence without that of runs that were given what turned out false."""
    return tuple(one for one in evidence if tainted_by(engine, tx, one.run_id) is None)


def tainted_by(engine: Engine, tx: Tx, run_id: str) -> str | None:
    """The recalled lesson or rule that a run was given or worked by, None without one."""
    context = tx.load(run_id, RUN).context
    if context is not None and (false := _false_of(tx, context)) is not None:
        return false
    if not tx.has_streams("les_"):
        return None
    from goal_ledger.projections.learning.lessons import lessons

    recalled = engine.views.select_columns(lessons, ("lesson_id",), {"recalled": True}, order=("lesson_id",))
    return next((lesson_id for (lesson_id,) in recalled if run_id in tx.load(lesson_id, LESSON).applied_in), None)


def _false_of(tx: Tx, context: RunContext) -> str | None:
    """The first of what a run was given that was recalled."""
    recalled = (each for each in context.lessons if tx.load(each, LESSON).recalled is not None)
    fallen = (each for each in context.rules if tx.load(each, RULE).recalled is not None)
    return next(chain(recalled, fallen), None)


def _held(finished: RunFinished, verdict: VerifierStatus | None) -> bool | None:
    """Whether a run did what it should; None when that says nothing about how its agent worked."""
    if finished.local_outcome is LocalOutcome.SUCCEEDED:
        return None if verdict is VerifierStatus.FAILED else True
    if finished.local_outcome is LocalOutcome.FAILED and finished.failure_category not in BEYOND_THE_AGENT:
        return False
    return None
