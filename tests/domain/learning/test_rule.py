"""A rule's life: shadow, canary, full, and back; a run counts once, harm takes it back at once."""

from decimal import Decimal
from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning import rule as rules
from goal_ledger.domain.learning.evidence import Counts
from goal_ledger.domain.learning.lesson import Scope
from goal_ledger.domain.learning.promotion import Trial
from goal_ledger.domain.learning.rule import (
    RULE,
    Arm,
    Mode,
    RuleCanaried,
    RuleDrafted,
    RulePromoted,
    RuleRecalled,
    RuleRetired,
    RuleRolledBack,
    RuleShadowed,
    RuleTried,
    RuleValued,
    assigned,
    rule_id,
)
from goal_ledger.domain.settings import Settings
from tests.spec import Outcome, Spec

LESSON = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
SETTINGS = Settings()
SEEN: dict[str, Any] = {"position": 7, "settings": SETTINGS}

DRAFTED = RuleDrafted(title="Look", rule_text="Look before you leap", source_lesson_ids=(LESSON,))
CANARIED = RuleCanaried(share=0.5, round=1)
FULL = RulePromoted()


def tried(arm: Arm, *outcomes: bool) -> list[Event]:
    return [RuleTried(run_id=RUN, arm=arm, success=success) for success in outcomes]


def won(times: int, of: int | None = None, arm: Arm = Arm.TREATMENT) -> list[Event]:
    return tried(arm, *[number < times for number in range(times if of is None else of)])


def only(outcome: Outcome) -> Any:
    assert outcome.error is None, outcome.error
    (event,) = outcome.events
    return event


def drafting(confidence: float, **changes: Any) -> dict[str, Any]:
    wish = {"title": "Look", "text": "Look before you leap", "scope": Scope(None, "shell"), "lesson_ids": (LESSON,)}
    return wish | {"confidence": confidence} | SEEN | changes


# --- Drafting


def test_a_lesson_of_confidence_080_becomes_a_rule_in_shadow():
    drafted = only(Spec(RULE).when(rules.draft, **drafting(0.8)))
    assert isinstance(drafted, RuleDrafted)
    assert (drafted.rule_text, drafted.applies_to_action_type, drafted.source_lesson_ids) == (
        "Look before you leap", "shell", (LESSON,),
    )  # fmt: skip
    assert drafted.receipt is not None
    assert (drafted.receipt.policy, drafted.receipt.position, drafted.receipt.chosen) == ("promotion@1", 7, "draft")
    assert Spec(RULE).given(drafted).state().mode is Mode.SHADOW


def test_a_lesson_of_confidence_079_becomes_no_rule():
    Spec(RULE).when(rules.draft, **drafting(0.79)).then_rejected("confidence_too_low", "0.79", "0.8")


def test_a_rule_needs_a_text():
    Spec(RULE).when(rules.draft, **drafting(0.9, text=" ")).then_rejected("no_text")
    Spec(RULE).when(rules.draft, **drafting(0.9, title=" ")).then_rejected("no_text")


@pytest.mark.parametrize("history", [(), (CANARIED,), (CANARIED, FULL)])
def test_drafting_the_same_rule_again_is_quiet_wherever_it_stands(history: tuple[Event, ...]):
    Spec(RULE).given(DRAFTED, *history).when(rules.draft, **drafting(0.9)).then_quiet()


def test_the_same_words_in_the_same_scope_are_the_same_rule():
    scope = Scope(GoalType.MAINTENANCE, "shell")
    assert rule_id(scope, " Look  BEFORE you leap") == rule_id(scope, "look before you leap")
    assert rule_id(scope, "look") != rule_id(Scope(None, "shell"), "look")


# --- Arms


def test_a_goal_is_always_on_the_same_side_and_the_share_is_kept():
    goals = [f"goal_{number:026d}" for number in range(4000)]
    told = {goal for goal in goals if assigned("rule_a", goal, 0.3) is Arm.TREATMENT}
    assert 0.27 < len(told) / len(goals) < 0.33
    assert told <= {goal for goal in goals if assigned("rule_a", goal, 0.6) is Arm.TREATMENT}
    assert told != {goal for goal in goals if assigned("rule_b", goal, 0.3) is Arm.TREATMENT}
    assert {assigned("rule_a", goal, 1.0) for goal in goals} == {Arm.TREATMENT}
    assert {assigned("rule_a", goal, 0.0) for goal in goals} == {Arm.CONTROL}


