"""What follows from the events of runs, in the transaction that gathered them.

A consequence is a function `(ledger, tx, recorded)`: it decides on other streams under the same lock, and what it
gathers names the event that led to it as its cause. What a consequence gathers has no consequences of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.runs.run import RunFinished, RunStarted
from goal_ledger.ledger.evidence import note_applied, note_judged

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

Consequence = Callable[["Ledger", "Tx", Recorded], None]

CONSEQUENCES: dict[type[Event], tuple[Consequence, ...]] = {
    RunStarted: (note_applied,),
    RunFinished: (note_judged,),
}


def follow(ledger: Ledger, tx: Tx, gathered: Sequence[Recorded]) -> None:
    """Let everything follow from these events that does."""
    for recorded in gathered:
        for consequence in CONSEQUENCES.get(type(recorded.event), ()):
            consequence(ledger, tx.using(cause=recorded.position), recorded)
