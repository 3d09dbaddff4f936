"""What is to be built: projects, their features and bugs.

Listed: noun 120
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import OneOf, id_argument, writes
from goal_ledger.cli.show import answers, strategy
from goal_ledger.domain.strategy.project import BugSeverity

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.strategy.projects import ProjectRow

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
    app.show(app.open(create=True).projects.create(name, **wish)._asdict(), strategy.project_line)


@project.command("amend", examples=(f'goal-ledger project amend {ID} --description "Sells abroad too"',))
@id_argument("project")
@click.option("--description", metavar="TEXT", required=True, help="What it is.")
@writes
def amend(app: App, project_id: str, **wish: Any) -> None:
    """Describe PROJECT anew; it keeps its name."""
    app.show(app.ledger.projects.amend(project_id, **wish)._asdict(), strategy.project_line)


@project.command(
    "feature",
    examples=(
        f'goal-ledger project feature {ID} "Pay by invoice"',
        f'goal-ledger project feature {ID} "Pay by invoice" --done',
    ),
)
@id_argument("project")
@click.argument("title")
@click.option("--id", "feature_id", metavar="ID", help="The one with this TITLE by default, or the next of f1, f2 ….")
@click.option("--done/--not-done", default=None, help="Whether it is done; as it was by default.")
@writes
def feature(app: App, project_id: str, title: str, **wish: Any) -> None:
    """Plan a feature of PROJECT called TITLE, or say that it is done."""
    app.show(app.ledger.projects.feature(project_id, title, **wish)._asdict(), strategy.project_line)


@project.command("bug", examples=(f'goal-ledger project bug {ID} "Paid twice" --severity critical',))
@id_argument("project")
@click.argument("title")
@click.option("--severity", type=OneOf(BugSeverity), help="How bad it is; as it was by default, major of a new one.")
@click.option("--id", "bug_id", metavar="ID", help="The one with this TITLE by default, or the next of b1, b2 ….")
@writes
def bug(app: App, project_id: str, title: str, **wish: Any) -> None:
    """Say that something is broken in PROJECT: TITLE. A bug that was resolved is open again."""
    app.show(app.ledger.projects.bug(project_id, title, **wish)._asdict(), strategy.project_line)


@project.command("resolve", examples=(f'goal-ledger project resolve {ID} b1 --reason "one charge each"',))
@id_argument("project")
@click.argument("bug_id", metavar="BUG")
@writes
def resolve(app: App, project_id: str, bug_id: str, reason: str | None) -> None:
    """Say that the BUG of PROJECT with this id is gone."""
    app.show(app.ledger.projects.resolve(project_id, bug_id, reason=reason)._asdict(), strategy.project_line)


# --- Looking


@project.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.project_id, row.name) for row in ledger.projects.list().rows)


@project.command(
    "show", examples=(f"goal-ledger project show {ID}", f"goal-ledger project show {ID} --as-of 2026-02-24T09:00:00Z")
)
@id_argument("project")
@answers.one(strategy.project)
def show(ledger: Ledger, project_id: str) -> ProjectRow:
    """Everything about PROJECT as it stands, or stood."""
    return ledger.projects.get(project_id)


@project.command("list", examples=("goal-ledger project list",))
@answers.page(
    strategy.projects,
    empty='No projects; add one: goal-ledger project create "Web shop"',
    no_match="No more projects.",
)
def list_(ledger: Ledger, **page: Any) -> Page[ProjectRow]:
    """Projects, the one that changed last first."""
    return ledger.projects.list(**page)


@project.command("timeline", examples=(f"goal-ledger project timeline {ID}",))
@id_argument("project")
@answers.events
def timeline(ledger: Ledger, project_id: str) -> answers.Events:
    """Every event of PROJECT, in order: what was planned, done, reported and resolved."""
    return ledger.projects.timeline(project_id)
