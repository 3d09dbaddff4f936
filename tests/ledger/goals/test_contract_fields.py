"""A field of the contract is written once, in `Contract`; what type checkers need beside it says the same."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_type_hints

import click
import pytest

from goal_ledger.cli.nouns.goal import amend, create
from goal_ledger.domain.goals.contract import Contract
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.ledger.goals.goals import Amendment, ContractFields
from goal_ledger.projections.goals.goal_definitions import GoalRow

HELD = get_type_hints(Contract)
FIELDS = list(Contract.model_fields)
GIVEN: dict[Any, Any] = {
    tuple[str, ...]: Sequence[str],
    tuple[Criterion, ...]: Sequence[Criterion | Mapping[str, Any] | str],
    Decimal | None: Decimal | str | float | int | None,
}
"""What callers may give for what the contract then holds, when it is more."""


def given(held: Any) -> Any:
    return held | str if isinstance(held, type) and issubclass(held, StrEnum) else GIVEN.get(held, held)


def test_callers_can_give_every_field_and_no_other():
    assert get_type_hints(Amendment) == {name: given(HELD[name]) for name in FIELDS}
    assert list(ContractFields.__annotations__) == [name for name in FIELDS if name != "title"]


def test_the_row_of_a_goal_has_a_column_for_every_field():
    columns = get_type_hints(GoalRow)
    held = {name: tuple[dict[str, Any], ...] if name == "criteria" else HELD[name] for name in FIELDS}
    assert {name: columns.get(name) for name in FIELDS} == held


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_says_what_it_means_in_one_line(name):
    words = Contract.model_fields[name].description
    assert words is not None
    assert words.endswith(".") and "\n" not in words and len(words) <= 80


@pytest.mark.parametrize("command", [create, amend])
@pytest.mark.parametrize("name", [name for name in FIELDS if name != "criteria"])
def test_a_field_is_said_by_one_parameter_of_the_command_line(command: click.Command, name):
    said = [param for param in command.params if param.name == name]
    assert len(said) == 1
    if isinstance(said[0], click.Option) and name != "title":
        words = Contract.model_fields[name].description
        assert words is not None
        assert (said[0].help or "").startswith(words.removesuffix("."))
