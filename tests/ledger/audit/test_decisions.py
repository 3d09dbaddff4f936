"""Recorded decisions can be explained and made again: the same under the same policy and settings."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from goal_ledger.domain.goals.goal import GOAL, RunDispatched
from goal_ledger.domain.policies import Receipt, Scored, ranked, receipt
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.settings import Weights
from goal_ledger.ledger import (
    UNKNOWN,
    Invalid,
    Ledger,
    LedgerError,
    NotFound,
    Recorded,
    Rejected,
    Settings,
)
from goal_ledger.ledger.audit.decisions import FAMILIES
from goal_ledger.ledger.engine.configuration import adjusted
from tests.ledger.learning import test_playbook as playbook
from tests.ledger.work import test_candidates as any_history
from tests.ledger.work.test_candidates import Step
from tests.places import Place
from tests.tools import START, Clock, examples

POLICIES = ("router@3", "evaluation@1")


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:decisions", clock=Clock()) as opened:
        yield opened


def ready(ledger: Ledger, title: str, **fields: Any) -> str:
    goal = ledger.goals.create(title, **fields)
    ledger.goals.ready(goal.goal_id)
    return goal.goal_id


def claimed(ledger: Ledger) -> tuple[str, str]:
    """The goal and the run of a claim."""
    run = ledger.work.claim()
    assert run is not None
    return run.goal_id, run.run_id


def dispatch(ledger: Ledger, goal_id: str, kept: Receipt) -> None:
    """Record that a goal was chosen with this receipt."""
    dispatched = RunDispatched(run_id="grun_x", attempt=1, running=("grun_x",), receipt=kept)
    ledger.transact(lambda tx: tx.act(goal_id, GOAL, lambda _: [dispatched]))


def finding(text: str, **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "text": text, "category": "capability", "pattern": "broken", "subject": text, "confidence": 0.85,
        "value": 0.8, "effort": 0.5, "risk": 0.3,
    }  # fmt: skip
    return Finding(**(fields | changes))


def weights(**changes: float) -> Settings:
    return Settings(weight=Weights(**changes))


# --- Why


def test_a_decision_tells_its_receipt_and_is_made_again_the_same(ledger: Ledger):
    best, _ = ready(ledger, "A", value=0.9), ready(ledger, "B", value=0.1)
    goal_id, run_id = claimed(ledger)
    for number in range(3):  # what came later is not known to the decision
        ready(ledger, f"C{number}", value=1.0, priority=1)

    found = ledger.why(run_id)
    assert isinstance(found.recorded.event, RunDispatched)
    assert (goal_id, found.recorded.event.run_id) == (best, run_id)
    assert found.receipt == found.recorded.event.receipt == found.now
    assert (found.chosen, found.now_chosen, found.outcome, found.same_settings) == (best, best, "same", True)
    assert ledger.why(found.recorded.position) == ledger.why(str(found.recorded.position)) == found
    assert ledger.why(goal_id) == found


def test_settings_that_choose_otherwise_are_told(place: Place):
    with Ledger.open(place.url, actor="test:a", clock=Clock()) as ledger:
        worth, easy = ready(ledger, "A", value=0.9, effort=0.9), ready(ledger, "B", value=0.1, effort=0.1)
        _, run_id = claimed(ledger)
    with Ledger.open(place.url, actor="test:a", settings=weights(value=0.1, effort=0.9), read_only=True) as other:
        found = other.why(run_id)
        assert (found.chosen, found.now_chosen, found.outcome, found.same_settings) == (worth, easy, "flipped", False)
    with Ledger.open(place.url, actor="test:a", settings=weights(value=0.9), read_only=True) as other:
        found = other.why(run_id)
        assert (found.now_chosen, found.outcome, found.same_settings) == (worth, "same", False)


def test_other_candidates_for_the_same_choice_are_told(ledger: Ledger):
    goal_id, _ = ready(ledger, "A", priority=1), ready(ledger, "B")
    seen = ledger.head
    others = receipt("router@3", ranked([Scored(goal_id, 0.3, "")]), goal_id, position=seen, settings={})
    dispatch(ledger, goal_id, others)
    found = ledger.why(goal_id)
    assert (found.now_chosen, found.outcome, found.same_settings) == (goal_id, "same_choice", False)
    assert ledger.replay("router@3")[1:5] == (1, 1, 1, 0)


def test_a_decision_of_the_first_router_is_made_again_by_it(ledger: Ledger):
    old, _ = ready(ledger, "A", priority=3, value=0.1), ready(ledger, "B", priority=3, value=0.9)
    seen = ledger.head
    of_then = Scored(old, 0.4, "priority 3, advances no active key result")
    kept = receipt("router@1", ranked([of_then]), old, position=seen, settings={})
    dispatch(ledger, old, kept)
    found = ledger.why(old)
    assert found.now is not None
    assert (found.now_chosen, found.same_settings, found.now.candidates[0]) == (old, True, kept.candidates[0])
    assert [(flip.policy, flip.was.id) for flip in ledger.replay("router@3").flips] == [("router@1", old)]
    assert ledger.replay("router@1").flipped == 0


def test_a_proposal_tells_why_and_those_of_one_scan_know_those_before_them(ledger: Ledger):
    for hour in range(5):
        for task in ("backup", "mail", "sync", "report", "index"):
            at = Clock().now + timedelta(hours=hour, minutes=11 * len(task))
            ledger.history.record(task, False, at=at, error="timeout")
    taken = ledger.proposals.scan(now=Clock().now + timedelta(hours=6)).proposals
    assert {one.code for one in taken} >= {None, "rate_limit_exceeded"}
    for one in taken:
        found = ledger.why(one.proposal_id)
        assert (found.outcome, found.now_chosen) == ("same", one.code or "auto_approved")
        assert ledger.replay("evaluation@1", start=found.recorded.position).flipped == 0


def test_what_no_policy_decided_or_nobody_knows_is_refused(ledger: Ledger):
    goal_id = ready(ledger, "A")
    run = ledger.runs.start(goal_id)
    unknown = receipt("router@9", ranked([]), goal_id, position=1, settings={})
    liar = receipt("router@3", ranked([]), goal_id, position=10**6, settings={})
    for kept in (unknown, liar):
        dispatch(ledger, goal_id, kept)
    refused: list[tuple[int | str, type[LedgerError], str]] = [
        (1, Rejected, "no_receipt"),
        (run.run_id, Rejected, "no_receipt"),
        (0, NotFound, "unknown_position"),
        (ledger.head + 1, NotFound, "unknown_position"),
        (ledger.head - 1, NotFound, "unknown_policy"),
        (ledger.head, Rejected, "bad_receipt"),
        ("goal_x", NotFound, "unknown_goal"),
        ("grun_x", NotFound, "unknown_run"),
        ("prop_x", NotFound, "unknown_proposal"),
        ("les_x", Invalid, "bad_event"),
    ]
    for event, kind, code in refused:
        with pytest.raises(kind) as error:
            ledger.why(event)
        assert (event, error.value.code) == (event, code)
    for policy in ("router@9", "oracle@1", "router"):
        with pytest.raises(NotFound) as error:
            ledger.replay(policy)
        assert error.value.code == "unknown_policy"
    with pytest.raises(Rejected) as error:
        ledger.as_of(2).why(2)
    assert error.value.code == "not_of_the_past"
    found = ledger.replay("router@3")
    assert (found.decisions, found.same, found.not_made_again) == (2, 0, {"bad_receipt": 1})


def test_nothing_is_written(ledger: Ledger):
    ready(ledger, "A")
    _, run_id = claimed(ledger)
    ledger.proposals.propose(finding("Mend it"))
    before = (ledger.head, ledger.log.digest_at(ledger.head), ledger.log.state_hash().sha256, ledger.work.explain())
    ledger.why(run_id)
    for policy in POLICIES:
        assert ledger.replay(policy, settings=weights(value=0.0)).decisions == 1
    assert (
        ledger.head,
        ledger.log.digest_at(ledger.head),
        ledger.log.state_hash().sha256,
        ledger.work.explain(),
    ) == before


# --- Replay


def test_other_weights_flip_a_choice_and_tell_both_goals_then_and_now(ledger: Ledger):
    worth, easy = ready(ledger, "A", value=0.9, effort=0.9), ready(ledger, "B", value=0.1, effort=0.1)
    _, run_id = claimed(ledger)
    assert ledger.replay("router@3").flips == []

    found = ledger.replay("router@3", settings=weights(value=0.1, effort=0.9))
    [flip] = found.flips
    assert (found.decisions, found.same, found.flipped, found.not_made_again) == (1, 0, 1, {})
    assert (flip.position, flip.stream, flip.policy) == (ledger.why(run_id).recorded.position, worth, "router@3")
    # 0.5·value + 0.25·(1 - effort) + 0.15·½ + 0.05·¾, then 0.1·value + 0.9·(1 - effort) + 0.15·½ + 0.05·¾
    told = [
        [None if side is None else (side.score, side.why.rpartition(" ")[2]) for side in (judged.then, judged.now)]
        for judged in (flip.was, flip.becomes)
    ]
    assert (flip.was.id, flip.becomes.id) == (worth, easy)
    assert told == [[(0.4, "0.588"), (0.4, "0.292")], [(0.4, "0.388"), (0.4, "0.932")]]


def test_a_decision_is_made_again_at_the_time_when_it_was_true(ledger: Ledger):
    urgent = ready(ledger, "A", value=0.5, time_horizon="2026-02-24T20:00:00Z")
    worth = ready(ledger, "B", value=0.52)
    early = ledger.using(occurred_at=START - timedelta(days=2))
    assert early.work.claim() is not None
    assert (ledger.why(worth).outcome, ledger.why(worth).now_chosen) == ("same", worth)
    assert claimed(ledger)[0] == urgent
    ready(ledger, "C", value=0.52)
    ledger.runs.interrupt(ledger.runs.list(goal_id=urgent).rows[0].run_id, reason="moot")
    assert claimed(ledger)[0] == urgent  # before C, for its deadline is near
    assert ledger.replay("router@3")[1:5] == (3, 3, 0, 0)


def test_the_steps_of_a_rule_are_taken_again_and_others_under_other_settings(ledger: Ledger):
    rule = ledger.rules.draft(playbook.sure_lesson(ledger)).rule_id
    with pytest.raises(Rejected) as error:
        ledger.why(rule)
    assert error.value.code == "no_choice"
    for _ in range(3):
        playbook.play(ledger, shadows=(rule,))
    assert playbook.advance(ledger, rule) == f"rule {rule} is tried on 50% of the goals"
    for _ in range(25):
        playbook.play(ledger, playbook.WON, rules=(rule,))
        playbook.play(ledger, playbook.LOST, controls=(rule,))
    assert playbook.advance(ledger, rule) == f"rule {rule} is in force"
    assert (ledger.why(rule).outcome, ledger.why(rule).now_chosen) == ("same", "promote")
    ledger.rules.roll_back(rule, reason="it is not wanted")
    for _ in range(20):
        playbook.play(ledger, playbook.WON, controls=(rule,))
    while ledger.rules.get(rule).activation_mode == "canary":  # its round ends with the run that shows the harm
        playbook.play(ledger, playbook.LOST, rules=(rule,))
    assert (ledger.why(rule).outcome, ledger.why(rule).now_chosen) == ("same", "roll_back:success")
    assert ledger.replay("promotion@1")[1:6] == (4, 4, 0, 0, {})
    careful = ledger.replay(
        "promotion@1", settings=Settings(rule_alpha=1e-9, rule_shadow_runs=9, rule_validated_runs=99)
    )
    assert [(flip.was.id, flip.becomes.id) for flip in careful.flips] == [
        ("canary", "nothing"),
        ("promote", "wait"),
        ("roll_back:success", "wait"),
    ]


def test_goals_beyond_the_ten_best_are_judged_by_the_version_that_chose(ledger: Ledger):
    last = ready(ledger, "least", value=0.0, effort=0.0, risk=0.37)
    for number in range(12):
        ready(ledger, f"goal {number}", value=0.9, effort=0.9, risk=0.37)
    best, run_id = claimed(ledger)
    assert last not in [one.id for one in ledger.why(run_id).receipt.candidates]
    [flip] = ledger.replay("router@3", settings=weights(value=0.0, effort=1.0)).flips
    assert (flip.was.id, flip.becomes.id) == (best, last)
    assert [None if side is None else side.why[-5:] for side in flip.becomes[1:]] == ["0.382", "1.000"]
    assert [None if side is None else side.why[-5:] for side in flip.was[1:]] == ["0.607", "0.232"]


def test_another_threshold_flips_a_proposal_and_those_after_it_know(ledger: Ledger):
    ledger.proposals.propose(finding("Mend the backup of the shop", confidence=0.75))
    ledger.proposals.propose(finding("Mend the mail", confidence=0.92))
    found = ledger.replay("evaluation@1", settings=Settings(least_confidence=0.8))
    assert [(flip.was.id, flip.becomes.id) for flip in found.flips] == [("accepted", "confidence_too_low")]
    found = ledger.replay("evaluation@1", settings=Settings(auto_approve=0.95))
    assert [(flip.was.id, flip.becomes.id) for flip in found.flips] == [("auto_approved", "accepted")]


def test_a_part_of_the_decisions_is_replayed(ledger: Ledger):
    for number in range(6):
        ready(ledger, f"goal {number}")
    runs = [claimed(ledger)[1] for _ in range(6)]
    positions = [ledger.why(run_id).recorded.position for run_id in runs]

    def decisions(**part: Any) -> int:
        return ledger.replay("router@3", **part).decisions

    assert (decisions(), decisions(limit=2), decisions(start=positions[2])) == (6, 2, 4)
    assert (decisions(end=positions[2]), decisions(start=positions[1], end=positions[3])) == (3, 3)
    assert (decisions(start=positions[5] + 1), decisions(end=1)) == (0, 0)


def test_a_goal_that_its_streams_refuse_is_passed_over_again(ledger: Ledger):
    refused, other = ready(ledger, "A", overlap="enqueue", priority=1), ready(ledger, "B", overlap="allow", priority=5)
    for goal_id in (refused, refused, other):  # the second one waits in the queue
        ledger.runs.start(goal_id)
    ledger.goals.amend(refused, overlap="allow")
    assert claimed(ledger)[0] == other
    assert [one.id for one in ledger.why(other).receipt.candidates] == [refused, other]
    assert ledger.replay("router@3")[1:5] == (1, 1, 0, 0)


# --- Any history

MORE = ("estimate", "estimate", "align", "hold", "contradict", "fail check", "scan", "propose", "propose", "unknown")
STEPS = st.lists(
    st.builds(
        Step, st.sampled_from((*any_history.VERBS, *MORE)), st.booleans(), st.integers(0, 6), st.integers(0, 6),
        st.just(False),
    ),
    min_size=10,
    max_size=50,
)  # fmt: skip


def do(ledger: Ledger, clock: Clock, step: Step) -> None:
    """Make a wish; one that is refused changes nothing."""
    rows = ledger.goals.list(sort="newest").rows
    goal = rows[step.pick % len(rows)].goal_id
    beliefs = [row.belief_id for row in ledger.beliefs.list().rows]
    belief = beliefs[step.second % len(beliefs)] if beliefs else None
    match step.verb:
        case "estimate":
            ledger.goals.amend(goal, value=step.second / 6, effort=step.pick / 6, risk=0.5)
        case "align":
            named = [belief] if belief else []
            change: dict[str, Any] = {("aligns_with", "contradicts")[step.pick % 2]: named}
            ledger.goals.amend(goal, **change)
        case "hold":
            ledger.beliefs.hold(f"belief {step.second}")
        case "contradict" if belief:
            ledger.beliefs.contradict(belief, reason="it is not so")
        case "fail check":
            for minutes in range(3 + step.second):
                at = clock.now - timedelta(minutes=minutes)
                ledger.history.record(f"task {step.pick}", False, at=at, error="timeout")
        case "scan":
            ledger.proposals.scan()
        case "propose":
            ledger.proposals.propose(
                finding(f"Mend thing{step.pick}", confidence=0.65 + step.second / 20,
                        aligns_with=(belief,) if belief else (), contradicts=(belief,) if belief and step.other else ())
            )  # fmt: skip
        case "unknown":
            ledger.using(occurred_at=UNKNOWN).work.claim()
        case _:
            any_history.do(ledger, clock, step)


_numbers = count()


@settings(max_examples=examples(15), phases=[Phase.explicit, Phase.generate])
@given(wishes=STEPS)
def test_whatever_happened_unchanged_policies_and_settings_flip_nothing(
    tmp_path_factory: pytest.TempPathFactory, wishes: list[Step]
):
    path = tmp_path_factory.getbasetemp() / f"decided-{next(_numbers)}.db"
    clock, chosen = Clock(), Settings(retry_jitter=0, durable=False, page=7)
    with Ledger.open(path, actor="test:a", clock=clock, settings=chosen) as ledger:
        any_history.begin(ledger)
        for step in wishes:
            with suppress(LedgerError):
                do(ledger, clock, step)
        receipts = [one for one in ledger.events() if isinstance(one, Recorded) and hasattr(one.event, "receipt")]
        decided = [one for one in receipts if one.event.receipt is not None]  # type: ignore[attr-defined]
    with Ledger.open(path, settings=chosen, read_only=True) as fresh:
        told = [fresh.replay(policy) for policy in POLICIES]
        assert [(one.same, one.rescored, one.not_made_again) for one in told] == [
            (one.decisions, 0, {}) for one in told
        ]
        assert sum(one.decisions for one in told) == len(decided)
        assert {fresh.why(one.position).outcome for one in decided[-3:]} <= {"same"}
        changed = adjusted(chosen, {"weight.value": "0.0", "weight.effort": "1.0"})
        flipped = fresh.replay("router@3", settings=changed)
        assert flipped.same + flipped.flipped == flipped.decisions == told[0].decisions


def test_each_family_names_versions_of_its_own():
    assert {family: {version.partition("@")[0] for version in of.versions} for family, of in FAMILIES.items()} == {
        family: {family} for family in FAMILIES
    }


def many(ledger: Ledger, decisions: int) -> None:
    """So many claims among goals that change, some of which end."""
    random = Random(7)
    goals = [ready(ledger, f"goal {number}", value=random.random()) for number in range(decisions // 4)]
    for _ in range(decisions):
        if (run := ledger.work.claim()) is None:
            run = ledger.runs.get(claimed_after(ledger, random))
        if random.random() < 0.9:
            ledger.runs.interrupt(run.run_id, reason="once more")
        ledger.goals.amend(random.choice(goals), value=random.random(), effort=random.random())


def claimed_after(ledger: Ledger, random: Random) -> str:
    """A claim of a new goal, when all others are busy."""
    ready(ledger, "more", value=random.random())
    return claimed(ledger)[1]


def test_two_hundred_decisions_are_made_again_the_same():
    with Ledger.open(":memory:", actor="test:many", clock=Clock()) as ledger:
        many(ledger, 200)
        assert ledger.replay("router@3")[:6] == ("router@3", 200, 200, 0, 0, {})
        assert ledger.replay("router@3", settings=weights(value=0.0, effort=1.0)).flipped > 100


@pytest.mark.soak
def test_a_thousand_decisions_are_made_again_the_same(place: Place):
    with Ledger.open(place.url, actor="test:many", clock=Clock(), settings=Settings(durable=False)) as ledger:
        many(ledger, 1_000)
        assert ledger.replay("router@3")[:6] == ("router@3", 1_000, 1_000, 0, 0, {})


# --- Settings for a while


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("weight.valu", "0.5", "unknown_setting"),
        ("weigth.value", "0.5", "unknown_setting"),
        ("page.size", "5", "unknown_setting"),
        ("", "5", "unknown_setting"),
        ("weight.value", "2.0", "invalid_value"),
        ("least_confidence", "high", "invalid_value"),
        ("weight", "0.5", "invalid_value"),
    ],
)
def test_a_setting_that_there_is_not_or_that_is_out_of_range_is_refused(name: str, value: str, code: str):
    with pytest.raises(Invalid) as error:
        adjusted(Settings(), {name: value})
    assert error.value.code == code


def test_some_settings_are_changed_and_the_others_stay():
    changes = {"weight.value": "0.6", "auto_approve": "0.95", "detectors.task_failure_detector.threshold": "5"}
    changed = adjusted(Settings(page=7), changes)
    assert changed == Settings(
        page=7, weight=Weights(value=0.6), auto_approve=0.95, detectors={"task_failure_detector": {"threshold": 5}}
    )
