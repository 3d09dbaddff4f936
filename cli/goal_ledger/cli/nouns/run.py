"""What was tried: attempts at goals, from start to outcome.

Listed: noun 40
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import LAST_ID, MOST_IDS, Noun
from goal_ledger.cli.frame.cursor import Cursor, an_id
from goal_ledger.cli.frame.options import (
    JSON_PAIR,
    NUMBER_PAIR,
    Amount,
    Filter,
    Id,
    OneOf,
    id_argument,
    writes,
)
from goal_ledger.cli.show import answers, runs
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, RunStatus, VerifierStatus

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.projections.runs.goal_runs import RunRow
    from goal_ledger.projections.runs.outcome_records import OutcomeRecord

GOAL = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
ID = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"

_LEASE = "How long the worker may be silent."

Pairs = tuple[tuple[str, Any], ...]


@click.group(cls=Noun, examples=(f"goal-ledger run list --goal {GOAL}", f"goal-ledger run show {ID}"))
def run() -> None:
    """What was tried: attempts at goals, from start to outcome."""


@run.command("start", examples=(f"goal-ledger run start {GOAL} --agent backup-bot",))
@id_argument("goal")
@click.option("--agent", metavar="AGENT", help="Who works on it.")
@click.option("--job", "job_id", metavar="ID", help="The scheduler's job.")
@click.option("--plan", "plan_summary", metavar="TEXT", help="What is about to be tried.")
@click.option("--metric", type=NUMBER_PAIR, multiple=True, metavar="NAME=NUMBER", help="Its value before.  [many]")
@click.option("--allow-overlap", "overlap", is_flag=True, help="Even beside a run that is still open.")
@click.option("--lease", "lease_s", type=float, metavar="SECONDS", help=_LEASE)
@writes
def start(app: App, goal_id: str, metric: Pairs, **wish: Any) -> None:
    """Hand out GOAL's next attempt and start it; a ready goal becomes active.

    Beside an open run it does what GOAL's overlap says: refuse, start, replace that run, or queue this one.
    """
    row = app.ledger.runs.start(goal_id, metrics_before=dict(metric), **wish)
    app.show(row._asdict(), runs.run_line)


@run.command("act", examples=(f'goal-ledger run act {ID} "pg_dump" --type shell --failed',))
@id_argument("run")
@click.argument("action")
@click.option("--type", "action_type", metavar="TEXT", help="The tool or the kind of action.")
@click.option("--ok/--failed", "ok", default=None, help="Whether it worked; unknown by default.")
@click.option("--detail", metavar="TEXT", help="What happened.")
@click.option("--attr", type=JSON_PAIR, multiple=True, metavar="KEY=JSON", help="Free data.  [many]")
@writes
def act(app: App, run_id: str, action: str, attr: Pairs, **wish: Any) -> None:
    """Note an ACTION of RUN."""
    row = app.ledger.runs.act(run_id, action, attributes=dict(attr) or None, **wish)
    app.show(row._asdict(), runs.run_line)


@run.command("heartbeat", examples=(f'goal-ledger run heartbeat {ID} --note "40% copied"',))
@id_argument("run")
@click.option("--note", metavar="TEXT", help="How far it is.")
@click.option("--lease", "lease_s", type=float, metavar="SECONDS", help=f"{_LEASE} As before by default.")
@writes
def heartbeat(app: App, run_id: str, **wish: Any) -> None:
    """Say that RUN's worker is alive; without news, the first half of its lease needs no word."""
    app.show(app.ledger.runs.heartbeat(run_id, **wish)._asdict(), runs.run_line)


@run.command(
    "take-over",
    examples=(
        f'goal-ledger run take-over {ID} --lease 300 --reason "it is gone"',
        f'goal-ledger run take-over {GOAL} --reason "silent for an hour"',
    ),
)
@click.argument("run_id", metavar="RUN|GOAL", type=Id("run"))
@click.option("--agent", metavar="AGENT", help="Who works on it now.")
@click.option("--lease", "lease_s", type=float, metavar="SECONDS", help=_LEASE)
@writes
def take_over(app: App, run_id: str, **wish: Any) -> None:
    """Interrupt RUN, or the open run of GOAL, and start the next attempt in its place; say why.

    What the worker before it still reports is refused: `lease_lost`.
    """
    app.show(app.ledger.runs.take_over(run_id, **wish)._asdict(), runs.run_line)


