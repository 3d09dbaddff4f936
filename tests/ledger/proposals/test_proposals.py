"""Goals that the system sets: detectors look, the policy evaluates, limits hold, everything is in the log."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.proposals import detectors as built_in
from goal_ledger.domain.proposals.detectors.base import Detector, Finding, History
from goal_ledger.domain.proposals.proposal import ProposalAccepted, ProposalRejected, RejectionCode, Telemetry
from goal_ledger.domain.scan import found as scan
from goal_ledger.ledger import GoalStatus, Ledger, NotFound, Recorded, Rejected, Settings
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import DETECTORS, Declared
from goal_ledger.ledger.proposals import detectors as doors
from tests.places import Place
from tests.tools import Clock, finished, python

TEN = datetime(2025, 11, 9, 10, tzinfo=UTC)
TWO = TEN + timedelta(hours=4)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="agent:scanner", clock=Clock()) as opened:
        yield opened


def backups(ledger: Ledger, *, task: str = "daily_backup", begin: datetime = TEN) -> None:
    """It went well at ten, and failed at eleven, twelve, one and two."""
    ledger.history.record(task, True, at=begin)
    for hour in range(1, 5):
        ledger.history.record(task, False, at=begin + timedelta(hours=hour), error="timeout")


def found(number: int, **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "text": f"Mend thing number{number}", "category": "capability", "pattern": "broken", "subject": str(number),
        "confidence": 0.85, "value": 0.8, "effort": 0.5, "risk": 0.3,
    }  # fmt: skip
    return Finding(**(fields | changes))


class Door:
    """An entry point as an installed package declares it."""

    def __init__(self, name: str, detect: Any) -> None:
        self.name, self.value = name, f"elsewhere:{name}"
        self._detect = detect

    def load(self, kind: type[Detector]) -> Detector:
        return kind(self.name, lambda settings: lambda history, *, now: self._detect(history, now, settings))


def install(monkeypatch: pytest.MonkeyPatch, **detectors: Any) -> None:
    """Only these detectors are there."""
    monkeypatch.setattr(doors, "installed", lambda: {name: Door(name, each) for name, each in detectors.items()})


def reasons(ledger: Ledger) -> Sequence[Any]:
    return [row.code for row in reversed(ledger.proposals.list().rows)]


# --- The walkthrough


def test_four_failures_become_one_proposed_goal_and_again_none(place: Place):
    with Ledger.open(place.url, actor="agent:scanner", clock=Clock()) as ledger:
        backups(ledger)
        scanned = ledger.proposals.scan(now=TWO)
        [made] = scanned.proposals
        goal = ledger.goals.get(str(made.goal_id))
        assert (goal.title, goal.status) == ("Fix recurring failures in 'daily_backup' task", GoalStatus.PROPOSED)
        assert (goal.category, goal.value, goal.effort, goal.risk) == ("capability", 0.8, 0.5, 0.3)
        assert (goal.horizon_min_minutes, goal.horizon_max_minutes) == (60, 1440)
        assert (goal.source, goal.created_by) == ("system", "task_failure_detector")
        assert (goal.proposal_id, goal.auto_approved) == (made.proposal_id, False)
        assert {one["metric"]: one["target"] for one in goal.criteria} == {
            "task_success_rate": 0.95,
            "consecutive_successes": 3.0,
        }
        assert (goal.metadata["confidence"], goal.metadata["pattern"]) == (0.85, "task_failure_recurring")
        assert goal.metadata["evidence"] == {
            "task_type": "daily_backup",
            "failure_count": 4,
            "lookback_hours": 24,
            "error_type": "timeout",
            "first_failure": "2025-11-09T11:00:00.000000Z",
            "last_failure": "2025-11-09T14:00:00.000000Z",
        }
        assert goal.created_at == goal.updated_at == "2025-11-09T14:00:00.000000Z"
        assert scanned.telemetry == Telemetry(total_proposals_evaluated=1, total_goals_created=1)

        again = ledger.proposals.scan(now=TWO)
        assert [(one.code, one.value) for one in again.proposals] == [("duplicate_goal_exists", goal.goal_id)]
        assert again.telemetry.rejection_reasons == {"duplicate_goal_exists": 1}
        assert ledger.proposals.telemetry().total_proposals_evaluated == 2
        assert ledger.work.next() is None

        ledger.goals.approve(goal.goal_id)
        best = ledger.work.next()
        assert best is not None
        assert best.goal_id == goal.goal_id


def test_the_log_tells_the_proposal_its_verdict_the_scan_and_last_the_goal(ledger):
    backups(ledger)
    before = ledger.head
    ledger.proposals.scan(now=TWO)
    told = [one.name for one in ledger.events(after=before)]
    assert told == ["proposal.made", "proposal.accepted", "scan.completed", "goal.created"]


def test_the_receipt_says_every_check_and_the_settings(ledger):
    backups(ledger)
    for _ in range(2):
        ledger.proposals.scan(now=TWO)
    verdicts = [
        one.event
        for row in reversed(ledger.proposals.list().rows)
        for one in ledger.proposals.timeline(row.proposal_id)
        if isinstance(one, Recorded) and isinstance(one.event, (ProposalAccepted, ProposalRejected))
    ]
    assert [verdict.receipt.chosen for verdict in verdicts] == ["accepted", "duplicate_goal_exists"]
    assert [verdict.receipt.policy for verdict in verdicts] == ["evaluation@1"] * 2
    assert [one.id for one in verdicts[0].receipt.candidates] == list(RejectionCode)


def test_different_tasks_are_no_duplicates_of_each_other(ledger):
    for task in ("daily_backup", "weekly_backup"):
        backups(ledger, task=task)
    assert ledger.proposals.scan(now=TWO).telemetry.total_goals_created == 2


def test_case_and_spacing_make_no_other_goal(ledger):
    ledger.goals.create("FIX  recurring failures in 'Daily_Backup'   TASK")
    backups(ledger)
    assert ledger.proposals.scan(now=TWO).telemetry.rejection_reasons == {"duplicate_goal_exists": 1}


def test_a_goal_stands_in_the_way_until_a_day_after_it_was_put_away(ledger):
    backups(ledger)
    [made] = ledger.proposals.scan(now=TWO).proposals
    ledger.using(occurred_at=TWO).goals.reject(made.goal_id, reason="not now")
    backups(ledger, begin=TEN + timedelta(days=1))
    a_day_later = TWO + timedelta(days=1)
    assert ledger.proposals.scan(now=a_day_later).telemetry.rejection_reasons == {"duplicate_goal_exists": 1}
    assert ledger.proposals.scan(now=a_day_later + timedelta(seconds=1)).telemetry.total_goals_created == 1


def test_what_is_very_sure_is_active_at_once(ledger):
    backups(ledger)
    ledger.history.record("daily_backup", False, at=TWO, error="timeout")
    scanned = ledger.proposals.scan(now=TWO)
    [made] = scanned.proposals
    assert (made.confidence, made.auto, scanned.telemetry.auto_approved_count) == (0.9, True, 1)
    goal = ledger.goals.get(made.goal_id)
    assert (goal.status, goal.auto_approved) == (GoalStatus.ACTIVE, True)


# --- Limits


def test_three_goals_of_a_detector_and_ten_of_all_are_enough_for_a_day(place: Place):
    with Ledger.open(place.url, actor="agent:scanner", clock=Clock()) as ledger:
        late = datetime(2026, 2, 24, 23, 59, tzinfo=UTC)
        ours = ledger.using(occurred_at=late)
        for number in range(4):
            ours.proposals.propose(found(number), by="one_detector")
        assert reasons(ledger) == [None] * 3 + ["rate_limit_exceeded"]
        for number in range(4, 10):
            ours.proposals.propose(found(number), by=f"detector_{number // 2}")
        assert ours.proposals.propose(found(10), by="detector_x").code is None
        assert ours.proposals.propose(found(11), by="detector_y").code == "rate_limit_exceeded"
    with Ledger.open(place.url, actor="agent:scanner", clock=Clock()) as ledger:
        assert ledger.using(occurred_at=late).proposals.propose(found(12), by="z").code == "rate_limit_exceeded"
        midnight = ledger.using(occurred_at=datetime(2026, 2, 25, 0, 0, 1, tzinfo=UTC))
        assert midnight.proposals.propose(found(13), by="one_detector").code is None


def test_goals_of_people_do_not_count_to_the_limits(ledger):
    for number in range(20):
        ledger.goals.create(f"Wish {number}")
    assert ledger.proposals.propose(found(1)).code is None


def test_within_one_scan_a_proposal_knows_those_before_it(ledger, monkeypatch):
    install(monkeypatch, many=lambda history, now, _: [found(number) for number in range(5)] + [found(0)])
    scanned = ledger.proposals.scan(now=TWO)
    assert [one.code for one in scanned.proposals] == [None] * 3 + ["rate_limit_exceeded"] * 3
    twice = Ledger.open(":memory:", actor="a", clock=Clock(), settings=Settings(detector_goals_a_day=10))
    with twice:
        codes = [one.code for one in twice.proposals.scan(now=TWO).proposals]
        assert codes == [None] * 5 + ["duplicate_goal_exists"]


# --- Beliefs


def test_a_proposal_is_measured_against_what_is_held_true(ledger):
    held = ledger.beliefs.hold("Backups must restore").belief_id
    doubted = ledger.beliefs.hold("Tape is enough").belief_id
    ledger.beliefs.contradict(doubted, reason="it rotted")
    propose = ledger.proposals.propose
    assert propose(found(1, aligns_with=(held, doubted))).code is None
    assert propose(found(2, aligns_with=(doubted,))).code == "belief_misalignment"
    against = propose(found(3, contradicts=(held,)))
    assert (against.code, against.value) == ("belief_misalignment", held)
    assert propose(found(4, contradicts=(doubted,))).code is None
    ledger.beliefs.hold("tape  is ENOUGH")
    assert propose(found(5, contradicts=(doubted,))).code == "belief_misalignment"


def test_a_belief_is_held_contradicted_and_given_up(ledger):
    belief = ledger.beliefs.hold("Backups must restore")
    head = ledger.head
    assert ledger.beliefs.hold(" backups MUST restore") == belief
    assert ledger.head == head
    for verb in (ledger.beliefs.contradict, ledger.beliefs.retract):
        with pytest.raises(Rejected, match="say why") as refused:
            verb(belief.belief_id, reason=" ")
        assert refused.value.code == "no_reason"
    assert ledger.beliefs.contradict(belief.belief_id, reason="two did not").status == "contradicted"
    assert ledger.beliefs.retract(belief.belief_id, reason="moot").status_reason == "moot"
    with pytest.raises(Rejected) as refused:
        ledger.beliefs.contradict(belief.belief_id, reason="again")
    assert refused.value.code == "retracted"
    assert [row.belief_id for row in ledger.beliefs.list(status=None).rows] == [belief.belief_id]
    assert ledger.beliefs.list().rows == []
    with pytest.raises(NotFound):
        ledger.beliefs.get("belief_01HZX3KQ5N8RWT2M4V6Y7B9DEF")


# --- Detectors


def test_a_detector_that_raises_is_named_and_stops_nobody(ledger, monkeypatch):
    def broken(history: History, now: datetime, _: Mapping[str, Any]) -> Sequence[Finding]:
        raise ValueError("no such table\nand more")

    install(monkeypatch, broken=broken, sound=lambda history, now, _: [found(1)])
    scanned = ledger.proposals.scan(now=TWO)
    assert (scanned.failed, scanned.telemetry.total_goals_created) == ({"broken": "ValueError: no such table"}, 1)
    assert ledger.proposals.scans()[0].failed == scanned.failed


def test_what_is_no_detector_is_named_too(ledger, monkeypatch):
    wrong = Declared(DETECTORS, "wrong", "os:sep", "elsewhere")
    monkeypatch.setattr(doors, "installed", lambda: {"wrong": wrong})
    assert ledger.proposals.scan(now=TWO).failed == {
        "wrong": "goal_ledger.detectors 'wrong' of the package elsewhere (os:sep) cannot be used: str is no Detector"
    }


def test_a_detector_is_switched_off_and_tuned_in_the_settings():
    off = {"task_failure_detector": {"enabled": False}}
    with Ledger.open(":memory:", actor="a", clock=Clock(), settings=Settings(detectors=off)) as ledger:
        backups(ledger)
        scanned = ledger.proposals.scan(now=TWO)
        assert (scanned.proposals, "task_failure_detector" in scanned.detectors) == ([], False)
    tuned = {"task_failure_detector": {"threshold": 5}}
    with Ledger.open(":memory:", actor="a", clock=Clock(), settings=Settings(detectors=tuned)) as ledger:
        backups(ledger)
        assert ledger.proposals.scan(now=TWO).proposals == []


def test_the_built_in_detectors_are_found_where_they_lie():
    ours = {each.name for each in scan(built_in, Detector)}
    assert ours >= {"task_failure_detector", "key_result_detector", "stalled_goal_detector", "failing_pair_detector"}
    there = doors.installed()
    assert (ours - there.keys(), list(there)) == (set(), sorted(there))
    assert {name: there[name].load(Detector).name for name in ours} == {name: name for name in ours}


def test_two_built_in_detectors_have_two_names():
    names = [each.name for each in scan(built_in, Detector)]
    assert len(names) == len(set(names))


def test_a_built_in_detector_says_what_it_finds_and_what_its_settings_mean():
    for each in scan(built_in, Detector):
        assert each.settings is not None and sys.modules[each.configure.__module__].__doc__
        assert [name for name, field in each.settings.model_fields.items() if not field.description] == []


def test_a_declared_detector_stands_beside_ours_and_takes_the_place_of_none(monkeypatch):
    declared = [Declared(DETECTORS, name, "their.module:IT", "theirs") for name in ("another", "stalled_goal_detector")]
    monkeypatch.setattr(extensions, "installed", {DETECTORS: declared}.__getitem__)
    there = doors.installed()
    assert there["another"] == declared[0]
    assert there["stalled_goal_detector"].load(Detector).name == "stalled_goal_detector"
    with pytest.raises(Invalid) as refused:
        there["stalled_goal_detector of theirs"].load(Detector)
    assert (refused.value.code, list(there)) == ("duplicate_name", sorted(there))


def test_a_dry_run_shows_what_would_come_and_writes_nothing(ledger):
    backups(ledger)
    head = ledger.head
    scanned = ledger.proposals.scan(now=TWO, dry_run=True)
    assert (scanned.scan_id, [one.goal_id for one in scanned.proposals]) == (None, [None])
    assert (scanned.telemetry.total_goals_created, ledger.head) == (1, head)


# --- Time and repeats


def test_a_goal_that_nobody_reviews_expires_with_its_proposal(ledger):
    backups(ledger)
    [made] = ledger.proposals.scan(now=TWO).proposals
    a_week = TWO + timedelta(days=7)
    assert ledger.tick(a_week, duties=["proposals"]).duties[0].done == []
    done = ledger.tick(a_week + timedelta(seconds=1), duties=["proposals"]).duties[0].done
    assert done == [f"{made.goal_id} expired: nobody reviewed {made.proposal_id} in time"]
    assert ledger.proposals.get(made.proposal_id).status == "expired"
    assert ledger.goals.get(made.goal_id).status is GoalStatus.ARCHIVED
    assert ledger.tick(a_week + timedelta(hours=1), duties=["proposals"]).duties[0].done == []


def test_a_goal_that_was_approved_does_not_expire(ledger):
    backups(ledger)
    [made] = ledger.proposals.scan(now=TWO).proposals
    ledger.goals.approve(made.goal_id)
    assert ledger.tick(TWO + timedelta(days=30), duties=["proposals"]).duties[0].done == []


def test_the_hourly_duty_scans_once_an_hour(ledger):
    backups(ledger)
    [made] = ledger.tick(TWO, duties=["detection"]).duties[0].done
    assert made.endswith(": Fix recurring failures in 'daily_backup' task")
    head = ledger.head
    assert ledger.tick(TWO + timedelta(minutes=59), duties=["detection"]).duties[0].done == []
    assert ledger.head == head
    ledger.tick(TWO + timedelta(hours=1), duties=["detection"])
    assert len(ledger.proposals.scans()) == 2


def test_how_often_a_tick_scans_is_a_setting():
    with Ledger.open(":memory:", actor="a", clock=Clock(), settings=Settings(detect_every_s=600)) as ledger:
        for minutes in (0, 9, 10, 19, 20):
            ledger.tick(TWO + timedelta(minutes=minutes), duties=["detection"])
        assert len(ledger.proposals.scans()) == 3


def test_the_same_command_scans_once_and_answers_alike(ledger):
    backups(ledger)
    once = ledger.using(command_id="scan-1")
    first = once.proposals.scan(now=TWO)
    head = ledger.head
    assert once.proposals.scan(now=TWO) == first
    assert ledger.head == head


def test_the_same_command_without_a_time_scans_once_though_the_clock_goes_on(ledger):
    once = ledger.using(command_id="scan-1")
    for _ in range(3):
        ledger.history.record("daily_backup", False, error="disk full")
    first, head = once.proposals.scan(), ledger.head
    assert [one.detector for one in first.proposals] == ["task_failure_detector"]
    assert once.proposals.scan() == first
    assert ledger.head == head


SCAN = """
import sys
from datetime import UTC, datetime
from goal_ledger.ledger import Ledger, Settings
with Ledger.open(sys.argv[1], actor="agent:scanner", settings=Settings(lock_wait_s=300)) as ledger:
    ledger.views.catch_up()
    sys.stdin.readline()
    ledger.proposals.scan(now=datetime(2025, 11, 9, 14, tzinfo=UTC))
