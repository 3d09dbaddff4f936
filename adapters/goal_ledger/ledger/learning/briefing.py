"""What the next run of a goal is given to work by: chosen under the lock, prepared before it is taken."""

from __future__ import annotations

from goal_ledger.domain.runs.run import RunContext
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.work.dispatch import Briefing

LEARNED = ("les_", "rule_")
"""How the streams of what was learned begin."""


def briefing(engine: Engine) -> Briefing:
    """What chooses for the runs that are about to start; to be asked for before the lock is taken.

    Unavailable: stale_views, in a ledger that has learned something; in others no read model is asked.
    """
    if any(map(engine.has_held, LEARNED)):
        engine.views.catch_up()  # not while others wait for the lock

    def brief(tx: Tx, goal_id: str) -> RunContext | None:
        if not any(map(tx.has_streams, LEARNED)):
            return None
        from goal_ledger.ledger.learning.context import given_in

        return given_in(engine, tx, goal_id)

    return brief
