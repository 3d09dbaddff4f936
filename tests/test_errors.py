"""Errors travel: every class of ours is copied, pickled and raised in another process without losing anything."""

import copy
import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest

import goal_ledger
from goal_ledger.ledger import Blank, Damaged, Hint, Ledger, LedgerError, Rejected

HINT = "try " + Hint("goal", "amend", "goal_1", arms=(Blank("A"), Blank("B"))) + " or " + Hint("goal", "list")


def classes(base: type[LedgerError] = LedgerError) -> Iterator[type[LedgerError]]:
    yield base
    for derived in base.__subclasses__():
        yield from classes(derived)


for module in walk_packages(goal_ledger.__path__, "goal_ledger."):
    if not module.name.endswith("__main__"):
        import_module(module.name)

CLASSES = [kind for kind in classes() if kind.__module__.startswith("goal_ledger.")]


class TooExpensive(Rejected):
    """As a program of its own may derive it, with arguments of its own."""

    def __init__(self, price: int) -> None:
        super().__init__("too_expensive", f"{price} is too much", hint=HINT)
        self.price = price


def said(error: LedgerError) -> dict[str, Any]:
    """Everything that an error says."""
    return {
        "class": type(error), "text": str(error), "args": error.args, "exit_code": error.exit_code,
        "parts": getattr(error.hint, "parts", None), **vars(error),
    }  # fmt: skip


def full(kind: type[LedgerError]) -> LedgerError:
    """An error that says all that it can."""
    error = kind("some_code", "it is so", hint=HINT)
    if isinstance(error, Damaged):
        error.problems = ("position 2: a", "position 7: b")
    error.add_note("while the moon was full")
    return error


@pytest.mark.parametrize("error", [*map(full, CLASSES), Rejected("bare", "no way out"), TooExpensive(7)], ids=repr)
def test_an_error_is_copied_and_pickled_with_all_that_it_says(error: LedgerError):
    pickled = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in (copy.copy(error), copy.deepcopy(error), *pickled):
        assert said(other) == said(error)
        assert type(other.hint) is type(error.hint)


def test_every_class_of_error_is_tried():
    assert {LedgerError, Rejected, Damaged} < set(CLASSES) and len(CLASSES) == len(set(CLASSES)) > 6


def fail(error: LedgerError) -> None:
    raise error


def refused() -> None:
    with Ledger.open(":memory:", actor="agent:far") as ledger:
        ledger.goals.complete(ledger.goals.create("A").goal_id)


def test_a_refusal_in_another_process_reaches_the_caller_and_breaks_no_pool():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for error in (*map(full, CLASSES), TooExpensive(7)):
            with pytest.raises(type(error)) as raised:
                pool.submit(fail, error).result()
            assert said(raised.value) == said(error)
            assert "in fail\n    raise error" in str(raised.value.__cause__)  # the traceback of there

        with pytest.raises(Rejected) as rule:
            pool.submit(refused).result()
        assert rule.value.code == "not_allowed" and isinstance(rule.value.hint, Hint)
        assert [call.verb for call in rule.value.hint.calls] == ["ready", "activate"]
        assert "in refused\n" in str(rule.value.__cause__)
        assert pool.submit(len, "alive").result() == 5
