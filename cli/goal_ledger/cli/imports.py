"""goal-ledger import: histories from elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from goal_ledger.cli import render
from goal_ledger.cli.app import App, at_most
from goal_ledger.cli.command import Noun

if TYPE_CHECKING:
    from goal_ledger.ledger.imports import CheckImport, EventImport, RunImport

_LOG = "--case-column case_id --activity-column activity --time-column ts"


@click.group("import", cls=Noun, examples=("goal-ledger import runs runs.jsonl.gz",))
def import_() -> None:
    """Bring in histories from elsewhere."""


@import_.command(
    "runs",
    examples=(
        "goal-ledger import runs runs.jsonl.gz",
        "goal-ledger import runs runs.jsonl.gz --prefix copy-2",
        "goal-ledger import runs runs.jsonl --strict",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--prefix", metavar="NAME", help="Stands before the source of each record: another prefix, another copy.")
@click.option("--strict", is_flag=True, help="Import nothing when a line is bad.")
@click.pass_obj
def runs(app: App, file: Path, prefix: str | None, strict: bool) -> None:
    """Take the run records of FILE, JSON lines, gzipped or not: a task is a goal, an attempt a run.

    Repeating an import adds nothing; the same file under another --prefix is imported again, as other goals and runs.
    """
    with app.progress("importing") as progress:
        done = app.open(create=True).imports.runs(file, prefix=prefix, strict=strict, progress=progress)
    _show(app, done)


@import_.command(
    "events",
    examples=(
        f"goal-ledger import events incidents.csv.gz \\\n      {_LOG}",
        f"goal-ledger import events incidents.csv.gz --prefix north \\\n      {_LOG}",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--case-column", "case", required=True, metavar="NAME", help="The column that names the case.")
@click.option(
    "--activity-column", "activity", required=True, metavar="NAME", help="The column that says what was done."
)
@click.option(
    "--time-column", "time", required=True, metavar="NAME", help="The column that says when, ISO 8601 with a zone."
)
@click.option(
    "--prefix",
    metavar="NAME",
    help="Names the source, the file's name unless said: another prefix, another copy.",
)
@click.option("--strict", is_flag=True, help="Import nothing when a line is bad.")
@click.pass_obj
def events(app: App, file: Path, case: str, activity: str, time: str, prefix: str | None, strict: bool) -> None:
    """Take the process log of FILE, CSV with a header, gzipped or not: a case is a goal, a row an activity of it.

    All other columns are kept with the activity; rows move no goal. Repeating an import adds nothing; the same file
    under another --prefix is imported again, as other goals.
    """
    with app.progress("importing") as progress:
        done = app.open(create=True).imports.events(
            file, case=case, activity=activity, time=time, prefix=prefix, strict=strict, progress=progress
        )
    _show(app, done)


@import_.command("checks", examples=("goal-ledger import checks checks.csv.gz",))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Import nothing when a line is bad.")
@click.pass_obj
def checks(app: App, file: Path, strict: bool) -> None:
    """Take how scheduled tasks went from FILE, CSV with the columns task, checked_at and status, gzipped or not.

    Also understood: monitor, error, http_code, response_ms. Repeating an import adds nothing.
    """
    with app.progress("importing") as progress:
        done = app.open(create=True).imports.checks(file, strict=strict, progress=progress)
    _show(app, done)


def _show(app: App, done: "CheckImport | RunImport | EventImport") -> None:
    app.show(
        {**done._asdict(), "problems": [problem._asdict() for problem in done.problems]},
        render.imported,
        warnings=at_most([f"line {line}: {reason}" for line, reason in done.problems], "lines were not taken"),
    )
