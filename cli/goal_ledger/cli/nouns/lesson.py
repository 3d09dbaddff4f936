"""What was learned: heuristics, and the evidence for and against.

Listed: noun 50
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Filter, Id, OneOf, active_ones, as_of, id_argument, writes
from goal_ledger.cli.show import answers, learning
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import LessonCategory

if TYPE_CHECKING:
    from goal_ledger.domain.learning.similarity import Contradiction
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.learning.lessons import LessonRow

ID = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger lesson list --action-type shell", f"goal-ledger lesson show {ID}"))
def lesson() -> None:
    """What was learned: heuristics, and the evidence for and against them."""


# --- Learning


@lesson.command(
    "add",
    examples=(
        'goal-ledger lesson add "Prune old dumps before a new one" --category safe_default \\\n'
        f"      --action-type shell --run {RUN}",
    ),
)
@click.argument("text")
@click.option("--category", type=OneOf(LessonCategory), required=True, help="What kind of lesson it is.")
@click.option(
    "--goal-type", type=OneOf(GoalType), metavar="TYPE", help=f"For goals of this type: {', '.join(GoalType)}."
)
@click.option("--action-type", metavar="TEXT", help="For actions of this type.")
@click.option("--confidence", type=float, metavar="0-1", help="How sure you are; 0.5 by default.")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that taught it: evidence.")
@writes
def add(app: App, text: str, **wish: Any) -> None:
    """Learn TEXT; what says the same for the same goals and actions adds its run as evidence."""
    app.show(app.open(create=True).lessons.add(text, **wish)._asdict(), learning.lesson_line)


@lesson.command(
    "confirm",
    examples=(f"goal-ledger lesson confirm {ID} --run {RUN}", f'goal-ledger lesson confirm {ID} --reason "…"'),
)
@id_argument("lesson")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that shows it; a run counts once.")
@writes
def confirm(app: App, lesson_id: str, **wish: Any) -> None:
    """Count evidence for LESSON."""
    app.show(app.ledger.lessons.confirm(lesson_id, **wish)._asdict(), learning.lesson_line)


@lesson.command("contradict", examples=(f"goal-ledger lesson contradict {ID} --run {RUN}",))
@id_argument("lesson")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="The run that shows it; a run counts once.")
@writes
def contradict(app: App, lesson_id: str, **wish: Any) -> None:
    """Count evidence against LESSON."""
    app.show(app.ledger.lessons.contradict(lesson_id, **wish)._asdict(), learning.lesson_line)


@lesson.command("apply", examples=(f"goal-ledger lesson apply {ID} --run {RUN}",))
@id_argument("lesson")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", required=True, help="The run that works by it.")
@writes
def apply(app: App, lesson_id: str, **wish: Any) -> None:
    """Note that a run worked by LESSON."""
    app.show(app.ledger.lessons.apply(lesson_id, **wish)._asdict(), learning.lesson_line)


@lesson.command("retire", examples=(f'goal-ledger lesson retire {ID} --reason "the tool is gone"',))
@id_argument("lesson")
@writes
def retire(app: App, lesson_id: str, reason: str | None) -> None:
    """Give LESSON to no run any more; say why. Its history stays."""
    app.show(app.ledger.lessons.retire(lesson_id, reason=reason)._asdict(), learning.lesson_line)


@lesson.command(
    "recall",
    examples=(f"goal-ledger lesson recall {ID} --dry-run", f'goal-ledger lesson recall {ID} --reason "it was luck"'),
)
@id_argument("lesson")
@click.option("--dry-run", is_flag=True, help="Only show what would fall with it.")
@writes
def recall(app: App, lesson_id: str, **wish: Any) -> None:
    """Take LESSON back for good, with all that stands on it; say why.

    The rules drawn from it fall, and the lessons taught by runs that were given any of them, and so on.
    """
    app.show(app.ledger.lessons.recall(lesson_id, **wish)._asdict(), learning.recall)


# --- Looking


@lesson.command(
    "context",
    examples=(f"goal-ledger lesson context --goal {GOAL} --max-tokens 500", f"goal-ledger lesson context --run {RUN}"),
)
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="What a run of it would be told now.")
@click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="What this run was told, word for word.")
@click.option("--max-tokens", type=click.IntRange(min=0), metavar="N", help="About how long; `context_tokens`.")
@click.option("--format", "form", type=click.Choice(("md", "json")), default="md", help="json is the same as --json.")
@as_of(folds=True)
def context(app: App, goal_id: str | None, form: str, **asked: Any) -> None:
    """What an agent is told before it starts: rules in force and lessons that apply, the most useful first."""
    app.json = app.json or form == "json"
    app.show(learning.context_data(app.ledger.lessons.context(goal_id, **asked)), learning.context)


@lesson.command("contradictions", examples=("goal-ledger lesson contradictions",))
@answers.rows(learning.contradictions, empty="No two active lessons contradict each other.")
def contradictions(ledger: Ledger) -> Sequence[Contradiction]:
    """Pairs of active lessons that may apply together and say the opposite of nearly the same."""
    return ledger.lessons.contradictions()


@lesson.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.lesson_id, row.lesson_text) for row in ledger.lessons.list(active=None).rows)


@lesson.command(
    "show", examples=(f"goal-ledger lesson show {ID}", f"goal-ledger lesson show {ID} --as-of 2026-02-24T09:00:00Z")
)
@id_argument("lesson")
@answers.one(learning.lesson)
def show(ledger: Ledger, lesson_id: str) -> LessonRow:
    """Everything about LESSON as it stands, or stood."""
    return ledger.lessons.get(lesson_id)


@lesson.command("list", examples=("goal-ledger lesson list --action-type shell", "goal-ledger lesson list --retired"))
@click.option("--all", "every", is_flag=True, help="The retired and recalled ones too.")
@click.option("--retired", cls=Filter, is_flag=True, help="The retired and recalled ones only.")
@click.option("--goal-type", cls=Filter, type=OneOf(GoalType), metavar="TYPE", help=f"One of {', '.join(GoalType)}.")
@click.option("--action-type", cls=Filter, metavar="TEXT", help="For actions of this type.")
@click.option("--category", cls=Filter, type=OneOf(LessonCategory), help="Of this category.")
@answers.page(
    learning.lessons,
    empty='No active lessons; add one: goal-ledger lesson add "Prune old dumps first" --category safe_default',
    no_match="No lesson matches; see all: goal-ledger lesson list --all",
)
def list_(ledger: Ledger, every: bool, retired: bool, **where: Any) -> Page[LessonRow]:
    """Active lessons, the one that changed last first."""
    return ledger.lessons.list(active=active_ones(every=every, retired=retired), **where)


@lesson.command("timeline", examples=(f"goal-ledger lesson timeline {ID}",))
@id_argument("lesson")
@answers.events
def timeline(ledger: Ledger, lesson_id: str) -> answers.Events:
    """Every event of LESSON, in order: who learned it, what spoke for it and against it."""
    return ledger.lessons.timeline(lesson_id)
