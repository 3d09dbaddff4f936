"""What should be achieved: create, move and look at goals.

Listed: noun 10
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

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
from goal_ledger.domain.goals.contract import CatchUp, GoalSource, Origin, Overlap
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


def contract(function: Callable[..., None]) -> Callable[..., None]:
    """The options that describe a goal; the function gets the given ones as `fields`."""
    options = (
        click.option("--description", metavar="TEXT", help="What it is about."),
        click.option(
            "--type", "goal_type", type=OneOf(GoalType), metavar="TYPE", help=f"One of {', '.join(GoalType)}."
        ),
        click.option("--priority", type=int, metavar="1-5", help="1 critical, 3 unless said, 5 low."),
        click.option("--category", metavar="TEXT", help="Free category."),
        click.option("--task-category", metavar="TEXT", help="Category of its tasks, for routing."),
        click.option("--parent", "parent_goal_id", type=Id("goal"), metavar="GOAL", help="The goal it stands under."),
        click.option(
            "--owner",
            "owner_agent",
            multiple=True,
            callback=_the_only_one,
            metavar="AGENT",
            help="The one agent that answers for it.",
        ),
        click.option("--metric", multiple=True, metavar="TEXT", help='Measured condition: "error rate < 1%".  [many]'),
        click.option("--criterion", multiple=True, metavar="TEXT", help="Another condition of done.  [many]"),
        click.option(
            "--failure-condition", "failure_conditions", multiple=True, metavar="TEXT", help="Failed when.  [many]"
        ),
        click.option("--constraint", "constraints", multiple=True, metavar="TEXT", help="To be kept to.  [many]"),
        click.option("--cadence", "review_cadence", metavar="CRON", help="Review: 7d, or a cron line with a zone."),
        click.option("--start-condition", metavar="TEXT", help="Starts when."),
        click.option("--stop-condition", metavar="TEXT", help="Stops when."),
        click.option("--horizon", "time_horizon", metavar="TIME", help="Deadline, or `ongoing`."),
        click.option(
            "--depends-on",
            "dependencies",
            multiple=True,
            type=Id("goal"),
            metavar="GOAL",
            help="To be done first.  [many]",
        ),
        click.option(
            "--capability", "allowed_capabilities", multiple=True, metavar="NAME", help="What it may use.  [many]"
        ),
        click.option("--learning/--no-learning", "learning_required", default=None, help="Whether lessons are drawn."),
        click.option("--value", type=float, metavar="0-1", help="Estimated value."),
        click.option("--effort", type=float, metavar="0-1", help="Estimated effort."),
        click.option("--risk", type=float, metavar="0-1", help="Estimated risk."),
        click.option("--horizon-min", "horizon_min_minutes", type=int, metavar="MINUTES", help="Shortest work."),
        click.option("--horizon-max", "horizon_max_minutes", type=int, metavar="MINUTES", help="Longest work."),
        click.option("--aligns-with", multiple=True, metavar="BELIEF", help="A belief it follows.  [many]"),
        click.option("--baseline", type=float, metavar="NUMBER", help="Where a key result began."),
        click.option("--target", type=float, metavar="NUMBER", help="Where a key result should get, up or down."),
        click.option("--unit", metavar="TEXT", help="Unit of a key result."),
        click.option("--watch", metavar="CONDITION", help="What a watchdog looks for."),
        click.option("--arm", "arms", multiple=True, metavar="NAME", help="What an experiment compares.  [many]"),
        click.option(
            "--overlap",
            type=OneOf(Overlap),
            metavar="POLICY",
            help=f"A second run: {', '.join(Overlap)}; forbid unless said.",
        ),
        click.option("--max-attempts", type=click.IntRange(min=1), metavar="N", help="Runs at the most."),
        click.option("--budget", "budget_usd", type=Amount(), metavar="USD", help="What its runs may cost together."),
        click.option(
            "--resume/--no-resume",
            "resume_if_checkpointed",
            default=None,
            help="Whether a checkpointed run goes on at the start of a session.",
        ),
        click.option(
            "--catch-up",
            type=OneOf(CatchUp),
            metavar="POLICY",
            help=f"Missed occurrences: {', '.join(CatchUp)}; coalesce unless said.",
        ),
        click.option("--contradicts", multiple=True, metavar="BELIEF", help="A belief it contradicts.  [many]"),
        click.option(
            "--meta", "metadata", type=JSON_PAIR, multiple=True, metavar="KEY=JSON", help="Free data.  [many]"
        ),
    )
    names = (
        "description", "goal_type", "priority", "category", "task_category", "parent_goal_id", "owner_agent",
        "failure_conditions", "constraints", "review_cadence", "start_condition", "stop_condition", "time_horizon",
        "dependencies", "allowed_capabilities", "learning_required", "value", "effort", "risk", "horizon_min_minutes",
        "horizon_max_minutes", "aligns_with", "contradicts", "baseline", "target", "unit", "watch", "arms", "overlap",
        "max_attempts", "budget_usd", "resume_if_checkpointed", "catch_up",
    )  # fmt: skip

    @functools.wraps(function)
    def described(*args: Any, metric: tuple[str, ...], criterion: tuple[str, ...], **given: Any) -> None:
        fields = {name: value for name in names if (value := given.pop(name)) not in (None, ())}
        if metric or criterion:
            fields["criteria"] = [*map(measured, metric), *criterion]
        if metadata := given.pop("metadata"):
            fields["metadata"] = dict(metadata)
        function(*args, fields=fields, **given)

    for option in reversed(options):
        described = option(described)
    return described


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
    help="Whose idea it is; user unless said.",
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
    help="Most urgent first, latest begun first, latest changed first; priority unless said.",
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
