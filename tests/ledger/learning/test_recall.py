"""Taking back what turned out false: everything that stands on it falls, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.domain.learning.lesson import Evidence, LessonApplied, LessonLearned, LessonRecalled, Scope
from goal_ledger.domain.learning.rule import RULE, RuleDrafted, RulePromoted, RuleRecalled
from goal_ledger.domain.runs.run import RunStarted
from goal_ledger.ledger import FailureCategory, GoalType, Ledger, LessonCategory, LocalOutcome, NotFound, Rejected
from goal_ledger.ledger import Settings as LedgerSettings
from goal_ledger.ledger.learning.evidence import untainted
from goal_ledger.ledger.learning.lessons import learn_in
from goal_ledger.ledger.learning.recall import Recall
from tests.tools import Clock, examples, recorded

SETTINGS = LedgerSettings(rule_confidence=0.0)
SAFE = LessonCategory.SAFE_DEFAULT
TEXTS = ("Prune old dumps", "Quote every path", "Test the restore", "Ask before deleting", "Log each step")


def opened() -> Ledger:
    return Ledger.open(":memory:", actor="test:recall", clock=Clock(), settings=SETTINGS)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def started(ledger: Ledger) -> str:
    goal_id = ledger.goals.create("Nightly backups that restore").goal_id
    ledger.goals.ready(goal_id)
    return ledger.runs.start(goal_id).run_id


def lost(ledger: Ledger) -> str:
    run_id = started(ledger)
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.EXTERNAL_DEPENDENCY)
    return run_id


def learned(ledger: Ledger, text: str, run_id: str | None = None) -> str:
    return ledger.lessons.add(text, category=SAFE, run_id=run_id).lesson_id


def in_force(ledger: Ledger, lesson_id: str) -> str:
    rule_id = ledger.rules.draft(lesson_id).rule_id
    ledger.rules.canary(rule_id, reason="test")
    ledger.act(rule_id, RULE, lambda _: [RulePromoted(reason="test")])
    return rule_id


def chain(ledger: Ledger) -> tuple[list[str], list[str], list[str]]:
    """A lesson, a run told it, a lesson from that, a rule from that, a run told the rule, a lesson from that."""
    first = learned(ledger, TEXTS[0], lost(ledger))
    told = lost(ledger)
    second = learned(ledger, TEXTS[1], told)
    rule = in_force(ledger, second)
    ledger.lessons.retire(first, reason="so that the next run is told the rule only")
    by_rule = lost(ledger)
    third = learned(ledger, TEXTS[2], by_rule)
    return [first, second, third], [rule], [told, by_rule]


def refusal(ask: Any, *args: Any, **wish: Any) -> str:
    with pytest.raises(Rejected) as refused:
        ask(*args, **wish)
    return refused.value.code


def test_all_that_stands_on_a_lesson_falls_with_it_in_one_transaction_and_runs_stay(ledger: Ledger):
    lessons, rules, runs = chain(ledger)
    other = learned(ledger, TEXTS[3])
    before = {run_id: recorded(ledger, run_id) for run_id in runs}
    head = ledger.head

    fallen = ledger.using(actor="cli:ana").lessons.recall(lessons[0], reason="it was luck")

    assert fallen == Recall(lessons[0], False, tuple(sorted(lessons)), tuple(rules), tuple(sorted(runs)))
    written = recorded(ledger)[head:]
    assert {one.stream for one in written} == {*lessons, *rules}
    assert all(isinstance(one.event, LessonRecalled | RuleRecalled) for one in written)
    assert {(one.event.root, one.event.reason, one.at, one.by) for one in written} == {  # type: ignore[attr-defined]
        (lessons[0], "it was luck", written[0].at, "cli:ana")
    }
    assert [one.cause for one in written] == [None, *[written[0].position] * (len(written) - 1)]
    rows = [ledger.lessons.get(each) for each in lessons]
    assert {(row.active, row.recalled, row.recalled_root, row.recalled_reason) for row in rows} == {
        (False, True, lessons[0], "it was luck")
    }
    assert not ledger.rules.get(rules[0]).active
    assert ledger.lessons.get(other).active
    assert {run_id: recorded(ledger, run_id) for run_id in runs} == before
    assert ledger.lessons.list().rows == [ledger.lessons.get(other)]


def test_recalling_further_up_leaves_what_came_before(ledger: Ledger):
    lessons, rules, _ = chain(ledger)
    fallen = ledger.lessons.recall(lessons[2], reason="luck")
    assert (fallen.lessons, fallen.rules, fallen.runs) == ((lessons[2],), (), ())
    assert ledger.lessons.get(lessons[1]).active and ledger.rules.get(rules[0]).active


def test_a_dry_run_shows_what_would_fall_and_writes_nothing(ledger: Ledger):
    lessons, _, _ = chain(ledger)
    head = ledger.head
    shown = ledger.lessons.recall(lessons[0], reason=None, dry_run=True)
    assert ledger.head == head
    assert shown._replace(dry_run=False) == ledger.lessons.recall(lessons[0], reason="luck")


def test_a_lesson_is_recalled_once_and_under_a_command_id_answered_again(ledger: Ledger):
    lessons, _, _ = chain(ledger)
    fallen = ledger.using(command_id="r").lessons.recall(lessons[0], reason="luck")
    head = ledger.head
    assert ledger.using(command_id="r").lessons.recall(lessons[0], reason="luck") == fallen
    assert ledger.lessons.recall(lessons[0], reason="again") == fallen
    assert ledger.lessons.recall(lessons[1], reason="again").lessons == tuple(sorted(lessons[1:]))
    assert ledger.head == head


def test_a_recall_says_why_and_names_a_lesson_that_there_is(ledger: Ledger):
    lesson = learned(ledger, TEXTS[0])
    head = ledger.head
    assert refusal(ledger.lessons.recall, lesson, reason=" ") == "no_reason"
    for dry_run in (True, False):
        with pytest.raises(NotFound) as refused:
            ledger.lessons.recall("les_01HZX3KQ5N8RWT2M4V6Y7B9DEF", reason="x", dry_run=dry_run)
        assert refused.value.code == "unknown_lesson"
    assert ledger.head == head


def test_what_was_recalled_takes_no_evidence_drafts_no_rule_and_is_told_to_nobody(ledger: Ledger):
    lesson = learned(ledger, TEXTS[0])
    run_id = started(ledger)
    ledger.lessons.recall(lesson, reason="luck")
    head = ledger.head
    assert refusal(ledger.lessons.confirm, lesson) == "recalled"
    assert refusal(ledger.lessons.contradict, lesson) == "recalled"
    assert refusal(ledger.lessons.apply, lesson, run_id=run_id) == "recalled"
    assert refusal(ledger.lessons.add, TEXTS[0], category=SAFE) == "recalled"
    assert refusal(ledger.rules.draft, lesson) in ("retired", "recalled")
    assert ledger.head == head
    assert ledger.runs.get(started(ledger)).context is None


def test_a_run_that_was_told_something_false_teaches_and_confirms_nothing_any_more(ledger: Ledger):
    false, other = learned(ledger, TEXTS[0]), learned(ledger, TEXTS[1])
    told, by_hand, clean = started(ledger), lost(ledger), None
    ledger.lessons.recall(false, reason="luck")
    clean = lost(ledger)
    assert refusal(ledger.lessons.add, TEXTS[2], category=SAFE, run_id=told) == "tainted"
    assert refusal(ledger.lessons.confirm, other, run_id=told) == "tainted"
    ledger.lessons.contradict(other, run_id=told)  # doubt is welcome from everybody
    evidence = tuple(Evidence(run_id=each) for each in (told, by_hand, clean))
    kept: list[Any] = []
    ledger.transact(lambda tx: kept.append(untainted(ledger, tx, evidence)))
    assert kept == [(Evidence(run_id=clean),)]
    assert learned(ledger, TEXTS[2], clean)


def test_a_run_that_says_itself_that_it_worked_by_a_false_lesson_is_tainted_too(ledger: Ledger):
    run_id = lost(ledger)
    false = learned(ledger, TEXTS[0])
    ledger.lessons.apply(false, run_id=run_id)
    second = learned(ledger, TEXTS[1], run_id)
    assert ledger.lessons.recall(false, reason="luck").lessons == tuple(sorted([false, second]))
    assert refusal(ledger.lessons.add, TEXTS[2], category=SAFE, run_id=run_id) == "tainted"


def test_a_run_that_was_told_a_fallen_rule_is_tainted(ledger: Ledger):
    false = learned(ledger, TEXTS[0])
    rule = in_force(ledger, false)
    run_id = lost(ledger)
    assert ledger.runs.get(run_id).context == {"lessons": [], "rules": [rule], "controls": [], "shadows": []}
    ledger.lessons.recall(false, reason="luck")
    assert refusal(ledger.lessons.add, TEXTS[1], category=SAFE, run_id=run_id) == "tainted"


def test_what_comes_in_between_the_read_models_and_the_lock_falls_too(tmp_path: Any):
    from goal_ledger.ledger.learning import recall as module

    with Ledger.open(tmp_path / "l.db", actor="a") as ledger, Ledger.open(tmp_path / "l.db", actor="b") as other:
        false = learned(ledger, TEXTS[0])
        seen = module._Seen(ledger)
        run_id = lost(other)
        second = learned(other, TEXTS[1], run_id)
        ledger.transact(lambda tx: seen.take_in(tx.since(seen.position)))
        assert seen.standing_on(false).lessons == tuple(sorted([false, second]))
        assert seen.standing_on(false).runs == (run_id,)


def test_lessons_that_say_the_same_are_merged_also_inside_one_transaction(ledger: Ledger):
    one, two = lost(ledger), lost(ledger)
    long = "Raise the timeout well before the nightly backup window closes"
    wish: dict[str, Any] = {"scope": Scope(GoalType.WATCHDOG, None), "category": SAFE}
    made: list[str] = []

    def work(tx: Any) -> None:
        made.append(learn_in(ledger, tx, text=long, evidence=(Evidence(run_id=one),), **wish))
        made.append(learn_in(ledger, tx, text=f"{long}!", evidence=(Evidence(run_id=two),), **wish))

    ledger.transact(work)
    assert made[0] == made[1]
    assert ledger.lessons.get(made[0]).evidence_run_ids == (one, two)


def test_the_lineage_of_a_rule_goes_down_to_the_runs_and_marks_what_fell(ledger: Ledger):
    review = "aar_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
    one, two, three = (lost(ledger) for _ in range(3))
    evidence = (Evidence(run_id=one, aar_id=review), Evidence(run_id=two, aar_id=review))
    ledger.transact(lambda tx: learn_in(ledger, tx, scope=Scope(None, None), text=TEXTS[0], category=SAFE,
                                        evidence=evidence))  # fmt: skip
    [lesson] = ledger.lessons.list().rows
    ledger.lessons.confirm(lesson.lesson_id, run_id=three)
    rule = ledger.rules.draft(lesson.lesson_id).rule_id

    behind = ledger.rules.lineage(rule)
    assert (behind.rule_text, behind.activation_mode, behind.recalled, behind.active) == (
        TEXTS[0], "shadow", False, True,
    )  # fmt: skip
    [below] = behind.lessons
    assert (below.lesson_id, below.recalled) == (lesson.lesson_id, False)
    assert [(review.aar_id, [run.run_id for run in review.runs]) for review in below.reviews] == [
        (review, [one, two]), (None, [three]),
    ]  # fmt: skip
    assert {run.local_outcome for each in below.reviews for run in each.runs} == {"failed"}

    ledger.lessons.recall(lesson.lesson_id, reason="luck")
    behind = ledger.rules.lineage(rule)
    assert (behind.recalled_root, behind.lessons[0].recalled_root, behind.active) == (
        lesson.lesson_id, lesson.lesson_id, False,
    )  # fmt: skip
    with pytest.raises(NotFound) as refused:
        ledger.rules.lineage("rule_01HZX3KQ5N8RWT2M4V6Y7B9DEF")
    assert refused.value.code == "unknown_rule"


# --- Histories at random


STEPS = st.lists(
    st.tuples(st.sampled_from(["run", "learn", "apply", "rule"]), st.integers(0, 50), st.integers(0, 50)),
    min_size=4,
    max_size=25,
)


def play(ledger: Ledger, steps: list[tuple[str, int, int]]) -> None:
    runs, lessons, rules = [lost(ledger)], [learned(ledger, TEXTS[0])], []
    for step, one, other in steps:
        run_id, lesson_id = runs[one % len(runs)], lessons[other % len(lessons)]
        if step == "run":
            runs.append(lost(ledger))
        elif step == "learn":
            lessons.append(learned(ledger, TEXTS[other % len(TEXTS)], run_id))
        elif step == "apply" and ledger.lessons.get(lesson_id).active:
            ledger.lessons.apply(lesson_id, run_id=run_id)
        elif step == "rule" and lesson_id not in rules and ledger.lessons.get(lesson_id).active:
            rules.append(lesson_id)
            in_force(ledger, lesson_id)


def descendants(ledger: Ledger, root: str) -> set[str]:
    """Everything that stands on a lesson, as the events say; found by trying."""
    grounds: list[tuple[str, str]] = []
    for one in recorded(ledger):
        match one.event:
            case LessonLearned(evidence=evidence):
                grounds += [(one.stream, each.run_id) for each in evidence]
            case LessonApplied(run_id=run_id):
                grounds.append((run_id, one.stream))
            case RuleDrafted(source_lesson_ids=lesson_ids):
                grounds += [(one.stream, each) for each in lesson_ids]
            case RunStarted(context=context) if context is not None:
                grounds += [(one.stream, each) for each in (*context.lessons, *context.rules)]
    fallen = {root}
    while more := {one for one, ground in grounds if ground in fallen} - fallen:
        fallen |= more
    return fallen


@settings(max_examples=examples(20))
@given(STEPS, st.integers(0, 10))
def test_after_a_recall_no_descendant_is_active_and_nothing_else_fell(steps: list[tuple[str, int, int]], which: int):
    with opened() as ledger:
        play(ledger, steps)
        known = [row.lesson_id for row in ledger.lessons.list(active=None).rows]
        rules = [row.rule_id for row in ledger.rules.list(active=None).rows]
        root = sorted(known)[which % len(known)]
        should = descendants(ledger, root)
        before = {row.lesson_id for row in ledger.lessons.list().rows}

        fallen = ledger.lessons.recall(root, reason="luck")

        assert {*fallen.lessons, *fallen.rules, *fallen.runs} == should
        assert {row.lesson_id for row in ledger.lessons.list().rows} == before - should
        assert {rule for rule in rules if not ledger.rules.get(rule).active} == should & set(rules)
        ledger.views.rebuilds.rebuild(["lessons", "playbook_rules"])
        assert {each for each in known if ledger.lessons.get(each).recalled} == should & set(known)
        context = ledger.runs.get(started(ledger)).context or {"lessons": [], "rules": []}
        assert should.isdisjoint([*context["lessons"], *context["rules"]])
