"""What learning does when runs start, end and are judged. Most runs teach nothing: for those little is imported."""

from __future__ import annotations

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.runs.run import (
    RUN,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    LocalOutcome,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunStatus,
    RunVerified,
    VerifierStatus,
)
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx


def review(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """A run that went wrong here is reviewed; an imported one when somebody learns from the import."""
    event, run = recorded.event, tx.load(recorded.stream, RUN)
    is_verdict = isinstance(event, RunVerified | RunFinished)
    if run.status is not RunStatus.FINISHED or (is_verdict and run.source_digest is not None):
        return
    went_wrong = (
        (isinstance(event, RunFinished) and event.local_outcome is not LocalOutcome.SUCCEEDED)
        or (is_verdict and run.verdict is VerifierStatus.FAILED)
        or (isinstance(event, BusinessOutcomeRecorded) and event.business_outcome is BusinessOutcome.DEGRADED)
    )
    if went_wrong:
        from goal_ledger.ledger.learning.reviews import review_in

        review_in(engine, tx, recorded.stream)


def weigh_lessons(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """A run works by the lessons that it was given, and its end confirms or contradicts them."""
    context = tx.load(recorded.stream, RUN).context
    if context is None or not context.lessons:
        return
    from goal_ledger.ledger.learning.evidence import note_applied, note_judged

    if isinstance(recorded.event, RunStarted):
        note_applied(tx, recorded.stream, context.lessons)
    elif isinstance(recorded.event, RunFinished):
        note_judged(tx, recorded.stream, recorded.event)


def try_rules(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """The end of a run, and what it was worth, count in the trials of the rules that it was given or kept from."""
    context, event = tx.load(recorded.stream, RUN).context, recorded.event
    if context is None or not (context.rules or context.controls or context.shadows):
        return
    from goal_ledger.ledger.learning.playbook import count_end, count_value

    if isinstance(event, RunFinished | RunInterrupted):
        count_end(engine, tx, recorded)
    elif isinstance(event, BusinessOutcomeRecorded):
        count_value(engine, tx, recorded)


def learn(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """A run of a goal of type learning that was won is followed by a learning cycle up to then, after the commit."""
    event, run, now = recorded.event, tx.load(recorded.stream, RUN), tx.now
    if not isinstance(event, RunFinished) or event.local_outcome is not LocalOutcome.SUCCEEDED or now is None:
        return
    if run.verdict is VerifierStatus.FAILED or tx.load(run.goal_id, GOAL).goal_type is not GoalType.LEARNING:
        return

    def cycle() -> None:
        from goal_ledger.ledger.learning.cycle import learn

        learn(engine.using(command_id=f"learn:{utc_text(now)}"), now, reason=f"{recorded.stream} was won")

    tx.afterwards("learning cycle", cycle)
