"""A sample or two of every wish that can come under a command id: what it is called, and what is said.

An operation that is not here has no golden digest, and a test fails. Add its sample, then
`python -m tests.golden.write`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from goal_ledger.domain.continuity import session
from goal_ledger.domain.continuity.session import SESSION
from goal_ledger.domain.goals import experiment, goal, key_result, loop, maintenance, watchdog
from goal_ledger.domain.goals.contract import Contract, GoalSource, Origin, Overlap
from goal_ledger.domain.goals.goal import GOAL, Goal
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.goals.loop import LOOP, LoopKind, Matter
from goal_ledger.domain.learning import cycle, lesson, review, rule
from goal_ledger.domain.learning.cycle import CYCLE
from goal_ledger.domain.learning.lesson import LESSON, Evidence, LessonCategory, Scope
from goal_ledger.domain.learning.review import REVIEW
from goal_ledger.domain.learning.rule import RULE, Arm
from goal_ledger.domain.proposals import proposal
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.proposals.proposal import PROPOSAL, SCAN, RejectionCode
from goal_ledger.domain.runs import feed, monitor, run
from goal_ledger.domain.runs.feed import FEED, Level
from goal_ledger.domain.runs.monitor import MONITOR
from goal_ledger.domain.runs.run import RUN, BusinessOutcome, FailureCategory, LocalOutcome, VerifierStatus
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.strategy import belief, project
from goal_ledger.domain.strategy.belief import BELIEF
from goal_ledger.domain.strategy.project import PROJECT, BugSeverity
from goal_ledger.domain.work import dispatch, roll_up
from goal_ledger.domain.work.dispatch import Spent
from goal_ledger.domain.work.roll_up import Standing
from goal_ledger.ledger import Ledger
from goal_ledger.ledger.engine.wishes import Wish
from tests.golden.examples import NO_LOOPS, NONE, RECEIPT, SAID
from tests.golden.files import examples

GOAL_ID = "goal_01KJ7E0WM0JN74MNPW0ARN644K"
OTHER_ID = "goal_01KJ7E0WM1JN74MNPW0ARN644K"
RUN_ID = "grun_01KJ7E0WM2JN74MNPW0ARN644K"
LESSON_ID = "les_01KJ7E0WM4JN74MNPW0ARN644K"
RULE_ID = "rule_01KJ7E0WM5JN74MNPW0ARN644K"
AAR_ID = "aar_01KJ7E0WM6JN74MNPW0ARN644K"
PROPOSAL_ID = "prop_01KJ7E0WM7JN74MNPW0ARN644K"
SCAN_ID = "scan_01KJ7E0WM8JN74MNPW0ARN644K"
BELIEF_ID = "belief_01KJ7E0WM9JN74MNPW0ARN644K"
PROJECT_ID = "project_01KJ7E0WM9JN74MNPW0ARN644K"
AT = datetime(2026, 2, 24, 9, tzinfo=UTC)
DUE = "2026-02-24T09:00:00.000000Z"
STATE = Goal(GoalStatus.ACTIVE, {"title": "A", "dependencies": (), "priority": 3}, attempts=1, running=(RUN_ID,))
SETTINGS = Settings(rule_canary_share=0.25)
FINDING = Finding(
    text="Mend the backup", category="reliability", pattern="task_failure", subject="daily_backup", confidence=0.9,
    value=0.8, effort=0.1, risk=0.0,
)  # fmt: skip

OPERATIONS_FILE = Path(__file__).parent / "operations.json"

Ask = Callable[[Ledger], object]


class _Enough(Exception):
    """Ends a wish that was heard."""


class _Listening(Ledger):
    """A ledger that hears of the next wish and does not act on it."""

    heard: list[Wish] | None = None

    def transact(self, work: Any, **wish: Any) -> Any:
        if self.heard is None:
            return super().transact(work, **wish)
        self.heard.append(Wish(wish["operation"], wish.get("arguments") or {}))
        raise _Enough


def heard(ask: Ask) -> Wish:
    """The wish that a call of the public methods makes."""
    with _Listening.open(":memory:", actor="test:golden") as ledger:
        assert isinstance(ledger, _Listening)
        ledger.loops.open(LoopKind.FOLLOW_UP, "Who pays?")
        ledger.sessions.start()
        ledger.heard = []
        try:
            ask(ledger)
        except _Enough:
            [wish] = ledger.heard
            return wish
        raise AssertionError("nothing was wished for")


def _decide(decider: Any, decide: Any, stream: str = GOAL_ID, **wish: Any) -> Ask:
    return lambda ledger: ledger.act(stream, decider, decide, **wish)


def _transact(operation: str, **arguments: Any) -> Ask:
    return lambda ledger: ledger.transact(lambda _: None, operation=operation, arguments=arguments)


def _loop_id() -> str:
    return loop.loop_id(Matter(LoopKind.FOLLOW_UP, "Who pays?"))


Golden = list[dict[str, Any]]
"""By sample: wish, what is digested; digest; 0.1.0, the digest that version stored, when it knew the operation."""


def golden_operations() -> dict[str, Golden]:
    found: dict[str, Golden] = json.loads(OPERATIONS_FILE.read_bytes()) if OPERATIONS_FILE.exists() else {}
    return found


def digested(operation: str) -> Golden:
    """The samples of an operation as they are digested today."""
    wishes = [heard(ask) for ask in WISHES[operation]]
    return [{"wish": json.loads(wish.content)[1], "digest": wish.digest} for wish in wishes]


WISHES: dict[str, tuple[Ask, ...]] = {
    # --- Goals
    "goal.create": (
        lambda ledger: ledger.goals.create("A"),
        lambda ledger: ledger.goals.create(
            "Back up nightly", goal_type=GoalType.KEY_RESULT, parent_goal_id=OTHER_ID, priority=2, budget_usd="12.50",
            criteria=["restored once", {"text": "errors < 1%", "metric": "errors", "op": "<", "target": 1.0,
                                        "required": False}],
            metadata={"z": [1, None, {"deep": True}], "a": SAID}, learning_required=False, overlap=Overlap.FORBID,
            origin=Origin(source=GoalSource.SYSTEM, created_by="detector:failures"), reason=SAID,
        ),
        _decide(GOAL, goal.create, goal_id=GOAL_ID, contract=Contract(title="A"), origin=Origin(), now=None),
    ),
    "goal.amend": (
        lambda ledger: ledger.goals.amend(GOAL_ID, title="B"),
        lambda ledger: ledger.goals.amend(GOAL_ID, priority=3, criteria=["one"], budget_usd=None, reason=SAID),
        _decide(GOAL, goal.amend, goal_id=GOAL_ID, changes={"title": "B"}, now=None, dependencies={OTHER_ID: STATE}),
    ),
    "goal.adopt": (_decide(GOAL, goal.adopt, goal_id=OTHER_ID, goal_type=GoalType.INITIATIVE),),
    "goal.approve": (
        lambda ledger: ledger.goals.approve(GOAL_ID),
        lambda ledger: ledger.goals.approve(GOAL_ID, reason=SAID),
        _decide(GOAL, goal.approve, dependencies={OTHER_ID: STATE}),
    ),
    "goal.reject": (lambda ledger: ledger.goals.reject(GOAL_ID, reason=SAID),),
    "goal.ready": (
        lambda ledger: ledger.goals.ready(GOAL_ID),
        lambda ledger: ledger.goals.ready(GOAL_ID, reason=SAID),
        _decide(GOAL, goal.ready, dependencies={}),
    ),
    "goal.activate": (lambda ledger: ledger.goals.activate(GOAL_ID), _decide(GOAL, goal.activate, reason=SAID)),
    "goal.wait": (
        lambda ledger: ledger.goals.wait(GOAL_ID),
        lambda ledger: ledger.goals.wait(GOAL_ID, question="Which region?"),
        lambda ledger: ledger.goals.wait(GOAL_ID, question="Which region?", due_at=AT, reason=SAID),
    ),
    "goal.retry": (lambda ledger: ledger.goals.retry(GOAL_ID),),
    "goal.block": (lambda ledger: ledger.goals.block(GOAL_ID, reason=SAID),),
    "goal.unblock": (lambda ledger: ledger.goals.unblock(GOAL_ID),),
    "goal.checkpoint": (
        lambda ledger: ledger.goals.checkpoint(GOAL_ID),
        lambda ledger: ledger.goals.checkpoint(GOAL_ID, checkpoint_ref="step-3"),
    ),
    "goal.resume": (lambda ledger: ledger.goals.resume(GOAL_ID),),
    "goal.complete": (
        lambda ledger: ledger.goals.complete(GOAL_ID),
        lambda ledger: ledger.goals.complete(GOAL_ID, evidence="report 12", caveats="one disk", reason=SAID),
        _decide(GOAL, roll_up.complete, tasks=[(OTHER_ID, STATE)]),
    ),
    "goal.fail": (
        lambda ledger: ledger.goals.fail(GOAL_ID, reason=SAID),
        _decide(GOAL, roll_up.fail, task_id=OTHER_ID, task=STATE),
    ),
    "goal.archive": (
        lambda ledger: ledger.goals.archive(GOAL_ID),
        lambda ledger: ledger.goals.archive(GOAL_ID, cause=ArchiveCause.CANCELLED),
    ),
    "goal.record_activity": (
        _decide(GOAL, goal.record_activity, activity="barked"),
        _decide(GOAL, goal.record_activity, activity="barked", attributes={}, source_id="row-1"),
    ),
    "goal.measure": (_decide(GOAL, key_result.measure, value=12.5, measured_at=DUE),),
    "goal.record": (_decide(GOAL, experiment.record, arm="a", success=False),),
    "goal.fall_due": (_decide(GOAL, maintenance.fall_due, due=[DUE]), _transact("goal.fall_due")),
    "goal.complete_occurrence": (_decide(GOAL, maintenance.complete_occurrence),),
    "goal.complete_by_run": (_decide(GOAL, maintenance.complete_by_run, run_id=RUN_ID),),
    "goal.follow": (_decide(GOAL, roll_up.follow, standing=Standing.BLOCKED),),
    "goal.fire": (_decide(GOAL, watchdog.fire, incident="inc_1"),),
    "goal.clear": (_decide(GOAL, watchdog.clear),),
    "goal.dispatch": (
        _decide(GOAL, dispatch.dispatch, run_id=RUN_ID, agent=None, running=(), dependencies={}),
        _decide(
            GOAL, dispatch.dispatch, run_id=RUN_ID, agent="agent:a", running=[RUN_ID], dependencies={OTHER_ID: STATE},
            queued=(), overlap=Overlap.ALLOW, spent=Spent(Decimal("0.10")), receipt=RECEIPT, reason=SAID,
        ),
    ),
    "goal.enqueue": (_decide(GOAL, dispatch.enqueue, run_id=RUN_ID),),
    "goal.dispatch_queued": (
        _decide(GOAL, dispatch.dispatch_queued, run_id=RUN_ID, attempt=2, agent="a", running=(), dependencies={}),
    ),
    "goal.record_dispatch": (_decide(GOAL, dispatch.record_dispatch, run_id=RUN_ID, agent="a"),),
    "goal.after_failure": (
        _decide(GOAL, dispatch.after_failure, run_id=RUN_ID, is_busy=False, now=AT, settings=SETTINGS),
    ),
    "goal.after_bill": (_decide(GOAL, dispatch.after_bill, before=Spent(), after=Spent(Decimal("0.10"), 1)),),
    "key_result.record": (
        lambda ledger: ledger.key_results.record(GOAL_ID, 12.0),
        lambda ledger: ledger.key_results.record(GOAL_ID, 0.0, note="", at=AT, reason=SAID),
    ),
    "experiment.record": (
        lambda ledger: ledger.experiments.record(GOAL_ID, "a", success=False),
        lambda ledger: ledger.experiments.record(GOAL_ID, "a", success=True, run_id=RUN_ID, reason=SAID),
    ),
    # --- Runs
    "run.start": (
        lambda ledger: ledger.runs.start(GOAL_ID),
        lambda ledger: ledger.runs.start(
            GOAL_ID, agent="a", job_id="j", plan_summary=SAID, metrics_before={}, overlap=True, lease_s=60, reason=SAID
        ),
        _decide(RUN, run.start, RUN_ID, started=examples("run.started")[0]),
    ),
    "run.enqueue": (_decide(RUN, run.enqueue, RUN_ID, queued=examples("run.queued")[0]),),
    "run.take_over": (
        lambda ledger: ledger.runs.take_over(GOAL_ID, reason=SAID),
        lambda ledger: ledger.runs.take_over(RUN_ID, agent="a", lease_s=90.5, reason=SAID),
    ),
    "run.act": (
        lambda ledger: ledger.runs.act(RUN_ID, "dump"),
        lambda ledger: ledger.runs.act(RUN_ID, "dump", action_type="shell", ok=False, detail="", attributes={"n": 1}),
        _decide(RUN, run.act, RUN_ID, action="dump", allowed=("shell",)),
    ),
    "run.heartbeat": (
        lambda ledger: ledger.runs.heartbeat(RUN_ID),
        lambda ledger: ledger.runs.heartbeat(RUN_ID, note="half way", lease_s=60, reason=SAID),
        _decide(RUN, run.heartbeat, RUN_ID, lease_s=None, silent_s=1.5),
    ),
    "run.checkpoint": (lambda ledger: ledger.runs.checkpoint(RUN_ID, "step-3"),),
    "run.resume": (lambda ledger: ledger.runs.resume(RUN_ID),),
    "run.interrupt": (
        lambda ledger: ledger.runs.interrupt(RUN_ID, reason=SAID),
        _decide(RUN, run.interrupt, RUN_ID, reason=SAID, orphaned=True, successor=None),
    ),
    "run.verify": (
        lambda ledger: ledger.runs.verify(RUN_ID, VerifierStatus.PASSED),
        lambda ledger: ledger.runs.verify(RUN_ID, VerifierStatus.FAILED, verifier="v", score=0.0, detail=SAID),
    ),
    "run.record_cost": (
        lambda ledger: ledger.runs.cost(RUN_ID, cost_usd=Decimal("0.10")),
        lambda ledger: ledger.runs.cost(RUN_ID, tokens_in=0, tokens_out=5, model="m-1", reason=SAID),
    ),
    "run.finish": (
        lambda ledger: ledger.runs.finish(RUN_ID, LocalOutcome.SUCCEEDED),
        lambda ledger: ledger.runs.finish(
            RUN_ID, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR, detail="disk full",
            duration_seconds=0.5, metrics_after={"rows": 0.5}, reason=SAID,
        ),
        _decide(RUN, run.finish, RUN_ID, local_outcome=LocalOutcome.PARTIAL, source_outcome="so so"),
    ),
    "run.record_outcome": (
        lambda ledger: ledger.runs.outcome(RUN_ID, BusinessOutcome.IMPROVED),
        lambda ledger: ledger.runs.outcome(
            RUN_ID, BusinessOutcome.DEGRADED, source="audit", external_id="5", detail=SAID, reason=SAID
        ),
    ),
    "run.expire_leases": (_transact("run.expire_leases"),),
    "work.claim": (
        lambda ledger: ledger.work.claim(),
        lambda ledger: ledger.work.claim(agent="a", lease_s=60, reason=SAID),
    ),
    "monitor.record": (_decide(MONITOR, monitor.record, "mon_1", task="backup", ok=False, source_id="row-1"),),
    "history.record": (
        lambda ledger: ledger.history.record("backup", False),
        lambda ledger: ledger.history.record(
            "backup", True, at=AT, error=SAID, duration_seconds=0.0, source="cron", reason=SAID
        ),
    ),
    # --- Proposals
    "proposal.propose": (
        lambda ledger: ledger.proposals.propose(FINDING),
        lambda ledger: ledger.proposals.propose(
            FINDING.model_copy(update={"evidence": {"runs": [1]}, "aligns_with": ("safety",)}), by="detector:mine"
        ),
    ),
    "proposal.make": (_decide(PROPOSAL, proposal.make, PROPOSAL_ID, made=examples("proposal.made")[0]),),
    "proposal.accept": (
        _decide(PROPOSAL, proposal.accept, PROPOSAL_ID, goal_id=GOAL_ID, auto=False, receipt=RECEIPT),
    ),
    "proposal.reject": (
        _decide(PROPOSAL, proposal.reject, PROPOSAL_ID, code=next(iter(RejectionCode)), value=None, receipt=RECEIPT),
    ),
    "proposal.expire": (_decide(PROPOSAL, proposal.expire, PROPOSAL_ID),),
    "proposals.expire": (_transact("proposals.expire"),),
    "proposals.scan": (lambda ledger: ledger.proposals.scan(now=AT),),
    "scan.complete": (_decide(SCAN, proposal.complete, SCAN_ID, completed=examples("scan.completed")[0]),),
    # --- Learning
    "lesson.learn": (
        lambda ledger: ledger.lessons.add("Prune first", category=LessonCategory.SAFE_DEFAULT),
        lambda ledger: ledger.lessons.add(
            "Prune first", category=LessonCategory.SAFE_DEFAULT, goal_type=GoalType.MAINTENANCE, action_type="shell",
            confidence=0.9, run_id=RUN_ID, reason=SAID,
        ),
        _decide(
            LESSON, lesson.learn, LESSON_ID, scope=Scope(None, "shell"), text="Prune first",
            category=LessonCategory.SAFE_DEFAULT, evidence=(Evidence(run_id=RUN_ID, aar_id=AAR_ID),),
        ),
    ),
    "lesson.confirm": (
        lambda ledger: ledger.lessons.confirm(LESSON_ID),
        _decide(LESSON, lesson.confirm, LESSON_ID, run_id=RUN_ID, aar_id=AAR_ID, reason=SAID),
    ),
    "lesson.contradict": (
        lambda ledger: ledger.lessons.contradict(LESSON_ID),
        _decide(LESSON, lesson.contradict, LESSON_ID, run_id=RUN_ID),
    ),
    "lesson.apply": (
        lambda ledger: ledger.lessons.apply(LESSON_ID, run_id=RUN_ID),
        _decide(LESSON, lesson.apply, LESSON_ID, run_id=RUN_ID, given=True),
    ),
    "lesson.judge": (_decide(LESSON, lesson.judge, LESSON_ID, run_id=RUN_ID, held=False),),
    "lesson.retire": (lambda ledger: ledger.lessons.retire(LESSON_ID, reason=SAID),),
    "lesson.recall": (
        lambda ledger: ledger.lessons.recall(LESSON_ID, reason=SAID),
        _decide(LESSON, lesson.recall, LESSON_ID, root=LESSON_ID, reason=None),
    ),
    "review.write": (
        lambda ledger: ledger.reviews.write(RUN_ID),
        _decide(REVIEW, review.write, AAR_ID, written=examples("review.written")[0]),
    ),
    "review.reopen": (_decide(REVIEW, review.reopen, AAR_ID, run_id=RUN_ID),),
    "review.promote": (
        lambda ledger: ledger.reviews.promote(AAR_ID, reason=SAID),
        _decide(REVIEW, review.promote, AAR_ID, lesson_ids=(LESSON_ID,)),
    ),
    "rule.draft": (
        lambda ledger: ledger.rules.draft(LESSON_ID),
        lambda ledger: ledger.rules.draft(LESSON_ID, title="Prune", text=SAID, reason=SAID),
        _decide(
            RULE, rule.draft, RULE_ID, title="Prune", text=SAID, scope=Scope(GoalType.MAINTENANCE, None),
            lesson_ids=(LESSON_ID,), confidence=0.9, position=7, settings=SETTINGS,
        ),
    ),
    "rule.canary": (
        lambda ledger: ledger.rules.canary(RULE_ID, reason=SAID),
        lambda ledger: ledger.rules.canary(RULE_ID, share=0.25, reason=SAID),
        _decide(RULE, rule.canary, RULE_ID, position=7, settings=Settings(), share=None),
    ),
    "rule.promote": (lambda ledger: ledger.rules.promote(RULE_ID, reason=SAID),),
    "rule.roll_back": (lambda ledger: ledger.rules.roll_back(RULE_ID, reason=SAID),),
    "rule.retire": (lambda ledger: ledger.rules.retire(RULE_ID, reason=SAID),),
    "rule.recall": (_decide(RULE, rule.recall, RULE_ID, root=LESSON_ID, reason=SAID),),
    "rule.watch": (_decide(RULE, rule.watch, RULE_ID, run_id=RUN_ID, settings=Settings()),),
    "rule.try_on": (
        _decide(
            RULE, rule.try_on, RULE_ID, run_id=RUN_ID, arm=Arm.CONTROL, success=False, position=7, settings=SETTINGS,
            cost_usd=Decimal("0.10"), duration_seconds=None, overdue=False,
        ),
    ),
    "rule.value": (
        _decide(
            RULE, rule.value, RULE_ID, run_id=RUN_ID, arm=Arm.TREATMENT, degraded=True, position=7, settings=SETTINGS
        ),
    ),
    "rule.advance": (_decide(RULE, rule.advance, RULE_ID, position=7, settings=SETTINGS),),
    "rule.count_overdue": (_transact("rule.count_overdue", runs=[RUN_ID]),),
    "cycle.complete": (_decide(CYCLE, cycle.complete, "cycle_1", completed=examples("cycle.completed")[0]),),
    "learn": (_transact("learn", until=AT),),
    "learn.reviews": (_transact("learn.reviews", about="0123456789abcdef"),),
    "learn.lessons": (_transact("learn.lessons", about="0123456789abcdef"),),
    "learn.rules": (_transact("learn.rules", about="0123456789abcdef"),),
    "learn.advance": (_transact("learn.advance", about="0123456789abcdef"),),
    # --- Beliefs, projects
    "belief.hold": (lambda ledger: ledger.beliefs.hold("Backups must restore"),),
    "belief.contradict": (lambda ledger: ledger.beliefs.contradict(BELIEF_ID, reason=SAID),),
    "belief.retract": (
        lambda ledger: ledger.beliefs.retract(BELIEF_ID, reason=SAID),
        _decide(BELIEF, belief.retract, BELIEF_ID, reason=None),
    ),
    "project.register": (
        lambda ledger: ledger.projects.create("Web shop"),
        lambda ledger: ledger.projects.create("Web shop", description="", reason=SAID),
    ),
    "project.amend": (lambda ledger: ledger.projects.amend(PROJECT_ID, description=SAID),),
    "project.record_feature": (
        lambda ledger: ledger.projects.feature(PROJECT_ID, "Search"),
        lambda ledger: ledger.projects.feature(PROJECT_ID, "Search", feature_id="f1", done=False, reason=SAID),
    ),
    "project.report_bug": (
        lambda ledger: ledger.projects.bug(PROJECT_ID, "Blurred"),
        lambda ledger: ledger.projects.bug(PROJECT_ID, "Blurred", severity=BugSeverity.MINOR, bug_id="b1"),
    ),
    "project.resolve_bug": (
        lambda ledger: ledger.projects.resolve(PROJECT_ID, "b1"),
        _decide(PROJECT, project.resolve_bug, PROJECT_ID, bug_id="b1", reason=SAID),
    ),
    # --- Continuity
    "loop.open": (
        lambda ledger: ledger.loops.open(LoopKind.FOLLOW_UP, "Who pays?"),
        lambda ledger: ledger.loops.open(
            LoopKind.PENDING_RETRY, "Again?", goal_id=GOAL_ID, run_id=RUN_ID, due_at=DUE, reason=SAID
        ),
        _decide(LOOP, loop.open, "loop_1", matter=Matter(LoopKind.CLARIFICATION, "Why?", GOAL_ID), holds_goal=True),
    ),
    "loop.close": (
        lambda ledger: ledger.loops.close(_loop_id(), answer="we do"),
        lambda ledger: ledger.loops.close(_loop_id(), answer="we do", reason=SAID),
    ),
    "session.start": (
        lambda ledger: ledger.sessions.start(),
        lambda ledger: ledger.sessions.start(owner="7", reason=SAID),
        _decide(SESSION, session.start, "session_1", report=examples("session.started")[0].report),  # type: ignore[attr-defined]
    ),
    "session.drain": (_decide(SESSION, session.drain, "session_1", reason=SAID),),
    "session.stop": (
        lambda ledger: ledger.sessions.stop(),
        _decide(
            SESSION, session.stop, "session_1", now=AT, summary=SAID, checkpointed_runs=NONE, active_goals=NONE,
            blocked_goals=NONE, key_results=[session.KeyResultValue(goal_id=GOAL_ID)], open_loops=NO_LOOPS,
        ),
    ),
    "feed.advance": (
        _decide(FEED, feed.advance, "feed_1", source="posthog", cursor=None, records=1, outcomes=0, problems=0,
                levels=(Level(metric="conversion", value=0.25, at=DUE),)),
    ),
    "feed.take": (_transact("feed.take"),),
    "import.take": (_transact("import.take"),),
    "ledger.create": (_transact("ledger.create"),),
    "reaction.refused": (_transact("reaction.refused"),),
    "tick.conditions": (_transact("tick.conditions", goal_id=GOAL_ID, version=7),),
    "tick.deadlines": (_transact("tick.deadlines", goal_id=GOAL_ID, time_horizon=DUE),),
}  # fmt: skip
