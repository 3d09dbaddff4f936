"""Where goals and runs ask the conditions of a goal. Few goals have any: for the others nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.runs.run import RUN

if TYPE_CHECKING:
    from goal_ledger.ledger.engine.transaction import Tx

_FIELDS = ("start_condition", "stop_condition", "watch", "failure_conditions", "constraints")


def check_conditions(fields: Mapping[str, Any]) -> None:
    """Refuse conditions that cannot be read. Invalid: bad_condition."""
    if any(fields.get(name) not in (None, ()) for name in _FIELDS):
        from goal_ledger.ledger.goals import conditions

        conditions.check(fields)


def check_named(tx: Tx, fields: Mapping[str, Any]) -> None:
    """Refuse conditions that name what there is not. NotFound: unknown_goal, unknown_run."""
    if any(fields.get(name) not in (None, ()) for name in _FIELDS):
        from goal_ledger.ledger.goals import conditions

        conditions.check_named(tx, fields)


def acting(fields: Mapping[str, Any]) -> Sequence[str]:
    """The conditions among the fields of a goal that act, as `field: text`."""
    if all(fields[name] in (None, ()) for name in _FIELDS):
        return []
    from goal_ledger.ledger.goals.conditions import texts, understood

    return [f"{field}: {text}" for field, text in texts(fields) if understood(field, text) is not None]


def check_start(tx: Tx, goal_id: str) -> None:
    """Refuse to make a planned goal ready before its start condition holds. Rejected: start_condition_not_met."""
    if tx.load(goal_id, GOAL).contract.get("start_condition"):
        from goal_ledger.ledger.goals import conditions

        conditions.check_start(tx, goal_id)


def check_constraints(tx: Tx, goal_id: str, run_id: str) -> None:
    """Refuse what was gathered when it breaks a constraint of the goal. Rejected: policy_block."""
    if tx.load(goal_id, GOAL).contract.get("constraints"):
        from goal_ledger.ledger.goals import conditions

        conditions.check_constraints(tx, goal_id, run_id)


def classified(tx: Tx, run_id: str, finish: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `finish` after the failure conditions of the goal were asked; see `conditions.classified`."""
    goal_id = tx.load(run_id, RUN).goal_id
    if not goal_id or not tx.load(goal_id, GOAL).contract.get("failure_conditions"):
        return finish
    from goal_ledger.ledger.goals import conditions

    return conditions.classified(tx, run_id, finish)
