"""A history of wishes that have command ids: told again to a ledger that holds it, it writes nothing.

Every verb that people and agents reach is asked for under a command id of its own, and each answer is checked where it
is given, so that it is checked again when the wish is repeated.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals import watchdog
from goal_ledger.domain.goals.contract import GoalSource, Origin
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import ArchiveCause
from goal_ledger.domain.learning.lesson import LESSON
from goal_ledger.domain.learning.lesson import judge as judge_lesson
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.feed import FEED, Level, advance, feed_id
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger import (
    BugSeverity,
    BusinessOutcome,
    FailureCategory,
    GoalType,
    Ledger,
    LessonCategory,
    LocalOutcome,
    LoopKind,
    VerifierStatus,
)

SAID = "Quotes \" ' `, a line\nbreak and \u2028, العربية, 🌙 — said."
BEGIN = datetime(2025, 11, 9, 11, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 9, tzinfo=UTC)


def tell(ledger: Ledger, _: Random) -> None:
    """Ask for everything, each wish under a command id."""
    _lives(ledger)
    _full(ledger)
    run_id = _attempts(ledger)
    _kinds(ledger)
    _taught(ledger, run_id)
    _owed(ledger)
    _built(ledger)
    _decided(ledger)
    _in_sessions(ledger)


def _lives(ledger: Ledger) -> None:
    """Goals and every verb that moves them."""
    goal_id = _once(ledger, "create").goals.create("Restore a backup").goal_id
    asked = {
        "ready": ("ready", "ready"),
        "activate": ("activate", "active"),
        "wait": ("wait", "waiting"),
        "retry": ("retry", "retrying"),
        "activate-2": ("activate", "active"),
        "checkpoint": ("checkpoint", "checkpointed"),
        "resume": ("resume", "active"),
    }
    for command_id, (verb, status) in asked.items():
        _is(getattr(_once(ledger, command_id).goals, verb)(goal_id), status)
    _is(_once(ledger, "block").goals.block(goal_id, reason=SAID), "blocked")
    _is(_once(ledger, "unblock").goals.unblock(goal_id, reason="found the key"), "active")
    _is(_once(ledger, "complete").goals.complete(goal_id, evidence=SAID), "completed")
    _is(_once(ledger, "archive").goals.archive(goal_id), "archived")
    for number, (verb, said, status) in enumerate(
        [
            ("reject", {"reason": "moot"}, "rejected"),
            ("approve", {"reason": SAID}, "active"),
            ("approve", {}, "active"),
        ]
    ):
        origin = Origin(source=GoalSource.SYSTEM, created_by="detector:history", proposal_id=f"prop_{number}")
        goal_id = _once(ledger, f"propose-{number}").goals.create(f"Proposed {number}", origin=origin).goal_id
        _is(getattr(_once(ledger, f"{verb}-{number}").goals, verb)(goal_id, **said), status)
    _is(_once(ledger, "fail").goals.fail(goal_id, reason="the disk is gone"), "failed")
    _is(_once(ledger, "archive-2").goals.archive(goal_id, cause=ArchiveCause.CANCELLED, reason=SAID), "archived")


def _full(ledger: Ledger) -> None:
    """A contract that says every field, and one that is amended."""
    other = _once(ledger, "create-other").goals.create("A second disk", reason=SAID).goal_id
    objective = _once(ledger, "create-objective").goals.create("Backups restore", goal_type=GoalType.OBJECTIVE).goal_id
    key_result = _once(ledger, "create-key-result").goals.create(
        "All of November", goal_type="key_result", parent_goal_id=objective, baseline=0.0, target=30.0, unit="nights"
    )
    full = _once(ledger, "create-full").goals.create(
        "A second region",
        description=SAID,
        goal_type=GoalType.INITIATIVE,
        category="infrastructure",
        task_category="quality",
        parent_goal_id=key_result.goal_id,
        owner_agent="agent:fixer",
        priority=2,
        criteria=[
            "row counts agree",
            {"text": "restored >= 30", "metric": "restored", "op": ">=", "target": 30.0, "weight": 2.0},
            Criterion(id="c9", text="documented", required=False),
        ],
        failure_conditions=["costs explode"],
        constraints=["under $40 a month"],
        review_cadence="0 9 * * 1 Europe/Berlin",
        start_condition="a person says so",
        stop_condition="nobody needs it",
        time_horizon="2036-03-01",
        dependencies=[other],
        allowed_capabilities=["shell", "http"],
        learning_required=False,
        value=0.8,
        effort=0.1 + 0.2,
        risk=0.0,
        horizon_min_minutes=5,
        horizon_max_minutes=90,
        aligns_with=["safety"],
        contradicts=["thrift"],
        metadata={"évidence": [1, -(2**63), 1e-7, {"deep": None}], "z": 1, "a": [True, 0.1]},
        overlap="allow",
        max_attempts=3,
        budget_usd="12.50",
        resume_if_checkpointed=False,
        catch_up="skip",
        origin=Origin(source=GoalSource.COLLABORATIVE, source_id="T-1"),
        reason="an audit",
    )
    assert (full.priority, full.budget_usd, full.learning_required) == (2, Decimal("12.50"), False)
    amended = _once(ledger, "amend").goals.amend(
        full.goal_id, priority=3, criteria=["one", {"text": "two", "required": False}], budget_usd=None,
        learning_required=True, metadata={}, dependencies=[], reason=SAID,
    )  # fmt: skip
    assert (amended.priority, amended.budget_usd, amended.learning_required) == (3, None, True)
    measured = _once(ledger, "measure").key_results.record(key_result.goal_id, 12.0)
    assert measured.current == 12.0
    measured = _once(ledger, "measure-2").key_results.record(
        key_result.goal_id, 13.5, note=SAID, at=BEGIN + timedelta(days=3), reason="counted"
    )
    assert measured.goal_id == key_result.goal_id


def _attempts(ledger: Ledger) -> str:
    """Runs and every verb of theirs; the id of one that was lost."""
    goal_id = _once(ledger, "create-work").goals.create("Dump the database", max_attempts=9).goal_id
    _once(ledger, "ready-work").goals.ready(goal_id, reason=SAID)
    run = _once(ledger, "start").runs.start(goal_id)
    _is(run, "running")
    _once(ledger, "act").runs.act(run.run_id, "dump")
    _once(ledger, "act-2").runs.act(
        run.run_id, SAID, action_type="shell", ok=False, detail="disk full", attributes={"host": "db-3", "n": [1, None]}
    )
    _once(ledger, "beat").runs.heartbeat(run.run_id, note="half way")
    _once(ledger, "beat-2").runs.heartbeat(run.run_id, note="still", lease_s=60, reason=SAID)
    _is(_once(ledger, "lay-down").runs.checkpoint(run.run_id, "dump-2"), "checkpointed")
    _is(_once(ledger, "take-up").runs.resume(run.run_id), "running")
    _once(ledger, "cost").runs.cost(run.run_id, cost_usd=Decimal("0.10"), model="m-1")
    _once(ledger, "cost-2").runs.cost(run.run_id, tokens_in=5, tokens_out=0, reason="the invoice")
    _once(ledger, "verify").runs.verify(run.run_id, VerifierStatus.PASSED)
    _once(ledger, "verify-2").runs.verify(run.run_id, VerifierStatus.PASSED, verifier="restore-test", score=1.0)
    _is(
        _once(ledger, "finish").runs.finish(run.run_id, LocalOutcome.SUCCEEDED, metrics_after={"rows": 0.5}), "finished"
    )
    _once(ledger, "outcome").runs.outcome(run.run_id, BusinessOutcome.IMPROVED)
    _once(ledger, "outcome-2").runs.outcome(
        run.run_id, BusinessOutcome.DEGRADED, source="audit", external_id="5", detail=SAID, reason="an audit"
    )
    leased = _once(ledger, "start-2").runs.start(
        goal_id,
        agent="agent:fixer",
        job_id="daily",
        plan_summary=SAID,
        metrics_before={"rows": 2**63 - 1},
        lease_s=90.5,
    )
    beside = _once(ledger, "start-3").runs.start(goal_id, overlap=True, reason="in a hurry")
    _is(_once(ledger, "interrupt").runs.interrupt(beside.run_id, reason="the machine went away"), "interrupted")
    successor = _once(ledger, "take-over").runs.take_over(leased.run_id, agent="agent:b", lease_s=60, reason=SAID)
    _is(
        _once(ledger, "finish-2").runs.finish(
            successor.run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR, detail="disk full",
            duration_seconds=0.5, reason=SAID,
        ),
        "finished",
    )  # fmt: skip
    urgent = _once(ledger, "create-urgent").goals.create("Answer the auditor", priority=1).goal_id
    _once(ledger, "ready-urgent").goals.ready(urgent)
    claimed = _once(ledger, "claim").work.claim(agent="agent:c", lease_s=600, reason=SAID)
    assert claimed is not None and (claimed.goal_id, claimed.status) == (urgent, "running")
    return successor.run_id


def _kinds(ledger: Ledger) -> None:
    """What is compared, what a scheduler reports, what detectors propose, what is believed."""
    trial = (
        _once(ledger, "create-trial").goals.create("Old or new", goal_type="experiment", arms=["old", "new"]).goal_id
    )
    _once(ledger, "compare").experiments.record(trial, "old", success=False)
    _once(ledger, "compare-2").experiments.record(trial, "new", success=True, reason=SAID)
    _once(ledger, "check").history.record("daily_backup", True)
    _once(ledger, "check-2").history.record(
        "daily_backup", False, at=BEGIN, error="disk full", duration_seconds=3.5, source="cron", reason=SAID
    )
    finding = Finding(
        text="Mend the backup", category="reliability", pattern="task_failure", subject="daily_backup", confidence=0.9,
        value=0.9, effort=0.1, risk=0.1,
    )  # fmt: skip
    _once(ledger, "found").proposals.propose(finding)
    other = finding.model_copy(update={"text": "Watch the disk", "subject": "disk", "evidence": {"runs": [1, 2]}})
    _once(ledger, "found-2").proposals.propose(other, by="detector:mine")
    assert _once(ledger, "scan").proposals.scan(now=UNTIL).scan_id is not None
    belief = _once(ledger, "hold").beliefs.hold("Backups must restore").belief_id
    _is(_once(ledger, "doubt").beliefs.contradict(belief, reason=SAID), "contradicted")
    _is(_once(ledger, "retract").beliefs.retract(belief, reason="moot"), "retracted")


def _taught(ledger: Ledger, run_id: str) -> None:
    """Reviews, lessons and rules."""
    lesson = _once(ledger, "learn").lessons.add("Prune before a dump", category=LessonCategory.SAFE_DEFAULT).lesson_id
    other = _once(ledger, "learn-2").lessons.add(
        "Ask before a restore", category=LessonCategory.ANTI_PATTERN, goal_type=GoalType.INITIATIVE,
        action_type="shell", confidence=0.9, run_id=run_id, reason=SAID,
    ).lesson_id  # fmt: skip
    _once(ledger, "apply").lessons.apply(lesson, run_id=run_id)
    for number in range(6):
        _once(ledger, f"confirm-{number}").lessons.confirm(other, reason=f"seen {number}")
    _once(ledger, "contradict").lessons.contradict(lesson, run_id=run_id, reason=SAID)
    _once(ledger, "retire").lessons.retire(lesson, reason="moot")
    rule = _once(ledger, "draft").rules.draft(other).rule_id
    named = _once(ledger, "draft-2").rules.draft(other, title="Ask", text="Ask a person first", reason=SAID).rule_id
    _once(ledger, "canary").rules.canary(rule, reason="begin")
    _once(ledger, "canary-2").rules.canary(named, share=0.25, reason=SAID)
    _once(ledger, "roll-back").rules.roll_back(rule, reason=SAID)
    _once(ledger, "retire-rule").rules.retire(rule, reason="moot")
    review = ledger.reviews.of(run_id)
    assert review is not None
    _once(ledger, "promote-review").reviews.promote(review.aar_id, reason=SAID)
    won = _once(ledger, "start-4").runs.start(ledger.runs.get(run_id).goal_id, overlap=True).run_id
    _is(_once(ledger, "finish-3").runs.finish(won, LocalOutcome.SUCCEEDED), "finished")
    _once(ledger, "review").reviews.write(won, reason="it went well")
    _once(ledger, "recall").lessons.recall(other, reason="it was false")
    assert ledger.learning.cycle(UNTIL).until is not None


def _owed(ledger: Ledger) -> None:
    follow_up = _once(ledger, "open").loops.open(LoopKind.FOLLOW_UP, SAID).loop_id
    _is(_once(ledger, "close").loops.close(follow_up, answer="yes"), "closed")
    goal_id = _once(ledger, "create-waiting").goals.create("Choose a region").goal_id
    for verb in ("ready", "activate"):
        getattr(_once(ledger, f"{verb}-waiting").goals, verb)(goal_id)
    _once(ledger, "open-2").loops.open(
        LoopKind.PENDING_RETRY, "Again?", goal_id=goal_id, due_at=BEGIN + timedelta(days=30), reason=SAID
    )
    _is(_once(ledger, "ask").goals.wait(goal_id, question="Which region?", due_at="2026-05-01T00:00:00Z"), "waiting")
    question = ledger.loops.list(goal_id=goal_id, kind=LoopKind.CLARIFICATION, status=None).rows[0].loop_id
    _is(_once(ledger, "close-2").loops.close(question, answer="eu-west-1", reason=SAID), "closed")


def _built(ledger: Ledger) -> None:
    shop = _once(ledger, "register").projects.create("Web shop").project_id
    _once(ledger, "describe").projects.amend(shop, description=SAID)
    _once(ledger, "feature").projects.feature(shop, "Search")
    _once(ledger, "feature-2").projects.feature(shop, "Search", done=True, reason="shipped")
    _once(ledger, "bug").projects.bug(shop, "The logo is blurred")
    _once(ledger, "bug-2").projects.bug(shop, SAID, severity=BugSeverity.CRITICAL, bug_id="PAY-17", reason="seen twice")
    _once(ledger, "resolve").projects.resolve(shop, "PAY-17")


def _decided(ledger: Ledger) -> None:
    """Decisions that are acted on directly, and transactions of a program's own."""
    dog = _once(ledger, "create-dog").goals.create("Nothing fails", goal_type="watchdog", watch="goal.status = failed")
    for verb in ("ready", "activate"):
        getattr(_once(ledger, f"{verb}-dog").goals, verb)(dog.goal_id)
    _once(ledger, "fire").act(dog.goal_id, GOAL, watchdog.fire, incident="inc_1")
    _once(ledger, "clear").act(dog.goal_id, GOAL, watchdog.clear, reason=None)
    _once(ledger, "activity").act(dog.goal_id, GOAL, goal_rules.record_activity, activity="barked")
    _once(ledger, "activity-2").act(
        dog.goal_id, GOAL, goal_rules.record_activity, activity="bit", attributes={}, source_id=None, reason=SAID
    )
    lesson = _once(ledger, "learn-3").lessons.add("Sleep", category=LessonCategory.SAFE_DEFAULT).lesson_id
    run = _once(ledger, "start-dog").runs.start(dog.goal_id)
    _once(ledger, "judge").act(lesson, LESSON, judge_lesson, run_id=run.run_id, held=False)
    _once(ledger, "beat-3").act(run.run_id, RUN, run_rules.heartbeat, note="here", lease_s=None)
    levels = (Level(metric="conversion", value=0.25, at="2026-03-09T00:00:00.000000Z"),)
    _once(ledger, "advance").act(
        feed_id("posthog"), FEED, advance, source="posthog", cursor=None, records=1, outcomes=0, problems=0,
        levels=levels,
    )  # fmt: skip

    def bark(tx: Any) -> None:
        for number in range(2):
            tx.act(dog.goal_id, GOAL, goal_rules.record_activity, activity=f"barked {number}")

    told = _once(ledger, "own").transact(bark, operation="dog.bark", arguments={"times": 2, "at": BEGIN, "whom": None})
    assert [each.event.activity for each in told] == ["barked 0", "barked 1"]  # type: ignore[attr-defined]


def _in_sessions(ledger: Ledger) -> None:
    _once(ledger, "session-start").sessions.start()
    _once(ledger, "session-drain").sessions.drain(reason="an upgrade")
    _once(ledger, "session-stop").sessions.stop(reason=SAID)
    _once(ledger, "session-start-2").sessions.start(owner="somebody else's process", reason="up again")


def _once(ledger: Ledger, command_id: str) -> Ledger:
    return ledger.using(command_id=command_id)


def _is(row: Any, status: str) -> None:
    assert row.status == status, row
