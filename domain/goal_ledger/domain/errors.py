"""What can go wrong, by what a caller would do about it. Codes are stable; messages are one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

STREAM = "{stream}"
"""Stands in a hint for the stream acted on, which a decision does not know."""


class Blank(NamedTuple):
    """A value that the caller fills in. shown: its name or an example; empty where the argument's name says enough."""

    shown: str | float = "…"


Value = str | float | Blank | tuple[str | Blank, ...] | None


class Call(NamedTuple):
    """One call that a hint names.

    noun, verb: as on the command line; the verb is empty where the noun stands alone, both are where the refused call
    is meant once more. arguments: by position. options: by the name of the argument; True for one that is only named.
    """

    noun: str
    verb: str
    arguments: tuple[Value, ...]
    options: Mapping[str, Value]

    def about(self, stream: str) -> Call:
        """The call with the stream that was acted on."""
        return self._replace(arguments=tuple(stream if value == STREAM else value for value in self.arguments))

    def __str__(self) -> str:
        options = [name if _is_named(value) else f"{name}={_plain(value)}" for name, value in self.options.items()]
        words = [self.noun, self.verb, *map(_plain, self.arguments), *options]
        return " ".join(word for word in words if word)


class Hint(str):
    """A way out as data: a call, or several, with words around them. `Hint("loop", "list") + " shows them"`.

    parts: the words and the calls, in order. As a text it reads "goal ready goal_1"; the command line shows a line for
    the shell, `goal_ledger.ledger.as_call` a call in Python.
    """

    parts: tuple[str | Call, ...]

    def __new__(cls, noun: str = "", verb: str = "", /, *arguments: Value, **options: Value) -> Self:
        return cls.of(Call(noun, verb, arguments, options))

    @classmethod
    def of(cls, *parts: str | Call) -> Self:
        """The hint that is made of these words and calls."""
        hint = super().__new__(cls, "".join(map(str, parts)))
        hint.parts = parts
        return hint

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls, in the order in which they are made."""
        return tuple(part for part in self.parts if isinstance(part, Call))

    def about(self, stream: str) -> Self:
        """The hint with the stream that was acted on."""
        return self.of(*(part.about(stream) if isinstance(part, Call) else part for part in self.parts))

    def __add__(self, more: str) -> Self:
        return self.of(*self.parts, *_parts(more))

    def __radd__(self, before: str) -> Self:
        return self.of(*_parts(before), *self.parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).of, self.parts


def _parts(hint: str) -> tuple[str | Call, ...]:
    return hint.parts if isinstance(hint, Hint) else (hint,)


def _is_named(value: Value) -> bool:
    return value is True or value == Blank("")


def _plain(value: Value) -> str:
    if isinstance(value, tuple) and not isinstance(value, Blank):
        return " ".join(map(_plain, value))
    text = str(value.shown if isinstance(value, Blank) else "" if value is None else value)
    return text if text and " " not in text else f'"{text}"'


class LedgerError(Exception):
    """Any refusal or failure of the ledger.

    code: stable, snake_case. hint: the way out, in words or as a `Hint`; `STREAM` in it is filled with the stream acted
    on.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def about(self, stream: str) -> None:
        """Fill the hint with the stream that was acted on."""
        if isinstance(self.hint, Hint):
            self.hint = self.hint.about(stream)
        elif self.hint is not None:
            self.hint = self.hint.replace(STREAM, stream)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is raised in a pool of processes is pickled; an `Exception` calls its class with the message alone.
        return _bare, (type(self), *self.args), self.__dict__


def _bare(kind: type[LedgerError], *args: object) -> LedgerError:
    return kind.__new__(kind, *args)


class Unavailable(LedgerError):
    """The machine said no: disk full, file not writable, a file that is no ledger. Nothing was written."""


class Invalid(LedgerError):
    """The input has the wrong shape: type, range, text. Correct it and call again."""

    exit_code = 2


class Rejected(LedgerError):
    """A rule refuses the wish in the present state. Nothing was written."""

    exit_code = 3


class Conflict(LedgerError):
    """Somebody else was first: the caller's expected version is gone, or the lock stayed busy. Load again and retry."""

    exit_code = 4


class NotFound(LedgerError):
    """There is no such goal, run or ledger."""

    exit_code = 5


class Damaged(LedgerError):
    """The stored history is not what was written. Verify, then restore a backup.

    problems: every finding, in order of position.
    """

    exit_code = 6

    def __init__(self, code: str, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()) -> None:
        super().__init__(code, message, hint=hint)
        self.problems = problems
