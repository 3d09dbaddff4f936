"""The playbook: rules drawn from lessons, tried before every agent is told them, and taken back when they do harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from goal_ledger.domain.base import Event, Recorded, operation, operation_of
from goal_ledger.domain.errors import Hint, Rejected
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.learning import rule as rules
from goal_ledger.domain.learning.lesson import Scope
from goal_ledger.domain.learning.promotion import Verdict, judge, missing
from goal_ledger.domain.learning.rule import RULE, Arm, Mode, RuleCanaried, RulePromoted, RuleRolledBack, RuleTried
from goal_ledger.domain.runs.run import (
    RUN,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    LocalOutcome,
    RunContext,
    RunStarted,
    RunStatus,
    VerifierStatus,
)
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx, folded
from goal_ledger.ledger.learning.lessons import Lessons
from goal_ledger.projections.learning.lessons import LessonRow, lessons
from goal_ledger.projections.learning.playbook_rules import RuleRow, playbook_rules, trial_of
from goal_ledger.projections.runs.goal_runs import RunRow, goal_runs

if TYPE_CHECKING:
    from goal_ledger.ledger.learning.lineage import Lineage

_TITLE = 80  # characters of a lesson that make a title


class Evaluation(NamedTuple):
    """A rule, and what its counts say; verdict None in shadow, where nothing is compared.

    missing: about how many more runs would settle it, see `promotion.missing`.
    """

    rule: RuleRow
    verdict: Verdict | None
    missing: int | None


class Playbook(Rows[RuleRow]):
    """The rules of a ledger. Every method that writes returns the rule as it then stands."""

    kind = Kind(playbook_rules, "rule_", "rule")

    # --- Writing

    @operation("rule.draft")
    def draft(
        self, lesson_id: str, *, title: str | None = None, text: str | None = None, reason: str | None = None
    ) -> RuleRow:
        """Draw a rule from a lesson that is sure enough; it begins in shadow. The same rule again is quiet.

        title, text: those of the lesson by default.

        Rejected: confidence_too_low, no_text, retired, recalled. NotFound: unknown_lesson.
        """
        require_id("les_", lesson_id)
        drafted: list[str] = []

        def work(tx: Tx) -> None:
            lesson = Lessons.kind.existing(tx.fold(lessons, lesson_id), lesson_id)
            if not lesson.active:
                raise Rejected(
                    "retired",
                    f"lesson {lesson_id} is retired or recalled; no rule is drawn from it",
                    hint=Hint("lesson", "list"),
                )
            drafted.append(_draft(tx, lesson, lesson.confidence, self._engine.settings, title, text, reason))

        recorded = self._engine.transact(
            work,
            operation="rule.draft",
            arguments={"lesson_id": lesson_id, "title": title, "text": text, "reason": reason},
        )
        return self._answer(drafted[0] if drafted else recorded[0].stream, recorded)

    def canary(self, rule_id: str, *, share: float | None = None, reason: str | None) -> RuleRow:
        """Try it on a share of the goals, `rule_canary_share` by default.

        Rejected: in_force, no_reason, retired, recalled. NotFound: unknown_rule. Invalid: bad_share.
        """
        return self._decide(rule_id, rules.canary, share=share, reason=reason)

    def promote(self, rule_id: str, *, reason: str | None) -> RuleRow:
        """Put it in force for all goals, ahead of the evidence that the learning cycle waits for.

        Rejected: skips_canary, not_validated, regression, no_reason, retired, recalled. NotFound: unknown_rule.
        """
        return self._decide(rule_id, rules.promote, reason=reason)

    def roll_back(self, rule_id: str, *, reason: str | None) -> RuleRow:
        """Take it back: from full to a new round of the canary, from canary to shadow.

        Rejected: no_reason, retired, recalled. NotFound: unknown_rule.
        """
        return self._decide(rule_id, rules.roll_back, reason=reason)

    def retire(self, rule_id: str, *, reason: str | None) -> RuleRow:
        """Retire it: it is no longer included in agent context. Rejected: no_reason. NotFound: unknown_rule."""
        require_id("rule_", rule_id)
        return self._answer(rule_id, self._engine.act(rule_id, RULE, rules.retire, reason=reason))

    # --- Reading

    def list(
        self,
        *,
        active: bool | None = True,
        mode: Mode | None = None,
        goal_type: GoalType | None = None,
        action_type: str | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[RuleRow]:
        """Rules, the one changed last first. active: True, False, or None for both."""
        wanted = {
            "active": active,
            "activation_mode": mode,
            "applies_to_goal_type": goal_type,
            "applies_to_action_type": action_type,
        }
        return self._page(wanted, after=after, limit=limit)

    def lineage(self, rule_id: str) -> Lineage:
        """Where it comes from: its lessons, their reviews, and the runs that speak for them. NotFound: unknown_rule."""
        from goal_ledger.ledger.learning.lineage import lineage

        return lineage(self._engine, self.get(rule_id))

    def evaluate(self, rule_id: str) -> Evaluation:
        """What the counts of its present round say; nothing is written. NotFound: unknown_rule."""
        row, settings = self.get(rule_id), self._engine.settings
        if row.activation_mode is Mode.SHADOW:
            return Evaluation(row, None, None)
        trial, promoted = trial_of(row), row.activation_mode is Mode.FULL
        verdict = judge(trial, promoted=promoted, round=row.round, settings=settings)
        share = settings.rule_canary_share if row.share is None else row.share
        return Evaluation(
            row, verdict, missing(trial, verdict, promoted=promoted, round=row.round, share=share, settings=settings)
        )

    # --- Shared

    def _decide(self, rule_id: str, decide: Callable[..., Sequence[Event]], **wish: Any) -> RuleRow:
        require_id("rule_", rule_id)
        settings = self._engine.settings
        recorded = self._engine.transact(
            lambda tx: tx.act(rule_id, RULE, decide, position=tx.head, settings=settings, **wish),
            operation=operation_of(RULE, decide),
            arguments={"rule_id": rule_id, **wish},
        )
        return self._answer(rule_id, recorded)


# --- Inside other transactions


def draft_in(tx: Tx, lesson_id: str, *, confidence: float, settings: Settings) -> str | None:
    """Draw a rule from a lesson that is sure enough; its id, None when there is nothing to draw."""
    lesson = tx.fold(lessons, lesson_id)
    if lesson is None or not lesson.active or confidence < settings.rule_confidence:
        return None
    rule_id = rules.rule_id(_scope(lesson), lesson.lesson_text)
    if tx.load(rule_id, RULE).mode is not None:
        return None
    return _draft(tx, lesson, confidence, settings)


def advance_in(tx: Tx, rule_id: str, settings: Settings) -> str | None:
    """Take the rule's next step when the evidence allows it; what was done, in words, None when nothing was."""
    gathered = tx.act(rule_id, RULE, rules.advance, position=tx.head, settings=settings)
    return "; ".join(map(step_in_words, gathered)) or None


