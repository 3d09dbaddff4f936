"""Lessons: learn them, weigh evidence, ask what applies, take back what turned out false."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from goal_ledger.domain.base import Event, operation, operation_of
from goal_ledger.domain.errors import Blank, Hint, Invalid
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.learning import lesson as rules
from goal_ledger.domain.learning.lesson import LESSON, Evidence, Lesson, LessonCategory, LessonLearned, Scope
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.learning.evidence import refuse_tainted
from goal_ledger.projections.learning.lessons import LessonRow, lessons

if TYPE_CHECKING:
    from goal_ledger.domain.learning.similarity import Contradiction, Said
    from goal_ledger.ledger.learning.context import Context
    from goal_ledger.ledger.learning.recall import Recall

P = ParamSpec("P")


class Lessons(Rows[LessonRow]):
    """The lessons of a ledger. Every method that writes returns the lesson as it then stands."""

    kind = Kind(lessons, "les_", "lesson")

    # --- Writing

    @operation("lesson.learn")
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
        """Learn a lesson; what says the same as one in the same scope adds its run as evidence for that one.

        goal_type, action_type: where it applies, None for any. confidence: stated, 0.5 by default. run_id: the run
        that taught it.

        Rejected: no_text, retired, recalled, tainted, already_evidence. NotFound: unknown_run. Invalid: invalid_value.
        """
        scope = Scope(goal_type, action_type)
        found = rules.lesson_id(scope, text)
        arguments = {
            "lesson_id": found, "args": (), "scope": scope, "text": text, "category": category,
            "confidence": confidence, "run_id": run_id, "reason": reason,
        }  # fmt: skip
        evidence = () if run_id is None else (Evidence(run_id=run_id),)
        if self._engine.has_held("les_"):
            self._engine.views.catch_up()  # not while others wait for the lock

        def work(tx: Tx) -> None:
            nonlocal found
            found = learn_in(
                self._engine, tx, scope=scope, text=text, category=category, confidence=confidence, evidence=evidence,
                reason=reason,
            )  # fmt: skip

        recorded = self._engine.transact(work, operation="lesson.learn", arguments=arguments)
        return self._answer(recorded[-1].stream if recorded else found, recorded)

    def confirm(self, lesson_id: str, *, run_id: str | None = None, reason: str | None = None) -> LessonRow:
        """Count evidence for it; a run counts once. Rejected: retired, recalled, tainted, already_evidence."""
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

    def recall(self, lesson_id: str, *, reason: str | None, dry_run: bool = False) -> Recall:
        """Take it back for good, with all that stands on it; see `recall.recall`. dry_run: write nothing.

        Rejected: no_reason. NotFound: unknown_lesson.
        """
        from goal_ledger.ledger.learning.recall import recall, would_fall

        if dry_run:
            return would_fall(self._engine, self.get(lesson_id).lesson_id)
        return recall(self._engine, require_id("les_", lesson_id), reason=reason)

    # --- Reading

    def list(
        self,
        *,
        active: bool | None = True,
        goal_type: GoalType | None = None,
        action_type: str | None = None,
        category: LessonCategory | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[LessonRow]:
        """Lessons, the one changed last first. active: True, False, or None for both."""
        wanted = {"active": active, "goal_type": goal_type, "action_type": action_type, "category": category}
        return self._page(wanted, after=after, limit=limit)

    def contradictions(self) -> Sequence[Contradiction]:
        """The pairs of active lessons that may apply together and say the opposite of nearly the same."""
        from goal_ledger.domain.learning.similarity import contradictions

        return contradictions(_said(self._engine, {}))

    def context(
        self, goal_id: str | None = None, *, run_id: str | None = None, max_tokens: int | None = None
    ) -> Context:
        """What an agent is told: what a run of the goal would be if it started now, or what a run was when it did.

        max_tokens: how long the text may be, `context_tokens` by default; a run's context is shown as it was.

        NotFound: unknown_goal, unknown_run. Invalid: bad_limit, no_goal, other_goal.
        """
        from goal_ledger.ledger.learning.context import context_for, context_of

        if run_id is None:
            if goal_id is None:
                raise Invalid(
                    "no_goal", "a goal or a run is needed", hint=Hint("lesson", "context", goal_id=Blank("GOAL"))
                )
            return context_for(self._engine, require_id("goal_", goal_id), max_tokens=max_tokens)
        told = context_of(self._engine, require_id("grun_", run_id))
        if goal_id not in (None, told.goal_id):
            raise Invalid("other_goal", f"run {run_id} is an attempt at {told.goal_id}", hint="leave the goal out")
        return told

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
            if decide is rules.confirm and run_of_evidence is not None:
                refuse_tainted(self._engine, tx, [run_of_evidence])
            tx.act(lesson_id, LESSON, decide, *args, **wish)

        recorded = self._engine.transact(
            work, operation=operation_of(LESSON, decide), arguments={"lesson_id": lesson_id, "args": args, **wish}
        )
        return self._answer(lesson_id, recorded)


def learn_in(
    engine: Engine,
    tx: Tx,
    *,
    scope: Scope,
    text: str,
    category: LessonCategory,
    confidence: float | None = None,
    evidence: Sequence[Evidence] = (),
    reason: str | None = None,
) -> str:
    """Learn a lesson inside a transaction, or add the evidence to the one that says the same; that lesson's id.

    Rejected: no_text, retired, recalled, tainted, already_evidence. NotFound: unknown_run.
    """
    for one in evidence:
        run_rules.existing(tx.load(require_id("grun_", one.run_id), RUN))
    refuse_tainted(engine, tx, [one.run_id for one in evidence])
    lesson_id = same_in(engine, tx, scope=scope, text=text, category=category)
    tx.act(
        lesson_id,
        LESSON,
        rules.learn,
        scope=scope,
        text=text,
        category=category,
        confidence=confidence,
        evidence=evidence,
        reason=reason,
    )
    return lesson_id


def same_in(engine: Engine, tx: Tx, *, scope: Scope, text: str, category: LessonCategory) -> str:
    """The id of the lesson with this text, or of the active one that says the same, or of the one it would become.

    What was learned in this transaction is known already.
    """
    from goal_ledger.domain.learning.similarity import Said, duplicate_of

    lesson_id = rules.lesson_id(scope, text)
    if tx.load(lesson_id, LESSON).active is not None:
        return lesson_id
    known: list[Said] = []
    if tx.has_streams("les_"):
        where = {} if scope.goal_type is None else {"goal_type": scope.goal_type}
        known += _said(engine, where)
    known += [
        Said(one.stream, Scope(one.event.goal_type, one.event.action_type), one.event.lesson_text, one.event.category)
        for one in tx.all_gathered
        if isinstance(one.event, LessonLearned)
    ]
    active = (said for said in known if said.scope == scope and tx.load(said.lesson_id, LESSON).active)
    return duplicate_of(Said(lesson_id, scope, text, category), active) or lesson_id


def _said(engine: Engine, where: dict[str, Any]) -> list[Said]:
    """What the active lessons say."""
    from goal_ledger.domain.learning.similarity import Said

    columns = ("lesson_id", "goal_type", "action_type", "lesson_text", "category")
    rows = engine.views.select_columns(lessons, columns, {"active": True, **where}, order=("lesson_id",))
    return [Said(each, Scope(goal_type, action_type), text, kind) for each, goal_type, action_type, text, kind in rows]
