"""Every lesson with its evidence and the confidence that follows from it."""

from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import (
    LessonApplied,
    LessonCategory,
    LessonConfirmed,
    LessonContradicted,
    LessonLearned,
    LessonRecalled,
    LessonRetired,
    confidence_of,
)
from goal_ledger.projections.base import Projection


class LessonRow(NamedTuple):
    """One lesson; goal_type and action_type None mean any.

    stated_confidence: the prior. confidence: what follows from it and the evidence, 0.0 to 1.0. evidence_for and
    evidence_against: pieces of evidence, those of people included. times_applied: runs that worked by it;
    times_validated: those of them that confirmed it. evidence: the runs that speak for it, as `run_id`, `aar_id` (the
    review that drew it from the run, or None) and `founding` (whether it taught the lesson). recalled_root: the lesson
    with whose recall it fell.
    """

    lesson_id: str
    goal_type: GoalType | None
    action_type: str | None
    lesson_text: str
    category: LessonCategory
    active: bool
    confidence: float
    stated_confidence: float
    evidence_for: int
    evidence_against: int
    evidence_run_ids: tuple[str, ...]
    contradicting_run_ids: tuple[str, ...]
    applied_run_ids: tuple[str, ...]
    times_applied: int
    times_validated: int
    evidence: tuple[dict[str, Any], ...]
    retired_reason: str | None
    recalled: bool
    recalled_root: str | None
    recalled_reason: str | None
    created_by: str
    created_at: str | None
    updated_at: str | None
    version: int
    position: int


lessons = Projection(
    "lessons", LessonRow, key="lesson_id", indexes=(("active", "position"), ("goal_type", "position"), ("position",))
)


@lessons.on(LessonLearned)
def _learned(_: LessonRow | None, recorded: Recorded, event: LessonLearned) -> LessonRow:
    taught = tuple(one.run_id for one in event.evidence)
    return LessonRow(
        lesson_id=recorded.stream,
        goal_type=event.goal_type,
        action_type=event.action_type,
        lesson_text=event.lesson_text,
        category=event.category,
        active=True,
        confidence=confidence_of(event.confidence, len(taught), 0),
        stated_confidence=event.confidence,
        evidence_for=len(taught),
        evidence_against=0,
        evidence_run_ids=taught,
        contradicting_run_ids=(),
        applied_run_ids=(),
        times_applied=0,
        times_validated=0,
        evidence=tuple(_spoken(one.run_id, one.aar_id, founding=True) for one in event.evidence),
        retired_reason=None,
        recalled=False,
        recalled_root=None,
        recalled_reason=None,
        created_by=recorded.by,
        created_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        version=recorded.version,
        position=recorded.position,
    )


@lessons.on(LessonConfirmed)
def _confirmed(row: LessonRow | None, recorded: Recorded, event: LessonConfirmed) -> LessonRow | None:
    if row is None:
        return None
    row = row._replace(evidence_for=row.evidence_for + 1)
    if event.run_id is None:
        return _weighed(row, recorded)
    spoken = _spoken(event.run_id, event.aar_id, founding=False)
    runs, evidence = (*row.evidence_run_ids, event.run_id), (*row.evidence, spoken)
    return _weighed(row, recorded, evidence_run_ids=runs, evidence=evidence)


@lessons.on(LessonContradicted)
def _contradicted(row: LessonRow | None, recorded: Recorded, event: LessonContradicted) -> LessonRow | None:
    if row is None:
        return None
    runs = row.contradicting_run_ids if event.run_id is None else (*row.contradicting_run_ids, event.run_id)
    return _weighed(row, recorded, evidence_against=row.evidence_against + 1, contradicting_run_ids=runs)


@lessons.on(LessonApplied)
def _applied(row: LessonRow | None, recorded: Recorded, event: LessonApplied) -> LessonRow | None:
    if row is None:
        return None
    return _weighed(row, recorded, applied_run_ids=(*row.applied_run_ids, event.run_id))


@lessons.on(LessonRetired)
def _retired(row: LessonRow | None, recorded: Recorded, event: LessonRetired) -> LessonRow | None:
    if row is None:
        return None
    return _weighed(row, recorded, active=False, retired_reason=event.reason)


@lessons.on(LessonRecalled)
def _recalled(row: LessonRow | None, recorded: Recorded, event: LessonRecalled) -> LessonRow | None:
    if row is None:
        return None
    return _weighed(row, recorded, active=False, recalled=True, recalled_root=event.root, recalled_reason=event.reason)


def _spoken(run_id: str, aar_id: str | None, *, founding: bool) -> dict[str, Any]:
    return {"run_id": run_id, "aar_id": aar_id, "founding": founding}


def _weighed(row: LessonRow, recorded: Recorded, **changes: Any) -> LessonRow:
    row = row._replace(**changes)
    applied = set(row.applied_run_ids)
    return row._replace(
        confidence=confidence_of(row.stated_confidence, row.evidence_for, row.evidence_against),
        times_applied=len(applied),
        times_validated=len(applied & set(row.evidence_run_ids)),
        updated_at=recorded.occurred_at or row.updated_at,
        version=recorded.version,
        position=recorded.position,
    )
