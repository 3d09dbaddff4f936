"""Conditions: what they say, what they refuse and where, and whether they hold."""

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goal_ledger.domain.conditions import (
    DEEPEST,
    LONGEST,
    Comparison,
    Condition,
    Count,
    Instant,
    Kind,
    Logic,
    Not,
    Sum,
    holds,
    is_prose,
    leaves,
    named_in,
    negated,
    nouns_of,
    parse,
    write,
)
from goal_ledger.domain.errors import Invalid


class Task(NamedTuple):
    name: str | None = "copy"
    status: str | None = "open"
    tries: int | None = 2
    score: float | None = 0.7
    cost: Decimal | None = Decimal("0.70")
    done: bool | None = False
    due: str | None = "2026-02-24T09:00:00.000000Z"


class Owner(NamedTuple):
    name: str = "ana"


NOUNS = {
    "task": {
        "name": Kind("text"),
        "status": Kind("word", ("open", "closed")),
        "tries": Kind("number"),
        "score": Kind("number"),
        "cost": Kind("number", exact=True),
        "done": Kind("truth"),
        "due": Kind("time", ("ongoing",)),
    },
    "owner": {"name": Kind("text")},
}
OWN = {**NOUNS, "now": {"": Kind("time")}}


def refusal(text: str, nouns: Any = NOUNS, **how: Any) -> str:
    with pytest.raises(Invalid) as refused:
        parse(text, nouns, **how)
    assert refused.value.code == "bad_condition"
    return refused.value.message


TASK = Task()


def true(text: str, task: Task | None = TASK, owner: Owner | None = None, counts: Any = None) -> bool:
    return holds(parse(text, NOUNS), {"task": task, "owner": owner}, counts or {})


# --- Reading