def step_in_words(recorded: Recorded) -> str:
    """What a step of a rule was."""
    rule_id, event = recorded.stream, recorded.event
    match event:
        case RuleTried():
            return f"rule {rule_id}: run {event.run_id} is open for too long and counts as not won"
        case RuleCanaried():
            return f"rule {rule_id} is tried on {event.share:.0%} of the goals"
        case RulePromoted():
            return f"rule {rule_id} is in force"
        case RuleRolledBack():
            return f"rule {rule_id} went back to {event.mode}: {event.cause}"
    raise AssertionError(event)


def _draft(
    tx: Tx,
    lesson: LessonRow,
    confidence: float,
    settings: Settings,
    title: str | None = None,
    text: str | None = None,
    reason: str | None = None,
) -> str:
    text = lesson.lesson_text if text is None else text
    scope = _scope(lesson)
    rule_id = rules.rule_id(scope, text)
    tx.act(
        rule_id,
        RULE,
        rules.draft,
        title=_title(text) if title is None else title,
        text=text,
        scope=scope,
        lesson_ids=(lesson.lesson_id,),
        confidence=confidence,
        position=tx.head,
        settings=settings,
        reason=reason,
    )
    return rule_id


def _scope(lesson: LessonRow) -> Scope:
    return Scope(lesson.goal_type, lesson.action_type)


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1].rstrip() + "…"


# --- What follows from runs


