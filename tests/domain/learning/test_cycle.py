"""Learning cycles: once per window; what scores enough is frequency times impact."""

import pytest

from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.cycle import (
    CYCLE,
    Ballot,
    CycleCompleted,
    Group,
    LearningCycleReport,
    Vote,
    complete,
    cycle_id,
    groups,
    impact,
    scored,
)
from goal_ledger.domain.learning.lesson import Evidence, LessonCategory, Scope, lesson_id
from goal_ledger.domain.policies import ranked, receipt
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, VerifierStatus
from tests.spec import Spec

ANY = Scope(None, None)
PATTERN = LessonCategory.ANTI_PATTERN
COMPLETED = CycleCompleted(
    report=LearningCycleReport(
        since="2026-02-17T09:00:00.000000Z", until="2026-02-24T09:00:00.000000Z", runs=0, failed=0, partial=0,
        untimed=0, reviews=0, group_count=0, candidate_count=0,
    ),
    receipt=receipt("candidates@1", ranked([]), "0 that scored 2 or more", position=1, settings={}),
)  # fmt: skip


def votes(ballot: Ballot, text: str, *impacts: float, scope: Scope = ANY) -> None:
    for number, weight in enumerate(impacts):
        ballot.vote(scope, text, PATTERN, Vote(Evidence(run_id=f"grun_{number}"), weight))


def test_a_window_is_learned_from_once():
    Spec(CYCLE).when(complete, completed=COMPLETED).then(COMPLETED)
    Spec(CYCLE).given(COMPLETED).when(complete, completed=COMPLETED).then_quiet()


def test_the_id_of_a_cycle_follows_from_the_end_of_its_window():
    assert cycle_id("2026-02-24T09:00:00.000000Z") == cycle_id("2026-02-24T09:00:00.000000Z")
    assert cycle_id("2026-02-24T09:00:00.000000Z") < cycle_id("2026-02-24T09:00:01.000000Z")


@pytest.mark.parametrize(
    ("outcome", "verdict", "worth", "weight"),
    [
        ("failed", None, "unknown", 1.0),
        ("failed", "failed", "degraded", 2.0),
        ("partial", "passed", "unknown", 0.5),
        ("partial", "failed", "degraded", 1.0),
        ("succeeded", "failed", "unknown", 1.0),
        ("succeeded", "passed", "degraded", 1.0),
    ],
)
def test_a_failure_weighs_one_a_part_of_it_half_and_twice_that_when_it_made_things_worse(
    outcome, verdict, worth, weight
):
    status = None if verdict is None else VerifierStatus(verdict)
    assert impact(LocalOutcome(outcome), status, BusinessOutcome(worth)) == weight


def test_the_score_is_frequency_times_mean_impact():
    ballot = Ballot()
    votes(ballot, "three partial ones", 0.5, 0.5, 0.5)
    votes(ballot, "one of each", 2.0, 1.0, 0.5)
    assert [(one.text, one.score) for one in ballot.contenders()] == [("one of each", 3.5), ("three partial ones", 1.5)]


def test_a_run_votes_for_a_candidate_once_and_the_first_time_counts():
    ballot = Ballot()
    votes(ballot, "Look first", 1.0)
    ballot.vote(ANY, " look  FIRST", PATTERN, Vote(Evidence(run_id="grun_0", aar_id="aar_1"), 2.0))
    [one] = ballot.contenders()
    assert one.votes == (Vote(Evidence(run_id="grun_0"), 1.0),)
    assert one.lesson_id == lesson_id(ANY, "Look first")


def test_the_same_text_elsewhere_is_another_candidate_and_ties_go_by_id():
    ballot = Ballot()
    votes(ballot, "Look first", 1.0)
    votes(ballot, "Look first", 1.0, scope=Scope(GoalType.WATCHDOG, None))
    ids = [one.lesson_id for one in ballot.contenders()]
    assert ids == sorted({lesson_id(ANY, "Look first"), lesson_id(Scope(GoalType.WATCHDOG, None), "Look first")})


def test_a_receipt_says_how_a_score_came_about():
    ballot = Ballot()
    votes(ballot, "Look first", 1.0, 0.5)
    [one] = scored(ballot.contenders())
    assert (one.score, one.why) == (1.5, "2 runs of impact 0.75: Look first")


def test_groups_come_by_size_then_by_name():
    tool, limit = FailureCategory.TOOL_ERROR, FailureCategory.RESOURCE_LIMIT
    counts = {(GoalType.WATCHDOG, "b", tool): 1, (GoalType.WATCHDOG, "a", tool): 1, (None, None, None): 1,
              (GoalType.WATCHDOG, "b", limit): 2}  # fmt: skip
    assert groups(counts) == [
        Group(goal_type=GoalType.WATCHDOG, action_type="b", failure_category=limit, runs=2),
        Group(runs=1),
        Group(goal_type=GoalType.WATCHDOG, action_type="a", failure_category=tool, runs=1),
        Group(goal_type=GoalType.WATCHDOG, action_type="b", failure_category=tool, runs=1),
    ]
