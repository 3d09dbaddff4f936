"""The playbook: rules drawn from lessons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goal_ledger.domain.base import Event
from goal_ledger.domain.learning.lesson import Scope
from goal_ledger.domain.learning.rule import RULE, Rule, RuleDrafted, rule_id
from goal_ledger.projections.learning.lessons import lessons

if TYPE_CHECKING:
    from goal_ledger.domain.settings import Settings
    from goal_ledger.ledger.transaction import Tx


def draft_in(tx: Tx, lesson_id: str, *, confidence: float, settings: Settings) -> str | None:
    """Draft a rule, in shadow, from a lesson that is sure enough; its id when it is new."""
    row = tx.fold(lessons, lesson_id)
    if row is None or not row.active or confidence < settings.rule_confidence:
        return None
    stream = rule_id(Scope(row.goal_type, row.action_type), row.lesson_text)

    def draft(rule: Rule) -> list[Event]:
        drafted = RuleDrafted(
            title=row.lesson_text[:80],
            rule_text=row.lesson_text,
            applies_to_goal_type=row.goal_type,
            applies_to_action_type=row.action_type,
            source_lesson_ids=(lesson_id,),
        )
        return [] if rule.mode is not None else [drafted]

    return stream if tx.act(stream, RULE, draft) else None
