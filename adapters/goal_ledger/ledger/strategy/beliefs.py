"""Beliefs: what the organisation holds true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.strategy import belief as rules
from goal_ledger.domain.strategy.belief import BELIEF, BeliefStatus, belief_id
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Place, select_page
from goal_ledger.projections.strategy.beliefs import BeliefRow, beliefs


class Page(NamedTuple):
    """Some beliefs, and where the next page begins: None when there are no more."""

    beliefs: Sequence[BeliefRow]
    next: Place | None


class Beliefs:
    """The beliefs of a ledger. Every method that writes returns the belief as it then stands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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

    def get(self, belief_id: str) -> BeliefRow:
        """One belief. NotFound: unknown_belief."""
        return _existing(self._engine.fold(beliefs, require_id("belief_", belief_id)), belief_id)

    def list(
        self,
        *,
        status: BeliefStatus | None = BeliefStatus.ACTIVE,
        after: Place | None = None,
        limit: int | None = None,
    ) -> Page:
        """Beliefs, the one that changed last first. status: None for every one."""
        views, order = self._engine.views, ("position",)
        return Page(
            *select_page(views, beliefs, {"status": status}, order=order, descending=True, after=after, limit=limit)
        )

    def timeline(self, belief_id: str) -> Sequence[Recorded | Unreadable]:
        """The belief's events, in order. NotFound: unknown_belief."""
        self.get(belief_id)
        return self._engine.stream(belief_id)

    def _answer(self, stream: str, recorded: tuple[Recorded, ...]) -> BeliefRow:
        return _existing(self._engine.answer(beliefs, stream, recorded), stream)


def _existing(row: BeliefRow | None, belief_id: str) -> BeliefRow:
    if row is None:
        raise NotFound("unknown_belief", f"there is no belief {belief_id}", hint=Hint("belief", "list"))
    return row
