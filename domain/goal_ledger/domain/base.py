"""The vocabulary every capability shares: Event, Recorded, Decider."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, ParamSpec, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from goal_ledger.domain.errors import Invalid

LARGEST_INT = 2**63 - 1


class Payload(BaseModel):
    """Typed data, frozen and strict: nothing is coerced, no field is unknown, no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Event(Payload):
    """A fact, past tense: its fields are what happened; who, when and where stand in `Recorded`.

    Fields whose value is None are not stored, so None means "not said". stored: the name under which it is stored,
    `<capability>.<what happened>`, never renamed; a class without one is there to be derived from.
    """

    stored: ClassVar[str]
    schema_version: ClassVar[int] = 1

    reason: str | None = None


class Recorded(NamedTuple):
    """An event with its place in history.

    position: global order, from 1, gapless. version: order in the stream, from 1.
    at: when it was recorded; occurred_at: when it was true, None when unknown (both UTC text, see `times`).
    by: the actor, e.g. `agent:planner`. command: the caller's command id. cause: the position that led to it.
    """

    position: int
    stream: str
    version: int
    name: str
    at: str
    occurred_at: str | None
    by: str
    command: str | None
    cause: int | None
    event: Event


class Unreadable(NamedTuple):
    """A stored event that this code does not understand, and why. newer: newer code wrote it, so nothing is wrong.

    It can be asked for all that `Recorded` has: `event` is None, and so is what cannot be read beside it.
    """

    position: int
    stream: str
    version: int
    name: str
    problem: str
    newer: bool = False
    at: str | None = None
    occurred_at: str | None = None
    by: str | None = None
    command: str | None = None
    cause: int | None = None

    @property
    def event(self) -> None:
        """None: it cannot be read."""
        return None


S = TypeVar("S")
E = TypeVar("E", bound=Event)


class Decider(Generic[S]):
    """Folds the events of one stream into the state that its decisions read.

    kind: what the aggregate is called in messages, e.g. `goal`. recent: the state follows from so many last events,
    however long the stream; None: from all of them.
    """

    def __init__(self, kind: str, initial: S, *, recent: int | None = None) -> None:
        self.kind = kind
        self.initial = initial
        self.recent = recent
        self._handlers: dict[type[Event], Callable[[S, Any], S]] = {}

    def on(self, *types: type[E]) -> Callable[[Callable[[S, E], S]], Callable[[S, E], S]]:
        """Register how the state evolves on events of these types."""

        def register(handler: Callable[[S, E], S]) -> Callable[[S, E], S]:
            for event_type in types:
                self._handlers[event_type] = handler
            return handler

        return register

    def evolve(self, state: S, event: Event) -> S:
        """The state after the event; events that no decision reads leave it as it is."""
        handler = self._handlers.get(type(event))
        return state if handler is None else handler(state, event)


P = ParamSpec("P")
R = TypeVar("R")

_NAMED: defaultdict[str, list[Callable[..., Any]]] = defaultdict(list)


def operation(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name a decision, or a method that makes a wish: the name is stored with command ids and never changes.

    name: `<kind>.<verb>`. The function may be renamed, moved and given optional arguments.
    """

    def attach(function: Callable[P, R]) -> Callable[P, R]:
        setattr(function, "__operation__", name)  # noqa: B010  a function's type has no such attribute
        _NAMED[name].append(function)
        return function

    return attach


def operation_of(decider: Decider[Any], decide: Callable[..., Any]) -> str:
    """The stored name of a decision; kind and function name when `operation` gave it none."""
    name: str | None = getattr(decide, "__operation__", None)
    return name or f"{decider.kind}.{decide.__name__}"


def named(operation: str) -> Sequence[Callable[..., Any]]:
    """The functions that `operation` gave this name."""
    return _NAMED.get(operation, ())


def invalid(error: ValidationError) -> Invalid:
    """pydantic's findings as one of our errors, on one line; the offending values are not repeated."""
    findings = [
        (".".join(str(part) for part in found["loc"]) or "value")
        + ": "
        + found["msg"].removeprefix("Value error, ").lower()
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Invalid("invalid_value", "; ".join(findings[:3]) + (" …" if len(findings) > 3 else ""))


_SIMPLE = frozenset({str, bool, type(None)})


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if not -LARGEST_INT - 1 <= value <= LARGEST_INT:
            raise ValueError("integers are limited to 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("numbers must be finite")
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("keys must be text")
        return {key: _plain(item) for key, item in value.items()}
    raise ValueError(f"{type(value).__name__} is not JSON")


def _as_plain(value: dict[str, Any]) -> dict[str, Any]:
    """A copy, as it will read back: what the caller changes later does not reach the event."""
    try:
        return {key: item if type(item) in _SIMPLE else _plain(item) for key, item in value.items()}
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decimal_input(value: Any) -> Any:
    # bool is an int to Decimal, and a float stands for the decimal that it prints as.
    if isinstance(value, bool):
        raise ValueError("a decimal number is needed")
    return str(value) if isinstance(value, float) else value


Json = Annotated[dict[str, Any], AfterValidator(_as_plain)]
"""Free-form data: what JSON can hold, numbers finite and within 64 bits."""

Texts = Annotated[tuple[str, ...], Field(strict=False)]
"""A list of text, in order."""

Money = Annotated[Decimal, BeforeValidator(_decimal_input), Field(strict=False, ge=0, max_digits=24)]
"""An exact, non-negative amount; stored as text."""

Count = Annotated[int, Field(ge=0, le=LARGEST_INT)]
Tokens = Annotated[int, Field(ge=0, le=10**15)]
"""Small enough that the sum of thousands still fits 64 bits."""
Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
"""0.0 to 1.0."""
