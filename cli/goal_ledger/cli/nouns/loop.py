"""What is still owed: retries, answers, follow-ups.

Listed: noun 110
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, Time, as_of, bad_cursor, cursor_number, pages, writes
from goal_ledger.cli.show import render
from goal_ledger.cli.show.data import timeline_data
from goal_ledger.domain.goals.loop import LoopKind, LoopStatus

if TYPE_CHECKING:
    from goal_ledger.projections.goals.open_loops import LoopRow

ID = "loop_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger loop list --kind clarification", f"goal-ledger loop show {ID}"))
def loop() -> None:
    """What is still owed: retries, answers to questions, follow-ups."""


# --- Opening and closing


@loop.command(
    "open",
    examples=(
        f'goal-ledger loop open clarification "Which region?" --goal {GOAL}',
        'goal-ledger loop open follow_up "Did the restore hold?" --due 2026-03-01',
    ),
)
@click.argument("kind", type=OneOf(LoopKind))
@click.argument("question")
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="The goal that it is about.")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that it is about, and its goal.")
@click.option("--due", "due_at", type=Time(), help="Until when.")
@writes
def open_(app: App, kind: LoopKind, question: str, **wish: Any) -> None:
    """Note that something of this KIND is owed: QUESTION. What is open already stays as it is."""
    app.show(_data(app, app.open(create=True).loops.open(kind, question, **wish)), render.loop_line)


@loop.command("close", examples=(f'goal-ledger loop close {ID} --answer "eu-west-1"',))
@click.argument("loop_id", metavar="LOOP", type=Id("loop"))
@click.option("--answer", metavar="TEXT", required=True, help="What came of it.")
@writes
def close(app: App, loop_id: str, answer: str, reason: str | None) -> None:
    """Close LOOP with its answer; a goal that waits for nothing else goes on."""
    app.show(_data(app, app.ledger.loops.close(loop_id, answer=answer, reason=reason)), render.loop_line)


# --- Looking


@loop.command(
    "show", examples=(f"goal-ledger loop show {ID}", f"goal-ledger loop show {ID} --as-of 2026-02-24T09:00:00Z")
)
@click.argument("loop_id", metavar="LOOP", type=Id("loop"))
@as_of(overdue=True)
def show(app: App, loop_id: str) -> None:
    """Everything about LOOP as it stands, or stood."""
    app.show(_data(app, app.ledger.loops.get(loop_id)), render.loop)


@loop.command("list", examples=("goal-ledger loop list", "goal-ledger loop list --kind pending_retry --all"))
@click.option("--kind", type=OneOf(LoopKind), help="Of this kind.")
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="About this goal.")
@click.option("--all", "every", is_flag=True, help="The closed ones too.")
@as_of(folds=True, overdue=True)
@pages
def list_(app: App, every: bool, after: str | None, limit: int | None, **where: Any) -> None:
    """Open loops, the one that is due first, then the one that is open for longest."""
    place = None if after is None else _place(after)
    status = None if every else LoopStatus.OPEN
    page = app.ledger.loops.list(status=status, after=place, limit=limit, **where)
    app.show_list(
        [_data(app, row) for row in page.rows],
        render.loops,
        next_page=None if page.next is None else ",".join(map(str, page.next)),
        empty="No loop matches; see all: goal-ledger loop list --all"
        if any(where.values()) or after
        else "Nothing is owed.",
    )


@loop.command("timeline", examples=(f"goal-ledger loop timeline {ID}",))
@click.argument("loop_id", metavar="LOOP", type=Id("loop"))
@as_of()
def timeline(app: App, loop_id: str) -> None:
    """Every event of LOOP, in order: who opened it, who closed it and with what."""
    app.show_list(timeline_data(app.ledger.loops.timeline(loop_id)), render.timeline, empty="No events.")


def _data(app: App, row: "LoopRow") -> Mapping[str, Any]:
    """A loop with what depends on the time, without what only sorts."""
    data = row._asdict() | {"overdue": app.ledger.loops.is_overdue(row)}
    del data["due_order"]
    return data


def _place(cursor: str) -> tuple[str | int, ...]:
    due, _, position = cursor.partition(",")
    try:
        datetime.fromisoformat(due)
        return (due, cursor_number(position))
    except ValueError:
        raise bad_cursor(cursor) from None
