"""What an agent is told: what applies, in which order, within how many tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.context import (
    Offer,
    Use,
    applies,
    choose,
    lesson_line,
    rule_line,
    tokens,
    worth,
)
from goal_ledger.domain.learning.lesson import LessonCategory, Scope, confidence_of

LINE = "x" * 39  # ten tokens with its end


@pytest.mark.parametrize(
    ("goal_type", "action_type", "allowed", "expected"),
    [
        (None, None, [], True),
        (GoalType.WATCHDOG, None, [], True),
        (GoalType.OBJECTIVE, None, [], False),
        (None, "shell", [], True),
        (None, "shell", ["shell", "browser"], True),
        (None, "shell", ["browser"], False),
        (None, None, ["browser"], True),
        (GoalType.OBJECTIVE, "shell", ["shell"], False),
    ],
)
def test_a_lesson_applies_by_the_type_of_the_goal_and_the_actions_it_allows(
    goal_type: GoalType | None, action_type: str | None, allowed: list[str], expected: bool
):
    assert applies(Scope(goal_type, action_type), GoalType.WATCHDOG, allowed) is expected


def test_what_was_often_confirmed_is_worth_more_than_what_was_merely_claimed():
    assert worth(1.0, 0, 0) < worth(0.5, 10, 0)
    assert worth(0.5, 1, 0) < worth(0.5, 10, 3) < worth(0.5, 10, 0)


@given(st.floats(0, 1), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_worth_of_a_lesson_lies_between_nothing_and_its_confidence(stated: float, speaks_for: int, against: int):
    assert 0 <= worth(stated, speaks_for, against) <= confidence_of(stated, speaks_for, against) + 1e-12


def test_rules_in_force_come_before_those_on_trial_before_lessons_then_by_worth_then_by_id():
    offers = [
        Offer("les_b", Use.LESSON, LINE, 0.5),
        Offer("les_a", Use.LESSON, LINE, 0.5),
        Offer("les_c", Use.LESSON, LINE, 0.9),
        Offer("rule_b", Use.CANARY, LINE),
        Offer("rule_a", Use.RULE, LINE),
    ]
    chosen = choose(offers, most_tokens=1000)
    assert [offer.id for offer in chosen.offers] == ["rule_a", "rule_b", "les_c", "les_a", "les_b"]
    assert (chosen.tokens, chosen.left_out) == (50, 0)


def test_what_finds_no_room_is_counted_and_something_shorter_may_still_find_some():
    offers = [
        Offer("les_a", Use.LESSON, LINE, 0.9),
        Offer("les_b", Use.LESSON, LINE, 0.8),
        Offer("les_c", Use.LESSON, "short", 0.7),
    ]
    chosen = choose(offers, most_tokens=12)
    assert (chosen.ids(Use.LESSON), chosen.left_out, chosen.tokens) == (("les_a", "les_c"), 1, 12)
    assert choose(offers, most_tokens=0).offers == ()


def test_what_is_kept_from_the_agent_takes_no_room_and_is_noted_only_where_there_would_have_been_some():
    offers = [
        Offer("rule_a", Use.RULE, LINE),
        Offer("rule_b", Use.CONTROL, LINE),
        Offer("rule_c", Use.SHADOW, LINE),
        Offer("les_a", Use.LESSON, LINE),
    ]
    chosen = choose(offers, most_tokens=20)
    assert (chosen.ids(Use.CONTROL), chosen.ids(Use.SHADOW), chosen.ids(Use.LESSON)) == (
        ("rule_b",),
        ("rule_c",),
        ("les_a",),
    )
    full = choose(offers, most_tokens=19)
    assert (full.ids(Use.RULE), full.ids(Use.CONTROL, Use.SHADOW), full.left_out) == (("rule_a",), (), 1)


@pytest.mark.parametrize(
    ("use", "told"), [(Use.RULE, ()), (Use.CANARY, ()), (Use.CONTROL, ()), (Use.SHADOW, ("les_a",))]
)
def test_a_lesson_behind_a_rule_is_told_only_while_the_rule_is_in_shadow(use: Use, told: tuple[str, ...]):
    offers = [Offer("rule_a", use, LINE, lesson_ids=("les_a",)), Offer("les_a", Use.LESSON, LINE)]
    chosen = choose(offers, most_tokens=1000)
    assert (chosen.ids(Use.LESSON), chosen.left_out) == (told, 0)


def test_a_lesson_behind_a_rule_that_finds_no_room_is_told_itself():
    offers = [Offer("rule_a", Use.RULE, LINE * 9, lesson_ids=("les_a",)), Offer("les_a", Use.LESSON, LINE)]
    assert choose(offers, most_tokens=20).ids(*Use) == ("les_a",)


@given(
    st.lists(st.tuples(st.sampled_from(Use), st.integers(0, 200), st.floats(0, 1)), max_size=30), st.integers(0, 400)
)
def test_a_text_never_takes_more_than_its_tokens(drawn: list[tuple[Use, int, float]], most: int):
    offers = [Offer(f"les_{n:02}", use, "x" * size, value) for n, (use, size, value) in enumerate(drawn)]
    chosen = choose(offers, most_tokens=most)
    told = [offer for offer in chosen.offers if offer.use in (Use.RULE, Use.CANARY, Use.LESSON)]
    text = "\n".join(offer.line for offer in told)
    assert chosen.tokens == sum(tokens(offer.line) for offer in told) <= most
    assert len(text) <= 4 * most
    wanted = [offer for offer in offers if offer.use in (Use.RULE, Use.CANARY, Use.LESSON)]
    assert chosen.left_out == len(wanted) - len(told)


def test_a_line_says_what_it_is_and_carries_its_id_on_one_line():
    line = lesson_line("les_a", "Prune\nold  dumps", LessonCategory.ANTI_PATTERN, 2 / 3)
    assert line == "- Lesson (anti pattern, confidence 0.67): Prune old dumps [les_a]"
    assert rule_line("rule_a", "Prune", on_trial=False) == "- Rule: Prune [rule_a]"
    assert rule_line("rule_a", "Prune", on_trial=True) == "- Rule on trial: Prune [rule_a]"
