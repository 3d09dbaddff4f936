"""Which lessons say the same, and which the opposite."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import LessonCategory, Scope
from goal_ledger.domain.learning.similarity import Said, advises_against, contradictions, duplicate_of, says_the_same
from goal_ledger.domain.words import likeness, words

ANY = Scope(None, None)
SAFE, ANTI = LessonCategory.SAFE_DEFAULT, LessonCategory.ANTI_PATTERN
NINE = "one two three four five six seven eight nine"


def said(text: str, scope: Scope = ANY, category: LessonCategory = SAFE, name: str = "les_a") -> Said:
    return Said(name, scope, text, category)


def test_words_are_compared_without_case_and_an_underscore_belongs_to_its_word():
    assert words("Set MAX_RETRIES, set max_retries!") == {"set", "max_retries"}


def test_likeness_is_the_share_of_common_words():
    assert likeness(words("a b c"), words("b c d")) == 0.5
    assert likeness(words(""), words("!")) == 1.0


@given(st.frozensets(st.sampled_from("abcdefg")), st.frozensets(st.sampled_from("abcdefg")))
def test_likeness_has_no_direction_and_is_whole_for_equals_only(first: frozenset[str], second: frozenset[str]):
    assert likeness(first, second) == likeness(second, first)
    assert (likeness(first, second) == 1.0) is (first == second)


def test_lessons_say_the_same_when_more_than_four_fifths_of_their_words_are_common():
    assert says_the_same(said(f"{NINE} ten"), said(NINE))  # 9 of 10
    assert not says_the_same(said("one two three four five"), said("one two three four"))  # 4 of 5 is not more


def test_lessons_of_different_scopes_or_that_advise_differently_do_not_say_the_same():
    narrow = Scope(GoalType.WATCHDOG, None)
    assert not says_the_same(said(NINE), said(NINE, narrow))
    assert not says_the_same(said(NINE), said(f"never {NINE}"))
    assert not says_the_same(said(NINE), said(NINE, category=ANTI))
    assert says_the_same(said(f"never {NINE}"), said(NINE, category=ANTI))


def test_a_duplicate_is_the_likest_lesson_and_of_equals_the_first():
    known = [said(f"{NINE} ten", name="les_c"), said(NINE.upper(), name="les_b"), said(f"{NINE}!", name="les_a")]
    assert duplicate_of(said(NINE, name="les_new"), known) == "les_a"
    assert duplicate_of(said("something else"), known) is None


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("Always raise it", False),
        ("Never raise it", True),
        ("Don't raise it", True),
        ("Don’t raise it", True),  # noqa: RUF001 — as word processors write it
        ("Avoid raising it", True),
        ("Do not avoid it", False),
        ("Note the knot", False),
    ],
)
def test_the_words_of_a_lesson_say_whether_it_advises_against_something(text: str, against: bool):
    assert advises_against(text, SAFE) is against
    assert advises_against(text, ANTI) is True


def pairs(*lessons: Said) -> list[tuple[str, str]]:
    return [(found.first, found.second) for found in contradictions(lessons)]


def test_texts_that_differ_only_in_a_negation_contradict_each_other():
    never, always = said("Never deploy on Fridays", name="les_b"), said("Always deploy on Fridays", name="les_a")
    assert pairs(never, always) == [("les_a", "les_b")]
    assert pairs(said("Do deploy on Fridays"), said("Don't deploy on Fridays", name="les_b")) == [("les_a", "les_b")]


def test_an_anti_pattern_contradicts_a_default_in_nearly_the_same_words():
    [found] = contradictions([said(NINE), said(f"{NINE} ten", category=ANTI, name="les_b")])
    assert (found.first_text, found.second_text) == (NINE, f"{NINE} ten")
    assert found.why == "safe_default and anti_pattern in nearly the same words"


def test_lessons_that_agree_that_speak_of_something_else_or_never_meet_do_not_contradict_each_other():
    backup, restore = Scope(None, "backup"), Scope(None, "restore")
    assert pairs(said("Deploy on Fridays"), said("Always deploy on Fridays", name="les_b")) == []
    assert pairs(said("Never deploy", category=ANTI), said("Never deploy", name="les_b")) == []
    assert pairs(said("Deploy on Fridays"), said("Never deploy on Mondays", name="les_b")) == []
    assert pairs(said("Deploy", backup), said("Never deploy", restore, name="les_b")) == []
    assert pairs(said("Deploy", backup), said("Never deploy", Scope(GoalType.WATCHDOG, None), name="les_b")) != []
    assert pairs(said("!"), said("never", name="les_b")) == []


@given(st.lists(st.sampled_from(["go", "never go", "stop", "do not stop", "avoid it"]), max_size=6), st.randoms())
def test_contradictions_do_not_depend_on_the_order_of_the_lessons(texts: list[str], random: Random):
    lessons = [said(text, name=f"les_{number}") for number, text in enumerate(texts)]
    shuffled = random.sample(lessons, len(lessons))
    assert contradictions(lessons) == contradictions(shuffled)
