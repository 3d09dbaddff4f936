"""goal-ledger import: histories from elsewhere."""

from pathlib import Path

import click

from goal_ledger.cli import render
from goal_ledger.cli.app import App, at_most
from goal_ledger.cli.command import Noun


@click.group("import", cls=Noun, examples=("goal-ledger import runs runs.jsonl.gz",))
def import_() -> None:
    """Bring in histories from elsewhere."""


@import_.command("runs", examples=("goal-ledger import runs runs.jsonl.gz", "goal-ledger import runs x.jsonl --strict"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Import nothing when a line is bad.")
@click.pass_obj
def runs(app: App, file: Path, strict: bool) -> None:
    """Take the run records of FILE, JSON lines, gzipped or not: a task is a goal, an attempt a run.

    Repeating an import adds nothing.
    """
    with app.progress("importing") as progress:
        done = app.open(create=True).imports.runs(file, strict=strict, progress=progress)
    app.show(
        {**done._asdict(), "problems": [problem._asdict() for problem in done.problems]},
        render.imported,
        warnings=at_most([f"line {line}: {reason}" for line, reason in done.problems], "lines were not taken"),
    )