# --- Shadow to canary


def test_a_rule_in_shadow_counts_the_runs_that_it_watches_until_there_are_enough():
    shadowed = RuleShadowed(run_id=RUN)
    Spec(RULE).given(DRAFTED).when(rules.watch, run_id=RUN, settings=SETTINGS).then(shadowed)
    Spec(RULE).given(DRAFTED, *[shadowed] * 3).when(rules.watch, run_id=RUN, settings=SETTINGS).then_quiet()
    Spec(RULE).given(DRAFTED, CANARIED).when(rules.watch, run_id=RUN, settings=SETTINGS).then_quiet()


def test_the_learning_cycle_tries_a_rule_that_has_watched_three_runs():
    watched = [RuleShadowed(run_id=RUN)] * 3
    Spec(RULE).given(DRAFTED, *watched[:2]).when(rules.advance, **SEEN).then_quiet()
    canaried = only(Spec(RULE).given(DRAFTED, *watched).when(rules.advance, **SEEN))
    assert (type(canaried), canaried.share, canaried.round, canaried.receipt.chosen) == (
        RuleCanaried, 0.5, 1, "canary",
    )  # fmt: skip


def test_a_person_may_try_a_rule_at_any_time_and_says_why():
    canaried = only(Spec(RULE).given(DRAFTED).when(rules.canary, share=0.2, reason="urgent", **SEEN))
    assert (canaried.share, canaried.round, canaried.reason) == (0.2, 1, "urgent")
    Spec(RULE).given(DRAFTED).when(rules.canary, reason=" ", **SEEN).then_rejected("no_reason")
    Spec(RULE).given(DRAFTED, CANARIED).when(rules.canary, reason="urgent", **SEEN).then_quiet()
    Spec(RULE).given(DRAFTED, CANARIED, FULL).when(rules.canary, reason="urgent", **SEEN).then_rejected("in_force")


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, -0.1])
def test_a_share_that_leaves_one_side_empty_is_refused(share: float):
    Spec(RULE).given(DRAFTED).when(rules.canary, share=share, reason="x", **SEEN).then_rejected("bad_share")


def test_a_rule_that_fell_back_into_shadow_is_tried_again_by_people_only():
    back = RuleRolledBack(mode=Mode.SHADOW, cause="cost")
    spec = Spec(RULE).given(DRAFTED, *[RuleShadowed(run_id=RUN)] * 3, CANARIED, back)
    spec.when(rules.advance, **SEEN).then_quiet()
    assert only(spec.when(rules.canary, reason="cheaper now", **SEEN)).round == 2


# --- Counting


def test_runs_count_on_their_side_and_in_their_phase():
    spec = Spec(RULE).given(
        DRAFTED, CANARIED, *won(2, of=3), *won(1, of=2, arm=Arm.CONTROL), FULL, *won(4, of=5),
        RuleValued(run_id=RUN, arm=Arm.TREATMENT, degraded=True),
        RuleValued(run_id=RUN, arm=Arm.CONTROL, degraded=False),
    )  # fmt: skip
    assert spec.state().trial == Trial(
        treatment=Counts(3, 2), control=Counts(2, 1), full=Counts(5, 4),
        treatment_values=Counts(1, 0), control_values=Counts(1, 1),
    )  # fmt: skip


@pytest.mark.parametrize("history", [(), (CANARIED, RuleRetired()), (CANARIED, RuleRecalled(root=LESSON))])
def test_nothing_is_counted_in_shadow_or_after_the_end(history: tuple[Event, ...]):
    spec = Spec(RULE).given(DRAFTED, *history)
    spec.when(rules.try_on, run_id=RUN, arm=Arm.TREATMENT, success=True, **SEEN).then_quiet()
    spec.when(rules.value, run_id=RUN, arm=Arm.TREATMENT, degraded=True, **SEEN).then_quiet()


def test_a_run_that_was_counted_at_its_deadline_does_not_count_again_at_its_end():
    spec = Spec(RULE).given(DRAFTED, CANARIED)
    late = only(spec.when(rules.try_on, run_id=RUN, arm=Arm.CONTROL, success=False, overdue=True, **SEEN))
    spec.given(late).when(rules.try_on, run_id=RUN, arm=Arm.CONTROL, success=True, **SEEN).then_quiet()


