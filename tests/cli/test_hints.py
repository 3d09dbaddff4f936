"""Ways out: every call that a hint names exists, as a line for the shell and as a method in Python."""

import ast
import inspect
import re
import shlex
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

import click
import pytest

from goal_ledger.cli.frame.hints import line
from goal_ledger.cli.frame.main import root
from goal_ledger.domain import ids
from goal_ledger.domain.errors import Blank, Call, Hint, NotFound, Value
from goal_ledger.domain.goals.lifecycle import MOVES, GoalStatus, path
from goal_ledger.ledger import Ledger, as_call
from goal_ledger.ledger.engine.rows import Rows
from goal_ledger.ledger.goals.goals import Amendment
from tests.cli.running import Cli
from tests.test_house import modules

SEVEN = Blank(7)  # stands for what is known at run time only: a text, a number or an id


def capabilities() -> list[type[Rows[Any]]]:
    """Every capability whose rows can be listed."""
    for name in modules():
        if name.startswith("goal_ledger.ledger."):
            import_module(name)
    return Rows.__subclasses__()


CHOSEN_AT_RUN_TIME = {
    ("ids", "_NOUNS.get(kind, kind)"): sorted(
        ids._NOUNS.get(kind, kind)
        for prefix, kind in ids._KINDS.items()
        if prefix != "scan_"  # named by no caller
    ),
    ("lifecycle", "step"): sorted(
        {step for start, move in product(GoalStatus, MOVES.values()) for step in path(start, move.sources)}
    ),
    ("conditions", "noun"): ["goal", "run"],
    ("rows", "self.command or self.noun"): sorted(each.kind.command or each.kind.noun for each in capabilities()),
}
"""Nouns and verbs that stand in no source as they are, by module and expression."""


def constants(module: ast.Module, function: ast.FunctionDef, name: str) -> list[str]:
    """What the callers in its module give for a parameter of a function; "complete --caveats" is the verb complete."""
    place = [argument.arg for argument in function.args.args].index(name)
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    given = [ast.literal_eval(call.args[place]) for call in calls if ast.unparse(call.func) == function.name]
    return sorted({verb.partition(" ")[0] for verb in given})