"""


def test_two_processes_that_scan_at_once_set_one_goal(place: Place):
    with Ledger.open(place.url, actor="agent:scanner", clock=Clock()) as ledger:
        backups(ledger)
        scanning = [python(SCAN, place.url, stdin=subprocess.PIPE) for _ in range(2)]
        for process in scanning:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in scanning:
            finished(process)
        assert [row.code for row in ledger.proposals.list().rows] == ["duplicate_goal_exists", None]
        assert len(ledger.goals.list(source="system").rows) == 1


# --- The execution history


def test_a_task_needs_a_name_and_what_went_well_has_no_error(ledger):
    for wish, code in (
        ({"task": " ", "ok": True}, "no_task"),
        ({"task": "b", "ok": True, "error": "x"}, "unexpected_error"),
    ):
        with pytest.raises(Rejected) as refused:
            ledger.history.record(**wish)
        assert refused.value.code == code
    assert ledger.history.list().rows == []


def test_runs_and_standing_goals_are_history_too(ledger):
    goal = ledger.goals.create("Answer mail")
    ledger.goals.ready(goal.goal_id)
    run = ledger.runs.start(goal.goal_id, agent="agent:a")
    assert ledger.history.standings() == []
    ledger.runs.finish(run.run_id, "succeeded")
    [standing] = ledger.history.standings()
    assert (standing.goal_id, standing.title) == (goal.goal_id, "Answer mail")
    [attempt] = ledger.history.attempts("2026-01-01", "2027-01-01")
    assert (attempt.run_id, attempt.agent, attempt.won) == (run.run_id, "agent:a", True)
