"""Errors: a class for what a caller would do, a code that is stable, an exit code."""

import copy
import pickle

import pytest

from goal_ledger.domain.errors import (
    STREAM,
    Blank,
    Call,
    Conflict,
    Damaged,
    Hint,
    Invalid,
    LedgerError,
    NotFound,
    Rejected,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [(Unavailable, 1), (Invalid, 2), (Rejected, 3), (Conflict, 4), (NotFound, 5), (Damaged, 6)],
)
def test_every_kind_has_its_exit_code(kind: type[LedgerError], exit_code: int):
    error = kind("some_code", "it is so", hint="do this")
    assert (error.exit_code, error.code, error.message, error.hint, str(error)) == (
        exit_code, "some_code", "it is so", "do this", "it is so",
    )  # fmt: skip
    assert isinstance(error, LedgerError)


def test_words_name_the_stream_acted_on():
    error = Rejected("not_allowed", "no", hint="make {stream} ready first")
    error.about("goal_1")
    assert error.hint == "make goal_1 ready first"


def test_a_hint_names_the_stream_acted_on_where_a_decision_left_room_for_it():
    ready, activate = (Hint("goal", verb, STREAM, reason=STREAM) for verb in ("ready", "activate"))
    error = Rejected("not_allowed", "no", hint="first " + ready + ", then " + activate)
    error.about("goal_1")
    assert isinstance(error.hint, Hint)
    assert error.hint.calls == (
        Call("goal", "ready", ("goal_1",), {"reason": "{stream}"}),  # a reason is somebody's text
        Call("goal", "activate", ("goal_1",), {"reason": "{stream}"}),
    )
    assert [part for part in error.hint.parts if isinstance(part, str)] == ["first ", ", then "]


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (Hint("goal", "ready", "goal_1"), "goal ready goal_1"),
        (Hint("next", claim=True), "next claim"),
        ("try " + Hint("belief", "hold", Blank("TEXT")) + " again", "try belief hold TEXT again"),
        (Hint("goal", "amend", "goal_1", arms=(Blank("A"), Blank("B"))), "goal amend goal_1 arms=A B"),
        (Hint("goal", "amend", "goal_1", watch="a = b", unit=None), 'goal amend goal_1 watch="a = b" unit=""'),
        ("give it " + Hint(goal_id=Blank("")) + " or " + Hint(target=Blank(95)), "give it goal_id or target=95"),
    ],
    ids=str,
)  # fmt: skip
def test_a_hint_reads_as_words_that_belong_to_no_program(hint: Hint, text: str):
    assert isinstance(hint, Hint) and isinstance(hint, str)
    assert (str(hint), f"{hint}") == (text, text)


def test_a_hint_can_be_copied_and_sent_to_another_process():
    hint = "see " + Hint("goal", "amend", STREAM, arms=(Blank("A"), Blank("B"))) + " or " + Hint("goal", "list")
    for other in (copy.deepcopy(hint), pickle.loads(pickle.dumps(hint))):
        assert (type(other), other, other.parts) == (Hint, str(hint), hint.parts)


def test_without_a_hint_there_is_nothing_to_fill():
    error = Rejected("not_allowed", "no {stream}")
    error.about("goal_1")
    assert (error.hint, error.message) == (None, "no {stream}")


def test_damage_lists_its_problems():
    assert Damaged("damaged", "two", problems=("a", "b")).problems == ("a", "b")
    assert Damaged("damaged", "one").problems == ()
