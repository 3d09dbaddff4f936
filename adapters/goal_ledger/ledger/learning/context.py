"""What an agent is told before it starts: chosen from the read models, recorded in the run, told again from there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Hint, Invalid, NotFound
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.context import (
    Chosen,
    Offer,
    Use,
    applies,
    choose,
    lesson_line,
    rule_line,
    tokens,
    worth,
)
from goal_ledger.domain.learning.lesson import LESSON, LessonCategory, Scope
from goal_ledger.domain.learning.rule import RULE, Arm, Mode, RuleDrafted, assigned
from goal_ledger.domain.runs.run import RunContext, RunStarted
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.learning.lessons import LessonRow, lessons
from goal_ledger.projections.learning.playbook_rules import playbook_rules
from goal_ledger.projections.runs.goal_runs import goal_runs


class ToldRule(NamedTuple):
    """activation_mode: `full`, or `canary` while it is on trial."""

    rule_id: str
    rule_text: str
    activation_mode: Mode


class ToldLesson(NamedTuple):
    lesson_id: str
    lesson_text: str
    category: LessonCategory
    confidence: float


class Context(NamedTuple):
    """What an agent is told. text: all of it, a line each. tokens: its length, about. left_out: what found no room.

    run_id: the run that was told it; None when that is asked before there is one, and nothing is recorded. left_out and
    max_tokens: None of a run.
    """

    goal_id: str
    run_id: str | None
    text: str
    rules: tuple[ToldRule, ...]
    lessons: tuple[ToldLesson, ...]
    tokens: int
    max_tokens: int | None
    left_out: int | None


# --- Choosing


def given_in(engine: Engine, tx: Tx, goal_id: str) -> RunContext | None:
    """What the next run of a goal is given, inside a transaction; None when that is nothing."""
    goal = tx.load(goal_id, GOAL)
    allowed = goal.contract.get("allowed_capabilities", ())
    chosen = _choose(engine, goal_id, goal.goal_type, allowed, engine.settings.context_tokens)

    def still(*uses: Use) -> tuple[str, ...]:
        return tuple(each for each in chosen.ids(*uses) if _is_active(tx, each))

    context = RunContext(
        lessons=still(Use.LESSON),
        rules=still(Use.RULE, Use.CANARY),
        controls=still(Use.CONTROL),
        shadows=still(Use.SHADOW),
    )
    return context if any(context.model_dump().values()) else None


def context_for(engine: Engine, goal_id: str, *, max_tokens: int | None = None) -> Context:
    """What a run of the goal would be told if it started now. NotFound: unknown_goal. Invalid: bad_limit."""
    most = engine.settings.context_tokens if max_tokens is None else max_tokens
    if most < 0:
        raise Invalid("bad_limit", f"a text of {most} tokens cannot be; the least is 0")
    goal = engine.fold(goal_definitions, goal_id)
    if goal is None:
        raise NotFound("unknown_goal", f"there is no goal {goal_id}", hint=Hint("goal", "list"))
    chosen = _choose(engine, goal_id, goal.goal_type, goal.allowed_capabilities, most)
    told = [offer for offer in chosen.offers if offer.use in (Use.RULE, Use.CANARY, Use.LESSON)]
    return _context(engine, goal_id, None, told, engine.head + 1)._replace(
        tokens=chosen.tokens, max_tokens=most, left_out=chosen.left_out
    )


def _choose(
    engine: Engine, goal_id: str, goal_type: GoalType | None, allowed: Collection[str], most_tokens: int
) -> Chosen:
    offers = [*_rules(engine, goal_id), *_lessons(engine)]
    return choose((offer for scope, offer in offers if applies(scope, goal_type, allowed)), most_tokens=most_tokens)


def _lessons(engine: Engine) -> Iterable[tuple[Scope, Offer]]:
    columns = (
        "lesson_id", "goal_type", "action_type", "lesson_text", "category", "confidence", "stated_confidence",
        "evidence_for", "evidence_against",
    )  # fmt: skip
    rows = engine.views.select_columns(lessons, columns, {"active": True}, order=("lesson_id",))
    for lesson_id, goal_type, action_type, text, category, confidence, *grounds in rows:
        line = lesson_line(lesson_id, text, category, confidence)
        yield Scope(goal_type, action_type), Offer(lesson_id, Use.LESSON, line, worth(*grounds))


def _rules(engine: Engine, goal_id: str) -> Iterable[tuple[Scope, Offer]]:
    """The active rules, each with what is done with it for this goal."""
    columns = (
        "applies_to_goal_type", "applies_to_action_type", "rule_text", "activation_mode", "share", "source_lesson_ids",
    )  # fmt: skip
    for rule_id, goal_type, action_type, text, mode, share, lesson_ids in _playbook(engine, *columns):
        use = _use(rule_id, goal_id, mode, share)
        line = rule_line(rule_id, text, on_trial=mode != Mode.FULL)
        yield Scope(goal_type, action_type), Offer(rule_id, use, line, lesson_ids=lesson_ids)


def _playbook(engine: Engine, *columns: str) -> Sequence[tuple[Any, ...]]:
    """The ids of the active rules, and some columns of each."""
    return engine.views.select_columns(playbook_rules, ("rule_id", *columns), {"active": True}, order=("rule_id",))


def rules_in_force(engine: Engine) -> list[str]:
    """The ids of the rules that agents are told, those on trial marked `(canary)`."""
    marks = {Mode.FULL: "", Mode.CANARY: " (canary)"}
    return [rule_id + marks[mode] for rule_id, mode in _playbook(engine, "activation_mode") if mode in marks]


def _use(rule_id: str, goal_id: str, mode: Mode, share: float | None) -> Use:
    if mode is Mode.FULL:
        return Use.RULE
    if mode is Mode.SHADOW:
        return Use.SHADOW
    return Use.CANARY if assigned(rule_id, goal_id, share or 0.0) is Arm.TREATMENT else Use.CONTROL


def _is_active(tx: Tx, stream: str) -> bool:
    state = tx.load(stream, LESSON) if stream.startswith("les_") else tx.load(stream, RULE)
    return bool(state.active)


# --- Telling again


def context_of(engine: Engine, run_id: str) -> Context:
    """What the run was told when it started, word for word. NotFound: unknown_run."""
    run = engine.fold(goal_runs, run_id)
    if run is None:
        raise NotFound("unknown_run", f"there is no run {run_id}", hint=Hint("run", "list"))
    for recorded in engine.stream(run_id):
        if isinstance(recorded, Recorded) and isinstance(recorded.event, RunStarted):
            given = recorded.event.context or RunContext()
            told = [Offer(each, Use.RULE, "") for each in given.rules]
            told += [Offer(each, Use.LESSON, "") for each in given.lessons]
            return _context(engine, run.goal_id, run_id, told, recorded.position)
    return _context(engine, run.goal_id, run_id, (), 0)  # it waits for its turn


def _context(engine: Engine, goal_id: str, run_id: str | None, told: Sequence[Offer], before: int) -> Context:
    """The words of what is told, as they stood before a position."""
    rules = [_rule(engine, offer.id, before) for offer in told if offer.use is not Use.LESSON]
    known = [_lesson(engine, offer.id, before) for offer in told if offer.use is Use.LESSON]
    lines = [
        *(rule_line(one.rule_id, one.rule_text, on_trial=one.activation_mode is not Mode.FULL) for one in rules),
        *(lesson_line(*one) for one in known),
    ]
    return Context(goal_id, run_id, "\n".join(lines), tuple(rules), tuple(known), sum(map(tokens, lines)), None, None)


def _rule(engine: Engine, rule_id: str, before: int) -> ToldRule:
    state, text = RULE.initial, ""
    for recorded in engine.stream(rule_id):
        if isinstance(recorded, Recorded) and recorded.position < before:
            state = RULE.evolve(state, recorded.event)
            if isinstance(recorded.event, RuleDrafted):
                text = recorded.event.rule_text
    return ToldRule(rule_id, text, state.mode or Mode.SHADOW)


def _lesson(engine: Engine, lesson_id: str, before: int) -> ToldLesson:
    row: LessonRow | None = None
    for recorded in engine.stream(lesson_id):
        if recorded.position < before:
            row = lessons.fold(row, recorded)
    if row is None:
        return ToldLesson(lesson_id, "", LessonCategory.SAFE_DEFAULT, 0.0)
    return ToldLesson(lesson_id, row.lesson_text, row.category, row.confidence)
