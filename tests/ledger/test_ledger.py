"""The ledger: who, when, all or nothing, and nothing twice."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals.contract import GoalSource, Origin
from goal_ledger.domain.goals.goal import GOAL, GoalCreated, GoalReadied, GoalWaited
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.runs import run as run_rules
from goal_ledger.domain.runs.run import RUN
from goal_ledger.ledger import (
    UNKNOWN,
    Conflict,
    Damaged,
    Invalid,
    Ledger,
    LedgerError,
    NotFound,
    Rejected,
    Settings,
    Tx,
    Unavailable,
)
from goal_ledger.ledger.engine.location import locate
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import GoalRow
from tests.places import Place
from tests.tools import PATIENCE_S, START, Clock, as_somebody, recorded, until

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as opened:
        yield opened


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


def created(title: str = "A") -> list[Event]:
    return [GoalCreated(title=title, status=GoalStatus.PLANNED)]


# --- Who and when


def test_an_event_is_recorded_with_everything_around_it(ledger: Ledger):
    long_ago = datetime(2025, 11, 9, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    asker = ledger.using(actor="agent:planner", command_id="c1", occurred_at=long_ago, cause=1)
    goal = asker.goals.create("A", reason="because")
    assert recorded(ledger, goal.goal_id) == [
        Recorded(
            position=2,
            stream=goal.goal_id,
            version=1,
            name="goal.created",
            at="2026-02-24T09:00:01.000000Z",
            occurred_at="2025-11-09T11:00:00.000005Z",
            by="agent:planner",
            command="c1",
            cause=1,
            event=GoalCreated(title="A", status=GoalStatus.PLANNED, reason="because"),
        )
    ]
    assert (goal.created_at, goal.created_by) == ("2025-11-09T11:00:00.000005Z", "agent:planner")


def test_what_is_answered_is_what_reads_back(ledger: Ledger):
    written = ledger.act("goal_x", GOAL, lambda _: created())
    assert list(written) == recorded(ledger, "goal_x")


def test_unless_said_it_occurred_when_it_was_recorded(ledger: Ledger):
    [event] = ledger.act("goal_x", GOAL, lambda _: created())
    assert event.occurred_at == event.at == "2026-02-24T09:00:01.000000Z"


def test_an_unknown_time_stays_unknown(ledger: Ledger):
    goal = ledger.using(occurred_at=UNKNOWN).goals.create("A")
    [event] = recorded(ledger, goal.goal_id)
    assert (event.occurred_at, event.at, goal.created_at) == (None, "2026-02-24T09:00:01.000000Z", None)


def test_using_is_a_copy(ledger: Ledger):
    other = ledger.using(actor="agent:other", occurred_at=UNKNOWN)
    third = other.using(actor="agent:third")
    for asker in (ledger, other, third):
        asker.goals.create("A")
    assert [(event.by, event.occurred_at is None) for event in recorded(ledger)[1:]] == [
        ("test:ledger", False), ("agent:other", True), ("agent:third", True),
    ]  # fmt: skip


def test_times_of_one_stream_may_go_backwards_and_order_stays(ledger: Ledger):
    clock = Clock()
    with Ledger.open(":memory:", actor="test:ledger", clock=clock) as backwards:
        for day in (5, 3, 4):
            clock.now = START - timedelta(days=day)
            backwards.goals.create(str(day))
        told = recorded(backwards)
        assert [event.position for event in told] == [1, 2, 3, 4]
        assert [event.at for event in told] != sorted(event.at for event in told)
        assert [goal.title for goal in backwards.goals.list().rows] == ["5", "3", "4"]  # as they were made
        assert backwards.log.verify() == 4
        assert backwards.log.stats().first_at is not None


@pytest.mark.parametrize("actor", ["", " ", "a\nb", "a\0", "x" * 201, "\ud800", 5, None, ["a"]])
def test_an_actor_is_a_label(ledger: Ledger, actor: Any):
    error = refusal(ledger.using, actor=actor)
    assert (type(error), error.code) == (Invalid, "bad_actor")
    if actor:
        error = refusal(Ledger.open, ":memory:", actor=actor)
        assert (type(error), error.code) == (Invalid, "bad_actor")


@pytest.mark.parametrize(
    ("circumstances", "code"),
    [
        ({"occurred_at": datetime(2026, 2, 24)}, "naive_time"),  # noqa: DTZ001 — that is the point
        ({"occurred_at": "2026-02-24T09:00:00Z"}, "bad_time"),
        ({"occurred_at": 1_740_000_000}, "bad_time"),
        ({"occurred_at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12)))}, "bad_time"),
        ({"cause": "1"}, "invalid_value"),
        ({"cause": True}, "invalid_value"),
        ({"cause": -1}, "invalid_value"),
        ({"cause": 2**63}, "invalid_value"),
        ({"if_version": "1"}, "invalid_value"),
        ({"if_version": 1.0}, "invalid_value"),
    ],
)
def test_circumstances_are_checked_at_once(ledger: Ledger, circumstances: Any, code: str):
    assert refusal(ledger.using, **circumstances).code == code


def test_a_clock_without_a_time_zone_is_refused(place: Place):
    naive = lambda: datetime(2026, 2, 24)  # noqa: E731, DTZ001 — that is the point
    assert refusal(Ledger.open, place.url, actor="test:ledger", clock=naive).code == "naive_time"
    with Ledger.open(place.url, actor="test:ledger") as ledger:  # and the file is none the worse
        assert ledger.log.verify() == 1


# --- Expected versions


def test_a_change_is_made_only_at_the_expected_version(ledger: Ledger):
    goal = ledger.goals.create("A")
    assert ledger.using(if_version=1).goals.ready(goal.goal_id).version == 2
    error = refusal(ledger.using(if_version=1).goals.activate, goal.goal_id)
    assert (type(error), error.code, error.exit_code) == (Conflict, "wrong_version", 4)
    assert "version 2, not 1" in error.message
    assert len(recorded(ledger, goal.goal_id)) == 2


def test_the_version_of_a_row_is_the_one_to_expect(ledger: Ledger):
    goal = ledger.goals.create("A", goal_type=GoalType.OBJECTIVE)
    ledger.goals.create("B", parent_goal_id=goal.goal_id)
    ledger.goals.create("C", goal_type=GoalType.KEY_RESULT, target=95.0, parent_goal_id=goal.goal_id)
    for row in (ledger.goals.get(goal.goal_id), ledger.goals.list().rows[0]):
        assert row.version == len(recorded(ledger, goal.goal_id)) == 3
    ledger.using(if_version=3).goals.ready(goal.goal_id)
    run = ledger.runs.start(goal.goal_id)
    assert ledger.using(if_version=run.version).runs.heartbeat(run.run_id).version == 2


def test_an_expected_version_of_nothing_is_zero(ledger: Ledger):
    assert ledger.using(if_version=0).goals.create("A").version == 1
    assert refusal(ledger.using(if_version=1).goals.create, "B").code == "wrong_version"


def test_the_version_expected_is_that_of_the_first_stream_acted_on(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    run = ledger.using(if_version=2).runs.start(goal.goal_id)
    assert (run.version, ledger.goals.get(goal.goal_id).version) == (1, 4)


def test_a_wrong_version_is_refused_even_where_nothing_would_change(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    assert refusal(ledger.using(if_version=1).goals.ready, goal.goal_id).code == "wrong_version"


# --- All or nothing


def test_a_transaction_writes_everything_it_gathered_at_once(ledger: Ledger):
    def work(tx: Any) -> None:
        tx.act("goal_x", GOAL, lambda _: created())
        assert tx.load("goal_x", GOAL).status is GoalStatus.PLANNED  # it sees what it gathered
        tx.act("goal_x", GOAL, rules.ready, dependencies={})
        tx.using(actor="agent:other", occurred_at=UNKNOWN).act("goal_y", GOAL, lambda _: created("B"))

    written = ledger.transact(work)
    assert [(event.position, event.stream, event.version, event.by, event.at) for event in written] == [
        (2, "goal_x", 1, "test:ledger", "2026-02-24T09:00:01.000000Z"),
        (3, "goal_x", 2, "test:ledger", "2026-02-24T09:00:01.000000Z"),
        (4, "goal_y", 1, "agent:other", "2026-02-24T09:00:01.000000Z"),
    ]
    assert list(written) == recorded(ledger)[1:]


class Boom(Exception):
    """Something that is no error of the ledger."""


@pytest.mark.parametrize("error", [Boom("boom"), Rejected("no", "no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_what_work_raises_leaves_nothing_behind(place: Place, error: BaseException):
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as ledger:
        goal = ledger.goals.create("A")
        before = recorded(ledger)

        def work(tx: Any) -> None:
            tx.act(goal.goal_id, GOAL, rules.ready, dependencies={})
            tx.act(goal.goal_id, GOAL, rules.activate)
            tx.act("goal_new", GOAL, lambda _: created())
            raise error

        with pytest.raises(type(error)):
            ledger.transact(work)
        assert recorded(ledger) == before

        # neither in the memory of the process: it decides as a ledger that was opened just now
        mine = ledger.act(goal.goal_id, GOAL, rules.ready, dependencies={})
        assert [(event.position, event.version, event.event) for event in mine] == [
            (3, 2, GoalReadied(from_status=GoalStatus.PLANNED))
        ]
        with Ledger.open(place.url, actor="test:fresh", clock=Clock()) as fresh:
            assert fresh.goals.get(goal.goal_id) == ledger.goals.get(goal.goal_id)
            assert refusal(fresh.goals.wait, goal.goal_id).message == refusal(ledger.goals.wait, goal.goal_id).message
            assert [event.version for event in fresh.act("goal_new", GOAL, lambda _: created())] == [1]


def test_a_part_that_fails_is_forgotten_and_the_rest_stays(ledger: Ledger):
    def part(tx: Any) -> None:
        with tx.all_or_nothing():
            tx.act("goal_x", GOAL, rules.ready, dependencies={})
            tx.act("goal_y", GOAL, lambda _: created("x" * 10_001))

    def work(tx: Any) -> None:
        tx.act("goal_x", GOAL, lambda _: created())
        assert refusal(part, tx).code == "text_too_long"
        tx.act("goal_x", GOAL, rules.archive)

    assert [(event.version, event.name) for event in ledger.transact(work)] == [
        (1, "goal.created"),
        (2, "goal.archived"),
    ]


def test_a_decision_is_gathered_whole_or_not_at_all(ledger: Ledger):
    def two(_: Any) -> list[Event]:
        return [*created(), GoalReadied(from_status=GoalStatus.PLANNED, reason="\0")]

    def work(tx: Any) -> None:
        with pytest.raises(Invalid):
            tx.act("goal_x", GOAL, two)
        tx.act("goal_x", GOAL, lambda _: created("B"))

    assert [(event.version, event.event) for event in ledger.transact(work)] == [(1, *created("B"))]
    assert ledger.log.verify() == 2


def test_a_transaction_in_a_transaction_is_refused(ledger: Ledger):
    def work(tx: Any) -> None:
        tx.act("goal_x", GOAL, lambda _: created())
        assert refusal(ledger.goals.create, "B").code == "nested"
        assert refusal(ledger.using(command_id="c").act, "goal_y", GOAL, lambda _: created()).code == "nested"

    assert [event.stream for event in ledger.transact(work)] == ["goal_x"]
    assert ledger.goals.create("C").version == 1


def test_work_may_read_the_ledger_it_works_on(place: Place):
    with Ledger.open(place.url, actor="test:ledger") as ledger:
        goal = ledger.goals.create("A")

        def work(tx: Any) -> None:
            tx.act(goal.goal_id, GOAL, rules.ready, dependencies={})
            assert ledger.goals.get(goal.goal_id).status is GoalStatus.PLANNED  # not yet written
            assert [row.status for row in ledger.goals.list().rows] == [GoalStatus.PLANNED]

        ledger.transact(work)
        assert ledger.goals.list().rows[0].status is GoalStatus.READY


def test_a_transaction_that_gathers_nothing_writes_nothing(ledger: Ledger):
    assert ledger.using(command_id="c1").transact(lambda tx: None, operation="nothing") == ()
    assert ledger.log.stats().events == 1


def test_readers_do_not_wait_for_a_transaction(place: Place):
    with Ledger.open(place.url, actor="test:ledger") as ledger:
        goal = ledger.goals.create("A")
        ledger.views.catch_up()
        begun, read = threading.Event(), threading.Event()

        def work(tx: Any) -> None:
            tx.act(goal.goal_id, GOAL, rules.ready, dependencies={})
            begun.set()
            assert read.wait(PATIENCE_S)

        writer = threading.Thread(target=ledger.transact, args=(work,))
        writer.start()
        assert begun.wait(PATIENCE_S)
        assert ledger.goals.get(goal.goal_id) == ledger.goals.list().rows[0] == goal
        read.set()
        writer.join()


# --- Apart from each other


def test_two_ledgers_in_one_process_never_mix(tmp_path: Path):
    with (
        Ledger.open(tmp_path / "a.db", actor="test:a", clock=Clock()) as a,
        Ledger.open(tmp_path / "b.db", actor="test:b", clock=Clock()) as b,
        Ledger.open(":memory:", actor="test:c", clock=Clock()) as c,
        Ledger.open(":memory:", actor="test:d", clock=Clock()) as d,
    ):
        ledgers = {"a": a, "b": b, "c": c, "d": d}
        made = {name: [ledger.goals.create(f"{name}{n}") for n in range(3)] for name, ledger in ledgers.items()}
        for name, ledger in ledgers.items():
            assert ledger.goals.list().rows == made[name]
            assert {event.by for event in recorded(ledger)[1:]} == {f"test:{name}"}
            assert ledger.log.stats()[2:5] == (4, 4, 4)
            for other in set(ledgers) - {name}:
                assert refusal(ledger.goals.get, made[other][0].goal_id).code == "unknown_goal"
                assert refusal(ledger.goals.ready, made[other][0].goal_id).code == "unknown_goal"
        assert len({ledger.id for ledger in ledgers.values()}) == 4


def test_the_same_stream_in_two_ledgers_is_two_streams():
    with Ledger.open(":memory:", actor="test:a") as a, Ledger.open(":memory:", actor="test:b") as b:
        a.act("goal_x", GOAL, lambda _: created())
        b.act("goal_x", GOAL, lambda _: created())
        a.act("goal_x", GOAL, rules.ready, dependencies={})
        assert [event.version for event in b.act("goal_x", GOAL, rules.archive)] == [2]


def test_what_a_caller_does_to_a_row_does_not_reach_the_ledger(ledger: Ledger):
    said: dict[str, Any] = {"a": {"b": [1]}}
    goal = ledger.goals.create("A", metadata=said, criteria=["x < 1"])
    said["a"]["b"].append(2)
    row = ledger.goals.get(goal.goal_id)
    row.metadata["a"]["b"].append(3)
    row.criteria[0]["text"] = "changed"
    assert ledger.goals.get(goal.goal_id) == ledger.goals.list().rows[0]
    assert ledger.goals.get(goal.goal_id).metadata == {"a": {"b": [1]}}
    assert ledger.goals.amend(goal.goal_id, metadata=said).metadata == {"a": {"b": [1, 2]}}


# --- Threads


def test_threads_share_a_ledger(place: Place):
    with Ledger.open(place.url, actor="test:threads", settings=Settings(durable=False)) as ledger:
        goal = ledger.goals.create("A")
        ledger.goals.ready(goal.goal_id)
        run = ledger.runs.start(goal.goal_id)
        problems: list[BaseException] = []

        def beat(name: str) -> None:
            try:
                for number in range(50):
                    ledger.using(actor=f"agent:{name}").runs.heartbeat(run.run_id, note=f"{name}{number}")
                    assert ledger.runs.list().rows[0].version >= number
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=beat, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert problems == []
        told = recorded(ledger, run.run_id)
        assert [event.version for event in told] == list(range(1, 402))
        for name in "abcdefgh":
            notes = [event.event.note for event in told if event.by == f"agent:{name}"]  # type: ignore[attr-defined]
            assert notes == [f"{name}{number}" for number in range(50)]
        assert ledger.log.verify() == len(recorded(ledger))


def test_threads_share_a_ledger_in_memory():
    with Ledger.open(":memory:", actor="test:threads") as ledger:
        threads = [threading.Thread(target=lambda: [ledger.goals.create(str(n)) for n in range(20)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert len(ledger.goals.list().rows) <= 80
        assert len(ledger.goals.list().rows) == ledger.log.stats().events - 1 == 80


# --- Following


def follower(ledger: Ledger, heard: list[Any], **options: Any) -> tuple[threading.Thread, list[int]]:
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(ledger.follow(heard.append, poll_s=0.01, **options)))
    thread.start()
    return thread, ended


def test_a_follower_hears_everything_once_in_order_and_ends_with_the_ledger(place: Place):
    with Ledger.open(place.url, actor="test:one", settings=Settings(page=3)) as ledger:
        for number in range(10):
            ledger.goals.create(str(number))
        heard: list[Recorded] = []
        thread, ended = follower(ledger, heard)
        for number in range(10):
            ledger.goals.create(str(number))
        with Ledger.open(place.url, actor="test:two") as other:  # as another process would
            other.goals.create("other")
        until(lambda: len(heard) >= 22)
        told = recorded(ledger)
        ledger.close()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert (heard, ended) == (told, [22])


def test_a_follower_stops_when_told_and_goes_on_where_it_was(ledger: Ledger):
    for number in range(5):
        ledger.goals.create(str(number))
    heard: list[Any] = []
    stop = threading.Event()

    def hear(event: Any) -> None:
        heard.append(event)
        if len(heard) == 3:
            stop.set()

    assert ledger.follow(hear, stop=stop) == 3
    assert ledger.follow(heard.append, after=3, stop=stop) == 3  # told before it began
    assert len(heard) == 3
    stop.clear()
    thread, ended = follower(ledger, heard, after=3, stop=stop)
    until(lambda: len(heard) == 6)
    stop.set()
    thread.join(PATIENCE_S)
    assert (heard, ended) == (recorded(ledger), [6])


def test_a_follower_may_write(ledger: Ledger):
    stop = threading.Event()

    def hear(event: Any) -> None:
        if event.name == "goal.created":
            ledger.using(cause=event.position).goals.ready(event.stream)
        elif event.name == "goal.readied":
            stop.set()

    goal = ledger.goals.create("A")
    ledger.follow(hear, stop=stop)
    assert [(event.name, event.cause) for event in recorded(ledger, goal.goal_id)] == [
        ("goal.created", None), ("goal.readied", 2),
    ]  # fmt: skip


def test_what_a_callback_raises_ends_the_following(ledger: Ledger):
    def hear(event: Any) -> None:
        raise Boom("boom")

    with pytest.raises(Boom):
        ledger.follow(hear)


def test_closing_while_followers_read_is_no_error_for_them(place: Place):
    for _ in range(5):
        with Ledger.open(place.url, actor="test:ledger", settings=Settings(page=1, durable=False)) as ledger:
            heard: list[Any] = []
            followers = [follower(ledger, heard) for _ in range(4)]
            ledger.goals.create("A")
            until(heard.__len__)
            ledger.close()
            for thread, _ in followers:
                thread.join(PATIENCE_S)
            assert [len(ended) for _, ended in followers] == [1, 1, 1, 1]


# --- Opening, closing, forking


def test_a_ledger_is_its_first_event(place: Place):
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as ledger:
        [event] = recorded(ledger)
        assert (ledger.id, event.name, event.version, event.by) == (event.stream, "ledger.created", 1, "test:ledger")
        assert event.stream.startswith("meta_")
        first = ledger.id
    with Ledger.open(place.url, actor="test:other") as ledger:
        assert (ledger.id, ledger.log.stats().events) == (first, 1)


def test_stats_say_how_large_it_is(place: Place):
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as ledger:
        goal = ledger.goals.create("A")
        ledger.goals.ready(goal.goal_id)
        stats = ledger.log.stats()
        [*_, last] = ledger.rows()
    assert stats[:-1] == (
        ledger.id, locate(place.url).name, 3, 2, 3, digest(*last).hex(),
        "2026-02-24T09:00:00.000000Z", "2026-02-24T09:00:02.000000Z",
    )  # fmt: skip
    assert stats.bytes > 0


def test_a_closed_ledger_says_so(place: Place):
    ledger = Ledger.open(place.url, actor="test:ledger")
    goal = ledger.goals.create("A")
    ledger.close()
    ledger.close()
    for ask in (
        lambda: ledger.goals.create("B"),
        lambda: ledger.goals.get(goal.goal_id),
        lambda: ledger.goals.list(),
        lambda: ledger.runs.list(),
        lambda: ledger.using(actor="agent:x").goals.archive(goal.goal_id),
        lambda: ledger.log.verify(),
        lambda: ledger.log.stats(),
        lambda: list(ledger.events()),
        lambda: ledger.views.catch_up(),
    ):
        error = refusal(ask)
        assert (type(error), error.code) == (Unavailable, "closed")
    assert ledger.follow(lambda _: None) == 0
    assert not place.has_views()


def test_read_only_nothing_can_be_written(place: Place):
    with Ledger.open(place.url, actor="test:ledger") as ledger:
        goal = ledger.goals.create("A")
    content = place.content()
    with Ledger.open(place.url, read_only=True) as ledger:
        error = refusal(ledger.goals.create, "B")
        assert (type(error), error.code) == (Rejected, "read_only")
        assert refusal(ledger.using(command_id="c").goals.ready, goal.goal_id).code == "read_only"
        assert (ledger.goals.list().rows, ledger.log.verify(), ledger.log.stats().events) == ([goal], 2, 2)
    assert place.content() == content
    assert not place.has_views()


def test_a_read_only_ledger_sees_what_others_write(place: Place):
    with Ledger.open(place.url, actor="test:ledger") as writer, Ledger.open(place.url, read_only=True) as reader:
        goal = writer.goals.create("A")
        assert reader.goals.list().rows == [goal] == [reader.goals.get(goal.goal_id)]
        ready = writer.goals.ready(goal.goal_id)
        assert reader.goals.list().rows == [ready] == [reader.goals.get(goal.goal_id)]


@unix
def test_a_forked_child_must_open_its_own(place: Place):
    with Ledger.open(place.url, actor="test:ledger") as ledger:
        goal = ledger.goals.create("A")

        def asked() -> str:
            codes = []
            for ask in (
                lambda: ledger.goals.create("B"),
                lambda: ledger.goals.get(goal.goal_id),
                lambda: ledger.goals.list(),
            ):
                try:
                    ask()
                except LedgerError as error:
                    codes.append(error.code)
            return " ".join(codes)

        assert as_somebody(asked) == "forked forked forked"
        ledger.goals.ready(goal.goal_id)
        assert ledger.log.verify() == 3


def test_importing_the_ledger_creates_no_file_and_loads_nothing_it_does_not_need(tmp_path: Path):
    code = (
        "import sys, goal_ledger.ledger\n"
        "heavy = {'rich', 'click', 'fastapi', 'uvicorn', 'jinja2', 'psycopg', 'mcp', 'sqlalchemy', 'opentelemetry',"
        " 'cryptography', 'cronsim', 'hypothesis', 'pytest'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
        "assert 'eventsourcing.postgres' not in sys.modules\n"
    )
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert (output.stdout, output.stderr) == ("[]\n", "")
    assert os.listdir(tmp_path) == []


# --- Newer code


def test_a_stream_with_a_newer_event_is_readable_and_takes_no_writes(place: Place):
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as ledger:
        goal, other = ledger.goals.create("A"), ledger.goals.create("B")
        ledger.goals.ready(goal.goal_id)
    [(position, stream, version, _, body, _)] = place.rows("SELECT * FROM stored_events WHERE rowid = 4")
    name = "goal.teleported"
    place.tamper("UPDATE stored_events SET topic = ?, digest = ? WHERE rowid = 4",
           values=(name, digest(position, stream, version, name, body)))  # fmt: skip

    with Ledger.open(place.url, actor="test:ledger") as ledger:
        before = ledger.log.stats().events
        error = refusal(ledger.goals.archive, goal.goal_id)
        assert (type(error), error.code) == (Rejected, "newer_event")
        assert "goal.teleported" in error.message and "position 4" in error.message
        assert ledger.log.stats().events == before

        assert ledger.goals.get(goal.goal_id).status is GoalStatus.PLANNED  # readable up to there
        assert [type(item) for item in ledger.goals.timeline(goal.goal_id)] == [Recorded, Unreadable]
        assert len(ledger.goals.list().rows) == 2
        assert {item.position for item in ledger.views.repairs.quarantined()} == {4}
        assert ledger.goals.archive(other.goal_id).status is GoalStatus.ARCHIVED  # the others are not affected


# --- Text and numbers

HOSTILE = [
    "'; DROP TABLE stored_events; --",
    '"double" `back` \\ slash %s {} $HOME',
    "line one\nline two\r\n\ttabbed",
    "\u2028 and \u2029 and \x1b[31m and \x7f",
    "עברית العربية \u202e reversed",
    "🌙👩‍👩‍👧‍👦 é e\u0301 \U0010ffff \ufeff",
    "NaN null true {} [] 1e999 \\u0000",
    "x" * 10_000,
    "🌙" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_text_reads_back_equal(place: Place, text: str):
    with Ledger.open(place.url, actor="test:ledger", clock=Clock()) as ledger:
        goal = ledger.goals.create(
            text,
            description=text,
            owner_agent=text,
            constraints=[text],
            criteria=[text],
            metadata={text: [text, {text: text}]},
            reason=text,
        )
        ledger.goals.ready(goal.goal_id, reason=text)
        run = ledger.runs.start(goal.goal_id, agent=text, plan_summary=text)
        ledger.runs.act(run.run_id, text, detail=text, attributes={text: text})
        assert ledger.log.verify() == 7
    with Ledger.open(place.url) as ledger:
        row = ledger.goals.get(goal.goal_id)
        assert (row.title, row.description, row.owner_agent, row.constraints) == (text, text, text, (text,))
        assert (row.metadata, row.criteria[0]["text"]) == ({text: [text, {text: text}]}, text)
        assert ledger.goals.list(owner_agent=text).rows == [row]
        assert [found.actions_taken for found in ledger.runs.list(agent=text).rows] == [(text,)]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"title": "a\0b"}, "bad_text"),
        ({"title": "\ud800"}, "bad_text"),
        ({"title": "x" * 10_001}, "text_too_long"),
        ({"title": "A", "reason": "\0"}, "bad_text"),
        ({"title": "A", "constraints": ["fine", "a\0"]}, "bad_text"),
        ({"title": "A", "metadata": {"a": ["\udfff"]}}, "bad_text"),
        ({"title": "A", "metadata": {"a\0": 1}}, "bad_text"),
        ({"title": "A", "metadata": {"x" * 10_001: 1}}, "text_too_long"),
        ({"title": "A", "metadata": {"a": float("nan")}}, "invalid_value"),
        ({"title": "A", "metadata": {"a": {"b": [float("-inf")]}}}, "invalid_value"),
        ({"title": "A", "metadata": {"a": 2**63}}, "invalid_value"),
        ({"title": "A", "metadata": {"a": -(2**63) - 1}}, "invalid_value"),
        ({"title": "A", "horizon_min_minutes": 2**63}, "invalid_value"),
        ({"title": "A", "value": float("nan")}, "invalid_value"),
        ({"title": "A", "priority": True}, "invalid_value"),
        ({"title": "A", "priority": "3"}, "invalid_value"),
        ({"title": "A", "criteria": [{"text": "a", "target": float("inf")}]}, "invalid_value"),
        ({"title": "A", "criteria": "one"}, "invalid_value"),
        ({"title": "A", "colour": "red"}, "invalid_value"),
        ({"title": "A", "dependencies": ["\ud800"]}, "bad_stream"),
        ({"title": "A", "parent_goal_id": "a\0"}, "bad_stream"),
        ({"title": "A", "parent_goal_id": "x" * 201}, "bad_stream"),
        ({"title": "A", "parent_goal_id": 5}, "invalid_value"),
        ({"title": "A", "review_cadence": "often"}, "bad_cadence"),
        ({"title": "A", "review_cadence": "\0"}, "bad_cadence"),
        ({"title": "A", "time_horizon": "\0"}, "bad_time"),
        ({"title": 5}, "invalid_value"),
        ({"title": None}, "invalid_value"),
    ],
    ids=lambda value: ascii(value)[:60],
)
@pytest.mark.parametrize("circumstances", [{}, {"command_id": "c1"}], ids=["plain", "with an id"])
def test_what_cannot_be_stored_is_refused_before_anything_is_written(
    ledger: Ledger, wish: dict[str, Any], code: str, circumstances: dict[str, Any]
):
    goal = ledger.goals.create("Before")
    before = recorded(ledger)
    asker = ledger.using(**circumstances)
    codes = [refusal(asker.goals.create, **wish).code]
    codes.append(refusal(asker.goals.amend, goal.goal_id, **wish).code)
    others = (
        {"unknown_field"} if "colour" in wish else {"bad_text"} if circumstances and code == "bad_stream" else set()
    )
    assert set(codes) <= {code, *others}
    assert recorded(ledger) == before
    assert ledger.goals.create("After").version == 1


def test_the_limit_of_text_is_a_setting():
    with Ledger.open(":memory:", actor="test:ledger", settings=Settings(text_limit=200)) as ledger:
        assert ledger.goals.create("x" * 200).title == "x" * 200
        assert refusal(ledger.goals.create, "x" * 201).code == "text_too_long"


@pytest.mark.parametrize("stream", ["", "\0", "\ud800", "a\nb", "x" * 201, None, 5, ["a"], {}])
def test_a_stream_has_a_name(ledger: Ledger, stream: Any):
    for ask in (
        lambda: ledger.act(stream, GOAL, lambda _: created()),
        lambda: ledger.act(stream, RUN, run_rules.heartbeat),
    ):
        error = refusal(ask)
        assert (type(error), error.code) == (Invalid, "bad_stream")


@pytest.mark.parametrize(
    "identifier", ["", "goal_", "x", "\ud800", "\0", None, 5, ["a"], "grun_01KJ7E0WM0JN74MNPW0ARN644K"]
)
def test_nothing_is_found_under_what_is_no_id(ledger: Ledger, identifier: Any):
    for ask in (ledger.goals.get, ledger.goals.ready, ledger.goals.timeline, ledger.runs.start):
        error = refusal(ask, identifier)
        assert (type(error), error.code, error.exit_code) == (NotFound, "unknown_goal", 5)
    if identifier != "grun_01KJ7E0WM0JN74MNPW0ARN644K":
        assert refusal(ledger.runs.heartbeat, identifier).code == "unknown_run"
    assert ledger.log.stats().events == 1


def test_an_unknown_event_of_the_programmer_is_not_written(ledger: Ledger):
    class Unregistered(Event):
        pass

    with pytest.raises(KeyError):
        ledger.act("goal_x", GOAL, lambda _: [Unregistered()])
    assert ledger.log.stats().events == 1


# --- As of


def test_a_goal_can_be_asked_for_as_of_any_position(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    ledger.goals.activate(goal.goal_id)
    assert [ledger.as_of(n).goals.get(goal.goal_id).status for n in (2, 3, 4)] == [
        GoalStatus.PLANNED, GoalStatus.READY, GoalStatus.ACTIVE,
    ]  # fmt: skip
    for position in (0, 1):
        assert refusal(ledger.as_of(position).goals.get, goal.goal_id).code == "unknown_goal"
        assert refusal(ledger.as_of(position).goals.timeline, goal.goal_id).code == "unknown_goal"


def test_a_timeline_merges_a_goal_with_its_runs(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    run = ledger.runs.start(goal.goal_id)
    ledger.goals.wait(goal.goal_id)
    ledger.runs.heartbeat(run.run_id)
    ledger.goals.create("Another")
    told = ledger.goals.timeline(goal.goal_id)
    assert [item.position for item in told] == [2, 3, 4, 5, 6, 7, 8]
    assert ledger.as_of(5).goals.timeline(goal.goal_id) == told[:4]
    [waited] = [item for item in told if isinstance(item, Recorded) and isinstance(item.event, GoalWaited)]
    assert waited.event == GoalWaited(from_status=GoalStatus.ACTIVE)


def test_now_is_the_clock_unless_said(ledger: Ledger):
    said = datetime(2025, 1, 1, tzinfo=UTC)
    assert ledger.now() == START + timedelta(seconds=1)
    assert ledger.using(occurred_at=said).now() == said


def test_in_memory_a_list_inside_a_transaction_and_a_rebuild_beside_it_do_not_wait_for_each_other():
    with Ledger.open(":memory:", settings=Settings(page=1)) as ledger:
        ledger.goals.create("one")
        ledger.goals.list()
        rebuilding, inside = threading.Event(), threading.Event()

        def pause(_done: int, _of: int) -> None:
            rebuilding.set()
            inside.wait(0.5)

        def rebuild() -> None:
            ledger.views.rebuilds.rebuild(progress=pause)

        def work(tx: Tx) -> None:
            inside.set()
            ledger.goals.list()

        def write() -> None:
            rebuilding.wait(PATIENCE_S)
            ledger.transact(work)

        threads = [threading.Thread(target=target, daemon=True) for target in (rebuild, write)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert not any(thread.is_alive() for thread in threads)


def test_a_row_that_cannot_be_folded_is_damage_with_its_place(ledger: Ledger):
    goal = ledger.goals.create("one")
    broken = Projection("broken", GoalRow, key="goal_id")

    @broken.on(GoalCreated)
    def _created(_: GoalRow | None, __: Recorded, ___: GoalCreated) -> GoalRow | None:
        raise ValueError("no")

    with pytest.raises(Damaged, match=rf"position 2, stream {goal.goal_id}: goal.created cannot be folded") as found:
        ledger.fold(broken, goal.goal_id)
    assert found.value.code == "cannot_fold"


@pytest.mark.parametrize("move", ["activate", "approve"])
def test_a_goal_whose_dependency_came_late_does_not_start_before_it(ledger: Ledger, move: str):
    needed = ledger.goals.create("first")
    origin = Origin(source=GoalSource.SYSTEM) if move == "approve" else Origin()
    goal = ledger.goals.create("second", origin=origin)
    if move == "activate":
        ledger.goals.ready(goal.goal_id)
    ledger.goals.amend(goal.goal_id, dependencies=[needed.goal_id])
    before = ledger.log.stats().events
    with pytest.raises(Rejected) as refused:
        getattr(ledger.goals, move)(goal.goal_id)
    assert (refused.value.code, ledger.log.stats().events) == ("open_dependencies", before)
    for verb in ("ready", "activate", "complete"):
        getattr(ledger.goals, verb)(needed.goal_id)
    assert getattr(ledger.goals, move)(goal.goal_id).status == "active"