@run.command("checkpoint", examples=(f"goal-ledger run checkpoint {ID} s3://dumps/part-3",))
@id_argument("run")
@click.argument("ref")
@writes
def checkpoint(app: App, run_id: str, ref: str, reason: str | None) -> None:
    """Lay RUN down at REF, where it can be resumed."""
    app.show(app.ledger.runs.checkpoint(run_id, ref, reason=reason)._asdict(), runs.run_line)


@run.command("resume", examples=(f"goal-ledger run resume {ID}",))
@id_argument("run")
@writes
def resume(app: App, run_id: str, reason: str | None) -> None:
    """Go on with RUN from its last checkpoint."""
    app.show(app.ledger.runs.resume(run_id, reason=reason)._asdict(), runs.run_line)


@run.command("interrupt", examples=(f'goal-ledger run interrupt {ID} --reason "worker lost"',))
@id_argument("run")
@writes
def interrupt(app: App, run_id: str, reason: str | None) -> None:
    """Say that RUN's worker is gone for good, or take RUN out of the queue; say why."""
    app.show(app.ledger.runs.interrupt(run_id, reason=reason)._asdict(), runs.run_line)


@run.command("verify", examples=(f"goal-ledger run verify {ID} passed --verifier restore-test --score 0.98",))
@id_argument("run")
@click.argument("status", type=OneOf(VerifierStatus))
@click.option("--verifier", metavar="NAME", help="Who says so.")
@click.option("--score", type=float, metavar="NUMBER", help="On the verifier's own scale.")
@click.option("--detail", metavar="TEXT", help="What was found.")
@writes
def verify(app: App, run_id: str, status: VerifierStatus, **wish: Any) -> None:
    """Record a verifier's verdict on RUN; the latest one counts."""
    app.show(app.ledger.runs.verify(run_id, status, **wish)._asdict(), runs.run_line)


@run.command("cost", examples=(f"goal-ledger run cost {ID} --usd 0.042 --tokens-in 12000",))
@id_argument("run")
@click.option("--usd", "cost_usd", type=Amount(), metavar="DECIMAL", help="What it cost, in US dollars.")
@click.option("--tokens-in", type=int, metavar="N", help="Tokens read.")
@click.option("--tokens-out", type=int, metavar="N", help="Tokens written.")
@click.option("--model", metavar="NAME", help="The model that was paid.")
@writes
def cost(app: App, run_id: str, cost_usd: Decimal | None, **wish: Any) -> None:
    """Add a bill to RUN; what is not said stays unknown."""
    app.show(app.ledger.runs.cost(run_id, cost_usd=cost_usd, **wish)._asdict(), runs.run_line)


@run.command(
    "finish",
    examples=(
        f"goal-ledger run finish {ID} --outcome succeeded --duration 312.5",
        f"goal-ledger run finish {ID} --outcome succeeded --complete",
        f"goal-ledger run finish {ID} --outcome failed --category tool_error",
    ),
)
@id_argument("run")
@click.option("--outcome", "local_outcome", type=OneOf(LocalOutcome), required=True, help="How it ended.")
@click.option(
    "--category", "failure_category", type=OneOf(FailureCategory), metavar="CATEGORY",
    help=f"Why it failed: {', '.join(FailureCategory)}.",
)  # fmt: skip
@click.option("--detail", metavar="TEXT", help="What happened.")
@click.option("--duration", "duration_seconds", type=float, metavar="SECONDS", help="Wall time; since the start.")
@click.option("--metric", type=NUMBER_PAIR, multiple=True, metavar="NAME=NUMBER", help="Its value after.  [many]")
@click.option("--complete", is_flag=True, help="Complete its goal too, or refuse both.")
@click.option("--evidence", metavar="TEXT", help="What shows that the goal is reached; default: the run.")
@click.option("--caveats", metavar="TEXT", help="Complete the goal with caveats: what is missing.")
@writes
def finish(app: App, run_id: str, local_outcome: LocalOutcome, metric: Pairs, **wish: Any) -> None:
    """Close RUN with its outcome, once; a failed one needs a category.

    After a success its goal is handed out no more: it waits until somebody completes it, as --complete does.
    """
    row = app.ledger.runs.finish(run_id, local_outcome, metrics_after=dict(metric) or None, **wish)
    app.show(row._asdict(), runs.run_line)


