"""What done means: one list of criteria, some of them measured."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from goal_ledger.domain.base import Payload, invalid
from goal_ledger.domain.errors import Invalid

Op = Literal["<", "<=", ">", ">=", "="]

_MEASURED = re.compile(
    r"\s*(?P<metric>.*?[^\s<>=])\s*(?P<op><=|>=|<|>|=)\s*(?P<target>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>\S*)\s*"
)


class Criterion(Payload):
    """One condition of done.

    metric, op, target, unit: set when it is measured, e.g. error rate < 1 %. weight: its share of progress, any scale.
    required: an optional criterion may stay open when the goal completes.
    """

    id: str
    text: str
    metric: str | None = None
    op: Op | None = None
    target: float | None = None
    unit: str | None = None
    weight: Annotated[float, Field(gt=0)] = 1.0
    required: bool = True


def measured(text: str) -> dict[str, object]:
    """Read a measured criterion like `error rate < 1%`.

    Invalid: bad_metric.
    """
    match = _MEASURED.fullmatch(text)
    if match is None:
        raise Invalid(
            "bad_metric",
            f"{text!r} is not a measurable condition",
            hint='write it like "error rate < 1%" or "uptime >= 99.9"',
        )
    found = match.groupdict()
    return {
        "text": text.strip(),
        "metric": found["metric"],
        "op": found["op"],
        "target": float(found["target"]),
        "unit": found["unit"] or None,
    }


def numbered(criteria: Iterable[Criterion | Mapping[str, Any] | str]) -> tuple[Criterion, ...]:
    """Criteria as given, plain text among them; those without an id are c1, c2 … by their place.

    Invalid: invalid_value, also when two have the same id.
    """
    if isinstance(criteria, (str, Mapping)) or not isinstance(criteria, Iterable):
        raise Invalid("invalid_value", "criteria: a list is needed", hint='e.g. ["error rate < 1%"]')
    typed = []
    for number, given in enumerate(criteria, start=1):
        if isinstance(given, Criterion):
            typed.append(given)
            continue
        if not isinstance(given, (str, Mapping)):
            raise Invalid("invalid_value", f"criteria.{number}: text or its fields are needed")
        fields = {"text": given} if isinstance(given, str) else given
        try:
            typed.append(Criterion.model_validate({"id": f"c{number}", **fields}))
        except ValidationError as error:
            raise invalid(error) from None
    seen: set[str] = set()
    for criterion in typed:
        if criterion.id in seen:
            raise Invalid("invalid_value", f"criteria: two have the id {criterion.id!r}")
        seen.add(criterion.id)
    return tuple(typed)
