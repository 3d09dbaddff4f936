"""Where a rule comes from: the lessons it was drawn from, their reviews, and the runs that those speak of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.learning.lesson import Evidence, LessonConfirmed, LessonLearned
from goal_ledger.domain.learning.rule import Mode, RuleRecalled
from goal_ledger.domain.runs.run import LocalOutcome
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.projections.learning.lessons import lessons
from goal_ledger.projections.learning.playbook_rules import RuleRow
from goal_ledger.projections.runs.goal_runs import goal_runs


class RunBehind(NamedTuple):
    """A run that speaks for a lesson."""

    run_id: str
    goal_id: str | None
    local_outcome: LocalOutcome | None


class ReviewBehind(NamedTuple):
    """The runs that speak for a lesson through one review. aar_id: None of those that were named without one."""

    aar_id: str | None
    runs: tuple[RunBehind, ...]


class LessonBehind(NamedTuple):
    """A lesson that a rule was drawn from. recalled_root: the lesson with whose recall it fell."""

    lesson_id: str
    lesson_text: str | None
    active: bool
    recalled: bool
    recalled_root: str | None
    reviews: tuple[ReviewBehind, ...]


class Lineage(NamedTuple):
    """recalled_root: the lesson with whose recall the rule fell, None when it did not."""

    rule_id: str
    title: str
    rule_text: str
    activation_mode: Mode
    active: bool
    recalled: bool
    recalled_root: str | None
    lessons: tuple[LessonBehind, ...]


def lineage(engine: Engine, rule: RuleRow) -> Lineage:
    """Where a rule comes from."""
    events = (one.event for one in engine.stream(rule.rule_id) if isinstance(one, Recorded))
    root = next((event.root for event in events if isinstance(event, RuleRecalled)), None)
    return Lineage(
        rule.rule_id, rule.title, rule.rule_text, rule.activation_mode, rule.active, root is not None, root,
        tuple(_lesson(engine, lesson_id) for lesson_id in rule.source_lesson_ids),
    )  # fmt: skip


def _lesson(engine: Engine, lesson_id: str) -> LessonBehind:
    row = engine.fold(lessons, lesson_id)
    if row is None:
        return LessonBehind(lesson_id, None, False, False, None, ())
    by_review: dict[str | None, list[RunBehind]] = {}
    for one in _evidence(engine, lesson_id):
        by_review.setdefault(one.aar_id, []).append(_run(engine, one.run_id))
    reviews = tuple(ReviewBehind(aar_id, tuple(runs)) for aar_id, runs in by_review.items())
    return LessonBehind(lesson_id, row.lesson_text, row.active, row.recalled, row.recalled_root, reviews)


def _evidence(engine: Engine, lesson_id: str) -> Iterator[Evidence]:
    """All runs that speak for a lesson; its row keeps the latest ones."""
    for recorded in engine.stream(lesson_id):
        if isinstance(recorded, Recorded):
            if isinstance(recorded.event, LessonLearned):
                yield from recorded.event.evidence
            elif isinstance(recorded.event, LessonConfirmed) and recorded.event.run_id is not None:
                yield Evidence(run_id=recorded.event.run_id, aar_id=recorded.event.aar_id)


def _run(engine: Engine, run_id: str) -> RunBehind:
    row = engine.fold(goal_runs, run_id)
    return RunBehind(run_id, None, None) if row is None else RunBehind(run_id, row.goal_id, row.local_outcome)
