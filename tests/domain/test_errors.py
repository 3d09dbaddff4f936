"""Errors: a class for what a caller would do, a code that is stable, an exit code."""

import pytest

from goal_ledger.domain.errors import Conflict, Damaged, Invalid, LedgerError, NotFound, Rejected, Unavailable


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


def test_a_hint_names_the_stream_acted_on():
    error = Rejected("not_allowed", "no", hint="goal-ledger goal ready {stream}, then activate {stream}")
    error.about("goal_1")
    assert error.hint == "goal-ledger goal ready goal_1, then activate goal_1"


def test_without_a_hint_there_is_nothing_to_fill():
    error = Rejected("not_allowed", "no {stream}")
    error.about("goal_1")
    assert (error.hint, error.message) == (None, "no {stream}")


def test_damage_lists_its_problems():
    assert Damaged("damaged", "two", problems=("a", "b")).problems == ("a", "b")
    assert Damaged("damaged", "one").problems == ()
