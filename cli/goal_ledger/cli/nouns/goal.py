"""What should be achieved: create, move and look at goals.

Listed: noun 10
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import LAST_ID, MOST_IDS, Noun
from goal_ledger.cli.frame.cursor import Cursor, an_id, number
from goal_ledger.cli.frame.options import (
    JSON_PAIR,
    Amount,
    Filter,
    Id,
    OneOf,
    Time,
    id_argument,
    writes,
)
from goal_ledger.cli.show import answers, goals
from goal_ledger.domain.goals.contract import Contract, GoalSource, Origin
from goal_ledger.domain.goals.criteria import measured
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.ledger.goals.goals import GoalNode, Goals, SimilarGoal
    from goal_ledger.projections.goals.goal_definitions import GoalRow

ID = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
NONE = 'No goals yet; create one: goal-ledger goal create "Cut checkout errors"'
ALONE = "no key result stands above this initiative, so nothing measures what it advances; see --parent"


@click.group(cls=Noun, examples=("goal-ledger goal list --status active", f"goal-ledger goal show {ID}"))
def goal() -> None:
    """What should be achieved: create, move and look at goals."""


# --- The contract


def _the_only_one(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """The value of an option that may be given once; click would take the last one and say nothing."""
    if len(values) > 1:
        raise click.UsageError(f"A goal has one owner: {param.opts[0]} was given {len(values)} times.")
    return values[0] if values else None


_OWN: dict[str, dict[str, Any]] = {
    "goal_type": {"option": "--type", "metavar": "TYPE"},
    "parent_goal_id": {"option": "--parent", "metavar": "GOAL", "type": Id("goal")},
    "owner_agent": {"option": "--owner", "metavar": "AGENT", "multiple": True, "callback": _the_only_one},
    "review_cadence": {"option": "--cadence", "metavar": "CRON"},
    "time_horizon": {"option": "--horizon", "metavar": "TIME"},
    "dependencies": {"option": "--depends-on", "metavar": "GOAL", "type": Id("goal")},
    "allowed_capabilities": {"option": "--capability", "metavar": "NAME"},
    "learning_required": {"option": "--learning/--no-learning"},
    "horizon_min_minutes": {"option": "--horizon-min", "metavar": "MINUTES"},
    "horizon_max_minutes": {"option": "--horizon-max", "metavar": "MINUTES"},
    "aligns_with": {"option": "--aligns-with", "metavar": "BELIEF"},
    "contradicts": {"option": "--contradicts", "metavar": "BELIEF"},
    "metadata": {"option": "--meta", "metavar": "KEY=JSON"},
    "watch": {"metavar": "CONDITION"},
    "arms": {"metavar": "NAME"},
    "overlap": {"metavar": "POLICY"},
    "max_attempts": {"type": click.IntRange(min=1)},
    "budget_usd": {"option": "--budget", "metavar": "USD"},
    "resume_if_checkpointed": {"option": "--resume/--no-resume"},
    "catch_up": {"metavar": "POLICY"},
}
"""What the option of a field has of its own; the rest follows from the field."""

_CRITERIA = (
    click.option("--metric", multiple=True, metavar="TEXT", help='Measured condition: "error rate < 1%".  [many]'),
    click.option("--criterion", multiple=True, metavar="TEXT", help="Another condition of done.  [many]"),
)
_FIRST = ("description", "goal_type", "priority")
_LAST = ("contradicts", "metadata")
_PLURAL: dict[Any, click.ParamType[Any]] = {tuple: click.STRING, dict: JSON_PAIR}
_METAVARS = {int: "N", float: "NUMBER", Decimal: "NUMBER"}


def contract(function: Callable[..., None]) -> Callable[..., None]:
    """The options that describe a goal; the function gets the given ones as `fields`."""
    names = [name for name in Contract.model_fields if name != "title"]
    fields = sorted(names, key=lambda name: (name not in _FIRST, name in _LAST))

    @functools.wraps(function)
    def described(*args: Any, metric: tuple[str, ...], criterion: tuple[str, ...], **given: Any) -> None:
        told = {name: value for name in fields if (value := given.pop(name, None)) not in (None, ())}
        if metric or criterion:
            told["criteria"] = [*map(measured, metric), *criterion]
        if "metadata" in told:
            told["metadata"] = dict(told["metadata"])
        function(*args, fields=told, **given)

    options: list[Callable[[Callable[..., None]], Callable[..., None]]] = []
    for name in fields:
        options += _CRITERIA if name == "criteria" else [_option(name, Contract.model_fields[name])]
    return functools.reduce(lambda inner, option: option(inner), reversed(options), described)


def _option(name: str, field: FieldInfo) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option that says a field of the contract; of a list or an object, one part of it."""
    kind, low, high = _kind(field)
    is_plural, is_word = kind in _PLURAL, issubclass(kind, StrEnum)
    words = (field.description or "").removesuffix(".")
    if is_word:
        words += f": {', '.join(kind)}"
    if kind is not bool and isinstance(field.default, str | int) and field.default:
        words += f"; default: {field.default}"
    option = f"--{(name.removesuffix('s') if is_plural else name).replace('_', '-')}"
    how: dict[str, Any] = {"help": f"{words}.  [many]" if is_plural else f"{words}.", "multiple": is_plural}
    if kind is bool:
        option, how = f"{option}/--no-{option[2:]}", {"help": f"{words}.", "default": None}
    else:
        how["type"] = OneOf(kind) if is_word else Amount() if kind is Decimal else _PLURAL.get(kind, kind)
        how["metavar"] = f"{low:g}-{high:g}" if high is not None and high < 100 else _METAVARS.get(kind, "TEXT")
    own = {"option": option, **_OWN.get(name, {})}
    return click.option(own.pop("option"), name, **how | own)


