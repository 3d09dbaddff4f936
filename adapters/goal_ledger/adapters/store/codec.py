"""Events as stored bytes and back: validation before anything is appended, upcasting when it is read."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from goal_ledger.domain.base import Event, Recorded, Unreadable, invalid
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.registry import EVENTS, NAMES

StoredRow = tuple[int, str, int, str, bytes]
"""position, stream, version, name, body."""


def envelope(*, at: str, occurred_at: str | None, by: str, command: tuple[str, str] | None, cause: int | None) -> bytes:
    """What the events of one wish have in common, as their bodies hold it; command: its id and the digest of the wish.

    Invalid: bad_text.
    """
    try:
        shared = orjson.dumps(
            {
                "at": at,
                "occurred_at": occurred_at,
                "by": by,
                "command": None if command is None else {"id": command[0], "digest": command[1]},
                "cause": cause,
            }
        )
    except TypeError as error:
        raise unstorable(error) from None
    return shared[1:-1]


def encode(event: Event, shared: bytes, *, text_limit: int) -> bytes:
    """The stored body of an event: `{"v": …, what it shares with others, "data": {…}}`. shared: see `envelope`.

    Invalid: bad_text (NUL, lone surrogates), text_too_long, bad_number.
    """
    data = {name: value for name, value in event.__dict__.items() if value is not None}
    try:
        written = orjson.dumps(data, default=_as_json)
    except TypeError as error:
        raise unstorable(error) from None
    if len(written) > text_limit or b"\\u0000" in written:
        check_text(data, text_limit)
    return b'{"v":%d,%b,"data":%b}' % (event.schema_version, shared, written)


def digest(position: int, stream: str, version: int, name: str, body: bytes) -> bytes:
    """What `verify` compares: a change of any of the five shows."""
    return sha256(f"{position}\0{stream}\0{version}\0{name}\0".encode() + body).digest()


def unstorable(error: TypeError) -> Invalid:
    """Why orjson refused a value, in our words."""
    words = str(error)
    if "surrogate" in words or "UTF-8" in words:
        return Invalid("bad_text", "text holds a lone surrogate, which is not a character")
    return Invalid("bad_number", f"a value cannot be stored: {words}")


def check_text(value: Any, limit: int) -> None:
    """Refuse text that is too long or holds NUL, however deep it stands. Invalid: bad_text, text_too_long."""
    if isinstance(value, str):
        if "\0" in value:
            raise Invalid("bad_text", "text holds a NUL character")
        if len(value) > limit:
            raise Invalid(
                "text_too_long",
                f"text of {len(value):,} characters; the limit is {limit:,}",
                hint="shorten it, keep it elsewhere and store a reference, or raise text_limit",
            )
    elif isinstance(value, BaseModel):
        check_text(value.__dict__, limit)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_text(key, limit)
            check_text(item, limit)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_text(item, limit)


def occurred_at(row: StoredRow) -> str | None:
    """When a stored event was true; None when nobody knows, or its body is damaged."""
    return _text(_envelope(row), "occurred_at")


def _unreadable(row: StoredRow, problem: str, *, newer: bool = False) -> Unreadable:
    """The event that this code does not understand, with what stands beside it."""
    position, stream, version, name, _ = row
    said = _envelope(row)
    command, cause = said.get("command"), said.get("cause")
    return Unreadable(
        position, stream, version, name, problem, newer,
        at=_text(said, "at"), occurred_at=_text(said, "occurred_at"), by=_text(said, "by"),
        command=_text(command, "id") if isinstance(command, dict) else None,
        cause=cause if type(cause) is int else None,
    )  # fmt: skip


def _envelope(row: StoredRow) -> dict[str, Any]:
    """What the body of a stored event says, as far as it says anything."""
    try:
        said = orjson.loads(row[4])
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) else None


class Codec:
    """Reads stored rows as the events of a registry."""

    def __init__(self, events: Mapping[str, type[Event]] = EVENTS) -> None:
        self._events = events
        self._readers: dict[str, tuple[int, Callable[[Any], Event]]] = {}

    def decode(self, row: StoredRow) -> Recorded | Unreadable:
        """The event in its present version; `Unreadable` says what this code does not understand."""
        position, stream, version, name, body = row
        try:
            stored_version, read = self._readers.get(name) or self._reader(name)
        except KeyError:
            return _unreadable(row, "unknown event, written by newer code", newer=True)
        try:
            envelope = orjson.loads(body)
            data = envelope["data"]
            if envelope["v"] != stored_version:
                data = self._upcast(name, envelope["v"], data)
            command = envelope["command"]
            place = (position, stream, version, name, envelope["at"], envelope["occurred_at"], envelope["by"])
            command_id = None if command is None else command["id"]
            # The tuple's own constructor: half the time of the one that takes names.
            return tuple.__new__(Recorded, (*place, command_id, envelope["cause"], read(data)))
        except _NotUpcast as error:
            return _unreadable(row, str(error), newer=error.newer)
        except ValidationError as error:
            return _unreadable(row, invalid(error).message)
        except Exception as error:  # a damaged body or a mistaken upcast must not stop the reader
            return _unreadable(row, f"{type(error).__name__}: {error}")

    def _reader(self, name: str) -> tuple[int, Callable[[Any], Event]]:
        event_type = self._events[name]
        event_type.model_rebuild()  # classes are built when first needed
        reader = self._readers[name] = (event_type.schema_version, event_type.__pydantic_validator__.validate_python)
        return reader

    def _upcast(self, name: str, stored: int, data: dict[str, Any]) -> dict[str, Any]:
        event_type = self._events[name]
        if stored > event_type.schema_version:
            raise _NotUpcast(f"version {stored} of {name} was written by newer code", newer=True)
        for version in range(stored, event_type.schema_version):
            upcast = getattr(event_type, f"upcast_v{version}", None)
            if upcast is None:
                raise _NotUpcast(f"there is no upcast_v{version} of {name}")
            try:
                data = upcast(data)
            except Exception as error:
                raise _NotUpcast(f"upcast_v{version} of {name} failed: {type(error).__name__}: {error}") from error
        return data


class _NotUpcast(Exception):
    """Data of another version that cannot be brought to the present one."""

    def __init__(self, problem: str, *, newer: bool = False) -> None:
        super().__init__(problem)
        self.newer = newer


def name_of(event: Event) -> str:
    """The stored name. An event that is not in the registry is a mistake of the programmer."""
    return NAMES[type(event)]


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: said for name, said in value.__dict__.items() if said is not None}
    raise TypeError(f"{type(value).__name__} is not JSON")
