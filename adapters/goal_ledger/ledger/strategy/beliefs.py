"""Beliefs: what the organisation holds true."""

from __future__ import annotations

from goal_ledger.domain.ids import require_id
from goal_ledger.domain.strategy import belief as rules
from goal_ledger.domain.strategy.belief import BELIEF, BeliefStatus, belief_id
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.projections.strategy.beliefs import BeliefRow, beliefs


class Beliefs(Rows[BeliefRow]):
    """The beliefs of a ledger. Every method that writes returns the belief as it then stands."""

    kind = Kind(beliefs, "belief_", "belief")

    # --- Writing

    def hold(self, text: str, *, reason: str | None = None) -> BeliefRow:
        """Hold it true, again where it was given up; the same text is the same belief. Rejected: no_text."""
        stream = belief_id(text)
        return self._answer(stream, self._engine.act(stream, BELIEF, rules.hold, text=text, reason=reason))

    def contradict(self, belief_id: str, *, reason: str | None) -> BeliefRow:
        """Say what speaks against it. Rejected: no_reason, retracted. NotFound: unknown_belief."""
        stream = require_id("belief_", belief_id)
        return self._answer(stream, self._engine.act(stream, BELIEF, rules.contradict, reason=reason))

    def retract(self, belief_id: str, *, reason: str | None) -> BeliefRow:
        """Give it up. Rejected: no_reason. NotFound: unknown_belief."""
        stream = require_id("belief_", belief_id)
        return self._answer(stream, self._engine.act(stream, BELIEF, rules.retract, reason=reason))

    # --- Reading

    def list(
        self,
        *,
        status: BeliefStatus | None = BeliefStatus.ACTIVE,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[BeliefRow]:
        """Beliefs, the one that changed last first. status: None for every one."""
        return self._page({"status": status}, after=after, limit=limit)
