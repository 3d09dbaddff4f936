"""Two examples of every event: with everything said, and with the least that must be said.

They are made from the types of its fields; where a rule wants more than a type says, they stand in `GIVEN`. Once
`python -m tests.golden.write` has written the golden file of an event, its examples are those in the file.
"""

from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from goal_ledger.domain.base import Event
from goal_ledger.domain.continuity.session import OpenLoops, listed
from goal_ledger.domain.goals.goal import GoalAmended
from goal_ledger.domain.policies import Considered, Receipt

M = TypeVar("M", bound=BaseModel)

SAID = "Quotes \" ' `, a line\nbreak, a \\ and \u2028, العربية, 🌙 — said."
RECEIPT = Receipt(
    policy="router@1",
    settings_digest="0123456789abcdef",
    position=2**53,
    candidates=(
        Considered(id="goal_01KJ7E0WM0JN74MNPW0ARN644K", score=1.75, why=SAID),
        Considered(id="goal_01KJ7E0WM1JN74MNPW0ARN644K", score=0.4, why=""),
    ),
    count=2,
    digest="fedcba9876543210",
    chosen="goal_01KJ7E0WM0JN74MNPW0ARN644K",
    propensity=0.5,
    seed=-7,
)
NONE = listed(())
NO_LOOPS = OpenLoops(pending_retry=NONE, clarification=NONE, follow_up=NONE)

GIVEN: dict[type[Event], tuple[Event, ...]] = {
    GoalAmended: (
        GoalAmended(changes={"priority": 1, "owner_agent": None}, was={"priority": 3, "owner_agent": "a"}, reason=SAID),
        GoalAmended(changes={}, was={}),
    ),
}
"""Examples that follow rules, as that the fields of a contract are its fields."""

_TIMES = ("_at", "_until", "not_before", "since", "until")
_OBJECT = {"évidence": [1, -(2**63), 1e-7, {"deep": None}], "z": True, "a": SAID}


def made(event_type: type[Event]) -> tuple[Event, ...]:
    """The examples of an event that has none in a file; always the same. One, when nothing may be left out."""
    if event_type in GIVEN:
        return GIVEN[event_type]
    full, least = _full(event_type), _least(event_type)
    return (full,) if all(field.is_required() for field in event_type.model_fields.values()) else (full, least)


def _full(model: type[M]) -> M:
    return model(
        **{name: _value(name, field.annotation, field, full=True) for name, field in model.model_fields.items()}
    )


def _least(model: type[M]) -> M:
    needed = {name: field for name, field in model.model_fields.items() if field.is_required()}
    return model(**{name: _value(name, field.annotation, field, full=False) for name, field in needed.items()})


def _value(name: str, kind: Any, field: FieldInfo, *, full: bool) -> Any:
    """A value of a type that is not its default, and says something when it is to be full."""
    limits, origin = list(field.metadata), get_origin(kind)
    if origin in (Union, UnionType):
        [kind] = [part for part in get_args(kind) if part is not NoneType]
        origin = get_origin(kind)
    if origin is Annotated:
        kind, *more = get_args(kind)
        limits += [limit for each in more if isinstance(each, FieldInfo) for limit in each.metadata]
        origin = get_origin(kind)
    if origin is tuple:
        return (_value(name, get_args(kind)[0], field, full=full),) if full else ()
    if origin is dict:
        return _OBJECT if full else {}
    if origin is Literal:
        return get_args(kind)[-1]
    if issubclass(kind, BaseModel):
        return _full(kind) if full else _least(kind)
    if issubclass(kind, StrEnum):
        return list(kind)[-1]
    if kind is bool:
        return field.default is not True
    if kind is str:
        return _text(name, full=full)
    return _number(kind, limits)


def _text(name: str, *, full: bool) -> str:
    if name.endswith(_TIMES):
        return "2026-02-24T09:01:00.000000Z"
    if name.endswith(("_id", "_ids")):
        return f"{name.removesuffix('s').removesuffix('_id')}_01KJ7E0WM0JN74MNPW0ARN644K"
    return f"{name}: {SAID}" if full else name


def _number(kind: type, limits: list[Any]) -> Any:
    """A number between its limits."""
    found = {end: getattr(limit, end) for limit in limits for end in ("gt", "ge", "le") if hasattr(limit, end)}
    if kind is Decimal:
        return Decimal("0.20")
    if kind is float:
        return 0.1 + 0.2 if found.get("le", 1) >= 1 else found["le"] / 3
    return max(found.get("ge", 0), min(7, found.get("le", 7)))
