"""What follows from an event follows by whatever way it came in, on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from goal_ledger.domain.goals.goal import GOAL, ActivityRecorded, GoalActivated, GoalCreated
from goal_ledger.domain.goals.loop import REFUSED, LoopOpened
from goal_ledger.domain.runs import run as rules
from goal_ledger.domain.runs.run import RUN, RunInterrupted
from goal_ledger.domain.work.dispatch import ATTEMPTS_EXHAUSTED
from goal_ledger.ledger import (
    Conflict,
    FailureCategory,
    GoalType,
    Invalid,
    Ledger,
    LocalOutcome,
    LoopKind,
    NotFound,
    Rejected,
    Settings,
    Tx,
    Unavailable,
    VerifierStatus,
)
from goal_ledger.ledger.engine.reactions import MOST_ROUNDS, Reaction, Reactions
from goal_ledger.ledger.goals.loops import note_refusal
from goal_ledger.ledger.reactions import REACTIONS
from tests.places import Place
from tests.tools import START, Clock, recorded

LEASE_S = 60.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(place: Place, clock: Clock) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:a", clock=clock, settings=Settings(retry_jitter=0)) as opened:
        yield opened


def active(ledger: Ledger, title: str = "A", **contract: Any) -> str:
    goal_id = ledger.goals.create(title, **contract).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def followed(ledger: Ledger, after: int) -> list[tuple[str, str, str | None]]:
    """What was recorded about goals, runs and loops behind a position: name, what it became, and what led to it."""
    events = {one.position: one for one in recorded(ledger)}
    found = []
    for one in recorded(ledger)[after:]:
        if one.stream.startswith(("goal_", "grun_", "loop_")):
            became = getattr(one.event, "reason", None) if one.name == "goal.failed" else ""
            cause = None if one.cause is None else events[one.cause].name
            found.append((one.name, became or "", cause))
    return found


# --- A lost run

LOST: dict[str, Callable[[Ledger, str, Clock], object]] = {
    "tick": lambda ledger, run_id, clock: ledger.tick(duties=["leases"]),
    "interrupt": lambda ledger, run_id, clock: ledger.runs.interrupt(run_id, reason="silent"),
    "session start": lambda ledger, run_id, clock: ledger.sessions.start(),
    "session block": lambda ledger, run_id, clock: _in_a_session(ledger),
    "act": lambda ledger, run_id, clock: ledger.act(run_id, RUN, rules.interrupt, reason="silent", orphaned=True),
    "transact": lambda ledger, run_id, clock: ledger.transact(
        lambda tx: tx.act(run_id, RUN, rules.interrupt, reason="silent")
    ),
}


def _in_a_session(ledger: Ledger) -> None:
    with ledger.session():
        pass


def lose(ledger: Ledger, clock: Clock, way: str, **contract: Any) -> tuple[str, list[tuple[str, str, str | None]]]:
    """Lose the run of a new goal in some way; the goal, and what followed."""
    goal_id = active(ledger, **contract)
    run_id = ledger.runs.start(goal_id, lease_s=LEASE_S).run_id
    clock.now += timedelta(seconds=2 * LEASE_S)
    head = ledger.head
    LOST[way](ledger, run_id, clock)
    return goal_id, followed(ledger, head)


@pytest.mark.parametrize("way", LOST)
def test_a_run_lost_in_the_last_attempt_fails_its_goal(ledger: Ledger, clock: Clock, way: str):
    goal_id, events = lose(ledger, clock, way, max_attempts=1)
    assert events == [
        ("run.interrupted", "", None),
        ("goal.failed", ATTEMPTS_EXHAUSTED, "run.interrupted"),
    ]
    assert ledger.goals.get(goal_id).status == "failed"


@pytest.mark.parametrize("way", LOST)
def test_a_run_lost_before_is_followed_by_a_retry(ledger: Ledger, clock: Clock, way: str):
    _, events = lose(ledger, clock, way, max_attempts=3)
    assert events == [
        ("run.interrupted", "", None),
        ("goal.retry_scheduled", "", "run.interrupted"),
        ("loop.opened", "", "run.interrupted"),
    ]


@pytest.mark.parametrize("way", LOST)
def test_a_run_lost_without_a_limit_asks_somebody(ledger: Ledger, clock: Clock, way: str):
    _, events = lose(ledger, clock, way)
    assert events == [("run.interrupted", "", None), ("loop.opened", "", "run.interrupted")]


LOST_TOGETHER: dict[str, Callable[[Ledger, list[str]], object]] = {
    "tick": lambda ledger, runs: ledger.tick(duties=["leases"]),
    "claim": lambda ledger, runs: ledger.work.claim(),
    "session start": lambda ledger, runs: ledger.sessions.start(),
    "one by one": lambda ledger, runs: [ledger.runs.interrupt(run_id, reason="silent") for run_id in runs],
    "transact": lambda ledger, runs: ledger.transact(
        lambda tx: [tx.act(run_id, RUN, rules.interrupt, reason="silent") for run_id in runs]
    ),
}


@pytest.mark.parametrize("way", LOST_TOGETHER)
def test_of_two_lost_runs_of_a_goal_one_retry_follows(ledger: Ledger, clock: Clock, way: str):
    goal_id = active(ledger, overlap="allow", max_attempts=3)
    runs = [ledger.runs.start(goal_id, lease_s=LEASE_S).run_id for _ in range(2)]
    clock.now += timedelta(seconds=2 * LEASE_S)
    head = ledger.head
    LOST_TOGETHER[way](ledger, runs)
    assert sorted(name for name, *_ in followed(ledger, head)) == [
        "goal.retry_scheduled", "loop.opened", "run.interrupted", "run.interrupted",
    ]  # fmt: skip


def test_the_last_run_that_leaves_the_queue_ends_a_goal_whose_attempts_are_used_up(ledger: Ledger):
    goal_id = active(ledger, overlap="enqueue", max_attempts=2)
    first, second = (ledger.runs.start(goal_id).run_id for _ in range(2))
    ledger.runs.interrupt(first, reason="silent")
    assert ledger.goals.get(goal_id).status == "active"
    ledger.runs.interrupt(second, reason="moot")
    assert (ledger.goals.get(goal_id).status, ledger.goals.get(goal_id).status_reason) == ("failed", ATTEMPTS_EXHAUSTED)


def test_leaving_the_queue_fails_no_goal_that_succeeded(ledger: Ledger):
    goal_id = active(ledger, overlap="enqueue", max_attempts=2)
    first, second = (ledger.runs.start(goal_id).run_id for _ in range(2))
    ledger.runs.finish(first, **WON)
    ledger.runs.interrupt(second, reason="moot")
    assert ledger.goals.get(goal_id).status == "active"


def test_a_run_that_is_taken_over_settles_nothing_for_the_next_attempt_is_under_way(ledger: Ledger):
    goal_id = active(ledger, max_attempts=2)
    run_id = ledger.runs.start(goal_id).run_id
    head = ledger.head
    ledger.runs.take_over(run_id, reason="silent")
    assert [name for name, *_ in followed(ledger, head)] == ["goal.run_dispatched", "run.interrupted", "run.started"]


def test_a_run_that_never_began_settles_nothing(ledger: Ledger):
    goal_id = active(ledger, overlap="enqueue", max_attempts=3)
    ledger.runs.start(goal_id)
    queued = ledger.runs.start(goal_id)
    head = ledger.head
    ledger.runs.interrupt(queued.run_id, reason="moot")
    assert followed(ledger, head) == [("run.interrupted", "", None)]


# --- A run that ends

ENDED: dict[str, Callable[[Ledger, str, dict[str, Any]], object]] = {
    "finish": lambda ledger, run_id, how: ledger.runs.finish(run_id, **how),
    "act": lambda ledger, run_id, how: ledger.act(run_id, RUN, rules.finish, **how),
    "transact": lambda ledger, run_id, how: ledger.transact(lambda tx: tx.act(run_id, RUN, rules.finish, **how)),
}
FAILED: dict[str, Any] = {"local_outcome": LocalOutcome.FAILED, "failure_category": FailureCategory.TOOL_ERROR}
WON: dict[str, Any] = {"local_outcome": LocalOutcome.SUCCEEDED}


@pytest.mark.parametrize("way", ENDED)
def test_a_failure_is_followed_by_a_retry_and_a_review(ledger: Ledger, way: str):
    run_id = ledger.runs.start(active(ledger, max_attempts=2)).run_id
    head = ledger.head
    ENDED[way](ledger, run_id, FAILED)
    assert [(one.name, one.cause) for one in recorded(ledger)[head:]] == [
        ("run.finished", None),
        ("goal.retry_scheduled", head + 1),
        ("loop.opened", head + 1),
        ("review.written", head + 1),
    ]


@pytest.mark.parametrize("way", ENDED)
def test_a_success_closes_the_oldest_occurrence(ledger: Ledger, clock: Clock, way: str):
    goal_id = active(ledger, goal_type=GoalType.MAINTENANCE, review_cadence="1d")
    clock.now += timedelta(days=1, minutes=1)
    ledger.tick(duties=["cadences"])
    run_id = ledger.runs.start(goal_id).run_id
    head = ledger.head
    ENDED[way](ledger, run_id, WON)
    assert [name for name, *_ in followed(ledger, head)] == ["run.finished", "goal.occurrence_completed"]


@pytest.mark.parametrize("way", ENDED)
def test_a_run_of_a_learning_goal_that_is_won_is_followed_by_a_cycle(ledger: Ledger, way: str):
    run_id = ledger.runs.start(active(ledger, goal_type=GoalType.LEARNING)).run_id
    ENDED[way](ledger, run_id, WON)
    [report] = ledger.learning.list().rows
    assert report.runs == 1
    assert recorded(ledger)[-1].command == f"learn:{report.until}"


def test_a_run_of_a_learning_goal_whose_verifier_said_no_is_followed_by_none(ledger: Ledger):
    run_id = ledger.runs.start(active(ledger, goal_type=GoalType.LEARNING)).run_id
    ledger.runs.verify(run_id, VerifierStatus.FAILED)
    ledger.runs.finish(run_id, **WON)
    assert ledger.learning.list().rows == []


@pytest.mark.parametrize("way", ENDED)
def test_the_last_attempt_of_a_critical_task_fails_everything_above_it(ledger: Ledger, way: str):
    top = active(ledger, "top")
    middle = active(ledger, "middle", parent_goal_id=top, priority=1)
    task = active(ledger, "task", parent_goal_id=middle, priority=1, max_attempts=1)
    run_id = ledger.runs.start(task).run_id
    ENDED[way](ledger, run_id, FAILED)
    assert [ledger.goals.get(goal_id).status for goal_id in (task, middle, top)] == ["failed"] * 3
    failures = [(one.stream, one.cause) for one in recorded(ledger) if one.name == "goal.failed"]
    by_name = {one.stream: one.position for one in recorded(ledger) if one.name == "goal.failed"}
    assert failures[1:] == [(middle, by_name[task]), (top, by_name[middle])]


def test_what_is_imported_is_followed_by_nothing(ledger: Ledger):
    goal_id = active(ledger, max_attempts=1)
    run_id = ledger.runs.start(goal_id).run_id
    head = ledger.head
    ledger.transact(lambda tx: tx.act(run_id, RUN, rules.finish, **FAILED), is_history=True)
    assert [one.name for one in recorded(ledger)[head:]] == ["run.finished"]


def test_a_repeat_is_followed_by_nothing_more(ledger: Ledger):
    run_id = ledger.runs.start(active(ledger, goal_type=GoalType.LEARNING)).run_id
    once = ledger.using(command_id="once")
    once.runs.finish(run_id, **WON)
    head = ledger.head
    once.runs.finish(run_id, **WON)
    assert ledger.head == head


# --- The rules of the table


def with_reactions(ledger: Ledger, *reactions: Reaction) -> Ledger:
    """The ledger with these reactions alone."""
    ledger.core.reactions = Reactions(reactions, note_refusal)
    return ledger


def note(text: str) -> Callable[[Ledger, Tx, Any], object]:
    return lambda _, tx, one: tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity=text)])


def activities(ledger: Ledger) -> list[tuple[str, int | None]]:
    return [(one.event.activity, one.cause) for one in recorded(ledger) if isinstance(one.event, ActivityRecorded)]


def test_every_reaction_of_the_table_is_there():
    for reaction in REACTIONS:
        assert callable(reaction.function()), reaction.name
        module, _, name = str(reaction.do).partition(":")
        assert reaction.function() is getattr(import_module(module), name)


def test_reactions_run_in_the_order_of_the_table_and_name_their_cause(ledger: Ledger):
    on = frozenset({GoalActivated})
    with_reactions(ledger, Reaction(on, note("first"), "first"), Reaction(on, note("second"), "second"))
    active(ledger)
    moved = next(one.position for one in recorded(ledger) if isinstance(one.event, GoalActivated))
    assert activities(ledger) == [("first", moved), ("second", moved)]


def test_a_reaction_is_followed_by_those_to_it(ledger: Ledger):
    def count(_: Ledger, tx: Tx, one: Any) -> None:
        if int(one.event.activity) < 5:
            tx.act(one.stream, GOAL, lambda _: [ActivityRecorded(activity=str(int(one.event.activity) + 1))])

    with_reactions(
        ledger,
        Reaction(frozenset({GoalActivated}), note("1"), "begin"),
        Reaction(frozenset({ActivityRecorded}), count, "count"),
    )
    active(ledger)
    first = activities(ledger)[0][1]
    assert first is not None
    assert activities(ledger) == [(str(number), first + number - 1) for number in range(1, 6)]


def test_reactions_without_an_end_are_refused_and_nothing_is_written(ledger: Ledger):
    goal_id = active(ledger)
    with_reactions(ledger, Reaction(frozenset({ActivityRecorded}), note("again"), "again"))
    head = ledger.head
    with pytest.raises(Rejected) as refused:
        ledger.act(goal_id, GOAL, lambda _: [ActivityRecorded(activity="once")])
    assert (refused.value.code, ledger.head) == ("endless_reactions", head)
    assert str(MOST_ROUNDS) in refused.value.message


@pytest.mark.parametrize("error", [Rejected("no", "not so"), NotFound("no", "not so"), Invalid("no", "not so")])
def test_a_refused_reaction_is_kept_as_a_follow_up_and_undoes_nothing_but_itself(ledger: Ledger, error: Exception):
    def refuse(_: Ledger, tx: Tx, one: Any) -> None:
        note("half done")(ledger, tx, one)
        raise error

    on = frozenset({GoalActivated})
    with_reactions(ledger, Reaction(on, refuse, "billing"), Reaction(on, note("the other"), "other"))
    goal_id = active(ledger)
    assert ledger.goals.get(goal_id).status == "active"
    assert [text for text, _ in activities(ledger)] == ["the other"]
    [loop] = ledger.loops.list(kind=LoopKind.FOLLOW_UP).rows
    assert (loop.question, loop.goal_id) == (f"{REFUSED}: billing: not so (no)", goal_id)


@pytest.mark.parametrize("text", ["bad \0 text", "half \ud800 a character", "x" * 20_000])
def test_a_refusal_is_kept_whatever_its_text(ledger: Ledger, text: str):
    def refuse(_: Ledger, tx: Tx, one: Any) -> None:
        raise Rejected("no", text)

    with_reactions(ledger, Reaction(frozenset({GoalActivated}), refuse, "billing"))
    assert ledger.goals.get(active(ledger)).status == "active"
    assert len(ledger.loops.list(kind=LoopKind.FOLLOW_UP).rows) == 1


def test_what_keeps_a_refusal_is_followed_by_nothing(ledger: Ledger):
    refusals = iter(range(10**6))

    def refuse(_: Ledger, tx: Tx, one: Any) -> None:
        raise Rejected("no", f"refusal {next(refusals)}")

    with_reactions(ledger, Reaction(frozenset({GoalActivated, LoopOpened}), refuse, "billing"))
    assert ledger.goals.get(active(ledger)).status == "active"
    assert next(refusals) == 1


def test_a_reaction_that_lets_reactions_follow_has_an_end(ledger: Ledger):
    def again(engine: Ledger, tx: Tx, one: Any) -> None:
        note("again")(engine, tx, one)
        tx.follow()

    goal_id = active(ledger)
    with_reactions(ledger, Reaction(frozenset({ActivityRecorded}), again, "again"))
    with pytest.raises(Rejected, match="still follow"):
        ledger.act(goal_id, GOAL, lambda _: [ActivityRecorded(activity="once")])


def test_reactions_reach_through_goals_that_are_nested_deeply():
    with Ledger.open(":memory:", actor="test:a") as ledger:
        top = above = active(ledger, "top")
        for number in range(1_100):
            above = ledger.goals.create(f"{number}", parent_goal_id=above, priority=1, max_attempts=1).goal_id
        run_id = ledger.runs.start(ledger.goals.ready(above).goal_id).run_id
        ledger.runs.finish(run_id, **FAILED)
        assert ledger.goals.get(above).status == "failed"
        assert ledger.goals.get(top).status == "active"


BAD: list[Any] = [
    "abc",
    5,
    Reaction(GoalActivated, note("x"), "bare type"),  # type: ignore[arg-type]
    Reaction(frozenset({"goal.activated"}), note("x"), "a name"),  # type: ignore[arg-type]
    Reaction(frozenset(), note("x"), "nothing"),
    Reaction(frozenset({GoalActivated}), None, "no function"),  # type: ignore[arg-type]
    Reaction(frozenset({GoalActivated}), note("x"), " "),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_what_is_no_reaction_is_refused_when_the_ledger_is_opened(bad: Any):
    with pytest.raises(Invalid) as refused:
        Ledger.open(":memory:", reactions=[bad])
    assert refused.value.code in ("bad_reaction", "wrong_type")


@pytest.mark.parametrize(
    "given", [{"projections": [None]}, {"projections": 5}, {"duties": {"x": 5}}, {"duties": ["x"]}]
)
def test_what_is_no_projection_and_no_duty_is_refused_when_the_ledger_is_opened(given: dict[str, Any]):
    with pytest.raises(Invalid) as refused:
        Ledger.open(":memory:", **given)
    assert refused.value.code == "wrong_type"


@pytest.mark.parametrize("url", [None, 5, b"x"])
def test_what_names_no_ledger_is_a_bad_url(url: Any):
    with pytest.raises(Invalid) as refused:
        Ledger.open(url)
    assert refused.value.code == "bad_url"


@pytest.mark.parametrize("place_", ["nope.module:function", "json:nope", "json", ""])
def test_a_reaction_of_others_that_is_not_there_refuses_writes_by_its_name(place_: str):
    given = Reaction(frozenset({GoalCreated}), place_, "billing")
    with Ledger.open(":memory:", actor="test:a", reactions=[given]) as ledger:
        with pytest.raises(Unavailable, match="reaction 'billing' failed") as refused:
            ledger.goals.create("A")
        assert refused.value.code == "bad_extension"
        assert ledger.goals.list().rows == []


def test_a_fault_in_a_reaction_of_others_names_it():
    def break_(_: Ledger, tx: Tx, one: Any) -> None:
        raise ValueError("two\nlines")

    given = Reaction(frozenset({GoalCreated}), break_, "billing")
    with (
        Ledger.open(":memory:", actor="test:a", reactions=[given]) as ledger,
        pytest.raises(Unavailable, match=r"reaction 'billing' failed: ValueError: two$"),
    ):
        ledger.goals.create("A")


def test_a_fault_in_a_reaction_undoes_the_transaction(ledger: Ledger):
    def break_(_: Ledger, tx: Tx, one: Any) -> None:
        raise ZeroDivisionError

    goal_id = active(ledger)
    with_reactions(ledger, Reaction(frozenset({ActivityRecorded}), break_, "broken"))
    head = ledger.head
    with pytest.raises(ZeroDivisionError):  # it is built in here
        ledger.act(goal_id, GOAL, lambda _: [ActivityRecorded(activity="once")])
    assert ledger.head == head


@pytest.mark.parametrize(
    "error", [Rejected("no", "not so"), Conflict("no", "not so"), Unavailable("no", "not so"), KeyError("not so")]
)
def test_what_is_left_for_afterwards_runs_without_the_lock_and_its_failure_is_kept(ledger: Ledger, error: Exception):
    done: list[int] = []

    def later(engine: Ledger, tx: Tx, one: Any) -> None:
        def then() -> None:
            done.append(engine.head)
            engine.goals.create("made afterwards")
            raise error

        tx.afterwards("billing", then)

    goal_id = active(ledger)
    with_reactions(ledger, Reaction(frozenset({ActivityRecorded}), later, "billing"))
    ledger.act(goal_id, GOAL, lambda _: [ActivityRecorded(activity="once")])
    assert done == [recorded(ledger, goal_id)[-1].position]
    [loop] = ledger.loops.list(kind=LoopKind.FOLLOW_UP).rows
    said = "KeyError: 'not so' (failed)" if isinstance(error, KeyError) else "not so (no)"
    assert loop.question == f"{REFUSED}: billing: {said}"


def test_what_a_refused_part_of_a_transaction_gathered_is_followed_by_nothing(ledger: Ledger):
    def work(tx: Tx) -> None:
        for goal_id in goals:
            try:
                with tx.all_or_nothing():
                    tx.act(goal_id, GOAL, lambda _: [ActivityRecorded(activity="seen")])
                    if goal_id == goals[0]:
                        tx.follow()
                        raise Rejected("no", "not so")
            except Rejected:
                continue

    goals = [active(ledger, title) for title in "AB"]

    def answer(_: Ledger, tx: Tx, one: Any) -> None:
        if one.event.activity == "seen":
            note("followed")(ledger, tx, one)

    with_reactions(ledger, Reaction(frozenset({ActivityRecorded}), answer, "answer"))
    ledger.transact(work)
    assert [
        (one.stream, one.event.activity) for one in recorded(ledger) if isinstance(one.event, ActivityRecorded)
    ] == [
        (goals[1], "seen"),
        (goals[1], "followed"),
    ]


# --- Signs of life


def test_what_others_say_of_a_run_is_no_sign_of_life(ledger: Ledger, clock: Clock):
    run_id = ledger.runs.start(active(ledger), lease_s=LEASE_S).run_id
    began = recorded(ledger, run_id)[0].at
    clock.now += timedelta(seconds=LEASE_S * 0.9)
    ledger.runs.verify(run_id, VerifierStatus.PASSED)
    ledger.runs.cost(run_id, tokens_in=7)
    assert rules.last_sign_of_life(recorded(ledger, run_id)) == began
    clock.now += timedelta(seconds=LEASE_S * 0.2)
    row = ledger.sessions.start()
    assert row.report is not None and row.report["orphaned_runs"]["ids"] == [run_id]
    assert isinstance(recorded(ledger, run_id)[-1].event, RunInterrupted)


def test_a_heartbeat_of_unknown_time_is_a_sign_of_life_when_it_was_recorded(ledger: Ledger, clock: Clock):
    run_id = ledger.runs.start(active(ledger), lease_s=LEASE_S).run_id
    clock.now = START + timedelta(hours=1)
    ledger.using(occurred_at=None).runs.heartbeat(run_id)
    assert ledger.attention() == []
    clock.now = START + timedelta(hours=2)
    beat = recorded(ledger, run_id)[-1]
    assert [(one.kind, one.id, one.since) for one in ledger.attention()] == [("stuck", run_id, beat.at)]