def test_a_treatment_run_is_compared_with_the_latest_control_run_that_is_not_taken():
    spec = Spec(RULE).given(DRAFTED, CANARIED)

    def run(spec: Spec[rules.Rule], arm: Arm, cost: str | None, seconds: float | None) -> RuleTried:
        event = only(
            spec.when(rules.try_on, run_id=RUN, arm=arm, success=True, duration_seconds=seconds,
                      cost_usd=None if cost is None else Decimal(cost), **SEEN)
        )  # fmt: skip
        assert isinstance(event, RuleTried)
        return event

    first = run(spec, Arm.TREATMENT, "9.00", 9.0)
    assert (first.costlier, first.slower) == (None, None)  # nothing to compare with
    spec = spec.given(first, run(spec, Arm.CONTROL, "1.00", None), run(spec, Arm.CONTROL, "2.00", 60.0))
    second = run(spec, Arm.TREATMENT, "2.50", 75.1)
    assert (second.costlier, second.slower) == (False, True)  # a quarter more is tolerated
    third = run(spec.given(second), Arm.TREATMENT, "1.26", 1.0)
    assert (third.costlier, third.slower) == (True, None)
    unknown = run(spec.given(second), Arm.TREATMENT, None, None)
    assert (unknown.costlier, unknown.slower) == (None, None)
    assert spec.given(second, unknown, third).state().trial.costs == Counts(2, 1)


# --- Promotion


def test_a_rule_cannot_skip_the_canary():
    Spec(RULE).given(DRAFTED).when(rules.promote, reason="now", **SEEN).then_rejected("skips_canary")


def test_a_person_promotes_a_rule_with_three_wins_and_not_with_two():
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(2))
    spec.when(rules.promote, reason="now", **SEEN).then_rejected("not_validated", "2", "3")
    promoted = only(spec.given(*won(1)).when(rules.promote, reason="now", **SEEN))
    assert (type(promoted), promoted.reason, promoted.receipt.chosen) == (RulePromoted, "now", "wait")
    assert spec.given(promoted).state().mode is Mode.FULL


def test_three_wins_do_not_suffice_beside_a_regression_in_the_canary():
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(3, of=5), *won(5, of=6, arm=Arm.CONTROL))
    spec.when(rules.promote, reason="now", **SEEN).then_rejected("regression", "3 of 5", "5 of 6")
    near = Spec(RULE).given(DRAFTED, CANARIED, *won(4, of=5), *won(5, of=6, arm=Arm.CONTROL))
    assert isinstance(only(near.when(rules.promote, reason="now", **SEEN)), RulePromoted)


def test_wins_of_an_earlier_round_do_not_count():
    back = RuleRolledBack(mode=Mode.CANARY, cause="by hand")
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(3), FULL, back)
    spec.when(rules.promote, reason="now", **SEEN).then_rejected("not_validated", "0")
    assert (spec.state().round, spec.state().mode) == (2, Mode.CANARY)


def test_promoting_needs_a_reason_and_once_in_force_is_quiet():
    Spec(RULE).given(DRAFTED, CANARIED, *won(3)).when(rules.promote, reason=None, **SEEN).then_rejected("no_reason")
    Spec(RULE).given(DRAFTED, CANARIED, *won(3), FULL).when(rules.promote, reason="now", **SEEN).then_quiet()


def test_the_learning_cycle_promotes_only_with_enough_evidence():
    few = [*won(90, of=100), *won(60, of=100, arm=Arm.CONTROL)]
    promoted = only(Spec(RULE).given(DRAFTED, CANARIED, *few).when(rules.advance, **SEEN))
    assert isinstance(promoted, RulePromoted)
    assert promoted.receipt is not None
    assert (promoted.receipt.chosen, promoted.reason) == ("promote", None)
    same = [*won(90, of=100), *won(90, of=100, arm=Arm.CONTROL)]
    Spec(RULE).given(DRAFTED, CANARIED, *same).when(rules.advance, **SEEN).then_quiet()


# --- Rollback


