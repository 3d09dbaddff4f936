"""Ways out as lines for the shell."""

import shlex
from collections.abc import Iterator

from goal_ledger.cli.frame.app import PROGRAM
from goal_ledger.domain.errors import Blank, Call, Hint, Value

_OPTIONS = {"arms": "arm", "budget_usd": "budget", "goal_id": "goal", "local_outcome": "outcome", "run_id": "run"}
"""Options that have another name than the argument in Python."""

_NOT_PLAIN = frozenset('"\\$`!')  # what double quotes would let the shell read


def line(hint: str) -> str:
    """The hint with its calls as they are typed; words stay as they are."""
    if not isinstance(hint, Hint):
        return hint
    return "".join(_line(part) if isinstance(part, Call) else part for part in hint.parts)


def _line(call: Call) -> str:
    options = dict(call.options)
    words = []
    if call.noun:
        where = options.pop("db", None)
        words = [PROGRAM, *(() if where is None else ("--db", shlex.quote(str(where)))), call.noun]
    if call.verb:
        words.append(call.verb)
    for value in call.arguments:
        words += map(_quoted, _each(value))
    for name, value in options.items():
        option = "--" + _OPTIONS.get(name, name).replace("_", "-")
        if value is True or value == Blank(""):
            words.append(option)
        else:
            words += (f"{option} {_quoted(each)}" for each in _each(value))
    return " ".join(words)


def _each(value: Value) -> Iterator[str | float | None]:
    """What is typed for a value, one by one; an empty text takes a value away."""
    if isinstance(value, tuple) and not isinstance(value, Blank):
        for each in value:
            yield from _each(each)
    else:
        yield value.shown if isinstance(value, Blank) else value


def _quoted(value: str | float | None) -> str:
    text = "" if value is None else str(value)
    quoted = shlex.quote(text)
    return quoted if quoted == text or not text or _NOT_PLAIN.intersection(text) else f'"{text}"'
