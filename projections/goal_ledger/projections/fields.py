"""What the fields of rows hold, for conditions about them."""

from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from goal_ledger.domain.conditions import Kind

_PLAIN: dict[type, Kind] = {
    str: Kind("text"),
    bool: Kind("truth"),
    int: Kind("number"),
    float: Kind("number"),
    Decimal: Kind("number", exact=True),
}
_OTHER_TIMES = {"time_horizon": ("ongoing",)}  # and the words that stand there instead of a time


def kinds(row: type[Any]) -> dict[str, Kind]:
    """The fields that can be compared with a value, by name; lists and objects cannot."""
    return {field: kind for field, hint in get_type_hints(row).items() if (kind := _kind(field, hint)) is not None}


def _kind(field: str, hint: Any) -> Kind | None:
    if isinstance(hint, UnionType) or get_origin(hint) is UnionType:
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    if hint is str and (field.endswith("_at") or field in _OTHER_TIMES):
        return Kind("time", _OTHER_TIMES.get(field, ()))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Kind("word", tuple(hint))
    return _PLAIN.get(hint)
