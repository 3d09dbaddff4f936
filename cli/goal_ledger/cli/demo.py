"""A small history, played in a temporary ledger: nightly backups fail three times, then one restores."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import click

from goal_ledger.cli.frame.main import reader_gone
from goal_ledger.cli.show import goals, log, runs
from goal_ledger.domain.goals.contract import GoalSource, Origin
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, VerifierStatus
from goal_ledger.ledger import Ledger

PERSON = "user:ana"
SCHEDULER = "agent:scheduler"
WORKER = "agent:backup-bot"


class Attempt(NamedTuple):
    """One night's try, on 2025-11-09. action: what was done, and how it went. cost_usd: what the agent spent."""

    start: str
    end: str
    plan: str
    action: str
    said: str
    cost_usd: Decimal
    failure: FailureCategory | None


ATTEMPTS = (
    Attempt(
        "01:00", "01:30", "dump, upload, done", "pg_dump --jobs 1", "still dumping after 30 minutes",
        Decimal("0.0184"), FailureCategory.EXECUTION_TIMEOUT,
    ),
    Attempt(
        "02:00", "02:12", "dump with 4 jobs, upload", "upload to bucket", "the bucket refused: quota of 500 GB reached",
        Decimal("0.0121"), FailureCategory.TOOL_ERROR,
    ),
    Attempt(
        "03:00", "03:21", "prune old dumps, dump, upload", "restore into scratch",
        "table orders has 0 rows after the restore", Decimal("0.0267"), FailureCategory.VERIFICATION_FAILURE,
    ),
    Attempt(
        "04:00", "04:26", "dump in one snapshot, upload, restore", "restore into scratch",
        "all 214 tables have the rows they should", Decimal("0.0309"), None,
    ),
)  # fmt: skip


class Story(NamedTuple):
    """The goals that the story leaves behind."""

    objective: str
    repair: str
    waiting: str
    first_run: str