def _kind(field: FieldInfo) -> tuple[Any, float, float | None]:
    """What a field holds when it is set, and from where to where its numbers go."""
    kind: Any = field.annotation
    limits = list(field.metadata)
    if type(None) in (parts := get_args(kind)):
        [kind] = [part for part in parts if part is not type(None)]
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        limits += [limit for each in more if isinstance(each, FieldInfo) for limit in each.metadata]
    low, high = (next((getattr(one, end) for one in limits if hasattr(one, end)), None) for end in ("ge", "le"))
    return get_origin(kind) or kind, low or 0, high


@goal.command(
    "create",
    examples=(
        'goal-ledger goal create "Cut checkout errors" --type objective --priority 2 \\\n'
        '      --metric "error rate < 1%"',
    ),
)
@click.argument("title")
@contract
@click.option(
    "--source",
    type=OneOf((GoalSource.USER, GoalSource.COLLABORATIVE)),
    default=GoalSource.USER,
    help="Whose idea it is; user by default.",
)
@writes
def create(app: App, title: str, fields: dict[str, Any], source: GoalSource, reason: str | None) -> None:
    """Start a goal called TITLE; it is planned until it is made ready."""
    ledger = app.open(create=True)
    row = ledger.goals.create(title, origin=Origin(source=source), reason=reason, **fields)
    placed = "goal_type" in fields or "parent_goal_id" in fields
    alone = placed and "no_key_result" in ledger.goals.flags(row)
    app.show(row._asdict(), goals.goal_line, warnings=[ALONE] if alone else [])


@goal.command("amend", examples=(f'goal-ledger goal amend {ID} --priority 1 --reason "launch moved up"',))
@id_argument("goal")
@click.option("--title", metavar="TEXT", help="A new title.")
@contract
@writes
def amend(app: App, goal_id: str, title: str | None, fields: dict[str, Any], reason: str | None) -> None:
    """Change the given fields of GOAL.

    A list is replaced as a whole; --metric and --criterion are one list. An empty text takes a value away.
    """
    changes = fields | ({} if title is None else {"title": title})
    if not changes:
        raise click.UsageError("Nothing to change: give at least one field.")
    row = app.ledger.goals.amend(goal_id, reason=reason, **_cleared(changes))
    app.show(row._asdict(), goals.goal_line)


def _cleared(changes: dict[str, Any]) -> dict[str, Any]:
    """An empty text stands for nothing."""
    cleared = {name: None if value == "" else value for name, value in changes.items()}
    for name in ("title", "description"):
        if name in changes:
            cleared[name] = changes[name]
    return {name: () if value in (("",), [""]) else value for name, value in cleared.items()}


# --- Moving


