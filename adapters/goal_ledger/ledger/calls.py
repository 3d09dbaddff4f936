"""Ways out as calls in Python."""

from json import dumps

from goal_ledger.domain.errors import Blank, Call, Hint, Value

_CAPABILITIES = {
    "check": "history",
    "kr": "key_results",
    "learn": "learning",
    "ledger": "log",
    "projection": "views.rebuilds",
}
"""Nouns of the command line whose property of the ledger is not their plural."""

_METHODS = {
    "follow": "events",
    "next": "work.next",
    "next claim": "work.claim",
    "projection list": "views.rebuilds.status",
    "projection rebuild no_swap": "views.rebuilds.build",
    "projection retry": "views.repairs.retry",
    "rule rollback": "rules.roll_back",
    "session report": "sessions.get",
    "settings show": "settings.model_dump",
    "tick": "tick",
}
"""Calls whose method is called otherwise than their verb, and those where a flag chooses another method."""


def as_call(hint: str) -> str:
    """The hint with its calls in Python, e.g. `ledger.goals.ready("goal_1")`; words stay as they are.

    A name in upper case, or "…", is for the caller to fill in. Where the refused call is meant once more, its arguments
    alone are named.
    """
    if not isinstance(hint, Hint):
        return hint
    return "".join(_written(part) if isinstance(part, Call) else part for part in hint.parts)


def _written(call: Call) -> str:
    options = dict(call.options)
    ledger = "ledger" if (where := options.pop("db", None)) is None else f"Ledger.open({_value(where)})"
    method = _method(call, options) if call.noun else ""
    arguments = [*map(_value, call.arguments), *(_option(name, value) for name, value in options.items())]
    return f"{ledger}.{method}({', '.join(arguments)})" if method else ", ".join(arguments)


def _method(call: Call, options: dict[str, Value]) -> str:
    """The capability and its method; a flag that chooses the method is no argument any more."""
    name = " ".join(filter(None, (call.noun, call.verb)))
    for flag in [flag for flag, value in options.items() if value is True]:
        if (chosen := _METHODS.get(f"{name} {flag}")) is not None:
            del options[flag]
            return chosen
    verb = "get" if call.verb == "show" else call.verb.replace("-", "_")
    return _METHODS.get(name) or f"{_CAPABILITIES.get(call.noun, call.noun + 's')}.{verb}"


def _option(name: str, value: Value) -> str:
    return name if value == Blank("") else f"{name}={_value(value)}"


def _value(value: Value) -> str:
    if isinstance(value, Blank):
        shown = value.shown
        return shown if isinstance(shown, str) and shown.isidentifier() else _value(shown)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
