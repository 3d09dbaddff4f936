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
from goal_ledger.projections.base import Projection, updated

LISTED = 100
AWAITED = 1_000


class LessonRow(NamedTuple):
    """One lesson; goal_type and action_type None mean any.

    stated_confidence: the prior. confidence: what follows from it and the evidence, 0.0 to 1.0. evidence_for and
    evidence_against: pieces of evidence, those of people included. times_applied: runs that worked by it;
    times_validated: those of them that confirmed it. recalled_root: the lesson with whose recall it fell.

    Of long lists the latest `LISTED` are kept, the stream has all. evidence: the runs that speak for it, as `run_id`,
    `aar_id` (the review that drew it from the run, or None) and `founding` (whether it taught the lesson; these are all
    kept). applied_by_hand: all runs of which somebody said that they worked by it. awaited: runs that worked by it and
    have not spoken yet, the latest `AWAITED`.
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
    applied_by_hand: tuple[str, ...]
    awaited: tuple[str, ...]
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
    "lessons",
    LessonRow,
    key="lesson_id",
    noun="lesson",
    indexes=(("active", "position"), ("goal_type", "position"), ("position",)),
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
        applied_by_hand=(),
        awaited=(),
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
    evidence = (*row.evidence, _spoken(event.run_id, event.aar_id, founding=False))
    if len(evidence) > LISTED:
        founding = [one for one in evidence if one["founding"]]
        evidence = (*founding, *[one for one in evidence if not one["founding"]][-max(LISTED - len(founding), 1) :])
    return _weighed(
        row,
        recorded,
        evidence=evidence,
        evidence_run_ids=tuple(one["run_id"] for one in evidence),
        awaited=_without(row.awaited, event.run_id),
        times_validated=row.times_validated + (event.run_id in row.awaited),
    )


@lessons.on(LessonContradicted)
def _contradicted(row: LessonRow | None, recorded: Recorded, event: LessonContradicted) -> LessonRow | None:
    if row is None:
        return None
    row = row._replace(evidence_against=row.evidence_against + 1)
    if event.run_id is None:
        return _weighed(row, recorded)
    runs = (*row.contradicting_run_ids, event.run_id)[-LISTED:]
    return _weighed(row, recorded, contradicting_run_ids=runs, awaited=_without(row.awaited, event.run_id))


@lessons.on(LessonApplied)
def _applied(row: LessonRow | None, recorded: Recorded, event: LessonApplied) -> LessonRow | None:
    if row is None:
        return None
    has_spoken = event.run_id in row.evidence_run_ids or event.run_id in row.contradicting_run_ids
    return updated(
        row,
        recorded,
        applied_run_ids=(*row.applied_run_ids, event.run_id)[-LISTED:],
        applied_by_hand=row.applied_by_hand if event.given else (*row.applied_by_hand, event.run_id),
        awaited=row.awaited if has_spoken else (*row.awaited, event.run_id)[-AWAITED:],
        times_applied=row.times_applied + 1,
        times_validated=row.times_validated + (event.run_id in row.evidence_run_ids),
    )


@lessons.on(LessonRetired)
def _retired(row: LessonRow | None, recorded: Recorded, event: LessonRetired) -> LessonRow | None:
    return updated(row, recorded, active=False, retired_reason=event.reason)


@lessons.on(LessonRecalled)
def _recalled(row: LessonRow | None, recorded: Recorded, event: LessonRecalled) -> LessonRow | None:
    return updated(row, recorded, active=False, recalled=True, recalled_root=event.root, recalled_reason=event.reason)


def _spoken(run_id: str, aar_id: str | None, *, founding: bool) -> dict[str, Any]:
    return {"run_id": run_id, "aar_id": aar_id, "founding": founding}


def _without(runs: tuple[str, ...], run_id: str) -> tuple[str, ...]:
    return tuple(one for one in runs if one != run_id)


def _weighed(row: LessonRow, recorded: Recorded, **changes: Any) -> LessonRow | None:
    confidence = confidence_of(row.stated_confidence, row.evidence_for, row.evidence_against)
    return updated(row, recorded, confidence=confidence, **changes)
