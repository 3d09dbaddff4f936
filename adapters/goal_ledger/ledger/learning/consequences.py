"""What follows from the events of runs, in the transaction that gathered them.

A consequence is a function `(ledger, tx, recorded)`: it decides on other streams under the same lock, and what it
gathers names the event that led to it as its cause. What a consequence gathers has no consequences of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from goal_ledger.domain.base import Event, Recorded
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
from goal_ledger.ledger.learning.evidence import note_applied, note_judged

if TYPE_CHECKING:
    from goal_ledger.ledger.engine.transaction import Tx
    from goal_ledger.ledger.ledger import Ledger

Consequence = Callable[["Ledger", "Tx", Recorded], None]


def _review_run(ledger: Ledger, tx: Tx, recorded: Recorded) -> None:
    """What went wrong here is reviewed; imported histories are when somebody learns from them."""
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
        from goal_ledger.ledger.learning.reviews import review_in  # most runs go well

        review_in(ledger, tx, recorded.stream)


def _count_end(ledger: Ledger, tx: Tx, recorded: Recorded) -> None:
    if _was_given_rules(tx, recorded):
        from goal_ledger.ledger.learning.playbook import count_end  # few runs are given rules

        count_end(ledger, tx, recorded)


def _count_value(ledger: Ledger, tx: Tx, recorded: Recorded) -> None:
    if _was_given_rules(tx, recorded):
        from goal_ledger.ledger.learning.playbook import count_value

        count_value(ledger, tx, recorded)


def _was_given_rules(tx: Tx, recorded: Recorded) -> bool:
    context = tx.load(recorded.stream, RUN).context
    return context is not None and bool(context.rules or context.controls or context.shadows)


CONSEQUENCES: dict[type[Event], tuple[Consequence, ...]] = {
    RunStarted: (note_applied,),
    RunVerified: (_review_run,),
    RunFinished: (_review_run, _count_end, note_judged),
    RunInterrupted: (_count_end,),
    BusinessOutcomeRecorded: (_count_value, _review_run),
}


def follow(ledger: Ledger, tx: Tx, gathered: Sequence[Recorded]) -> None:
    """Let everything follow from these events that does."""
    for recorded in gathered:
        if consequences := CONSEQUENCES.get(type(recorded.event)):
            caused = tx.using(cause=recorded.position)
            for consequence in consequences:
                consequence(ledger, caused, recorded)
