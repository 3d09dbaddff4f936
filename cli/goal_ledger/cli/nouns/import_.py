"""Bring in histories from elsewhere.

Listed: noun 140
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App, at_most, pass_app
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, OneOf, Pair, Time
from goal_ledger.cli.show import runs as show_runs
from goal_ledger.domain.runs.outcomes import Rule

if TYPE_CHECKING:
    from goal_ledger.ledger.runs.attribution import Attribution
    from goal_ledger.ledger.runs.feeds import FeedImport
    from goal_ledger.ledger.runs.imports import CheckImport, EventImport, RunImport

_LOG = "--case-column case_id --activity-column activity --time-column ts"


GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(
    "import",
    cls=Noun,
    examples=(
        "goal-ledger import runs runs.jsonl.gz",
        f"goal-ledger import events incidents.csv.gz \\\n      {_LOG}",
        f"goal-ledger import analytics funnel.json --goal {GOAL}",
        "goal-ledger import crm stats.csv",
    ),
)
def import_() -> None:
    """Bring in histories from elsewhere, and what the world measured.

    `runs` and `events` tell of goals and runs that are not here yet; `analytics` and `crm` say what runs that are here
    were worth. Repeating an import adds nothing.
    """


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
    help="Names the source, the file's name by default: another prefix, another copy.",
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


def _attributes(function: Callable[..., None]) -> Callable[..., None]:
    """The options of an import that gives outcomes to runs."""
    for option in reversed(
        (
            click.option("--run", "run_id", type=Id("run"), metavar="RUN", help="This run is meant."),
            click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="Runs of this goal are meant."),
            click.option("--category", "task_category", metavar="TEXT", help="Runs of this task category are meant."),
            click.option(
                "--rule", type=OneOf(Rule), default=Rule.LATEST,
                help="Which of those that finished in the days before a measurement; latest by default.",
            ),
            click.option("--lower-is-better", multiple=True, metavar="METRIC", help="It should fall.  [many]"),
            click.option("--source", metavar="NAME", help="Names where the records come from."),
            click.option("--strict", is_flag=True, help="Import nothing when a record cannot be taken."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def _attribution(wish: dict[str, Any]) -> "Attribution":
    """What the options of `_attributes` say; they are taken out of the wish."""
    from goal_ledger.ledger.runs.attribution import Attribution

    return Attribution(**{name: wish.pop(name) for name in Attribution._fields})


@import_.command(
    "analytics",
    examples=(
        f"goal-ledger import analytics funnel.json --goal {GOAL}",
        f"goal-ledger import analytics events.jsonl.gz --event activated --per signed_up \\\n      --goal {GOAL}",
        f"goal-ledger import analytics https://us.posthog.com/api/projects/7/insights/42/ \\\n      --goal {GOAL}",
    ),
)
@click.argument("place", metavar="FILE|URL")
@click.option("--event", metavar="NAME", help="In events: how many people did this.")
@click.option("--per", metavar="NAME", help="As a share of the people who did this one.")
@click.option(
    "--window", "window_days", type=click.IntRange(min=1, max=3650), default=7, show_default=True, metavar="DAYS",
    help="Events are counted in windows of so many days.",
)  # fmt: skip
@click.option("--at", type=Time(), help="When a funnel was measured that does not say so.")
@_attributes
@pass_app
def analytics(app: App, /, place: str, at: datetime | None, **wish: Any) -> None:
    """Take what PostHog measured: a funnel, as JSON, or events, as JSON lines or CSV, in a FILE or from its API.

    Each funnel, or each whole window of events, is compared with the one before it. The difference is the business
    outcome of the run before it. The first one is what the next is compared with. The key for the API is read from
    POSTHOG_API_KEY and sent to no other host.
    """
    to = _attribution(wish)
    token = os.environ.get("POSTHOG_API_KEY") or None
    _show_outcomes(app, app.ledger.feeds.analytics(place, at=at, to=to, token=token, **wish))


@import_.command(
    "crm",
    examples=(
        "goal-ledger import crm stats.csv",
        f"goal-ledger import crm stats.jsonl --lower-is-better churn \\\n      --campaign spring={GOAL}",
        "goal-ledger import crm https://crm.example/api/stats --category outreach --rule all",
    ),
)
@click.argument("place", metavar="FILE|URL")
@click.option(
    "--campaign", type=Pair(str, f"spring={GOAL}"), multiple=True, metavar="NAME=GOAL", help="Which goal it is.  [many]"
)
@_attributes
@pass_app
def crm(app: App, /, place: str, campaign: tuple[tuple[str, str], ...], **wish: Any) -> None:
    """Take the pipeline statistics of a CRM, as JSON, JSON lines or CSV, in a FILE or from a URL.

    Each record says what a metric was before and after: a drop degraded the run before it, a rise improved it. Runs of
    the task category `outreach` are meant unless the record or an option says others. The key for a URL is read from
    CRM_API_KEY and sent to no other host.
    """
    to = _attribution(wish)
    token = os.environ.get("CRM_API_KEY") or None
    _show_outcomes(app, app.ledger.feeds.crm(place, campaigns=dict(campaign), to=to, token=token, **wish))


def _show_outcomes(app: App, done: "FeedImport") -> None:
    app.show(
        {**done._asdict(), "problems": [problem._asdict() for problem in done.problems]},
        show_runs.imported,
        warnings=at_most(
            [f"record {line}: {code}: {reason}" for line, code, reason in done.problems], "records were not taken"
        ),
    )


def _show(app: App, done: "CheckImport | RunImport | EventImport") -> None:
    app.show(
        {**done._asdict(), "problems": [problem._asdict() for problem in done.problems]},
        show_runs.imported,
        warnings=at_most([f"line {line}: {reason}" for line, reason in done.problems], "lines were not taken"),
    )
