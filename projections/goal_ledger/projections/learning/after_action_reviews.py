"""Every after-action review: what a run taught, whether lessons came of it, and what it watches for."""

from enum import StrEnum
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.review import LessonsPromoted, Notable, ReviewReopened, ReviewWritten
from goal_ledger.domain.runs.run import FailureCategory
from goal_ledger.projections.base import Projection, updated


class ReviewRow(NamedTuple):
    """One review. notable: why there is one. goal_type, action_type: where its lessons apply, None for any.

    root_cause: `category` and `detail`; failure_category: the former. lesson_candidates: each a `text` and a
    `category`. signature: what the failure has in common with others like it. watch_until: until when the same one
    reopens the review; reopened, reopened_by: whether one did, and which runs. promoted: whether lessons were taken
    from it: lesson_ids.
    """

    aar_id: str
    run_id: str
    goal_id: str
    notable: Notable
    goal_type: GoalType | None
    action_type: str | None
    failure_category: FailureCategory | None
    what_happened: str
    root_cause: dict[str, Any]
    what_worked: tuple[str, ...]
    what_failed: tuple[str, ...]
    lesson_candidates: tuple[dict[str, Any], ...]
    recommended_changes: tuple[str, ...]
    signature: str | None
    watch_until: str | None
    reopened: bool
    reopened_by: tuple[str, ...]
    promoted: bool
    lesson_ids: tuple[str, ...]
    created_by: str
    created_at: str | None
    updated_at: str | None
    version: int
    position: int


after_action_reviews = Projection(
    "after_action_reviews",
    ReviewRow,
    key="aar_id",
    indexes=(
        ("signature", "watch_until", "aar_id"),
        ("goal_id", "position"),
        ("notable", "position"),
        ("reopened", "position"),
        ("position",),
    ),
)


@after_action_reviews.on(ReviewWritten)
def _written(_: ReviewRow | None, recorded: Recorded, event: ReviewWritten) -> ReviewRow:
    return ReviewRow(
        aar_id=recorded.stream,
        run_id=event.run_id,
        goal_id=event.goal_id,
        notable=event.notable,
        goal_type=event.goal_type,
        action_type=event.action_type,
        failure_category=event.root_cause.category,
        what_happened=event.what_happened,
        root_cause={"category": _plain(event.root_cause.category), "detail": event.root_cause.detail},
        what_worked=event.what_worked,
        what_failed=event.what_failed,
        lesson_candidates=tuple({"text": one.text, "category": one.category.value} for one in event.lesson_candidates),
        recommended_changes=event.recommended_changes,
        signature=event.signature,
        watch_until=event.watch_until,
        reopened=False,
        reopened_by=(),
        promoted=False,
        lesson_ids=(),
        created_by=recorded.by,
        created_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        version=recorded.version,
        position=recorded.position,
    )


@after_action_reviews.on(ReviewReopened)
def _reopened(row: ReviewRow | None, recorded: Recorded, event: ReviewReopened) -> ReviewRow | None:
    if row is None:
        return None
    return updated(row, recorded, reopened=True, reopened_by=(*row.reopened_by, event.run_id))


@after_action_reviews.on(LessonsPromoted)
def _promoted(row: ReviewRow | None, recorded: Recorded, event: LessonsPromoted) -> ReviewRow | None:
    if row is None:
        return None
    ids = tuple(dict.fromkeys((*row.lesson_ids, *event.lesson_ids)))
    return updated(row, recorded, promoted=bool(ids), lesson_ids=ids)


def _plain(word: StrEnum | None) -> str | None:
    """As it comes back from a table: objects in a column hold plain JSON."""
    return None if word is None else word.value
