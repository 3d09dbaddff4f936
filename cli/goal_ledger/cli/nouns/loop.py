"""Open loops: pending retries, questions, follow-ups.

Listed: noun 110
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.cursor import Cursor, number, time
from goal_ledger.cli.frame.options import Filter, Id, OneOf, Time, id_argument, writes
from goal_ledger.cli.show import answers, loops
from goal_ledger.domain.goals.loop import LoopKind, LoopStatus

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.goals.open_loops import LoopRow

ID = "loop_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger loop list --kind clarification", f"goal-ledger loop show {ID}"))
def loop() -> None:
    """Open loops: pending retries, questions, follow-ups."""


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
    """Open a loop of this KIND: QUESTION. One that is open already stays as it is."""
    row = app.open(create=True).loops.open(kind, question, **wish)
    app.show(loops.loop_data(app.ledger, row), loops.loop_line)


@loop.command("close", examples=(f'goal-ledger loop close {ID} --answer "eu-west-1"',))
@id_argument("loop")
@click.option("--answer", metavar="TEXT", required=True, help="What came of it.")
@writes
def close(app: App, loop_id: str, answer: str, reason: str | None) -> None:
    """Close LOOP with its answer; a goal that waits for nothing else goes on."""
    row = app.ledger.loops.close(loop_id, answer=answer, reason=reason)
    app.show(loops.loop_data(app.ledger, row), loops.loop_line)


# --- Looking


@loop.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.loop_id, f"{row.kind}  {row.question}") for row in ledger.loops.list().rows)


@loop.command(
    "show", examples=(f"goal-ledger loop show {ID}", f"goal-ledger loop show {ID} --as-of 2026-02-24T09:00:00Z")
)
@id_argument("loop")
@answers.one(loops.loop, data=loops.loop_data, overdue=True)
def show(ledger: Ledger, loop_id: str) -> LoopRow:
    """Everything about LOOP as it stands, or stood."""
    return ledger.loops.get(loop_id)


@loop.command("list", examples=("goal-ledger loop list", "goal-ledger loop list --kind pending_retry --all"))
@click.option("--kind", cls=Filter, type=OneOf(LoopKind), help="Of this kind.")
@click.option("--goal", "goal_id", cls=Filter, type=Id("goal"), metavar="GOAL", help="About this goal.")
@click.option("--all", "every", is_flag=True, help="The closed ones too.")
@answers.page(
    loops.loops,
    data=loops.loop_data,
    cursor=Cursor(time, number, between=","),
    empty="No open loops.",
    no_match="No loop matches; see all: goal-ledger loop list --all",
    overdue=True,
)
def list_(ledger: Ledger, every: bool, **where: Any) -> Page[LoopRow]:
    """Open loops, the one that is due first, then the one that is open for longest."""
    return ledger.loops.list(status=None if every else LoopStatus.OPEN, **where)


@loop.command("timeline", examples=(f"goal-ledger loop timeline {ID}",))
@id_argument("loop")
@answers.events
def timeline(ledger: Ledger, loop_id: str) -> answers.Events:
    """Every event of LOOP, in order: who opened it, who closed it and with what."""
    return ledger.loops.timeline(loop_id)
