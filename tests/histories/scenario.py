"""What a new history tells: every event there is, every transition from every state, and what bytes find awkward."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals import watchdog
from goal_ledger.domain.goals.contract import CatchUp, GoalSource, Origin
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import MOVES, ArchiveCause, GoalStatus, path
from goal_ledger.domain.learning.lesson import LESSON, LessonRecalled, Scope, lesson_id
from goal_ledger.domain.learning.review import (
    REVIEW,
    Candidate,
    LessonsPromoted,
    Notable,
    ReviewReopened,
    ReviewWritten,
    RootCause,
    review_id,
)
from goal_ledger.domain.learning.rule import (
    RULE,
    Arm,
    Mode,
    RuleCanaried,
    RuleDrafted,
    RulePromoted,
    RuleRecalled,
    RuleRetired,
    RuleRolledBack,
    RuleShadowed,
    RuleTried,
    RuleValued,
    rule_id,
)
from goal_ledger.domain.runs.feed import FEED, Level, advance, feed_id
from goal_ledger.ledger import (
    UNKNOWN,
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
from goal_ledger.ledger.goals.cadence import due_occurrences
from goal_ledger.ledger.work.leases import expire_leases

SAID = "Quotes \" ' `, a line\nbreak, a \\ and \u2028, العربية, 🌙 — said."
BEGIN = datetime(2025, 11, 9, 11, tzinfo=UTC)


def tell(ledger: Ledger, chance: Random) -> None:
    """Tell the whole story; chance decides the small things."""
    family = _family(ledger)
    for verb, move in MOVES.items():
        for source in sorted(move.sources):
            _move(ledger, verb, source)
    taught = [_attempt(ledger, goal_id, chance) for goal_id in family for _ in range(3)]
    _lessons(ledger, taught)
    _learned_from(ledger, taught[-1])
    _proposed(ledger)
    _kinds(ledger, family[1])
    _seen(ledger, family[0], chance)
    _handed_out(ledger)
    _watched(ledger)
    _owed(ledger, family[1])
    _restarted(ledger, family[1])
    _built(ledger)
    _measured(ledger)
    ledger.learning.cycle(reason=SAID)


def _family(ledger: Ledger) -> list[str]:
    """An objective, its key result, an initiative that waits for another; created, amended, approved, under way."""
    people = ledger.using(actor="user:ana", occurred_at=BEGIN)
    objective = people.goals.create(
        "Nightly backups that restore",
        goal_type=GoalType.OBJECTIVE,
        description=SAID,
        priority=1,
        reason="an audit",
        value=0.8,
        effort=0.1 + 0.2,
        time_horizon="2027-03-01",
        review_cadence="0 9 * * 1 Europe/Berlin",
        metadata={"évidence": [1, -(2**63), 1e-7, {"deep": None}], "z": 1, "a": [True, 0.1]},
    )
    key_result = people.goals.create(
        "Every backup of November restores",
        goal_type=GoalType.KEY_RESULT,
        parent_goal_id=objective.goal_id,
        baseline=0.0,
        target=30.0,
        unit="nights",
        criteria=["row counts agree", {"text": "restored >= 30", "metric": "restored", "op": ">=", "target": 30.0}],
    )
    first = ledger.using(occurred_at=UNKNOWN).goals.create("A second disk", constraints=["under $40 a month"])
    second = ledger.using(command_id="create-7").goals.create(
        "A second region",
        parent_goal_id=key_result.goal_id,
        dependencies=[first.goal_id],
        owner_agent="agent:fixer",
        task_category="quality",
    )
    people.goals.amend(second.goal_id, priority=2, dependencies=[], constraints=["cheap", SAID], reason="support asked")
    found = ledger.using(actor="agent:detector", cause=ledger.head)
    origin = Origin(source=GoalSource.SYSTEM, created_by="detector:failures")
    proposed = found.goals.create("Fix 'daily_backup'", origin=origin, reason="4 failures in 24 h")
    people.goals.approve(proposed.goal_id, reason="before the next audit")
    for goal_id in (first.goal_id, second.goal_id):
        ledger.using(command_id=f"ready-{goal_id}").goals.ready(goal_id)
    return [first.goal_id, second.goal_id, proposed.goal_id]


def _kinds(ledger: Ledger, initiative: str) -> None:
    """What only some types of goals do: measure, repeat, watch and compare."""
    key_result = ledger.goals.get(initiative).parent_goal_id
    assert key_result is not None
    for value, day in ((12.0, 3), (7.0, 2), (30.5, 5)):  # the second one came in late
        ledger.key_results.record(key_result, value, note=SAID, at=BEGIN + timedelta(days=day))
    ledger.using(occurred_at=UNKNOWN).key_results.record(key_result, 1.0)
    for policy in CatchUp:
        begun = ledger.using(occurred_at=BEGIN)
        sweep = begun.goals.create(f"Sweep, {policy}", goal_type="maintenance", review_cadence="1d", catch_up=policy)
        begun.goals.ready(sweep.goal_id)
        begun.goals.activate(sweep.goal_id)
        for days in (1, 4):
            due_occurrences(ledger, BEGIN + timedelta(days=days))
        ledger.goals.complete(sweep.goal_id, evidence=SAID)
        ledger.goals.archive(sweep.goal_id, reason="moved elsewhere")
    dog = ledger.goals.create("Nothing fails", goal_type="watchdog", watch="goal.status = failed").goal_id
    for verb in ("ready", "activate"):
        getattr(ledger.goals, verb)(dog)
    ledger.act(dog, GOAL, watchdog.fire, incident="inc_1")
    ledger.act(dog, GOAL, watchdog.clear, reason="repaired")
    ledger.act(dog, GOAL, watchdog.fire, incident="inc_2")
    trial = ledger.goals.create("Old or new prompt", goal_type="experiment", arms=["old", "new"]).goal_id
    for number in range(6):
        ledger.experiments.record(trial, ("old", "new")[number % 2], success=number % 3 == 0)


def _move(ledger: Ledger, verb: str, source: GoalStatus) -> None:
    """A goal that comes to a state by the shortest way, and leaves it by a verb."""
    is_proposed = source in (GoalStatus.PROPOSED, GoalStatus.REJECTED)
    origin = Origin(source=GoalSource.SYSTEM, created_by="detector:scenario") if is_proposed else None
    goal = ledger.goals.create(f"From {source} by {verb}", origin=origin)
    for step in [*path(goal.status, frozenset({source})), verb]:
        _step(ledger, goal.goal_id, step)
    assert ledger.goals.get(goal.goal_id).status is MOVES[verb].target


def _step(ledger: Ledger, goal_id: str, verb: str) -> None:
    goals = ledger.goals
    match verb:
        case "reject" | "block" | "fail":
            getattr(goals, verb)(goal_id, reason=SAID)
        case "complete --caveats":
            goals.complete(goal_id, caveats="one disk only", evidence=SAID)
        case "checkpoint":
            goals.checkpoint(goal_id, checkpoint_ref="step-3")
        case "archive":
            causes = list(ArchiveCause)
            goals.archive(goal_id, cause=causes[ledger.head % len(causes)])
        case _:
            getattr(goals, verb)(goal_id)


def _attempt(ledger: Ledger, goal_id: str, chance: Random) -> str:
    """One run with everything that can happen to it; finished, or interrupted."""
    begun = BEGIN + timedelta(seconds=chance.randrange(10**7), microseconds=chance.randrange(10**6))
    worker = ledger.using(actor="agent:fixer", occurred_at=begun, cause=ledger.head)
    run = worker.runs.start(
        goal_id, agent="agent:fixer", job_id="daily_backup", plan_summary=SAID, metrics_before={"rows": 2**63 - 1}
    ).run_id
    for step in range(chance.randrange(1, 4)):
        worker.runs.act(run, f"step {step}", action_type="shell", ok=chance.random() < 0.7, attributes={"host": "db-3"})
    worker.runs.heartbeat(run, note="half way")
    worker.runs.checkpoint(run, "dump-2")
    worker.runs.resume(run)
    worker.runs.cost(run, cost_usd=Decimal(chance.randrange(1, 10**6)) / 10**5, tokens_in=chance.randrange(10**6))
    worker.runs.cost(run, cost_usd=Decimal("0.10"), model="m-1")
    ended = ledger.using(actor="agent:fixer", occurred_at=UNKNOWN if chance.random() < 0.3 else begun)
    match chance.randrange(3):
        case 0:
            ended.runs.interrupt(run, reason="the machine went away")
            return run
        case 1:
            category = chance.choice(list(FailureCategory))
            ended.runs.verify(run, VerifierStatus.FAILED, verifier="restore-test", score=chance.random())
            ended.runs.finish(run, LocalOutcome.FAILED, failure_category=category, duration_seconds=chance.random())
        case _:
            ended.runs.verify(run, VerifierStatus.PASSED, verifier="restore-test", score=1.0)
            command = ledger.using(command_id=f"finish-{run}", occurred_at=begun + timedelta(minutes=26))
            command.runs.finish(run, LocalOutcome.SUCCEEDED, metrics_after={"rows": 0.5})
    for outcome in chance.sample(list(BusinessOutcome), k=2):
        ledger.runs.outcome(run, outcome, source="audit", external_id="5", detail=SAID)
    return run


def _lessons(ledger: Ledger, runs: Iterable[str]) -> None:
    for number, (run, other) in enumerate(pairwise(runs)):
        lesson = ledger.lessons.add(
            f"Look before you leap, {number}",
            category=list(LessonCategory)[number % len(LessonCategory)],
            goal_type=list(GoalType)[number % len(GoalType)] if number % 2 else None,
            action_type="shell" if number % 3 else None,
            confidence=0.8,
            run_id=run,
        ).lesson_id
        ledger.lessons.apply(lesson, run_id=other)
        if number % 2:
            ledger.lessons.confirm(lesson, run_id=other)
        else:
            ledger.lessons.contradict(lesson, reason=SAID)
        if number % 3 == 0:
            ledger.lessons.retire(lesson, reason="moot")


def _learned_from(ledger: Ledger, run_id: str) -> None:
    """A review, the lesson and the rule drawn from it, and the fall of both."""

    def as_told(_: object, *events: Event) -> tuple[Event, ...]:
        return events

    text, scope = "Prune before a dump", Scope(GoalType.MAINTENANCE, "shell")
    review, lesson, rule = review_id(run_id), lesson_id(scope, text), rule_id(scope, text)
    ledger.act(
        review,
        REVIEW,
        as_told,
        ReviewWritten(
            run_id=run_id,
            goal_id=ledger.runs.get(run_id).goal_id,
            notable=Notable.FAILED,
            what_happened=SAID,
            root_cause=RootCause(category=FailureCategory.TOOL_ERROR, detail="disk full"),
            signature="backup · tool_error · disk full",
            lesson_candidates=(Candidate(text=text, category=LessonCategory.SAFE_DEFAULT),),
        ),
        ReviewReopened(run_id=run_id),
        LessonsPromoted(lesson_ids=(lesson,)),
    )
    ledger.lessons.add(
        text, category=LessonCategory.SAFE_DEFAULT, goal_type=scope.goal_type, action_type=scope.action_type
    )
    ledger.act(
        rule,
        RULE,
        as_told,
        RuleDrafted(title="Prune", rule_text=text, source_lesson_ids=(lesson,)),
        RuleShadowed(run_id=run_id),
        RuleCanaried(share=0.5, round=1),
        RuleTried(run_id=run_id, arm=Arm.TREATMENT, success=True, cost_usd=Decimal("0.10"), duration_seconds=1.5),
        RuleValued(run_id=run_id, arm=Arm.TREATMENT, degraded=True),
        RulePromoted(),
        RuleRolledBack(mode=Mode.CANARY, cause="outcome"),
        RuleRetired(reason="moot"),
        RuleRecalled(root=lesson),
    )
    ledger.act(lesson, LESSON, as_told, LessonRecalled(root=lesson))


def _proposed(ledger: Ledger) -> None:
    """A task that keeps failing, what detectors make of it, and what is held true."""
    for hour in range(5):
        ledger.history.record(
            "daily_backup", hour == 0, at=BEGIN + timedelta(hours=hour), error=SAID if hour else None, source="cron"
        )
    end = BEGIN + timedelta(hours=4)
    for _ in range(2):
        ledger.proposals.scan(now=end)
    list(ledger.using(occurred_at=end + timedelta(days=8)).proposals.expire(end + timedelta(days=8)))
    belief = ledger.beliefs.hold("Backups must restore", reason=SAID).belief_id
    ledger.beliefs.contradict(belief, reason="two did not")
    ledger.beliefs.retract(belief, reason="moot")


def _seen(ledger: Ledger, goal_id: str, chance: Random) -> None:
    for number in range(3):
        ledger.using(occurred_at=UNKNOWN).act(
            goal_id,
            GOAL,
            goal_rules.record_activity,
            activity="invoice sent",
            attributes={"amount": chance.random(), "to": SAID},
            source_id=f"row-{number}",
        )


def _handed_out(ledger: Ledger) -> None:
    """Work that is claimed, falls silent, is taken over, is queued, is tried again, and comes to its end."""
    urgent = ledger.goals.create("Answer the auditor", priority=1)
    flaky = ledger.goals.create("Fetch the prices", max_attempts=2, budget_usd="0.20", allowed_capabilities=["http"])
    for goal in (urgent, flaky):
        ledger.goals.ready(goal.goal_id)
    claimed = ledger.using(actor="agent:fixer").work.claim(lease_s=300)
    assert claimed is not None and claimed.goal_id == urgent.goal_id
    ledger.runs.heartbeat(claimed.run_id, note="half way", lease_s=60)
    ledger.runs.finish(claimed.run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    queue = ledger.goals.create("Write the minutes", overlap="enqueue", priority=1)
    ledger.goals.ready(queue.goal_id)
    first = ledger.runs.start(queue.goal_id, lease_s=60)
    ledger.runs.checkpoint(first.run_id, "page-3")
    ledger.runs.start(queue.goal_id, plan_summary=SAID)
    second = ledger.runs.take_over(queue.goal_id, reason=SAID, lease_s=60)
    expire_leases(ledger, ledger.now() + timedelta(days=1))
    assert ledger.runs.get(second.run_id).orphaned
    for _ in range(2):
        run = ledger.runs.start(flaky.goal_id)
        ledger.runs.cost(run.run_id, cost_usd=Decimal("0.05"))
        ledger.runs.finish(run.run_id, LocalOutcome.FAILED, failure_category=FailureCategory.EXTERNAL_DEPENDENCY)
    assert ledger.goals.get(flaky.goal_id).status is GoalStatus.FAILED


def _watched(ledger: Ledger) -> None:
    watching = ledger.goals.create("Watch the backups", goal_type=GoalType.WATCHDOG, watch="goal.priority = 3")
    for verb in ("ready", "activate"):
        getattr(ledger.goals, verb)(watching.goal_id)
    ledger.act(watching.goal_id, GOAL, watchdog.fire, incident="inc_1", reason=SAID)
    ledger.act(watching.goal_id, GOAL, watchdog.clear, reason="mended")


def _owed(ledger: Ledger, goal_id: str) -> None:
    """A loop of each kind; one is answered and opened again, one held a goal until it was answered."""
    due_at = BEGIN + timedelta(days=30)
    follow_up = ledger.loops.open(LoopKind.FOLLOW_UP, SAID, due_at=due_at, reason=SAID).loop_id
    ledger.loops.close(follow_up, answer=SAID, reason="asked twice")
    ledger.loops.open(LoopKind.FOLLOW_UP, SAID)
    ledger.loops.open(LoopKind.PENDING_RETRY, "Again?", goal_id=goal_id)
    ledger.goals.wait(goal_id, question="Which region?", due_at=due_at)
    question = ledger.loops.list(kind=LoopKind.CLARIFICATION).rows[0].loop_id
    ledger.using(occurred_at=UNKNOWN).loops.close(question, answer="eu-west-1")


def _restarted(ledger: Ledger, goal_id: str) -> None:
    """A session that is drained and stopped while a run is under way, and the one after it."""
    ledger.sessions.start(reason="the machine came up")
    run = ledger.runs.start(goal_id, agent="agent:fixer").run_id
    ledger.sessions.drain(reason="an upgrade")
    ledger.sessions.stop()
    ledger.sessions.start()
    ledger.runs.finish(run, LocalOutcome.SUCCEEDED)


def _built(ledger: Ledger) -> None:
    """A project with features that are done, planned and taken back, and a bug that comes back."""
    shop = ledger.using(occurred_at=BEGIN).projects.create("Web shop", description=SAID, reason=SAID).project_id
    ledger.using(occurred_at=UNKNOWN).projects.amend(shop, description="Sells abroad too")
    for title, done in (("Pay by invoice", True), (SAID, None), ("Search", True), ("search", False)):
        ledger.projects.feature(shop, title, done=done)
    ledger.projects.bug(shop, SAID, severity=BugSeverity.CRITICAL, bug_id="PAY-17")
    ledger.projects.bug(shop, "The logo is blurred", severity=BugSeverity.MINOR)
    ledger.projects.resolve(shop, "PAY-17", reason="one charge per order")
    ledger.projects.bug(shop, SAID, reason="it came back")
    ledger.projects.resolve(shop, "b2")


def _measured(ledger: Ledger) -> None:
    """A source that was read twice."""
    for day, value in ((9, 0.25), (16, 0.2)):
        at = f"2026-03-{day:02}T00:00:00.000000Z"
        levels = (Level(metric="conversion of Sign-up", value=value, at=at),)
        ledger.act(
            feed_id("posthog"), FEED, advance, source="posthog", cursor=at, records=1, outcomes=0, problems=0,
            levels=levels,
        )  # fmt: skip