def words(source: str, module: ast.Module, node: ast.expr) -> Sequence[str]:
    """The nouns, or the verbs, that an expression can be."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if (chosen := CHOSEN_AT_RUN_TIME.get((source, ast.unparse(node)))) is not None:
        return chosen
    [function] = [each for each in ast.walk(module) if isinstance(each, ast.FunctionDef) and node in ast.walk(each)]
    return constants(module, function, ast.unparse(node))


def value(node: ast.expr) -> Value:
    """What a hint gives, with 7 where it has a name in upper case or what only the run knows."""
    if isinstance(node, ast.Constant):
        return node.value  # type: ignore[return-value]
    if isinstance(node, ast.Tuple):
        return tuple(value(each) for each in node.elts)  # type: ignore[misc]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Blank":
        shown = ast.literal_eval(node.args[0]) if node.args else "…"
        return SEVEN if isinstance(shown, str) and shown.isupper() else Blank(shown)
    return SEVEN


def ways_out() -> Iterator[Hint]:
    """Every hint in the source of what can be refused."""
    for name, file in modules().items():
        if name.startswith("goal_ledger.cli"):
            continue
        module = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Hint":
                named = [words(name.rpartition(".")[2], module, each) for each in node.args[:2]]
                arguments = [value(each) for each in node.args[2:]]
                options = {each.arg or "": value(each.value) for each in node.keywords}
                yield from (Hint(*chosen, *arguments, **options) for chosen in product(*named))


REASON_LEFT_OUT = {"goal block 7", "run take-over 7"}  # the call needs a reason, which the hint leaves out
WAYS_OUT = sorted({str(hint): hint for hint in ways_out()}.items())
CALLS = [pytest.param(hint, id=text) for text, hint in WAYS_OUT if hint.calls[0].noun]
AGAIN = [pytest.param(hint, id=text) for text, hint in WAYS_OUT if not hint.calls[0].noun]


def test_the_source_is_full_of_ways_out():
    assert len(CALLS) > 80 and len(AGAIN) > 5
    nouns = {hint.calls[0].noun for _, hint in WAYS_OUT}
    assert nouns > {"goal", "kr", "run", "rule", "session", "ledger", "projection", "next", "follow", "settings"}


# --- The command line


def commands(command: click.Command, context: click.Context) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) is not None:
                yield from commands(found, context)


@pytest.mark.parametrize("hint", CALLS)
def test_every_line_is_one_that_the_command_understands(hint: Hint):
    program, *rest = shlex.split(line(hint))
    command: click.Command = root
    context = click.Context(root)
    while rest and isinstance(command, click.Group) and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found is not None, rest
        command, rest = found, rest[1:]
    assert program == "goal-ledger" and (hint.calls[0].verb or not isinstance(command, click.Group))
    command.make_context("it", rest)  # refuses what it does not know, and values that cannot be


@pytest.mark.parametrize("hint", AGAIN)
def test_what_is_added_to_the_same_command_is_an_option_of_some_command(hint: Hint):
    known = {option for each in commands(root, click.Context(root)) for param in each.params for option in param.opts}
    given = [word for word in shlex.split(line(hint)) if word.startswith("--")]
    assert given and known.issuperset(given)


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (Hint("goal", "ready", "goal_1"), "goal-ledger goal ready goal_1"),
        (Hint("next", claim=True), "goal-ledger next --claim"),
        (Hint("goal", "fail", "goal_1", reason=Blank()), 'goal-ledger goal fail goal_1 --reason "…"'),
        (Hint("goal", "amend", "g", arms=(Blank("A"), Blank("B C"))), 'goal-ledger goal amend g --arm A --arm "B C"'),
        (Hint("goal", "amend", "goal_1", budget_usd=Blank("USD")), "goal-ledger goal amend goal_1 --budget USD"),
        (Hint("goal", "amend", "goal_1", max_attempts=3), "goal-ledger goal amend goal_1 --max-attempts 3"),
        (Hint("goal", "amend", "goal_1", start_condition=None), "goal-ledger goal amend goal_1 --start-condition ''"),
        (Hint("goal", "create", "A b", db="/a b/c.db"), "goal-ledger --db '/a b/c.db' goal create \"A b\""),
        (Hint("goal", "show", "$(rm -r x)"), "goal-ledger goal show '$(rm -r x)'"),
        (Hint("goal", "show", 'say "no!"'), "goal-ledger goal show 'say \"no!\"'"),
        (Hint("projection", "rebuild", ("a", "b"), no_swap=True), "goal-ledger projection rebuild a b --no-swap"),
        ("look: " + Hint("follow") + " shows " + Hint(limit=Blank("")), "look: goal-ledger follow shows --limit"),
        ("try again", "try again"),
    ],
    ids=str,
)  # fmt: skip
def test_a_line_is_quoted_as_people_type_it(hint: str, shown: str):
    assert line(hint) == shown


def test_a_refusal_a_suggestion_and_a_finding_show_lines(gl: Cli):
    refused = gl("goal", "activate", gl.goal())
    assert re.search(r" — goal-ledger goal ready goal_\w{26}\n$", refused.err)
    found = gl.json("--db", "elsewhere.db", "doctor").data["findings"]
    assert [each["do"] for each in found if each["check"] == "ledger"] == [
        'create one: goal-ledger --db elsewhere.db goal create "Cut checkout errors"'
    ]
    for _ in range(3):
        run_id = gl.json("run", "start", gl.active_goal()).data["run_id"]
        gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")
    assert re.fullmatch(r"goal-ledger review write grun_\w{26}", gl.json("suggest").data[0]["command"])


# --- Python


def resolved(ledger: Ledger, call: ast.Call) -> Any:
    """The method that a rendered call names, on a real ledger."""
    chain, at = [], call.func
    while isinstance(at, ast.Attribute):
        chain.append(at.attr)
        at = at.value
    if isinstance(at, ast.Call):
        assert ast.unparse(at.func) == "Ledger.open"
    else:
        assert ast.unparse(at) == "ledger"
    found: Any = ledger
    for name in reversed(chain):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("hint", CALLS)
def test_every_call_in_python_is_one_that_a_ledger_answers(hint: Hint):
    call = ast.parse(as_call(hint), mode="eval").body
    assert isinstance(call, ast.Call)
    with Ledger.open(":memory:") as ledger:
        method = resolved(ledger, call)
    assert inspect.ismethod(method)
    keywords = dict.fromkeys((each.arg or "" for each in call.keywords), "")
    signature = inspect.signature(method)
    if str(hint) in REASON_LEFT_OUT:
        keywords["reason"] = ""
    signature.bind(*call.args, **keywords)
    if any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values()):
        assert set(keywords) - set(signature.parameters) <= get_type_hints(Amendment).keys()


# --- Where they stand


@pytest.mark.parametrize("file", [pytest.param(file, id=name) for name, file in sorted(modules().items())])
def test_no_command_line_stands_below_the_command_line(file: Path):
    if "goal_ledger/cli/" in file.as_posix():
        return
    nouns = "|".join(root.list_commands(click.Context(root)))
    named = re.compile(rf"goal-ledger (?:--\S+ )*(?:(?:{nouns})\b|{{(?!version\())")  # a version is no noun
    module = ast.parse(file.read_text(encoding="utf-8"))
    texts = [ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Constant | ast.JoinedStr)]
    assert [text for text in texts if named.search(text)] == []


def test_a_call_says_what_a_link_would_need():
    with pytest.raises(NotFound) as refused:
        ids.require_id("cycle_", "nonsense")
    assert isinstance(refused.value.hint, Hint)
    assert refused.value.hint.calls == (Call("learn", "list", (), {}),)
