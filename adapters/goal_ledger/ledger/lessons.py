"""Lessons: learn them, weigh evidence, ask what applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec

from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.errors import NotFound
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.learning import lesson as rules
from goal_ledger.domain.learning.lesson import LESSON, Evidence, Lesson, LessonCategory, Scope
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger.pages import Place, select_page
from goal_ledger.projections.learning.lessons import LessonRow, lessons

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

P = ParamSpec("P")


class Page(NamedTuple):
    """Some lessons, and where the next page begins: None when there are no more."""

    lessons: Sequence[LessonRow]
    next: Place | None


class Lessons:
    """The lessons of a ledger. Every method that writes returns the lesson as it then stands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- Writing

    def add(
        self,
        text: str,
        *,
        category: LessonCategory,
        goal_type: GoalType | None = None,
        action_type: str | None = None,
        confidence: float | None = None,
        run_id: str | None = None,
        reason: str | None = None,
    ) -> LessonRow:
        """Learn a lesson; the same text in the same scope again adds its run as evidence.

        goal_type, action_type: where it applies, None for any. confidence: stated, 0.5 unless said. run_id: the run
        that taught it.

        Rejected: no_text, retired, already_evidence. NotFound: unknown_run. Invalid: invalid_value.
        """
        scope = Scope(goal_type, action_type)
        stream = rules.lesson_id(scope, text)
        return self._act(
            stream, run_id, rules.learn, scope=scope, text=text, category=category, confidence=confidence,
            evidence=() if run_id is None else (Evidence(run_id=run_id),), reason=reason,
        )  # fmt: skip

    def confirm(self, lesson_id: str, *, run_id: str | None = None, reason: str | None = None) -> LessonRow:
        """Count evidence for it; a run counts once."""
        return self._act(lesson_id, run_id, rules.confirm, run_id=run_id, reason=reason)

    def contradict(self, lesson_id: str, *, run_id: str | None = None, reason: str | None = None) -> LessonRow:
        """Count evidence against it; a run counts once."""
        return self._act(lesson_id, run_id, rules.contradict, run_id=run_id, reason=reason)

    def apply(self, lesson_id: str, *, run_id: str, reason: str | None = None) -> LessonRow:
        """Note that a run worked by it."""
        return self._act(lesson_id, run_id, rules.apply, run_id=run_id, reason=reason)

    def retire(self, lesson_id: str, *, reason: str | None) -> LessonRow:
        """Give it to no run any more."""
        return self._act(lesson_id, None, rules.retire, reason=reason)

    # --- Reading

    def get(self, lesson_id: str) -> LessonRow:
        """One lesson. NotFound: unknown_lesson."""
        return _existing(self._ledger.fold(lessons, require_id("les_", lesson_id)), lesson_id)

    def list(
        self,
        *,
        active: bool | None = True,
        goal_type: GoalType | None = None,
        action_type: str | None = None,
        category: LessonCategory | None = None,
        after: Place | None = None,
        limit: int | None = None,
    ) -> Page:
        """Lessons, the one changed last first. active: True, False, or None for both."""
        wanted = {"active": active, "goal_type": goal_type, "action_type": action_type, "category": category}
        views, order = self._ledger.views, ("position",)
        return Page(*select_page(views, lessons, wanted, order=order, descending=True, after=after, limit=limit))

    def timeline(self, lesson_id: str) -> Sequence[Recorded | Unreadable]:
        """The lesson's events, in order. NotFound: unknown_lesson."""
        self.get(lesson_id)
        return self._ledger.stream(lesson_id)

    # --- Shared

    def _act(
        self,
        lesson_id: str,
        run_of_evidence: str | None,
        decide: Callable[Concatenate[Lesson, P], Sequence[Event]],
        *args: P.args,
        **wish: P.kwargs,
    ) -> LessonRow:
        require_id("les_", lesson_id)

        def work(tx: Tx) -> None:
            if run_of_evidence is not None:
                run_rules.existing(tx.load(require_id("grun_", run_of_evidence), RUN))
            tx.act(lesson_id, LESSON, decide, *args, **wish)

        recorded = self._ledger.transact(
            work, operation=f"lesson.{decide.__name__}", arguments={"lesson_id": lesson_id, "args": args, **wish}
        )
        return _existing(self._ledger.answer(lessons, lesson_id, recorded), lesson_id)


def _existing(row: LessonRow | None, lesson_id: str) -> LessonRow:
    if row is None:
        raise NotFound("unknown_lesson", f"there is no lesson {lesson_id}", hint="goal-ledger lesson list")
    return row