def _moves(verb: str, words: str, move: Callable[[Goals], Callable[..., GoalRow]], why: str = "") -> None:
    """A verb that takes a goal and a reason."""

    @goal.command(verb, help=words, examples=(f"goal-ledger goal {verb} {ID}{why}",))
    @id_argument("goal")
    @writes
    def command(app: App, goal_id: str, reason: str | None) -> None:
        row = move(app.ledger.goals)(goal_id, reason=reason)
        app.show(row._asdict(), goals.goal_line)


_moves("approve", "Let a proposed GOAL start.", lambda of: of.approve)
_moves("reject", "Turn a proposed GOAL down; say why.", lambda of: of.reject, ' --reason "duplicate of another"')
_moves("ready", "Release a planned GOAL for work; its dependencies must be done.", lambda of: of.ready)
_moves("activate", "Start GOAL, or take it up again after waiting.", lambda of: of.activate)
_moves("retry", "Try GOAL again after waiting.", lambda of: of.retry)
_moves(
    "block",
    "Say that something stands in GOAL's way; say what.",
    lambda of: of.block,
    ' --reason "no access to the vault"',
)
_moves("unblock", "Say that GOAL's way is free again.", lambda of: of.unblock, ' --reason "access granted"')
_moves("resume", "Go on with GOAL from its checkpoint, or after waiting.", lambda of: of.resume)
_moves("fail", "Give GOAL up as failed; say why.", lambda of: of.fail, ' --reason "the supplier is gone"')


@goal.command(
    "wait",
    examples=(
        f'goal-ledger goal wait {ID} --reason "for the new tapes"',
        f'goal-ledger goal wait {ID} --question "Which region?" --due 2026-03-01',
    ),
)
@id_argument("goal")
@click.option("--question", metavar="TEXT", help="What must be answered: an open loop, whose answer lets GOAL go on.")
@click.option("--due", "due_at", type=Time(), help="Until when the answer is needed.")
@writes
def wait(app: App, goal_id: str, question: str | None, due_at: datetime | None, reason: str | None) -> None:
    """Pause GOAL until something arrives."""
    if due_at is not None and question is None:
        raise click.UsageError("--due says until when a question must be answered; give it with --question.")
    row = app.ledger.goals.wait(goal_id, question=question, due_at=due_at, reason=reason)
    app.show(row._asdict(), goals.goal_line)


@goal.command("checkpoint", examples=(f"goal-ledger goal checkpoint {ID} --ref s3://plans/step-3",))
@id_argument("goal")
@click.option("--ref", metavar="TEXT", help="Where the work can be taken up again.")
@writes
def checkpoint(app: App, goal_id: str, ref: str | None, reason: str | None) -> None:
    """Lay GOAL down so that it can be resumed."""
    row = app.ledger.goals.checkpoint(goal_id, checkpoint_ref=ref, reason=reason)
    app.show(row._asdict(), goals.goal_line)


@goal.command("complete", examples=(f'goal-ledger goal complete {ID} --evidence "error rate 0.7% for a week"',))
@id_argument("goal")
@click.option("--evidence", metavar="TEXT", help="What shows that it is done.")
@click.option("--caveats", metavar="TEXT", help="What is missing: it completes with caveats.")
@writes
def complete(app: App, goal_id: str, evidence: str | None, caveats: str | None, reason: str | None) -> None:
    """Say that GOAL is reached."""
    row = app.ledger.goals.complete(goal_id, evidence=evidence, caveats=caveats, reason=reason)
    app.show(row._asdict(), goals.goal_line)


@goal.command("archive", examples=(f'goal-ledger goal archive {ID} --cause stopped --reason "out of scope"',))
@id_argument("goal")
@click.option("--cause", type=OneOf(ArchiveCause), help="done for a completed goal, cancelled for any other.")
@writes
def archive(app: App, goal_id: str, cause: ArchiveCause | None, reason: str | None) -> None:
    """Put GOAL away for good."""
    row = app.ledger.goals.archive(goal_id, cause=cause, reason=reason)
    app.show(row._asdict(), goals.goal_line)


# --- Looking


@goal.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return (
        (row.goal_id, f"{row.status}  {row.title}")
        for row in ledger.goals.list(sort="newest", after=(start + LAST_ID,), limit=MOST_IDS).rows
    )


