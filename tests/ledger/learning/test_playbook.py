"""The playbook: rules come from lessons, are tried on runs, and go back in the transaction that shows harm."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from goal_ledger.domain.learning import lesson as lesson_rules
from goal_ledger.domain.learning.rule import (
    RuleCanaried,
    RuleDrafted,
    RulePromoted,
    RuleRolledBack,
    RuleShadowed,
    RuleTried,
    RuleValued,
)
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN, RunContext, RunFinished, RunStarted
from goal_ledger.ledger import (
    BusinessOutcome,
    FailureCategory,
    Ledger,
    LessonCategory,
    LocalOutcome,
    NotFound,
    Recorded,
    Rejected,
    VerifierStatus,
)
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.learning.playbook import advance_in, count_overdue, draft_in
from goal_ledger.projections.learning.playbook_rules import RuleRow
from tests.tools import Clock, recorded

TEXT = "Prune old dumps before a new one"
WON = LocalOutcome.SUCCEEDED
LOST = LocalOutcome.FAILED


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:learner", clock=Clock()) as opened:
        yield opened


@pytest.fixture
def rule(ledger: Ledger) -> str:
    return ledger.rules.draft(sure_lesson(ledger)).rule_id


@pytest.fixture
def canary(ledger: Ledger, rule: str) -> str:
    return ledger.rules.canary(rule, reason="let us see").rule_id


def sure_lesson(ledger: Ledger, confidence: float = 0.9) -> str:
    return ledger.lessons.add(
        TEXT, category=LessonCategory.SAFE_DEFAULT, action_type="shell", confidence=confidence
    ).lesson_id


def start(ledger: Ledger, *, attempt: int = 1, goal: dict[str, Any] | None = None, **context: Any) -> str:
    """A run that was given this context."""
    goal_id = ledger.goals.create("Back up the shop", **(goal or {})).goal_id
    started: list[str] = []

    def work(tx: Tx) -> None:
        started.append(tx.new_id("grun_"))
        event = RunStarted(goal_id=goal_id, attempt=attempt, context=RunContext(**context))
        tx.act(started[0], RUN, run_rules.start, started=event)

    ledger.transact(work)
    return started[0]


def end(ledger: Ledger, run_id: str, outcome: LocalOutcome = WON, **more: Any) -> None:
    if outcome is LOST:
        more["failure_category"] = FailureCategory.TOOL_ERROR
    ledger.runs.finish(run_id, outcome, **more)


def play(ledger: Ledger, outcome: LocalOutcome = WON, **context: Any) -> str:
    run_id = start(ledger, **context)
    end(ledger, run_id, outcome)
    return run_id


def of(ledger: Ledger, rule_id: str, *kinds: type) -> list[Any]:
    return [one.event for one in recorded(ledger, rule_id) if isinstance(one.event, kinds or (object,))]


def counts(row: RuleRow) -> tuple[int, ...]:
    return row.treatment_runs, row.treatment_won, row.control_runs, row.control_won, row.full_runs, row.full_won


# --- Drafting


def test_a_rule_takes_text_and_scope_of_its_lesson_and_begins_in_shadow(ledger: Ledger):
    lesson_id = sure_lesson(ledger)
    row = ledger.rules.draft(lesson_id, reason="seen often")
    assert (row.activation_mode, row.active, row.rule_text, row.title) == ("shadow", True, TEXT, TEXT)
    assert (row.applies_to_goal_type, row.applies_to_action_type) == (None, "shell")
    assert (row.source_lesson_ids, row.promoted_at, row.round) == ((lesson_id,), None, 0)
    events = ledger.log.stats().events
    assert ledger.rules.draft(lesson_id) == row
    assert ledger.log.stats().events == events


@pytest.mark.parametrize(("confidence", "code"), [(0.79, "confidence_too_low"), (None, "unknown_lesson")])
def test_no_rule_comes_of_a_lesson_that_is_unsure_or_not_there(ledger: Ledger, confidence: float | None, code: str):
    lesson_id = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF" if confidence is None else sure_lesson(ledger, confidence)
    events = ledger.log.stats().events
    with pytest.raises((Rejected, NotFound)) as refused:
        ledger.rules.draft(lesson_id)
    assert refused.value.code == code
    assert ledger.log.stats().events == events


def test_no_rule_comes_of_a_retired_lesson(ledger: Ledger):
    lesson_id = sure_lesson(ledger)
    ledger.lessons.retire(lesson_id, reason="moot")
    with pytest.raises(Rejected) as refused:
        ledger.rules.draft(lesson_id)
    assert refused.value.code == "retired"
    assert drafted(ledger, lesson_id, 0.9) is None


def drafted(ledger: Ledger, lesson_id: str, confidence: float) -> str | None:
    found: list[str | None] = []
    ledger.transact(lambda tx: found.append(draft_in(tx, lesson_id, confidence=confidence, settings=ledger.settings)))
    return found[0]


def test_the_learning_cycle_drafts_each_rule_once(ledger: Ledger):
    lesson_id = sure_lesson(ledger)
    assert drafted(ledger, lesson_id, 0.79) is None
    rule_id = drafted(ledger, lesson_id, 0.8)
    assert rule_id is not None
    assert drafted(ledger, lesson_id, 0.8) is None
    ledger.rules.retire(rule_id, reason="moot")
    assert drafted(ledger, lesson_id, 0.8) is None
    assert [type(event) for event in of(ledger, rule_id, RuleDrafted)] == [RuleDrafted]


# --- Trials


def test_a_run_counts_once_on_its_side_in_the_transaction_that_ends_it(ledger: Ledger, canary: str):
    told, kept = play(ledger, WON, rules=(canary,)), play(ledger, LOST, controls=(canary,))
    row = ledger.rules.get(canary)
    assert counts(row) == (1, 1, 1, 0, 0, 0)
    assert (row.times_applied, row.times_validated) == (1, 1)
    by_run = {one.event.run_id: one for one in recorded(ledger, canary) if isinstance(one.event, RuleTried)}
    for run_id in (told, kept):
        (finished,) = [one for one in recorded(ledger, run_id) if isinstance(one.event, RunFinished)]
        assert by_run[run_id].cause == finished.position
        assert by_run[run_id].at == finished.at


@pytest.mark.parametrize(
    ("outcome", "verdict", "success"),
    [
        (WON, None, True), (WON, VerifierStatus.PASSED, True), (WON, VerifierStatus.FAILED, False), (LOST, None, False),
        (LocalOutcome.PARTIAL, None, False),
    ],
)  # fmt: skip
def test_a_run_is_won_when_it_succeeded_and_no_verifier_failed_it(
    ledger: Ledger, canary: str, outcome: LocalOutcome, verdict: VerifierStatus | None, success: bool
):
    run_id = start(ledger, rules=(canary,))
    if verdict is not None:
        ledger.runs.verify(run_id, verdict)
    end(ledger, run_id, outcome)
    assert [event.success for event in of(ledger, canary, RuleTried)] == [success]


def test_an_interrupted_run_counts_as_not_won(ledger: Ledger, canary: str):
    ledger.runs.interrupt(start(ledger, rules=(canary,)), reason="power cut")
    assert [event.success for event in of(ledger, canary, RuleTried)] == [False]


def test_cost_and_duration_of_a_run_are_counted_with_it(ledger: Ledger, canary: str):
    for run_id, cost in ((start(ledger, controls=(canary,)), "1.00"), (start(ledger, rules=(canary,)), "1.30")):
        ledger.runs.cost(run_id, cost_usd=Decimal(cost))
        end(ledger, run_id, WON, duration_seconds=60.0)
    kept, told = of(ledger, canary, RuleTried)
    assert (kept.cost_usd, kept.duration_seconds, kept.costlier) == (Decimal("1.00"), 60.0, None)
    assert (told.cost_usd, told.costlier, told.slower) == (Decimal("1.30"), True, False)


def test_later_attempts_and_goals_that_nothing_is_learned_from_do_not_count(ledger: Ledger, canary: str):
    end(ledger, start(ledger, attempt=2, rules=(canary,)), LOST)
    end(ledger, start(ledger, goal={"learning_required": False}, rules=(canary,)), LOST)
    end(ledger, start(ledger), LOST)
    assert of(ledger, canary, RuleTried) == []


def test_a_run_counts_only_in_the_mode_in_which_it_began(ledger: Ledger, canary: str):
    early = start(ledger, rules=(canary,))
    for _ in range(3):
        play(ledger, WON, rules=(canary,))
    across = start(ledger, rules=(canary,))
    ledger.rules.promote(canary, reason="urgent")
    end(ledger, early, LOST)
    play(ledger, WON, rules=(canary,))
    assert counts(ledger.rules.get(canary)) == (3, 3, 0, 0, 1, 1)
    ledger.rules.roll_back(canary, reason="complaints")
    end(ledger, across, LOST)
    assert counts(ledger.rules.get(canary)) == (0, 0, 0, 0, 0, 0)


def test_a_rule_that_is_retired_counts_nothing_more_and_does_not_stop_the_run(ledger: Ledger, canary: str):
    run_id = start(ledger, rules=(canary,), controls=("rule_01HZX3KQ5N8RWT2M4V6Y7B9DEF",))
    ledger.rules.retire(canary, reason="moot")
    end(ledger, run_id)
    assert of(ledger, canary, RuleTried) == []


# --- What runs were worth


def test_the_first_known_word_about_a_run_counts_and_no_later_one(ledger: Ledger, canary: str):
    run_id = play(ledger, rules=(canary,))
    for word in (BusinessOutcome.UNKNOWN, BusinessOutcome.DEGRADED, BusinessOutcome.IMPROVED):
        ledger.runs.outcome(run_id, word)
    ledger.runs.outcome(play(ledger, controls=(canary,)), BusinessOutcome.NEUTRAL)
    assert [(event.arm, event.degraded) for event in of(ledger, canary, RuleValued)] == [
        ("treatment", True),
        ("control", False),
    ]


def test_a_word_about_a_run_of_an_earlier_round_does_not_count(ledger: Ledger, canary: str):
    run_id = play(ledger, rules=(canary,))
    ledger.rules.roll_back(canary, reason="complaints")
    ledger.rules.canary(canary, reason="once more")
    ledger.runs.outcome(run_id, BusinessOutcome.DEGRADED)
    assert of(ledger, canary, RuleValued) == []


# --- Steps


def advance(ledger: Ledger, rule_id: str) -> str | None:
    told: list[str | None] = []
    ledger.transact(lambda tx: told.append(advance_in(tx, rule_id, ledger.settings)))
    return told[0]


def test_the_learning_cycle_tries_a_rule_after_three_runs_in_its_shadow(ledger: Ledger, rule: str):
    for _ in range(2):
        play(ledger, shadows=(rule,))
    assert advance(ledger, rule) is None
    for _ in range(3):
        play(ledger, shadows=(rule,))
    assert len(of(ledger, rule, RuleShadowed)) == 3
    assert advance(ledger, rule) == f"rule {rule} is tried on 50% of the goals"
    assert advance(ledger, rule) is None
    assert [event.round for event in of(ledger, rule, RuleCanaried)] == [1]


def test_the_learning_cycle_promotes_a_rule_whose_evidence_suffices(ledger: Ledger, canary: str):
    for _ in range(25):
        play(ledger, WON, rules=(canary,))
        play(ledger, LOST, controls=(canary,))
    assert advance(ledger, canary) == f"rule {canary} is in force"
    (promoted,) = of(ledger, canary, RulePromoted)
    assert promoted.receipt.chosen == "promote"
    row = ledger.rules.get(canary)
    assert (row.activation_mode, row.promoted_at is not None) == ("full", True)
    assert advance(ledger, canary) is None


def test_harm_takes_a_rule_back_with_the_run_that_shows_it(ledger: Ledger, canary: str):
    for _ in range(20):
        play(ledger, WON, controls=(canary,))
    last = ""
    while ledger.rules.get(canary).activation_mode == "canary":
        last = play(ledger, LOST, rules=(canary,))
    (back,) = [one for one in recorded(ledger, canary) if isinstance(one.event, RuleRolledBack)]
    (finished,) = [one for one in recorded(ledger, last) if isinstance(one.event, RunFinished)]
    assert (back.cause, back.at) == (finished.position, finished.at)
    row = ledger.rules.get(canary)
    assert (row.activation_mode, row.cause, row.rolled_back_at) == ("shadow", "success", finished.occurred_at)
    play(ledger, LOST, rules=(canary,))
    assert counts(ledger.rules.get(canary)) == (0, 0, 0, 0, 0, 0)


def test_a_refused_step_writes_nothing(ledger: Ledger, rule: str):
    events = ledger.log.stats().events
    for step, code in ((ledger.rules.promote, "skips_canary"), (ledger.rules.retire, "no_reason")):
        with pytest.raises(Rejected) as refused:
            step(rule, reason="" if code == "no_reason" else "now")
        assert refused.value.code == code
    assert ledger.log.stats().events == events


def test_a_step_under_the_same_command_id_is_taken_once(ledger: Ledger, rule: str):
    once = ledger.using(command_id="try-it")
    first = once.rules.canary(rule, reason="let us see")
    assert once.rules.canary(rule, reason="let us see") == first
    assert len(of(ledger, rule, RuleCanaried)) == 1


# --- Deadlines


def test_a_run_that_is_open_for_too_long_counts_as_not_won_and_once(ledger: Ledger, canary: str):
    late, fresh = start(ledger, rules=(canary,)), start(ledger, controls=(canary,))
    now = ledger.now()
    assert count_overdue(ledger, now + timedelta(days=6.9)) == []
    ledger.runs.finish(fresh, WON)
    said = count_overdue(ledger, now + timedelta(days=7.1))
    assert said == [f"rule {canary}: run {late} is open for too long and counts as not won"]
    assert count_overdue(ledger, now + timedelta(days=8)) == []
    end(ledger, late)
    assert [(event.run_id, event.success) for event in of(ledger, canary, RuleTried)] == [(fresh, True), (late, False)]


def test_a_tick_counts_what_is_overdue(ledger: Ledger, canary: str):
    start(ledger, rules=(canary,))
    later = ledger.now() + timedelta(days=8)
    ledger.using(occurred_at=later).tick(later)
    assert [event.overdue for event in of(ledger, canary, RuleTried)] == [True]


# --- Looking


def test_an_evaluation_says_what_is_missing_and_writes_nothing(ledger: Ledger, canary: str):
    for number in range(20):
        play(ledger, LOST if number % 4 == 0 else WON, rules=(canary,))
        play(ledger, LOST if number % 4 == 0 else WON, controls=(canary,))
    events = ledger.log.stats().events
    found = ledger.rules.evaluate(canary)
    assert found.verdict is not None
    assert (found.verdict.choice, found.missing is not None and found.missing > 100) == ("wait", True)
    assert found.verdict.questions[0].counts == "15 of 20 won with it, 15 of 20 without"
    assert ledger.log.stats().events == events
    assert ledger.as_of(events).rules.evaluate(canary) == found


def test_a_rule_in_shadow_has_nothing_to_evaluate(ledger: Ledger, rule: str):
    found = ledger.rules.evaluate(rule)
    assert (found.verdict, found.missing) == (None, None)


def test_rules_are_listed_by_what_they_are_and_tell_their_history(ledger: Ledger, rule: str):
    other = ledger.rules.draft(sure_lesson(ledger), text="Keep two dumps").rule_id
    ledger.rules.canary(other, reason="let us see")
    assert [row.rule_id for row in ledger.rules.list().rows] == [other, rule]
    assert [row.rule_id for row in ledger.rules.list(action_type="shell", limit=1).rows] == [other]
    ledger.rules.retire(rule, reason="moot")
    assert [row.rule_id for row in ledger.rules.list(active=False).rows] == [rule]
    assert [row.rule_id for row in ledger.rules.list().rows] == [other]
    told = [one.name for one in ledger.rules.timeline(other) if isinstance(one, Recorded)]
    assert told == ["rule.drafted", "rule.canaried"]
    with pytest.raises(NotFound) as unknown:
        ledger.rules.get(lesson_rules.lesson_id(lesson_rules.Scope(None, None), "x"))
    assert unknown.value.code == "unknown_rule"


def test_the_list_shows_what_one_rule_shows(ledger: Ledger, canary: str):
    for number in range(6):
        told, kept = ((canary,), ()) if number % 2 else ((), (canary,))
        run_id = play(ledger, LOST if number == 2 else WON, rules=told, controls=kept)
        ledger.runs.outcome(run_id, BusinessOutcome.DEGRADED)
    assert list(ledger.rules.list().rows) == [ledger.rules.get(canary)]