@run.command("outcome", examples=(f"goal-ledger run outcome {ID} improved --source billing",))
@id_argument("run")
@click.argument("outcome", type=OneOf(BusinessOutcome))
@click.option("--source", metavar="NAME", help="Who says so.")
@click.option("--external-id", metavar="ID", help="The source's record: the same one counts once.")
@click.option("--detail", metavar="TEXT", help="What was found.")
@writes
def outcome(app: App, run_id: str, outcome: BusinessOutcome, **wish: Any) -> None:
    """Record what a finished RUN was worth; the latest word counts."""
    app.show(app.ledger.runs.outcome(run_id, outcome, **wish)._asdict(), runs.run_line)


# --- Looking


@run.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return (
        (row.run_id, f"{row.local_outcome or row.status}  attempt {row.attempt}")
        for row in ledger.runs.list(after=(start + LAST_ID,), limit=MOST_IDS).rows
    )


@run.command("show", examples=(f"goal-ledger run show {ID}", f"goal-ledger run show {ID} --as-of 2026-02-24T09:00:00Z"))
@id_argument("run")
@answers.one(runs.run)
def show(ledger: Ledger, run_id: str) -> RunRow:
    """Everything about RUN as it stands, or stood."""
    return ledger.runs.get(run_id)


@run.command("list", examples=(f"goal-ledger run list --goal {GOAL}", "goal-ledger run list --outcome failed"))
@click.option("--goal", "goal_id", cls=Filter, type=Id("goal"), metavar="GOAL", help="Attempts at this goal.")
@click.option("--status", cls=Filter, type=OneOf(RunStatus), help="In this status.")
@click.option("--agent", cls=Filter, metavar="AGENT", help="By this agent.")
@click.option("--outcome", "local_outcome", cls=Filter, type=OneOf(LocalOutcome), help="With this outcome.")
@answers.page(
    runs.runs,
    cursor=Cursor(an_id("grun_")),
    empty="No runs yet; start one: goal-ledger run start GOAL",
    no_match="No run matches; see all: goal-ledger run list",
    warnings=runs.silent,
)
def list_(ledger: Ledger, **where: Any) -> Page[RunRow]:
    """Runs, the newest first."""
    return ledger.runs.list(**where)


@run.command("timeline", examples=(f"goal-ledger run timeline {ID}", f"goal-ledger run timeline {ID} --as-of 120"))
@id_argument("run")
@answers.events
def timeline(ledger: Ledger, run_id: str) -> answers.Events:
    """Every event of RUN, in order."""
    return ledger.runs.timeline(run_id)


@run.command("outcomes", examples=(f"goal-ledger run outcomes {ID}", f"goal-ledger run outcomes --goal {GOAL}"))
@click.argument("run_id", metavar="[RUN]", type=Id("run"), required=False)
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="Of the attempts at this goal.")
@click.option("--source", metavar="NAME", help="As this source said.")
@answers.page(runs.outcomes, empty="Nobody said what it was worth; say it: goal-ledger run outcome RUN improved")
def outcomes(ledger: Ledger, run_id: str | None, **where: Any) -> Page[OutcomeRecord]:
    """Every word on what RUN was worth, or any run, the last one recorded first: the first one is what counts."""
    if run_id is not None:
        ledger.runs.get(run_id)
    return ledger.feeds.outcomes(run_id=run_id, **where)