@goal.command(
    "show", examples=(f"goal-ledger goal show {ID}", f"goal-ledger goal show {ID} --as-of 2026-02-24T09:00:00Z")
)
@id_argument("goal")
@answers.one(goals.goal, data=goals.whole_goal_data, overdue=True)
def show(ledger: Ledger, goal_id: str) -> GoalRow:
    """Everything about GOAL as it stands, or stood."""
    return ledger.goals.get(goal_id)


_CURSORS = {
    "priority": Cursor(number, an_id("goal_")),
    "newest": Cursor(an_id("goal_")),
    "updated": Cursor(number),
}


@goal.command(
    "list",
    examples=(
        "goal-ledger goal list --status active --status waiting --limit 20",
        "goal-ledger goal list --search checkout --sort updated",
        "goal-ledger goal list --status active --as-of 2026-02-24T09:00:00Z",
    ),
)
@click.option(
    "--status",
    cls=Filter,
    type=OneOf(GoalStatus),
    multiple=True,
    metavar="STATUS",
    help=f"One of {', '.join(GoalStatus)}.  [many]",
)
@click.option(
    "--type", "goal_type", cls=Filter, type=OneOf(GoalType), metavar="TYPE", help=f"One of {', '.join(GoalType)}."
)
@click.option("--owner", "owner_agent", cls=Filter, metavar="AGENT", help="That this agent answers for.")
@click.option("--source", cls=Filter, type=OneOf(GoalSource), help="From this source.")
@click.option(
    "--parent", "parent_goal_id", cls=Filter, type=Id("goal"), metavar="GOAL", help="Directly under this goal."
)
@click.option(
    "--priority", cls=Filter, type=click.IntRange(1, 5), multiple=True, metavar="1-5", help="Of this priority.  [many]"
)
@click.option("--search", cls=Filter, metavar="TEXT", help="With this in the title, in any case.")
@click.option(
    "--sort",
    type=click.Choice(list(_CURSORS)),
    default="priority",
    help="Most urgent first, latest begun first, latest changed first; priority by default.",
)
@click.option("--reverse", is_flag=True, help="The other way round.")
@answers.page(
    goals.goals,
    data=goals.goal_data,
    cursor=_CURSORS,
    empty=NONE,
    no_match="No goal matches; see all: goal-ledger goal list",
    overdue=True,
)
def list_(ledger: Ledger, status: tuple[GoalStatus, ...], priority: tuple[int, ...], **where: Any) -> Page[GoalRow]:
    """Goals by priority, then age, or in another order."""
    return ledger.goals.list(status=status or None, priority=priority or None, **where)


@goal.command(
    "similar",
    examples=('goal-ledger goal similar "Checkout fails too often"', f"goal-ledger goal similar {ID} --all"),
)
@click.argument("text_or_id", metavar="TEXT|GOAL", type=Id("goal"))
@click.option("--limit", type=click.IntRange(min=1), default=5, show_default=True, help="So many at the most.")
@click.option("--all", "closed", is_flag=True, help="Goals that are over, too.")
@answers.rows(goals.similar, empty="No goal has anything in common with that.")
def similar(ledger: Ledger, text_or_id: str, limit: int, closed: bool) -> Sequence[SimilarGoal]:
    """The open goals whose titles are most like TEXT, or like GOAL's title.

    The score goes from 0, nothing in common, to 1, the same. Whether two goals are one is for you to say.
    """
    return ledger.goals.similar(text_or_id, limit=limit, closed=closed)


@goal.command("tree", examples=("goal-ledger goal tree", f"goal-ledger goal tree {ID}"))
@click.argument("goal_id", metavar="[GOAL]", type=Id("goal"), required=False)
@answers.rows(goals.tree, data=goals.node_data, empty=NONE, overdue=True)
def tree(ledger: Ledger, goal_id: str | None) -> Sequence[GoalNode]:
    """Goals under the goals they serve: all, or those under GOAL."""
    return ledger.goals.tree(goal_id)


@goal.command("timeline", examples=(f"goal-ledger goal timeline {ID}", f"goal-ledger goal timeline {ID} --as-of 120"))
@id_argument("goal")
@answers.events
def timeline(ledger: Ledger, goal_id: str) -> answers.Events:
    """Every event of GOAL and of its runs, in order."""
    return ledger.goals.timeline(goal_id)
