"""What is to be built: projects, their features and bugs.

Listed: noun 120
"""

from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, as_of, pages, position_place, writes
from goal_ledger.cli.show import render, render_strategy
from goal_ledger.cli.show.data import timeline_data
from goal_ledger.domain.strategy.project import BugSeverity

ID = "project_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger project list", f"goal-ledger project show {ID}"))
def project() -> None:
    """What is to be built: projects, their features and their bugs."""


# --- Writing


@project.command("create", examples=('goal-ledger project create "Web shop" --description "Sells what we make"',))
@click.argument("name")
@click.option("--description", metavar="TEXT", help="What it is.")
@writes
def create(app: App, name: str, **wish: Any) -> None:
    """Make a project known by its NAME; the same name again is the same project."""
    app.show(app.open(create=True).projects.create(name, **wish)._asdict(), render_strategy.project_line)


@project.command("amend", examples=(f'goal-ledger project amend {ID} --description "Sells abroad too"',))
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@click.option("--description", metavar="TEXT", required=True, help="What it is.")
@writes
def amend(app: App, project_id: str, **wish: Any) -> None:
    """Describe PROJECT anew; it keeps its name."""
    app.show(app.ledger.projects.amend(project_id, **wish)._asdict(), render_strategy.project_line)


@project.command(
    "feature",
    examples=(
        f'goal-ledger project feature {ID} "Pay by invoice"',
        f'goal-ledger project feature {ID} "Pay by invoice" --done',
    ),
)
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@click.argument("title")
@click.option("--id", "feature_id", metavar="ID", help="The one with this TITLE unless said, or the next of f1, f2 ….")
@click.option("--done/--not-done", default=None, help="Whether it is done; as it was unless said.")
@writes
def feature(app: App, project_id: str, title: str, **wish: Any) -> None:
    """Plan a feature of PROJECT called TITLE, or say that it is done."""
    app.show(app.ledger.projects.feature(project_id, title, **wish)._asdict(), render_strategy.project_line)


@project.command("bug", examples=(f'goal-ledger project bug {ID} "Paid twice" --severity critical',))
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@click.argument("title")
@click.option("--severity", type=OneOf(BugSeverity), help="How bad it is; as it was unless said, major of a new one.")
@click.option("--id", "bug_id", metavar="ID", help="The one with this TITLE unless said, or the next of b1, b2 ….")
@writes
def bug(app: App, project_id: str, title: str, **wish: Any) -> None:
    """Say that something is broken in PROJECT: TITLE. A bug that was resolved is open again."""
    app.show(app.ledger.projects.bug(project_id, title, **wish)._asdict(), render_strategy.project_line)


@project.command("resolve", examples=(f'goal-ledger project resolve {ID} b1 --reason "one charge each"',))
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@click.argument("bug_id", metavar="BUG")
@writes
def resolve(app: App, project_id: str, bug_id: str, reason: str | None) -> None:
    """Say that the BUG of PROJECT with this id is gone."""
    app.show(app.ledger.projects.resolve(project_id, bug_id, reason=reason)._asdict(), render_strategy.project_line)


# --- Looking


@project.command(
    "show", examples=(f"goal-ledger project show {ID}", f"goal-ledger project show {ID} --as-of 2026-02-24T09:00:00Z")
)
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@as_of()
def show(app: App, project_id: str) -> None:
    """Everything about PROJECT as it stands, or stood."""
    app.show(app.ledger.projects.get(project_id)._asdict(), render_strategy.project)


@project.command("list", examples=("goal-ledger project list",))
@as_of(folds=True)
@pages
def list_(app: App, after: str | None, limit: int | None) -> None:
    """Projects, the one that changed last first."""
    page = app.ledger.projects.list(after=None if after is None else position_place(after), limit=limit)
    app.show_list(
        [row._asdict() for row in page.rows],
        render_strategy.projects,
        next_page=None if page.next is None else str(page.next[0]),
        empty='No projects; add one: goal-ledger project create "Web shop"' if after is None else "No more projects.",
    )


@project.command("timeline", examples=(f"goal-ledger project timeline {ID}",))
@click.argument("project_id", metavar="PROJECT", type=Id("project"))
@as_of()
def timeline(app: App, project_id: str) -> None:
    """Every event of PROJECT, in order: what was planned, done, reported and resolved."""
    app.show_list(timeline_data(app.ledger.projects.timeline(project_id)), render.timeline, empty="No events.")
