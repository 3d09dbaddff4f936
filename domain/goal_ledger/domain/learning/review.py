"""An after-action review: what one run teaches, and what to watch for."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, Payload, Texts, operation
from goal_ledger.domain.errors import Hint, NotFound
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.learning.lesson import LessonCategory
from goal_ledger.domain.runs.run import FailureCategory

# --- Words


class Notable(StrEnum):
    """Why a run has a review: it failed, was partial, its verifier failed it, it made things worse, somebody asked."""

    FAILED = "failed"
    PARTIAL = "partial"
    VERIFIER_FAILED = "verifier_failed"
    DEGRADED = "degraded"
    REQUESTED = "requested"


def review_id(run_id: str) -> str:
    """The id of the review of this run: a run has one."""
    return derived_id("aar_", "run", run_id, None)


class RootCause(Payload):
    """category: None when nothing failed. detail: in words."""

    category: Annotated[FailureCategory | None, Field(strict=False)] = None
    detail: str


class Candidate(Payload):
    """What might be learned, before anything else says so."""

    text: str
    category: Annotated[LessonCategory, Field(strict=False)]


# --- Events


class ReviewWritten(Event):
    """The review of a run. goal_type, action_type: the scope of its lessons, None for any.

    signature: what the failure has in common with others like it, see `signature`; None when nothing failed.
    watch_until: until when the same signature reopens the review, UTC text; None when nobody watches.
    """

    stored = "review.written"

    run_id: str
    goal_id: str
    notable: Annotated[Notable, Field(strict=False)]
    goal_type: Annotated[GoalType | None, Field(strict=False)] = None
    action_type: str | None = None
    what_happened: str
    root_cause: RootCause
    what_worked: Texts = ()
    what_failed: Texts = ()
    lesson_candidates: Annotated[tuple[Candidate, ...], Field(strict=False)] = ()
    recommended_changes: Texts = ()
    signature: str | None = None
    watch_until: str | None = None


class ReviewReopened(Event):
    """The same failure came back while it was watched for. run_id: the run that showed it."""

    stored = "review.reopened"

    run_id: str


class LessonsPromoted(Event):
    """The review's lessons were taken into the lesson store."""

    stored = "review.lessons_promoted"

    lesson_ids: Texts


# --- State


class Review(NamedTuple):
    """run_id: blank before it is written. lesson_ids: what was promoted of it. reopened_by: runs, in order."""

    run_id: str = ""
    goal_id: str = ""
    signature: str | None = None
    watch_until: str | None = None
    lesson_ids: tuple[str, ...] = ()
    reopened_by: tuple[str, ...] = ()


REVIEW = Decider("review", Review())


@REVIEW.on(ReviewWritten)
def _written(_: Review, event: ReviewWritten) -> Review:
    return Review(event.run_id, event.goal_id, event.signature, event.watch_until)


@REVIEW.on(ReviewReopened)
def _reopened(review: Review, event: ReviewReopened) -> Review:
    return review._replace(reopened_by=(*review.reopened_by, event.run_id))


@REVIEW.on(LessonsPromoted)
def _promoted(review: Review, event: LessonsPromoted) -> Review:
    return review._replace(lesson_ids=tuple(dict.fromkeys((*review.lesson_ids, *event.lesson_ids))))


# --- Decisions


@operation("review.write")
def write(review: Review, *, written: ReviewWritten) -> list[Event]:
    """Write the review, once."""
    return [] if review.run_id else [written]


@operation("review.reopen")
def reopen(review: Review, *, run_id: str, reason: str | None = None) -> list[Event]:
    """Say that a run showed the same failure again; a run says so once. NotFound: unknown_review."""
    existing(review)
    return [] if run_id in review.reopened_by else [ReviewReopened(run_id=run_id, reason=reason)]


@operation("review.promote")
def promote(review: Review, *, lesson_ids: Sequence[str], reason: str | None = None) -> list[Event]:
    """Note which lessons were taken from it into the store; each once. NotFound: unknown_review."""
    existing(review)
    news = tuple(one for one in dict.fromkeys(lesson_ids) if one not in review.lesson_ids)
    return [LessonsPromoted(lesson_ids=news, reason=reason)] if news else []


# --- Rules shared by the decisions


def existing(review: Review) -> None:
    """Refuse what is no review. NotFound: unknown_review."""
    if not review.run_id:
        raise NotFound("unknown_review", "there is no such review", hint=Hint("review", "list"))


def is_watched(watched_from: str | None, watch_until: str | None, at: str | None) -> bool:
    """Whether the same failure at this time reopens a review; never when one of the times is unknown."""
    if watched_from is None or watch_until is None or at is None:
        return False
    return watched_from <= at <= watch_until
