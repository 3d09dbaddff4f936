"""What runs are told: chosen when they start, recorded in them, told again word for word."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.learning.rule import RULE, RulePromoted
from goal_ledger.domain.runs.run import RunContext, RunStarted
from goal_ledger.ledger import GoalType, Invalid, Ledger, LessonCategory, LocalOutcome, NotFound, Settings
from goal_ledger.ledger.learning.briefing import briefing
from tests.places import Place
from tests.tools import Clock, recorded

SETTINGS = Settings(rule_confidence=0.0, rule_canary_share=0.5)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="test:context", clock=Clock(), settings=SETTINGS) as opened:
        yield opened


def ready(ledger: Ledger, **fields: Any) -> str:
    goal_id = ledger.goals.create("Nightly backups that restore", **fields).goal_id
    ledger.goals.ready(goal_id)
    return goal_id


def learn(ledger: Ledger, text: str, **fields: Any) -> str:
    return ledger.lessons.add(text, **{"category": LessonCategory.SAFE_DEFAULT, **fields}).lesson_id


def given(ledger: Ledger, run_id: str) -> RunContext | None:
    [started] = [one.event for one in recorded(ledger, run_id) if isinstance(one.event, RunStarted)]
    return started.context


def promoted(ledger: Ledger, rule_id: str) -> None:
    ledger.rules.canary(rule_id, reason="test")
    ledger.act(rule_id, RULE, lambda _: [RulePromoted(reason="test")])


def goals_of_both_arms(ledger: Ledger, rule_id: str) -> tuple[str, str]:
    """A goal that is told a rule in canary, and one that is not."""
    told: dict[bool, str] = {}
    while len(told) < 2:
        goal_id = ready(ledger)
        told[any(rule.rule_id == rule_id for rule in ledger.lessons.context(goal_id).rules)] = goal_id
    return told[True], told[False]


def test_a_run_is_told_the_lessons_that_apply_and_applies_each_of_them(ledger: Ledger):
    lesson = learn(ledger, "Prune old dumps")
    learn(ledger, "Ask before you delete", goal_type=GoalType.WATCHDOG)
    shell = learn(ledger, "Quote every path", action_type="shell")
    head = ledger.head
    run = ledger.runs.start(ready(ledger))
    assert given(ledger, run.run_id) == RunContext(lessons=tuple(sorted((lesson, shell))))
    assert run.context == {"lessons": sorted((lesson, shell)), "rules": [], "controls": [], "shadows": []}
    applied = [one for one in recorded(ledger)[head:] if one.name == "lesson.applied"]
    [started] = [one for one in recorded(ledger)[head:] if one.name == "run.started"]
    assert {(one.stream, one.cause) for one in applied} == {(lesson, started.position), (shell, started.position)}
    browser = ledger.runs.start(ready(ledger, allowed_capabilities=["browser"]))
    assert given(ledger, browser.run_id) == RunContext(lessons=(lesson,))


def test_a_run_to_which_nothing_applies_is_told_nothing(ledger: Ledger):
    run = ledger.runs.start(ready(ledger))
    assert run.context is None
    learn(ledger, "Ask before you delete", goal_type=GoalType.WATCHDOG)
    assert ledger.runs.start(ready(ledger)).context is None
    assert ledger.lessons.context(run_id=run.run_id).text == ""


def test_claims_and_take_overs_tell_as_well_and_queued_runs_when_they_begin(ledger: Ledger):
    goal_id = ready(ledger, overlap="enqueue")
    first = ledger.runs.start(goal_id)
    queued = ledger.runs.start(goal_id)
    lesson = learn(ledger, "Prune old dumps")
    assert (first.context, queued.context) == (None, None)
    assert ledger.lessons.context(run_id=queued.run_id).text == ""
    taken = ledger.runs.take_over(first.run_id, reason="it is stuck")
    assert given(ledger, taken.run_id) == RunContext(lessons=(lesson,))
    ledger.runs.finish(taken.run_id, LocalOutcome.SUCCEEDED)
    claimed = ledger.work.claim()
    assert claimed is not None and claimed.run_id == queued.run_id
    assert given(ledger, queued.run_id) == RunContext(lessons=(lesson,))


def test_asking_what_would_be_told_writes_nothing_and_a_run_is_told_just_that(ledger: Ledger):
    for text in ("Prune old dumps", "Quote every path", "Test the restore"):
        learn(ledger, text)
    goal_id = ready(ledger)
    head, asked = ledger.head, ledger.lessons.context(goal_id)
    assert ledger.head == head
    run = ledger.runs.start(goal_id)
    told = ledger.lessons.context(run_id=run.run_id)
    assert (told.text, told.rules, told.lessons) == (asked.text, asked.rules, asked.lessons)
    assert (asked.run_id, told.run_id, told.max_tokens, told.left_out) == (None, run.run_id, None, None)
    assert [lesson.lesson_text for lesson in told.lessons] != []


def test_what_a_run_was_told_does_not_change_with_what_becomes_of_it(ledger: Ledger):
    lesson = learn(ledger, "Prune old dumps")
    goal_id = ready(ledger)
    rule = ledger.rules.draft(lesson, text="Prune before you dump").rule_id
    promoted(ledger, rule)
    other = learn(ledger, "Test the restore")
    run = ledger.runs.start(goal_id)
    before = ledger.lessons.context(run_id=run.run_id)
    assert [one.rule_id for one in before.rules] == [rule]
    ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
    ledger.lessons.confirm(other, reason="again")
    ledger.lessons.recall(lesson, reason="luck")
    assert ledger.lessons.context(run_id=run.run_id) == before


def test_the_best_lessons_fit_and_the_others_are_counted(ledger: Ledger):
    poor, good = learn(ledger, "Quote every path"), learn(ledger, "Prune old dumps")
    for _ in range(3):
        ledger.lessons.confirm(good, reason="seen")
    goal_id = ready(ledger)
    whole = ledger.lessons.context(goal_id)
    assert [lesson.lesson_id for lesson in whole.lessons] == [good, poor]
    some = ledger.lessons.context(goal_id, max_tokens=whole.tokens - 1)
    assert ([lesson.lesson_id for lesson in some.lessons], some.left_out) == ([good], 1)
    assert some.tokens * 4 >= len(some.text)
    nothing = ledger.lessons.context(goal_id, max_tokens=0)
    assert (nothing.text, nothing.left_out, nothing.tokens) == ("", 2, 0)


def test_the_setting_bounds_what_runs_are_told():
    with Ledger.open(":memory:", actor="x", settings=Settings(context_tokens=0)) as ledger:
        learn(ledger, "Prune old dumps")
        assert ledger.runs.start(ready(ledger)).context is None


def test_a_rule_in_force_is_told_one_on_trial_to_its_share_and_one_in_shadow_to_nobody(ledger: Ledger):
    lessons = [learn(ledger, text) for text in ("Prune old dumps", "Quote every path", "Test the restore")]
    full, canary, shadow = (ledger.rules.draft(lesson).rule_id for lesson in lessons)
    promoted(ledger, full)
    ledger.rules.canary(canary, reason="test")

    with_it, without = goals_of_both_arms(ledger, canary)

    treatment, control = (given(ledger, ledger.runs.start(goal_id).run_id) for goal_id in (with_it, without))
    assert treatment == RunContext(rules=(full, canary), shadows=(shadow,), lessons=(lessons[2],))
    assert control == RunContext(rules=(full,), controls=(canary,), shadows=(shadow,), lessons=(lessons[2],))
    told = ledger.lessons.context(with_it)
    assert [rule.activation_mode for rule in told.rules] == ["full", "canary"]
    assert shadow not in told.text and "Rule on trial: Quote every path" in told.text
    assert "Quote every path" not in ledger.lessons.context(without).text


def test_a_retired_lesson_or_rule_is_told_no_more(ledger: Ledger):
    lesson, other = learn(ledger, "Prune old dumps"), learn(ledger, "Quote every path")
    rule = ledger.rules.draft(lesson).rule_id
    promoted(ledger, rule)
    ledger.rules.retire(rule, reason="gone")
    ledger.lessons.retire(lesson, reason="gone")
    assert given(ledger, ledger.runs.start(ready(ledger)).run_id) == RunContext(lessons=(other,))


def test_what_only_the_read_models_believe_in_is_told_to_nobody(tmp_path: Path):
    with Ledger.open(tmp_path / "l.db", actor="x") as ledger:
        retired, other = learn(ledger, "Prune old dumps"), learn(ledger, "Quote every path")
        ledger.lessons.retire(retired, reason="gone")
        goal_id = ready(ledger)
        ledger.views.catch_up()
        with closing(sqlite3.connect(tmp_path / "l.views.db", isolation_level=None)) as views:
            [(table,)] = views.execute("SELECT name FROM sqlite_master WHERE name GLOB 'lessons__*' AND type = 'table'")
            views.execute(f'UPDATE "{table}" SET active = 1')
        assert [one.lesson_id for one in ledger.lessons.context(goal_id).lessons] == sorted([retired, other])
        assert given(ledger, ledger.runs.start(goal_id).run_id) == RunContext(lessons=(other,))


def test_read_models_catch_up_before_the_lock_is_taken_also_after_the_first_lesson(ledger: Ledger):
    ledger.runs.start(ready(ledger))  # nothing was learned yet
    learn(ledger, "Prune old dumps")
    goal_id = ready(ledger)
    briefing(ledger)
    assert {each.position for each in ledger.views.rebuilds.status()} == {ledger.head}
    assert given(ledger, ledger.runs.start(goal_id).run_id) is not None


def test_a_start_names_the_rules_in_force(ledger: Ledger):
    lessons = [learn(ledger, text) for text in ("Prune old dumps", "Quote every path", "Test the restore")]
    full, canary, _ = (ledger.rules.draft(lesson).rule_id for lesson in lessons)
    promoted(ledger, full)
    ledger.rules.canary(canary, reason="test")
    assert ledger.sessions.start().report["rules"] == sorted([full, f"{canary} (canary)"])


def test_what_cannot_be_asked_is_refused(ledger: Ledger):
    goal_id, other = ready(ledger), ready(ledger)
    run_id = ledger.runs.start(goal_id).run_id
    nobody = "01HZX3KQ5N8RWT2M4V6Y7B9DEF"
    for code, error, ask in (
        ("no_goal", Invalid, {}),
        ("bad_limit", Invalid, {"goal_id": goal_id, "max_tokens": -1}),
        ("other_goal", Invalid, {"goal_id": other, "run_id": run_id}),
        ("unknown_goal", NotFound, {"goal_id": f"goal_{nobody}"}),
        ("unknown_run", NotFound, {"run_id": f"grun_{nobody}"}),
    ):
        with pytest.raises(error) as refused:
            ledger.lessons.context(**ask)
        assert refused.value.code == code
    assert ledger.lessons.context(goal_id, run_id=run_id).goal_id == goal_id


def test_runs_are_told_and_lessons_judged_the_same_on_every_store(place: Place):
    with Ledger.open(place.url, actor="test:context", clock=Clock(), settings=SETTINGS) as ledger:
        goal_id = ready(ledger)
        assert ledger.runs.finish(ledger.runs.start(goal_id).run_id, LocalOutcome.SUCCEEDED).context is None
        lesson = learn(ledger, "Prune old dumps")
        rule = ledger.rules.draft(lesson).rule_id
        run = ledger.runs.start(goal_id)
        assert given(ledger, run.run_id) == RunContext(lessons=(lesson,), shadows=(rule,))
        ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
        assert ledger.lessons.get(lesson).times_validated == 1
        fallen = ledger.lessons.recall(lesson, reason="luck")
        assert (fallen.lessons, fallen.rules, fallen.runs) == ((lesson,), (rule,), (run.run_id,))
        assert ledger.runs.start(goal_id).context is None