def test_harm_in_canary_takes_the_rule_back_to_shadow_with_the_run_that_shows_it():
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(30, arm=Arm.CONTROL), *won(0, of=5))
    at_once: list[Event] = []
    for _ in range(30):
        outcome = spec.when(rules.try_on, run_id=RUN, arm=Arm.TREATMENT, success=False, **SEEN)
        spec = spec.given(*outcome.events)
        if len(outcome.events) == 2:
            at_once = outcome.events
            break
    counted, back = at_once
    assert isinstance(counted, RuleTried) and isinstance(back, RuleRolledBack)
    assert (back.mode, back.cause) == (Mode.SHADOW, "success")
    assert back.receipt is not None and back.receipt.chosen == "roll_back:success"
    assert spec.state().trial == Trial()


def test_harm_once_in_force_takes_the_rule_back_to_a_new_round_of_the_canary():
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(30, arm=Arm.CONTROL), *won(30), FULL, *won(0, of=20))
    counted, back = spec.when(rules.try_on, run_id=RUN, arm=Arm.TREATMENT, success=False, **SEEN).events
    assert isinstance(back, RuleRolledBack)
    state = spec.given(counted, back).state()
    assert (back.mode, state.mode, state.round, state.share, state.trial) == (
        Mode.CANARY, Mode.CANARY, 2, 0.5, Trial(),
    )  # fmt: skip


def test_dearer_runs_take_the_rule_back():
    spec = Spec(RULE).given(DRAFTED, CANARIED)
    for _ in range(40):
        for arm, cost in ((Arm.CONTROL, "1.00"), (Arm.TREATMENT, "1.30")):
            outcome = spec.when(rules.try_on, run_id=RUN, arm=arm, success=True, cost_usd=Decimal(cost), **SEEN)
            spec = spec.given(*outcome.events)
            if spec.state().mode is Mode.SHADOW:
                back = outcome.events[-1]
                assert isinstance(back, RuleRolledBack) and back.cause == "cost"
                return
    raise AssertionError("it was never taken back")


def test_runs_that_make_things_worse_take_the_rule_back_however_late_that_is_known():
    kept = [RuleValued(run_id=RUN, arm=Arm.CONTROL, degraded=False)] * 30
    told = [RuleValued(run_id=RUN, arm=Arm.TREATMENT, degraded=True)] * 20
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(3), FULL, *kept, *told)
    _, back = spec.when(rules.value, run_id=RUN, arm=Arm.TREATMENT, degraded=True, **SEEN).events
    assert isinstance(back, RuleRolledBack)
    assert (back.mode, back.cause) == (Mode.CANARY, "business_outcome")


def test_a_person_takes_a_rule_back_step_by_step_and_says_why():
    spec = Spec(RULE).given(DRAFTED, CANARIED, FULL)
    first = only(spec.when(rules.roll_back, reason="complaints", **SEEN))
    assert (first.mode, first.cause, first.reason) == (Mode.CANARY, "by hand", "complaints")
    spec = spec.given(first)
    second = only(spec.when(rules.roll_back, reason="complaints", **SEEN))
    assert second.mode is Mode.SHADOW
    spec.given(second).when(rules.roll_back, reason="complaints", **SEEN).then_quiet()
    spec.when(rules.roll_back, reason=None, **SEEN).then_rejected("no_reason")


# --- The end


@pytest.mark.parametrize(("end", "code"), [(RuleRetired(), "retired"), (RuleRecalled(root=LESSON), "recalled")])
def test_a_rule_that_ended_takes_no_step(end: Event, code: str):
    spec = Spec(RULE).given(DRAFTED, CANARIED, *won(3), end)
    spec.when(rules.draft, **drafting(0.9)).then_rejected(code)
    spec.when(rules.canary, reason="x", **SEEN).then_rejected(code)
    spec.when(rules.promote, reason="x", **SEEN).then_rejected(code)
    spec.when(rules.roll_back, reason="x", **SEEN).then_rejected(code)
    spec.when(rules.advance, **SEEN).then_quiet()
    spec.when(rules.retire, reason="x").then_quiet()


def test_retiring_needs_a_reason():
    Spec(RULE).given(DRAFTED).when(rules.retire, reason="moot").then(RuleRetired(reason="moot"))
    Spec(RULE).given(DRAFTED).when(rules.retire, reason="").then_rejected("no_reason")


def test_a_rule_that_is_not_there_takes_no_step():
    for wish in (rules.canary, rules.promote, rules.roll_back):
        Spec(RULE).when(wish, reason="x", **SEEN).then_rejected("unknown_rule")
    Spec(RULE).when(rules.retire, reason="x").then_rejected("unknown_rule")
    Spec(RULE).when(rules.advance, **SEEN).then_quiet()
