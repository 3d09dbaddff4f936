"""Command ids: a wish that comes again is answered as at first."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.runs.run import LocalOutcome
from goal_ledger.ledger import UNKNOWN, Invalid, Ledger, LedgerError, Rejected
from tests.places import Place
from tests.tools import START, Clock, recorded


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:commands", clock=Clock()) as opened:
        yield opened


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


def test_a_repeated_wish_writes_nothing_and_is_answered_alike(ledger: Ledger):
    once = ledger.using(command_id="c1")
    first = once.goals.create("A", priority=2, metadata={"a": [1]}, reason="because")
    before = recorded(ledger)

    assert once.goals.create("A", priority=2, metadata={"a": [1]}, reason="because") == first
    assert recorded(ledger) == before
    assert before[-1].command == "c1"


def test_the_first_answer_is_given_also_after_later_changes(ledger: Ledger):
    goal = ledger.goals.create("A")
    first = ledger.using(command_id="c1").goals.ready(goal.goal_id)
    ledger.goals.activate(goal.goal_id)
    ledger.goals.amend(goal.goal_id, title="B")
    ledger.goals.archive(goal.goal_id)

    again = ledger.using(command_id="c1").goals.ready(goal.goal_id)
    assert (again, again.status, again.title) == (first, GoalStatus.READY, "A")


def test_the_first_answer_is_given_after_the_ledger_was_opened_again(place: Place):
    with Ledger.open(place.url, actor="test:commands", clock=Clock()) as ledger:
        goal = ledger.using(command_id="c1").goals.create("A", value=0.5)
        ledger.goals.ready(goal.goal_id)
        run = ledger.using(command_id="c2").runs.start(goal.goal_id, agent="agent:a")
        bill = ledger.using(command_id="c3").runs.cost(run.run_id, cost_usd=Decimal("0.10"))
    with Ledger.open(place.url, actor="test:other") as ledger:
        before = recorded(ledger)
        assert ledger.using(command_id="c1").goals.create("A", value=0.5) == goal
        assert ledger.using(command_id="c2").runs.start(goal.goal_id, agent="agent:a") == run
        assert ledger.using(command_id="c3").runs.cost(run.run_id, cost_usd=Decimal("0.10")) == bill
        assert recorded(ledger) == before
        assert ledger.log.verify() == len(before)


def test_who_and_when_are_no_part_of_the_wish(ledger: Ledger):
    first = ledger.using(command_id="c1").goals.create("A")
    other = ledger.using(command_id="c1", actor="agent:other", occurred_at=START - timedelta(days=3))
    assert other.goals.create("A") == first
    assert ledger.using(command_id="c1", if_version=99).goals.create("A") == first


def test_the_order_of_arguments_is_no_part_of_the_wish(ledger: Ledger):
    goal = ledger.goals.create("A")
    once = ledger.using(command_id="c1")
    first = once.goals.amend(goal.goal_id, title="B", priority=1, metadata={"a": 1, "b": 2})
    assert once.goals.amend(goal.goal_id, metadata={"b": 2, "a": 1}, priority=1, title="B") == first
    assert len(recorded(ledger, goal.goal_id)) == 2


def test_another_wish_under_the_same_id_is_refused(ledger: Ledger):
    goal = ledger.using(command_id="c1").goals.create("A")
    before = recorded(ledger)
    once = ledger.using(command_id="c1")
    for ask in (
        lambda: once.goals.create("B"),
        lambda: once.goals.create("A", priority=2),
        lambda: once.goals.create("A", reason="because"),
        lambda: once.goals.ready(goal.goal_id),
        lambda: once.goals.archive(goal.goal_id),
        lambda: once.runs.start(goal.goal_id),
        lambda: once.act(goal.goal_id, GOAL, rules.wait),
    ):
        error = refusal(ask)
        assert (type(error), error.code, error.exit_code) == (Rejected, "command_id_reused", 3)
        assert "'c1'" in error.message and "position 2" in error.message
    assert recorded(ledger) == before


def test_the_same_wish_for_another_goal_is_another_wish(ledger: Ledger):
    one, other = ledger.goals.create("A"), ledger.goals.create("B")
    ledger.using(command_id="c1").goals.ready(one.goal_id)
    assert refusal(ledger.using(command_id="c1").goals.ready, other.goal_id).code == "command_id_reused"


def test_a_refused_wish_is_not_remembered(ledger: Ledger):
    goal = ledger.goals.create("A")
    once = ledger.using(command_id="c1")
    assert refusal(once.goals.complete, goal.goal_id).code == "not_allowed"
    assert once.goals.ready(goal.goal_id).status is GoalStatus.READY


def test_a_quiet_wish_is_not_remembered(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    once = ledger.using(command_id="c1")
    assert once.goals.ready(goal.goal_id).version == 2
    assert once.goals.activate(goal.goal_id).version == 3


def test_one_command_may_write_several_events_on_several_streams(ledger: Ledger):
    parent = ledger.goals.create("Parent")
    ledger.goals.ready(parent.goal_id)
    first = ledger.using(command_id="c1").runs.start(parent.goal_id)
    written = [event for event in recorded(ledger) if event.command == "c1"]
    assert [event.name for event in written] == ["goal.activated", "goal.run_dispatched", "run.started"]

    ledger.runs.finish(first.run_id, LocalOutcome.SUCCEEDED)
    before = recorded(ledger)
    assert ledger.using(command_id="c1").runs.start(parent.goal_id) == first
    assert recorded(ledger) == before


def test_a_repeated_transaction_gives_its_first_events(ledger: Ledger):
    def work(tx: Any) -> None:
        goal_id = tx.new_id("goal_")
        for title in ("one", "two"):
            tx.act(
                f"{goal_id}:{title}",
                GOAL,
                lambda _, title=title: [rules.GoalCreated(title=title, status=GoalStatus.PLANNED)],
            )

    once = ledger.using(command_id="c1")
    first = once.transact(work, operation="two", arguments={"a": 1})
    assert [event.event.title for event in first] == ["one", "two"]  # type: ignore[attr-defined]
    assert once.transact(work, operation="two", arguments={"a": 1}) == first
    assert refusal(once.transact, work, operation="two", arguments={"a": 2}).code == "command_id_reused"
    assert refusal(once.transact, work, operation="other", arguments={"a": 1}).code == "command_id_reused"


def test_the_same_id_from_two_threads_at_once_writes_once(place: Place):
    with (
        Ledger.open(place.url, actor="test:one") as one,
        Ledger.open(place.url, actor="test:two") as two,
    ):
        barrier = threading.Barrier(4)
        answers: list[Any] = []

        def create(ledger: Ledger) -> None:
            barrier.wait()
            answers.append(ledger.using(command_id="c1").goals.create("A"))

        threads = [threading.Thread(target=create, args=(ledger,)) for ledger in (one, two, one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 4 and len({answer.goal_id for answer in answers}) == 1
        assert [event.name for event in recorded(one)] == ["ledger.created", "goal.created"]


@pytest.mark.parametrize("command_id", ["", " ", "a\nb", "a\0b", "x" * 201, "\ud800", 5, b"c1", True])
def test_a_command_id_is_a_label(ledger: Ledger, command_id: Any):
    error = refusal(ledger.using, command_id=command_id)
    assert (type(error), error.code) == (Invalid, "bad_command_id")


@pytest.mark.parametrize("command_id", ["c1", "x" * 200, "Ünï-日本 🌙", "'; DROP TABLE commands; --"])
def test_any_label_is_a_command_id(ledger: Ledger, command_id: str):
    once = ledger.using(command_id=command_id)
    assert once.goals.create("A") == once.goals.create("A")
    assert ledger.log.verify() == 2


@pytest.mark.parametrize("value", [float("nan"), 2**63, {1, 2}])
def test_a_wish_that_cannot_be_stored_is_refused_with_or_without_an_id(ledger: Ledger, value: Any):
    codes = {
        refusal(asker.goals.create, "A", metadata={"deep": [value]}).code
        for asker in (ledger, ledger.using(command_id="c1"))
    }
    assert codes == {"invalid_value"}


def test_an_unknown_time_does_not_hinder_a_repetition(ledger: Ledger):
    once = ledger.using(command_id="c1", occurred_at=UNKNOWN)
    first = once.goals.create("A", time_horizon="1999-01-01")
    assert (once.goals.create("A", time_horizon="1999-01-01"), first.created_at) == (first, None)