def count_end(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """Count a run that ended in the trials of the rules that it was given or kept from."""
    _count(tx, recorded.stream, engine.settings, overdue=False)


def count_value(engine: Engine, tx: Tx, recorded: Recorded) -> None:
    """Count what a run was worth when that is first known."""
    event = recorded.event
    if not isinstance(event, BusinessOutcomeRecorded) or event.business_outcome is BusinessOutcome.UNKNOWN:
        return
    if (trial_run := _trial_run(tx, recorded.stream)) is None or trial_run.is_valued_before(recorded):
        return
    for rule_id, arm in trial_run.arms():
        row = tx.fold(playbook_rules, rule_id)
        if row is not None and trial_run.began_at > row.round_position:
            tx.act(
                rule_id,
                RULE,
                rules.value,
                run_id=recorded.stream,
                arm=arm,
                degraded=event.business_outcome is BusinessOutcome.DEGRADED,
                position=tx.head,
                settings=engine.settings,
            )


def count_overdue(engine: Engine, now: datetime) -> list[str]:
    """Count runs as not won that are open for longer than a trial waits, `rule_deadline_s`; what was done, in words."""
    views, settings = engine.views, engine.settings
    if not any(
        row.activation_mode is not Mode.SHADOW
        for row in views.select(playbook_rules, {"active": True}, order=("position",))
    ):
        return []
    before = utc_text(now - timedelta(seconds=settings.rule_deadline_s))
    found = [
        row.run_id
        for status in (RunStatus.RUNNING, RunStatus.CHECKPOINTED)
        for row in views.select(goal_runs, {"status": status}, order=("run_id",))
        if row.attempt == 1 and row.started_at is not None and row.started_at < before
    ]

    def work(tx: Tx) -> None:
        for run_id in found:
            if tx.load(run_id, RUN).is_open:
                _count(tx, run_id, settings, overdue=True)

    counted = engine.transact(work, operation="rule.count_overdue", arguments={"runs": found}) if found else ()
    return [step_in_words(one) for one in counted]


class _TrialRun(NamedTuple):
    """A run that trials count. began_at: the position of its start."""

    row: RunRow
    context: RunContext
    began_at: int
    history: Sequence[Recorded]

    def arms(self) -> Iterator[tuple[str, Arm]]:
        """The rules that it was told, and those that were kept from it."""
        yield from ((rule_id, Arm.TREATMENT) for rule_id in self.context.rules)
        yield from ((rule_id, Arm.CONTROL) for rule_id in self.context.controls)

    @property
    def is_won(self) -> bool:
        return (
            self.row.local_outcome is LocalOutcome.SUCCEEDED and self.row.verifier_status is not VerifierStatus.FAILED
        )

    def is_valued_before(self, recorded: Recorded) -> bool:
        """Whether an earlier word than this one said what it was worth."""
        return any(
            one.version < recorded.version
            and isinstance(one.event, BusinessOutcomeRecorded)
            and one.event.business_outcome is not BusinessOutcome.UNKNOWN
            for one in self.history
        )


def _count(tx: Tx, run_id: str, settings: Settings, *, overdue: bool) -> None:
    if (trial_run := _trial_run(tx, run_id)) is None:
        return
    for rule_id in trial_run.context.shadows:
        if not overdue:
            tx.act(rule_id, RULE, rules.watch, run_id=run_id, settings=settings)
    for rule_id, arm in trial_run.arms():
        row = tx.fold(playbook_rules, rule_id)
        if row is not None and trial_run.began_at > row.mode_position:
            tx.act(
                rule_id,
                RULE,
                rules.try_on,
                run_id=run_id,
                arm=arm,
                success=trial_run.is_won and not overdue,
                cost_usd=trial_run.row.cost_usd,
                duration_seconds=None if overdue else trial_run.row.duration_seconds,
                overdue=overdue,
                position=tx.head,
                settings=settings,
            )


def _trial_run(tx: Tx, run_id: str) -> _TrialRun | None:
    """The run, when trials count it: a first attempt that rules were meant for, at a goal to be learned from."""
    run = tx.load(run_id, RUN)
    context = run.context
    if context is None or not (context.rules or context.controls or context.shadows):
        return None
    if run.attempt != 1 or run.source_digest is not None:
        return None
    if not tx.load(run.goal_id, GOAL).contract.get("learning_required", True):
        return None
    history = [one for one in (*tx.history(run_id), *tx.gathered(run_id)) if isinstance(one, Recorded)]
    row = folded(goal_runs, None, history)
    began_at = next((one.position for one in history if isinstance(one.event, RunStarted)), None)
    return None if row is None or began_at is None else _TrialRun(row, context, began_at, history)
