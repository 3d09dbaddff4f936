"""A lesson: a heuristic in plain language, with the evidence for and against it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Decider, Event, Payload, Share, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, NotFound, Rejected
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import derived_id

PRIOR_STRENGTH = 2
"""How many pieces of evidence a stated confidence weighs, as the prior of a beta distribution."""

# --- Words


class LessonCategory(StrEnum):
    ANTI_PATTERN = "anti_pattern"
    SAFE_DEFAULT = "safe_default"
    WINNING_STRATEGY = "winning_strategy"
    POLICY_PATCH = "policy_patch"


class Scope(NamedTuple):
    """Where a lesson applies; None stands for any."""

    goal_type: GoalType | None
    action_type: str | None


def lesson_id(scope: Scope, text: str) -> str:
    """The id of the lesson with this text in this scope, whoever learns it: the same lesson has one stream.

    Case and white space make no difference. The id carries no time.
    """
    words = " ".join(text.casefold().split())
    return derived_id("les_", f"{scope.goal_type or ''}\0{scope.action_type or ''}", words, None)


# --- Events


class Evidence(Payload):
    """A run that speaks for a lesson. aar_id: the review that drew the lesson from it, None without one."""

    run_id: str
    aar_id: str | None = None


class LessonLearned(Event):
    """confidence: stated by whoever learned it, the prior. evidence: the runs that taught it."""

    stored = "lesson.learned"
    schema_version: ClassVar[int] = 2

    goal_type: Annotated[GoalType | None, Field(strict=False)] = None
    action_type: str | None = None
    lesson_text: str
    category: Annotated[LessonCategory, Field(strict=False)]
    confidence: Share = 0.5
    evidence: Annotated[tuple[Evidence, ...], Field(strict=False)] = ()

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 named one run, and knew no reviews.
        run_id = data.pop("run_id", None)
        return data if run_id is None else data | {"evidence": [{"run_id": run_id}]}


class LessonConfirmed(Event):
    """Evidence for the lesson.

    run_id: the run that gave it, None when a person says so. aar_id: the review of that run that drew the lesson.
    """

    stored = "lesson.confirmed"
    schema_version: ClassVar[int] = 2

    run_id: str | None = None
    aar_id: str | None = None

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no reviews.
        return data


class LessonContradicted(Event):
    """Evidence against the lesson."""

    stored = "lesson.contradicted"

    run_id: str | None = None


class LessonApplied(Event):
    """A run worked by the lesson. given: it was told the lesson when it started; else somebody says so."""

    stored = "lesson.applied"
    schema_version: ClassVar[int] = 2

    run_id: str
    given: bool = False

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no runs that are told lessons.
        return data


class LessonRetired(Event):
    """The lesson is given to no run any more; its history stays."""

    stored = "lesson.retired"


class LessonRecalled(Event):
    """The lesson turned out false, or stands on one that did. root: the lesson whose recall began it."""

    stored = "lesson.recalled"

    root: str


# --- State


class Lesson(NamedTuple):
    """active: None before it is learned. recalled: the lesson with whose recall it fell, None when it did not."""

    active: bool | None = None
    evidence: frozenset[str] = frozenset()
    counter_evidence: frozenset[str] = frozenset()
    applied_in: frozenset[str] = frozenset()
    recalled: str | None = None


LESSON = Decider("lesson", Lesson())


@LESSON.on(LessonLearned)
def _learned(_: Lesson, event: LessonLearned) -> Lesson:
    return Lesson(active=True, evidence=frozenset(one.run_id for one in event.evidence))


@LESSON.on(LessonConfirmed)
def _confirmed(lesson: Lesson, event: LessonConfirmed) -> Lesson:
    return lesson._replace(evidence=lesson.evidence | {event.run_id}) if event.run_id else lesson


@LESSON.on(LessonContradicted)
def _contradicted(lesson: Lesson, event: LessonContradicted) -> Lesson:
    return lesson._replace(counter_evidence=lesson.counter_evidence | {event.run_id}) if event.run_id else lesson


@LESSON.on(LessonApplied)
def _applied(lesson: Lesson, event: LessonApplied) -> Lesson:
    return lesson._replace(applied_in=lesson.applied_in | {event.run_id})


@LESSON.on(LessonRetired)
def _retired(lesson: Lesson, _: LessonRetired) -> Lesson:
    return lesson._replace(active=False)


@LESSON.on(LessonRecalled)
def _recalled(lesson: Lesson, event: LessonRecalled) -> Lesson:
    return lesson._replace(active=False, recalled=event.root)


# --- Decisions


@operation("lesson.learn")
def learn(
    lesson: Lesson,
    *,
    scope: Scope,
    text: str,
    category: LessonCategory,
    confidence: float | None = None,
    evidence: Sequence[Evidence] = (),
    reason: str | None = None,
) -> list[Event]:
    """Learn it, or add the runs as evidence when the lesson is known already.

    confidence: 0.5 unless stated; of a known lesson the first statement holds. evidence: every run once.

    Rejected: no_text, retired, recalled, already_evidence.
    """
    if not text.strip():
        raise Rejected("no_text", "a lesson needs a text that is not blank")
    if lesson.recalled is not None:
        _active(lesson)
    if lesson.active is not None:
        return [
            event for one in evidence for event in confirm(lesson, run_id=one.run_id, aar_id=one.aar_id, reason=reason)
        ]
    return [
        LessonLearned(
            goal_type=scope.goal_type,
            action_type=scope.action_type,
            lesson_text=text.strip(),
            category=category,
            confidence=0.5 if confidence is None else confidence,
            evidence=tuple(evidence),
            reason=reason,
        )
    ]


@operation("lesson.confirm")
def confirm(
    lesson: Lesson, *, run_id: str | None = None, aar_id: str | None = None, reason: str | None = None
) -> list[Event]:
    """Count evidence for the lesson; a run counts once.

    Rejected: retired, recalled, already_evidence. NotFound: unknown_lesson.
    """
    _active(lesson)
    if run_id is not None:
        if run_id in lesson.evidence:
            return []
        _counts_once(run_id, lesson.counter_evidence, "against")
    return [LessonConfirmed(run_id=run_id, aar_id=aar_id, reason=reason)]


@operation("lesson.contradict")
def contradict(lesson: Lesson, *, run_id: str | None = None, reason: str | None = None) -> list[Event]:
    """Count evidence against the lesson; a run counts once. Rejected: retired, recalled, already_evidence."""
    _active(lesson)
    if run_id is not None:
        if run_id in lesson.counter_evidence:
            return []
        _counts_once(run_id, lesson.evidence, "for")
    return [LessonContradicted(run_id=run_id, reason=reason)]


@operation("lesson.apply")
def apply(lesson: Lesson, *, run_id: str, given: bool = False, reason: str | None = None) -> list[Event]:
    """Note that a run worked by the lesson. given: it was told it when it started. Rejected: retired, recalled."""
    _active(lesson)
    if run_id in lesson.applied_in:
        return []
    return [LessonApplied(run_id=run_id, given=given, reason=reason)]


@operation("lesson.judge")
def judge(lesson: Lesson, *, run_id: str, held: bool) -> list[Event]:
    """Let a run that worked by the lesson speak for it or against it, unless it has spoken or nobody asks any more.

    held: whether the run did what it should.
    """
    if not lesson.active or run_id in lesson.evidence | lesson.counter_evidence:
        return []
    return [LessonConfirmed(run_id=run_id) if held else LessonContradicted(run_id=run_id)]


@operation("lesson.retire")
def retire(lesson: Lesson, *, reason: str | None) -> list[Event]:
    """Give the lesson to no run any more. Rejected: no_reason. NotFound: unknown_lesson."""
    if existing(lesson) is False:
        return []
    if not (reason and reason.strip()):
        raise Rejected(
            "no_reason", "to retire a lesson, say why", hint=Hint("lesson", "retire", STREAM, reason=Blank())
        )
    return [LessonRetired(reason=reason)]


@operation("lesson.recall")
def recall(lesson: Lesson, *, root: str, reason: str | None) -> list[Event]:
    """Take the lesson back for good, with all that stands on it.

    root: the lesson with whose recall it falls. Rejected: no_reason. NotFound: unknown_lesson.
    """
    existing(lesson)
    if lesson.recalled is not None:
        return []
    if not (reason and reason.strip()):
        raise Rejected(
            "no_reason", "to recall a lesson, say why", hint=Hint("lesson", "recall", STREAM, reason=Blank())
        )
    return [LessonRecalled(root=root, reason=reason)]


# --- Rules shared by the decisions


def existing(lesson: Lesson) -> bool:
    """Whether the lesson is active. NotFound: unknown_lesson."""
    if lesson.active is None:
        raise NotFound("unknown_lesson", "there is no such lesson", hint=Hint("lesson", "list"))
    return lesson.active


def confidence_of(stated: float, evidence: int, counter_evidence: int) -> float:
    """How sure we are: the mean of a beta distribution whose prior is the stated confidence. 0.0 to 1.0."""
    return (PRIOR_STRENGTH * stated + evidence) / (PRIOR_STRENGTH + evidence + counter_evidence)


def _active(lesson: Lesson) -> None:
    if existing(lesson):
        return
    if lesson.recalled is not None:
        raise Rejected(
            "recalled",
            "the lesson was recalled: it takes no evidence and is not learned again",
            hint=Hint("lesson", "show", STREAM) + " says why",
        )
    raise Rejected(
        "retired", "the lesson is retired and takes no evidence", hint=Hint("lesson", "show", STREAM) + " says why"
    )


def _counts_once(run_id: str, other_side: frozenset[str], side: str) -> None:
    if run_id in other_side:
        raise Rejected("already_evidence", f"run {run_id} counts already, as evidence {side} the lesson")