def at(clock: str, day: int = 9) -> datetime:
    """A moment of the story."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2025, 11, day, hour, minute, tzinfo=UTC)


def play(ledger: Ledger) -> Story:
    """Tell the story to a ledger, at the times when it happened."""
    evening = ledger.using(actor=PERSON, occurred_at=at("17:00", day=8))
    objective = evening.goals.create(
        "Nightly backups that restore",
        goal_type="objective",
        priority=1,
        owner_agent=WORKER,
        reason="an audit found that no backup was ever restored",
    ).goal_id
    key_result = evening.goals.create(
        "Every backup of November passes a restore test",
        goal_type="key_result",
        parent_goal_id=objective,
        priority=2,
        baseline=0.0,
        target=30.0,
        unit="nights",
    ).goal_id
    copy = evening.goals.create(
        "Keep a second copy in another region",
        parent_goal_id=objective,
        owner_agent=WORKER,
        constraints=["under $40 a month"],
    ).goal_id
    _start(evening, objective, key_result, copy)

    found = ledger.using(actor="agent:detector", occurred_at=at("00:40"))
    repair = found.goals.create(
        "Fix recurring failures in 'daily_backup' task",
        origin=Origin(source=GoalSource.SYSTEM, created_by="detector:recurring_failure"),
        parent_goal_id=key_result,
        priority=1,
        task_category="daily_backup",
        criteria=["a dump restores into an empty database", "row counts agree"],
        reason="4 failures in 24 h",
    ).goal_id
    ledger.using(actor=PERSON, occurred_at=at("00:50")).goals.approve(repair, reason="do it before the next audit")

    runs = [_attempt(ledger, repair, attempt) for attempt in ATTEMPTS]
    morning = ledger.using(actor=PERSON, occurred_at=at("08:30"))
    morning.goals.complete(
        repair, evidence=f"run {runs[-1]} restored all 214 tables", reason="three causes found and removed"
    )
    morning.key_results.record(key_result, 1.0, note="the night of the 9th")
    morning.runs.outcome(runs[-1], BusinessOutcome.IMPROVED, source="audit", detail="finding closed")
    morning.goals.block(copy, reason="no account in the second region yet")
    waiting = morning.goals.create("Tell customers about restore times", priority=4, dependencies=[copy]).goal_id
    morning.goals.amend(waiting, priority=3, reason="support asked for it")
    return Story(objective, repair, waiting, runs[0])


def _start(ledger: Ledger, *goal_ids: str) -> None:
    for goal_id in goal_ids:
        ledger.goals.ready(goal_id)
        ledger.goals.activate(goal_id)


def _attempt(ledger: Ledger, goal_id: str, attempt: Attempt) -> str:
    begun = ledger.using(actor=SCHEDULER, occurred_at=at(attempt.start))
    ended = ledger.using(actor=WORKER, occurred_at=at(attempt.end))
    ok = attempt.failure is None
    run_id = begun.runs.start(goal_id, agent=WORKER, job_id="daily_backup", plan_summary=attempt.plan).run_id
    ended.runs.act(run_id, attempt.action, action_type="shell", ok=ok, detail=attempt.said)
    ended.runs.cost(run_id, cost_usd=attempt.cost_usd)
    if ok or attempt.failure is FailureCategory.VERIFICATION_FAILURE:
        verdict = VerifierStatus.PASSED if ok else VerifierStatus.FAILED
        ended.runs.verify(run_id, verdict, verifier="restore-test", score=1.0 if ok else 0.0)
    outcome = LocalOutcome.SUCCEEDED if ok else LocalOutcome.FAILED
    ended.runs.finish(run_id, outcome, failure_category=attempt.failure)
    return run_id


def tell(ledger: Ledger, story: Story, path: Path) -> None:
    """Show what the ledger remembers, and prove it."""
    with _chapter("The goals, as they stand"):
        goals.tree([goals.node_data(ledger, node) for node in ledger.goals.tree()])
    with _chapter("What was tried, the newest first"):
        runs.runs([row._asdict() for row in ledger.runs.list(goal_id=story.repair).rows])
    with _chapter("The timeline of the repair: its own events and those of its runs"):
        log.timeline(log.timeline_data(ledger.goals.timeline(story.repair)))
    with _chapter("Rebuild: every read model is dropped and folded again from the log"):
        before = _rows(ledger)
        position = ledger.views.rebuilds.rebuild()
        same = "equal before and after" if _rows(ledger) == before else "DIFFERENT: this is a bug"
        click.echo(f"{len(before)} rows folded from {position} events: {same}")
    with _chapter("Verify: every byte is what was written"):
        events = ledger.log.verify()
        log.verified({"events": events, "head": events, "digest": ledger.log.digest_at(events)})
    with _chapter("Explore further"):
        for why, words in (
            ("all goals, as JSON", "goal list --json"),
            ("one goal with everything that is known", f"goal show {story.objective}"),
            ("a run that failed", f"run show {story.first_run}"),
            ("a rule says no, and says the way out", f"goal activate {story.waiting}"),
            ("another change, and its place in the history", f"goal amend {story.waiting} --priority 1"),
            ("the history of that goal", f"goal timeline {story.waiting}"),
        ):
            click.echo(f"# {why}\n{_program()} --db {path} \\\n    {words}")


def _program() -> Path:
    program = Path(sys.executable).with_name("goal-ledger")
    return program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program


def _rows(ledger: Ledger) -> Sequence[object]:
    return [*ledger.goals.list().rows, *ledger.runs.list().rows]


@contextmanager
def _chapter(title: str) -> Iterator[None]:
    click.echo(f"\n{title}\n{'-' * len(title)}")
    yield


def main() -> None:
    """Play the story in a new folder, which is kept."""
    path = Path(tempfile.mkdtemp(prefix="goal-ledger-demo-")) / "demo.db"
    with Ledger.open(path) as ledger:
        click.echo(f"A new ledger: {os.fspath(path)}")
        tell(ledger, play(ledger), path)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(reader_gone())
