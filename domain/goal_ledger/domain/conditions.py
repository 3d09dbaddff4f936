"""Conditions: a small language over rows, e.g. `run.local_outcome = failed and run.attempt > 1`.

    condition   := all ("or" all)*
    all         := part ("and" part)*
    part        := "not" part | "(" condition ")" | comparison | count
    comparison  := noun "." field op value | noun "." field "in" "(" value ("," value)* ")"
    count       := "count" "(" condition ")" op whole-number
    op          := "=" | "!=" | "<" | "<=" | ">" | ">="

A noun stands for one row of its kind; `count` looks at all of them, and is about one noun. A value is a bare word,
text in quotes (a backslash before a quote inside), a number, a time, `true`, `false` or `none`; what it may be follows
from the field. Times are compared in UTC. What is unknown (none) equals none only, and has no order.

A noun may have one field without a name, `now >= 2026-03-01`. Where rows may be named by their ids, there is more:

    comparison  := noun "(" id ")" "." field …
    part        := "sum" "(" noun "." field ")" op number
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, NamedTuple, NoReturn

from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.times import parse_utc, utc_text

LONGEST = 1_000
"""Characters of a condition."""

DEEPEST = 20
"""Parentheses, counts and negations inside each other."""

Op = Literal["=", "!=", "<", "<=", ">", ">=", "in"]


class Kind(NamedTuple):
    """What a field holds. words: all it can hold, for `word`; what it can hold beside times, for `time`.

    exact: a number that is a Decimal.
    """

    name: Literal["text", "word", "number", "truth", "time"]
    words: tuple[str, ...] = ()
    exact: bool = False


Nouns = Mapping[str, Mapping[str, Kind]]
"""What conditions may speak of: for each noun, the fields of its rows."""


class Instant(str):
    """A time in a condition, as rows store it."""

    __slots__ = ()


Value = str | int | float | Decimal | bool | None


class Comparison(NamedTuple):
    """value: a tuple of them for `in`. id: names the row, when it is not the one that the noun stands for."""

    noun: str
    field: str
    op: Op
    value: Value | tuple[Value, ...]
    id: str | None = None


class Count(NamedTuple):
    """How many rows fulfil a condition, compared with a number."""

    condition: Condition
    op: Op
    number: int


class Sum(NamedTuple):
    """The known values of a field added up over all rows, compared with a number; 0 when none is known."""

    noun: str
    field: str
    op: Op
    number: int | float | Decimal


class Not(NamedTuple):
    part: Condition


class Logic(NamedTuple):
    """All parts (`and`), or one of them (`or`)."""

    word: Literal["and", "or"]
    parts: tuple[Condition, ...]


Condition = Comparison | Count | Sum | Not | Logic


# --- Asking


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
}  # fmt: skip
_ORDERING = frozenset({"<", "<=", ">", ">="})


def holds(condition: Condition, rows: Mapping[str, Any], totals: Mapping[Any, Any]) -> bool:
    """Whether it holds.

    rows: a row for each noun and for each id that is named; without one, its fields are none. For a field without a
    name the value itself. totals: for each `Count` how many rows fulfil its condition, for each `Sum` what it comes to.
    """
    if isinstance(condition, Comparison):
        noun, field, op, wanted, row_id = condition
        row = rows.get(noun if row_id is None else row_id)
        value = row if row is None or not field else getattr(row, field)
        if op in _ORDERING and (value is None or (isinstance(wanted, Instant) and not value[:1].isdecimal())):
            return False  # unknown, or a word where a time could stand
        return _COMPARE[op](value, wanted)
    if isinstance(condition, Logic):
        parts = (holds(part, rows, totals) for part in condition.parts)
        return all(parts) if condition.word == "and" else any(parts)
    if isinstance(condition, Not):
        return not holds(condition.part, rows, totals)
    return _COMPARE[condition.op](totals[condition], condition.number)


_OPPOSITE: dict[Op, Op] = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def negated(condition: Condition) -> Condition:
    """What holds when it is broken: unlike with `not`, what is unknown breaks no order."""
    if isinstance(condition, Not):
        return condition.part
    if isinstance(condition, Logic):
        return Logic("or" if condition.word == "and" else "and", tuple(map(negated, condition.parts)))
    return Not(condition) if condition.op == "in" else condition._replace(op=_OPPOSITE[condition.op])


def leaves(condition: Condition) -> Iterator[Comparison | Count | Sum]:
    """The comparisons, counts and sums that it is made of; what stands inside a count is not looked at."""
    if isinstance(condition, Logic):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        yield condition


def nouns_of(condition: Condition) -> frozenset[str]:
    """The nouns that stand for one row: those outside of counts, and not of a row that is named."""
    return frozenset(leaf.noun for leaf in leaves(condition) if isinstance(leaf, Comparison) and leaf.id is None)


def named_in(condition: Condition) -> frozenset[tuple[str, str]]:
    """The rows that it names: noun and id of each."""
    compared = [leaf for leaf in leaves(condition) if isinstance(leaf, Comparison)]
    return frozenset((leaf.noun, leaf.id) for leaf in compared if leaf.id is not None)


# --- Writing


_BARE = re.compile(r"[\w.:@/+-]+")
_KEYWORDS = frozenset({"and", "or", "not", "in", "count"})


def write(condition: Condition) -> str:
    """The condition as text that parses to the same one."""
    if isinstance(condition, Logic):
        # `and` binds tighter; parentheses stand only where they change something, so that nothing nests deeper.
        return f" {condition.word} ".join(
            f"({write(part)})" if isinstance(part, Logic) and part.word in ("or", condition.word) else write(part)
            for part in condition.parts
        )
    if isinstance(condition, Not):
        inner = write(condition.part)
        return f"not ({inner})" if isinstance(condition.part, Logic) else f"not {inner}"
    if isinstance(condition, Count):
        return f"count({write(condition.condition)}) {condition.op} {condition.number}"
    if isinstance(condition, Sum):
        return f"sum({condition.noun}.{condition.field}) {condition.op} {condition.number}"
    value = condition.value
    said = f"({', '.join(map(_write_value, value))})" if isinstance(value, tuple) else _write_value(value)
    noun = condition.noun if condition.id is None else f"{condition.noun}({_write_value(condition.id)})"
    return f"{noun}{'.' * bool(condition.field)}{condition.field} {condition.op} {said}"


def _write_value(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str) or (_BARE.fullmatch(value) and value not in _KEYWORDS | {"none"}):
        return str(value)
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


# --- Reading


_ACTING = re.compile(r"[=<>]|\bin\s*\(")


def is_prose(text: str) -> bool:
    """Whether a text holds no operator, so that it is meant for people and is no condition."""
    return _ACTING.search(text) is None


def parse(text: str, nouns: Nouns, *, named: bool = False) -> Condition:
    """The condition that a text says.

    named: rows may be named by their ids, and values added up.

    Invalid: bad_condition, with the column where it goes wrong.
    """
    if len(text) > LONGEST:
        raise Invalid("bad_condition", f"a condition of {len(text):,} characters; the limit is {LONGEST:,}")
    return _Parser(text, nouns, named=named).whole()


class _Token(NamedTuple):
    """kind: `op`, `mark`, `quoted`, `word` or `end`. at: its column, from 1."""

    kind: str
    text: str
    at: int


_TOKEN = re.compile(
    r"(?P<op>!=|<=|>=|[=<>])|(?P<mark>[(),])"
    r"""|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>[^\s()=!<>,"']+)""",
    re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_SHOWN = 30  # characters of a fragment
_NEEDED = {"word": "a word", "number": "a number", "truth": "true or false", "time": "a time like 2026-02-24T09:00:00Z"}


class _Parser:
    """By recursive descent; every method reads from the present token on."""

    def __init__(self, text: str, nouns: Nouns, *, named: bool) -> None:
        self._nouns = nouns
        self._named = named
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._logic("or")
        if self._token.kind != "end":
            _refuse(self._token, f"`and`, `or` or the end is needed here, not {_shown(self._token)}")
        return condition

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next += token.kind != "end"
        return token

    def _said(self, text: str) -> bool:
        """Whether this keyword or mark stands here; it is taken."""
        if self._token.kind in ("word", "mark") and self._token.text == text:
            self._next += 1
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._said(mark):
            _refuse(self._token, f"`{mark}` is needed here, not {_shown(self._token)}")

    def _logic(self, word: Literal["and", "or"]) -> Condition:
        parts = [self._below(word)]
        while self._said(word):
            parts.append(self._below(word))
        return parts[0] if len(parts) == 1 else Logic(word, tuple(parts))

    def _below(self, word: Literal["and", "or"]) -> Condition:
        return self._logic("and") if word == "or" else self._part()

    def _part(self) -> Condition:
        start = self._token
        self._depth += 1
        if self._depth > DEEPEST + 1:
            _refuse(start, f"{_shown(start)} is nested deeper than {DEEPEST}")
        part: Condition
        if self._said("not"):
            part = Not(self._part())
        elif self._said("("):
            part = self._logic("or")
            self._need(")")
        elif start.text == "count" and self._opens():
            part = self._count()
        elif start.text == "sum" and self._named and self._opens():
            part = self._sum()
        else:
            part = self._comparison()
        self._depth -= 1
        return part

    def _opens(self) -> bool:
        """Whether a parenthesis follows the present token."""
        return self._token.kind == "word" and self._tokens[self._next + 1].text == "("

    def _sum(self) -> Sum:
        self._take()
        self._need("(")
        token = self._take()
        noun, field, kind = self._field(token, token.text)
        if kind.name != "number":
            _refuse(token, f"{_shown(token)} is no number that could be added up")
        self._need(")")
        op = self._op("a sum")
        number = self._token
        value = self._value("a sum", kind)
        if value is None or isinstance(value, (str, bool)):
            _refuse(number, f"a sum is compared with a number, not {_shown(number)}")
        return Sum(noun, field, op, value)

    def _count(self) -> Count:
        start = self._take()
        self._need("(")
        condition = self._logic("or")
        self._need(")")
        if any(not isinstance(leaf, Comparison) for leaf in leaves(condition)):
            _refuse(start, "a count or a sum cannot stand inside a count")
        if named_in(condition) or any(not leaf.field for leaf in leaves(condition) if isinstance(leaf, Comparison)):
            _refuse(start, "a count looks at the fields of the rows that it counts, and at nothing else")
        if len(about := sorted(nouns_of(condition))) > 1:
            _refuse(start, f"a count is about the rows of one noun, not of {' and '.join(about)}")
        op = self._op("a count")
        number = self._take()
        if not re.fullmatch(r"[0-9]{1,18}", number.text):
            _refuse(number, f"a count is compared with a whole number, not {_shown(number)}")
        return Count(condition, op, int(number.text))

    def _comparison(self) -> Comparison:
        named = self._take()
        if named.kind != "word" or named.text in _KEYWORDS:
            _refuse(named, f"a comparison is needed here, not {_shown(named)}")
        row_id, said = None, named.text
        if self._named and named.text in self._nouns and "" not in self._nouns[named.text] and self._said("("):
            token = self._take()
            if token.kind not in ("word", "quoted"):
                _refuse(token, f"the id of a {named.text} is needed here, not {_shown(token)}")
            row_id = _unquoted(token)
            self._need(")")
            if not self._token.text.startswith("."):
                _refuse(self._token, f"`.` and a field are needed here, not {_shown(self._token)}")
            said += self._take().text
        noun, field, kind = self._field(named, said)
        if self._said("in"):
            self._need("(")
            values = [self._value(said, kind)]
            while self._said(","):
                values.append(self._value(said, kind))
            self._need(")")
            return Comparison(noun, field, "in", tuple(values), row_id)
        at = self._token
        op = self._op(said)
        if op not in _ORDERING:
            return Comparison(noun, field, op, self._value(said, kind), row_id)
        if kind.name in ("word", "truth"):
            _refuse(at, f"{said} has no order: compare it with =, != or in")
        value_at = self._token
        value = self._value(said, kind)
        if value is None or (kind.name == "time" and not isinstance(value, Instant)):
            _refuse(value_at, f"{_shown(value_at)} has no order: compare it with =, != or in")
        return Comparison(noun, field, op, value, row_id)

    def _field(self, token: _Token, said: str) -> tuple[str, str, Kind]:
        """The noun and the field that are said, and what the field holds."""
        noun, dot, field = said.partition(".")
        if noun not in self._nouns:
            _refuse(token, f"{_shown(token)} is about nothing known; there is {', '.join(self._nouns)}")
        fields = self._nouns[noun]
        if field not in fields or (dot and not field):
            what = f"has no {field!r}" if field else "needs a field" if not dot else "needs a field behind the dot"
            there = "it stands alone" if "" in fields else f"it has {', '.join(fields)}"
            _refuse(token, f"{_shown(token._replace(text=said))}: {noun} {what}; {there}")
        return noun, field, fields[field]

    def _op(self, left: str) -> Op:
        token = self._take()
        if token.kind != "op":
            _refuse(token, f"{left} needs one of = != < <= > >= here, not {_shown(token)}")
        op: Op = token.text  # type: ignore[assignment]
        return op

    def _value(self, of: str, kind: Kind) -> Value:
        token = self._take()
        if token.kind not in ("word", "quoted"):
            _refuse(token, f"{of} is compared with a value, not {_shown(token)}")
        if token.kind == "word":
            if token.text == "none":
                return None
            if token.text in _KEYWORDS:
                _refuse(token, f"a value is needed here; to mean the text, write '{token.text}' in quotes")
        text = _unquoted(token)
        if kind.name == "text" or text in kind.words:
            return text
        value = _READERS[kind.name](text, kind)
        if value is None:
            needed = f"one of {', '.join(kind.words)}" if kind.name == "word" else _NEEDED[kind.name]
            also = f" or {', '.join(kind.words)}" if kind.name == "time" and kind.words else ""
            _refuse(token, f"{of} is {needed}{also}, or none; not {_shown(token)}")
        return value


def _unquoted(token: _Token) -> str:
    """What a word or a quoted text says."""
    return token.text if token.kind == "word" else re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            yield _Token("end", "", at + 1)
            return
        found = _TOKEN.match(text, at)
        if found is None:
            rest = _Token("word", text[at:], at + 1)
            what = "is a quote that is never closed" if text[at] in "\"'" else "is nothing known; write != or not"
            _refuse(rest, f"{_shown(rest)} {what}")
        yield _Token(found.lastgroup or "", found.group(), at + 1)
        at = found.end()


def _number(text: str, kind: Kind) -> Value:
    if not _NUMBER.fullmatch(text):
        return None
    if text.lstrip("+-").isdecimal():
        return int(text)
    value = Decimal(text) if kind.exact else float(text)
    return value if math.isfinite(value) else None


def _time(text: str, _: Kind) -> Value:
    try:
        return Instant(utc_text(parse_utc(text)))
    except Invalid:
        return None


_READERS: dict[str, Callable[[str, Kind], Value]] = {
    "word": lambda _text, _kind: None,  # it is none of the words
    "number": _number,
    "truth": lambda text, _: {"true": True, "false": False}.get(text),
    "time": _time,
}


def _shown(token: _Token) -> str:
    if token.kind == "end":
        return "the end"
    return repr(token.text if len(token.text) <= _SHOWN else token.text[: _SHOWN - 1] + "…")


def _refuse(token: _Token, words: str) -> NoReturn:
    raise Invalid(
        "bad_condition",
        f"column {token.at}: {words}",
        hint="write it like: run.local_outcome = failed and run.attempt > 1",
    )