def test_a_condition_is_read_as_a_tree_in_which_and_binds_tighter_than_or():
    name, tries = Comparison("task", "name", "=", "copy"), Comparison("task", "tries", ">", 1)
    done = Comparison("task", "done", "=", True)

    assert parse("task.name = copy", NOUNS) == name
    assert repr(parse("task.name=copy or task.tries>1 and not task.done=true", NOUNS)) == repr(
        Logic("or", (name, Logic("and", (tries, Not(done)))))
    )
    assert repr(parse("(task.name=copy or task.tries>1) and task.done=true", NOUNS)) == repr(
        Logic("and", (Logic("or", (name, tries)), done))
    )
    assert repr(parse("count(task.tries > 1) >= 3", NOUNS)) == repr(Count(tries, ">=", 3))


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("copy", "copy"),
        ("'copy it'", "copy it"),
        ('"say \\"hi\\" \\\\ now"', 'say "hi" \\ now'),
        ("'none'", "none"),
        ("none", None),
        ("'and'", "and"),
        ("true", "true"),
        ("42", "42"),
        ("a.b:c@d/e-f", "a.b:c@d/e-f"),
        ("été", "été"),
        ("''", ""),
    ],
)
def test_text_is_a_bare_word_or_quoted(value: str, meant: str | None):
    assert parse(f"task.name = {value}", NOUNS) == Comparison("task", "name", "=", meant)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("task.tries = 3", 3),
        ("task.tries < 1.5", 1.5),
        ("task.score >= -1e-3", -0.001),
        ("task.cost = 0.7", Decimal("0.7")),
        ("task.cost = 7", 7),
        ("task.done = false", False),
        ("task.due < 2026-02-24", Instant("2026-02-24T00:00:00.000000Z")),
        ("task.due < 2026-02-24T10:00:00+01:00", Instant("2026-02-24T09:00:00.000000Z")),
        ("task.due = ongoing", "ongoing"),
        ("task.status in (open, none)", ("open", None)),
    ],
)
def test_a_value_is_read_as_the_field_holds_it(text: str, value: Any):
    read = parse(text, NOUNS)
    assert isinstance(read, Comparison)
    assert (read.value, type(read.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "the end"),
        ("   ", 4, "the end"),
        ("task", 1, "task needs a field; it has name, status"),
        ("task.", 1, "a field behind the dot"),
        ("task.colour = red", 1, "task has no 'colour'; it has name, status"),
        ("tasks.name = x", 1, "'tasks.name' is about nothing known; there is task, owner"),
        ("task.name", 10, "needs one of = != < <= > >= here, not the end"),
        ("task.name x", 11, "not 'x'"),
        ("task.name =", 12, "not the end"),
        ("task.name == x", 12, "not '='"),
        ("task.name ! x", 11, "write != or not"),
        ("task.name = 'x", 13, "never closed"),
        ("task.name = and", 13, "in quotes"),
        ("task.name = x y", 15, "`and`, `or` or the end"),
        ("task.name = x AND task.done = true", 15, "not 'AND'"),
        ("task.name = x and", 18, "the end"),
        ("(task.name = x", 15, "`)` is needed here, not the end"),
        ("task.name = x)", 14, "not ')'"),
        ("not", 4, "a comparison is needed"),
        ("task.status = opne", 15, "task.status is one of open, closed, or none; not 'opne'"),
        ("task.status < open", 13, "task.status has no order"),
        ("task.done > false", 11, "no order"),
        ("task.tries > none", 14, "'none' has no order"),
        ("task.due > ongoing", 12, "'ongoing' has no order"),
        ("task.tries = many", 14, "a number"),
        ("task.tries = nan", 14, "a number"),
        ("task.score = 1e999", 14, "a number"),
        ("task.tries = ٣", 14, "a number"),
        ("task.done = yes", 13, "true or false"),
        ("task.due > yesterday", 12, "a time"),
        ("task.due > 2026-02-24T09:00", 12, "a time"),
        ("task.name in x", 14, "`(` is needed"),
        ("task.name in ()", 14 + 1, "a value"),
        ("task.name in (a,)", 17, "a value"),
        ("task.name in (a b)", 17, "`)` is needed"),
        ("count(task.done = true)", 24, "a count needs one of"),
        ("count(task.done = true) > some", 27, "whole number"),
        ("count(task.done = true) > 1.5", 27, "whole number"),
        ("count(task.done = true and owner.name = ana) > 1", 1, "one noun, not of owner and task"),
        ("count(count(task.done = true) > 1) > 1", 1, "inside a count"),
        ("count > 1", 1, "a comparison is needed here, not 'count'"),
        ("task.name = " + "x" * 40 + " y", 54, "'y'"),
        ("x" * 40, 1, "'" + "x" * 29 + "…'"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_column(text: str, column: int, words: str):
    message = refusal(text)
    assert message.startswith(f"column {column}: ")
    assert words in message


def test_a_condition_is_limited_in_length_and_depth():
    assert parse("task.name = " + "x" * (LONGEST - 12), NOUNS)
    assert "1,001 characters; the limit is 1,000" in refusal("task.name = " + "x" * (LONGEST - 11))
    for opening, closing in (("(", ")"), ("not ", "")):
        assert parse(opening * DEEPEST + "task.tries = 1" + closing * DEEPEST, NOUNS)
        deeper = opening * (DEEPEST + 1) + "task.tries = 1" + closing * (DEEPEST + 1)
        assert f"nested deeper than {DEEPEST}" in refusal(deeper)
    assert refusal("(" * LONGEST).startswith("column 22: '(' is nested deeper")


def test_the_nouns_outside_of_counts_stand_for_one_row():
    assert nouns_of(parse("not task.done = true or owner.name = x", NOUNS)) == {"task", "owner"}
    assert nouns_of(parse("count(task.done = true) > 1 and owner.name = x", NOUNS)) == {"owner"}


# --- Asking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task.name = copy", True),
        ("task.name != copy", False),
        ("task.name in (move, copy)", True),
        ("task.name < d", True),
        ("task.tries >= 2", True),
        ("task.tries > 2", False),
        ("task.tries <= 1.5", False),
        ("task.score = 0.7", True),
        ("task.cost = 0.7", True),
        ("task.cost < 0.7", False),
        ("task.done = false", True),
        ("task.due <= 2026-02-24T10:00:00+01:00", True),
        ("task.due < 2026-02-24T10:00:00+01:00", False),
        ("not task.done = false", False),
        ("task.done = true or task.tries = 2", True),
        ("task.done = true and task.tries = 2", False),
    ],
)
def test_a_condition_holds_for_a_row_or_not(text: str, expected: bool):
    assert true(text) is expected


