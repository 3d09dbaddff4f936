"""What handing out runs asks of its neighbours: sessions, open loops, and the readings of key results."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goal_ledger.ledger.transaction import Tx


def refuse_when_stopped(tx: Tx) -> None:
    """Refuse to hand out work while the session is draining or stopped. Rejected: draining, stopped."""


def open_in(
    tx: Tx,
    *,
    kind: str,
    question: str,
    goal_id: str | None = None,
    run_id: str | None = None,
    due_at: str | None = None,
) -> str | None:
    """Open a loop that somebody has to close; its id. kind: pending_retry, clarification or follow_up."""
    return None