@pytest.mark.parametrize("field", ["name", "tries", "score", "cost", "due"])
def test_what_is_unknown_equals_none_and_has_no_order(field: str):
    nothing = Task(*[None] * len(Task._fields))
    value = {"name": "x", "due": "2026-01-01"}.get(field, "1")

    assert true(f"task.{field} = none", nothing) and not true(f"task.{field} = none")
    assert true(f"task.{field} in ({value}, none)", nothing)
    assert true(f"task.{field} != {value}", nothing)
    assert not any(true(f"task.{field} {op} {value}", nothing) for op in ("<", "<=", ">", ">=", "="))


def test_a_word_where_a_time_could_stand_has_no_order():
    ongoing = Task(due="ongoing")
    assert true("task.due = ongoing", ongoing)
    assert not any(true(f"task.due {op} 2026-01-01", ongoing) for op in ("<", "<=", ">", ">="))


def test_without_a_row_every_field_is_none():
    assert true("task.name = none and not task.tries > 0", None)


def test_a_count_is_compared_with_what_was_counted():
    count = parse("count(task.done = true) >= 3", NOUNS)
    assert isinstance(count, Count)
    assert [true("task.tries = 2 and count(task.done = true) >= 3", counts={count: n}) for n in (2, 3)] == [False, True]


# --- Named rows, sums and now


def own(text: str, rows: Any = None, totals: Any = None) -> bool:
    return holds(parse(text, OWN, named=True), {"task": TASK, **(rows or {})}, totals or {})


def test_a_row_may_be_named_by_its_id():
    rows = {"t_1": Task(name="move"), "now": "2026-02-24T09:00:00.000000Z"}
    condition = parse("task(t_1).name = move and not task('t 2').tries > 1 or now > 2026-02-01", OWN, named=True)

    assert named_in(condition) == {("task", "t_1"), ("task", "t 2")}
    assert nouns_of(condition) == {"now"}
    assert own("task(t_1).name = move and task.name = copy", rows)
    assert not own("task(t_1).name in (copy)", rows)
    assert own("task(t_2).name = none", rows)


def test_now_is_compared_with_a_time():
    at = {"now": "2026-02-24T09:00:00.000000Z"}
    assert own("now >= 2026-02-24", at) and not own("now > 2026-02-24T10:00:00+01:00", at)
    assert not own("now > 2026-01-01", {"now": None}) and not own("now < 2026-01-01", {"now": None})


def test_a_sum_is_compared_with_what_was_added_up():
    [leaf] = leaves(parse("sum(task.cost) > 5", OWN, named=True))
    assert leaf == Sum("task", "cost", ">", 5)
    assert [own("sum(task.cost) > 5", totals={leaf: total}) for total in (5, Decimal("5.01"))] == [False, True]


def test_what_is_unknown_breaks_no_order():
    nothing = {"task": Task(*[None] * len(Task._fields))}
    for text in ("task.tries <= 3", "not task.tries > 3", "task.tries <= 3 and task.cost < 1", "task.due > 2026-01-01"):
        assert not holds(negated(parse(text, NOUNS)), nothing, {})


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("now = soon", 7, "now is a time"),
        ("now.x > 2026-01-01", 1, "'now.x': now has no 'x'; it stands alone"),
        ("now. > 2026-01-01", 1, "now needs a field behind the dot; it stands alone"),
        ("now(x).y = 1", 4, "one of = != < <= > >= here, not '('"),
        ("task(t_1) = 1", 11, "`.` and a field are needed here, not '='"),
        ("task(t_1).size = 1", 1, "'task.size': task has no 'size'; it has name"),
        ("task().name = 1", 6, "the id of a task is needed here, not ')'"),
        ("count(task(t_1).name = x) > 1", 1, "a count looks at the fields"),
        ("count(now > 2026-01-01) > 1", 1, "a count looks at the fields"),
        ("count(sum(task.cost) > 1) > 1", 1, "cannot stand inside a count"),
        ("sum(task.name) > 1", 5, "no number"),
        ("sum(task.cost) > x", 18, "a number"),
        ("sum(task.cost) > none", 18, "a number"),
        ("sum(task.cost > 1) > 1", 15, "`)` is needed"),
    ],
)
def test_what_cannot_be_read_of_the_own_conditions_is_said_with_its_column(text: str, column: int, words: str):
    message = refusal(text, OWN, named=True)
    assert message.startswith(f"column {column}: ")
    assert words in message


def test_rows_are_named_and_values_added_up_only_where_that_may_be():
    assert "one of = != < <= > >= here" in refusal("task.name(t_1) = x")
    assert "task needs a field" in refusal("task(t_1).name = x")
    assert "'sum' is about nothing known" in refusal("sum(task.cost) > 1")


@pytest.mark.parametrize(
    "text", ["", "disk full", "two nights without one", "logged in since May", "a -b", "inside(x)"]
)
def test_a_text_without_an_operator_is_prose(text: str):
    assert is_prose(text)


@pytest.mark.parametrize("text", ["errors < 1%", "a=b", "x -> y", "logged in (since May)", "a != b", "run.x in(1)"])
def test_a_text_with_an_operator_is_no_prose(text: str):
    assert not is_prose(text)


# --- Whatever is written


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(10**12), 10**12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value == 0 or 1e-90 < abs(value) < 1e15)
EQUAL = ["=", "!="]
ORDERED = [*EQUAL, "<", "<=", ">", ">="]


TIMES = st.datetimes().map(lambda at: Instant(at.isoformat(timespec="microseconds") + "Z"))


def comparisons(field: str, values: Any, ops: list[str]) -> Any:
    def made(op: Any, value: Any) -> Any:
        ids = st.one_of(st.none(), st.none(), TEXT)
        return st.builds(Comparison, st.just("task"), st.just(field), op, value, ids)

    maybe = st.one_of(st.none(), values)
    several = st.lists(maybe, min_size=1, max_size=3).map(tuple)
    known, unknown = made(st.sampled_from(ops), values), made(st.sampled_from(EQUAL), maybe)
    return st.one_of(known, unknown, made(st.just("in"), several))


LEAVES = st.one_of(
    comparisons("name", TEXT, ORDERED),
    comparisons("status", st.sampled_from(["open", "closed"]), EQUAL),
    comparisons("tries", NUMBERS, ORDERED),
    comparisons("score", st.one_of(NUMBERS, FLOATS), ORDERED),
    comparisons("cost", st.decimals(-1000, 1000, places=3), ORDERED),
    comparisons("done", st.booleans(), EQUAL),
    comparisons("due", TIMES, ORDERED),
    st.builds(Comparison, st.just("now"), st.just(""), st.sampled_from(ORDERED), TIMES, st.none()),
)
COUNTED = LEAVES.filter(lambda leaf: leaf.id is None and leaf.field != "")
COUNTS = st.builds(Count, st.one_of(COUNTED, COUNTED.map(Not)), st.sampled_from(ORDERED), st.integers(0, 10**18 - 1))
SUMS = st.builds(Sum, st.just("task"), st.just("score"), st.sampled_from(ORDERED), st.one_of(NUMBERS, FLOATS))
CONDITIONS: Any = st.recursive(
    st.one_of(LEAVES, COUNTS, SUMS),
    lambda inner: st.one_of(
        inner.map(Not),
        st.builds(Logic, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


@given(CONDITIONS)
def test_a_condition_that_is_written_reads_back_the_same(condition: Condition):
    text = write(condition)
    if len(text) <= LONGEST:
        assert repr(parse(text, OWN, named=True)) == repr(condition)
        assert isinstance(holds(condition, {"task": Task()}, _Any()), bool)
        assert not is_prose(text)


@given(CONDITIONS)
def test_with_everything_known_it_is_broken_exactly_when_it_does_not_hold(condition: Condition):
    known = {"task": TASK, "now": "2026-01-01T00:00:00.000000Z", **{row_id: TASK for _, row_id in named_in(condition)}}
    assert holds(negated(condition), known, _Any()) is not holds(condition, known, _Any())


class _Any(dict[Count | Sum, int]):
    def __missing__(self, _: Count | Sum) -> int:
        return 1


WORDS = st.sampled_from(
    ["task.name", "task.tries", "task.due", "owner.name", "count", "(", ")", ",", "=", "<", "!=", "and", "or", "not",
     "in", "none", "true", "x", "1", "2026-01-01", "'", '"a"', "\\", "!", ".", "task(", ").name", "sum(", "now", "->"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
@example("task.name = \ud800")
@example("task.tries = " + "9" * 900)
def test_any_text_is_a_condition_or_refused_in_one_line(text: str):
    try:
        condition = parse(text, OWN, named=True)
    except Invalid as error:
        refused = error
    else:
        assert repr(parse(write(condition), OWN, named=True)) == repr(condition)
        return
    assert refused.code == "bad_condition"
    assert refused.message.startswith("column ") and "\n" not in refused.message
