"""Faults of a ledger on a server: lost connections, unknown results, restarts, many at once."""

import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from goal_ledger.domain.goals.goal import GoalCreated
from goal_ledger.ledger import Conflict, Ledger, LedgerError, Settings, Unavailable
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from tests.places import ServerPlace
from tests.postgres import Server
from tests.tools import PATIENCE_S, python, recorded, until
from tests.wire import Wire, wired

PATIENT = Settings(durable=False, lock_wait_s=PATIENCE_S)
SEED = 20260224


@pytest.fixture
def place(postgres: Server) -> ServerPlace:
    return ServerPlace(postgres)


@pytest.fixture
def wire(place: ServerPlace) -> Iterator[tuple[Wire, str]]:
    if not place.server.is_ours:
        pytest.skip("needs a server that listens on a socket")
    with wired(place.url) as both:
        yield both


def titles(ledger: Ledger) -> list[str]:
    return [event.event.title for event in recorded(ledger) if isinstance(event.event, GoalCreated)]


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


# --- A connection that ends around a commit


def test_what_was_stored_is_a_success_though_nobody_said_so(wire: tuple[Wire, str]):
    hand, url = wire
    with Ledger.open(url, actor="test:faults") as ledger:
        ledger.goals.create("before")
        hand.cut_after = b"COMMIT\0"
        goal = ledger.using(command_id="c").goals.create("once")
        assert hand.cuts == 1
        assert (goal.position, titles(ledger), ledger.log.verify()) == (3, ["before", "once"], 3)
        assert ledger.using(command_id="c").goals.create("once") == goal
        assert ledger.goals.create("after").position == 4


def test_what_was_not_stored_is_stored_when_nobody_wrote_meanwhile(wire: tuple[Wire, str]):
    hand, url = wire
    with Ledger.open(url, actor="test:faults") as ledger:
        hand.cut_before = b"COMMIT\0"
        goal = ledger.using(command_id="c").goals.create("once")
        assert hand.cuts == 1
        assert (goal.position, titles(ledger), ledger.log.verify()) == (2, ["once"], 2)
        assert ledger.using(command_id="c").goals.create("once") == goal


def test_what_was_not_stored_is_a_conflict_when_somebody_wrote_meanwhile(wire: tuple[Wire, str], place: ServerPlace):
    hand, url = wire
    with Ledger.open(url, actor="test:faults") as ledger, Ledger.open(place.url, actor="test:other") as other:
        hand.cut_before = b"COMMIT\0"
        hand.then = lambda: print(other.goals.create("theirs"))
        error = refusal(ledger.goals.create, "mine")
        assert (type(error), error.code, error.hint) == (Conflict, "not_stored", "try again")
        assert (hand.cuts, titles(other)) == (1, ["theirs"])
        assert ledger.goals.create("mine").position == 3
        assert other.log.verify() == 3


@pytest.mark.parametrize("stored", [True, False])
def test_when_nobody_can_tell_the_same_command_id_settles_it(wire: tuple[Wire, str], place: ServerPlace, stored: bool):
    hand, url = wire

    def down() -> None:
        hand.down = True

    with Ledger.open(url, actor="test:faults", settings=Settings(lock_wait_s=0.2)) as ledger:
        hand.then = down
        if stored:
            hand.cut_after = b"COMMIT\0"
        else:
            hand.cut_before = b"COMMIT\0"
        error = refusal(ledger.using(command_id="c").goals.create, "once")
        assert (type(error), error.code) == (Unavailable, "unknown_outcome")
        assert error.hint is not None and "command_id" in error.hint
        with Ledger.open(place.url, actor="test:other") as other:
            assert titles(other) == (["once"] if stored else [])
            hand.down = False
            assert ledger.using(command_id="c").goals.create("once").title == "once"
            assert (titles(other), other.log.verify()) == (["once"], 2)


def test_a_connection_lost_before_anything_was_told_is_replaced(wire: tuple[Wire, str], place: ServerPlace):
    _, url = wire
    with Ledger.open(url, actor="test:faults") as ledger:
        goal = ledger.goals.create("A")
        for ask in (lambda: ledger.goals.ready(goal.goal_id), ledger.log.stats, lambda: ledger.goals.create("B")):
            _kill(place.server)
            ask()
        assert titles(ledger) == ["A", "B"]


@pytest.mark.parametrize("mark", [b"SELECT name FROM folded", b' FROM "goal_definitions__'])
def test_a_question_whose_connection_is_lost_is_asked_again_from_its_beginning(
    wire: tuple[Wire, str], place: ServerPlace, mark: bytes
):
    hand, url = wire
    with Ledger.open(place.url, actor="test:faults") as ledger:
        goal = ledger.goals.create("A").goal_id
        ledger.goals.get(goal)
    with Ledger.open(url, actor="test:faults") as ledger:
        ledger.views.catch_up()
        hand.cut_before = mark
        row = ledger.views.get(goal_definitions, goal)
        assert row is not None and (row.title, hand.cuts) == ("A", 1)


def test_a_connection_lost_while_deciding_stores_nothing(place: ServerPlace):
    with Ledger.open(place.url, actor="test:faults") as ledger:

        def work(tx: Any) -> None:
            _kill(place.server)
            tx.history("goal_x")

        error = refusal(ledger.transact, work)
        assert (type(error), error.code, error.hint) == (Unavailable, "connection_lost", "try again")
        assert ledger.goals.create("A").position == 2


def _kill(server: Server) -> None:
    server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'goal-ledger'")


@pytest.mark.parametrize("rounds", [10, pytest.param(300, marks=pytest.mark.soak)])
def test_backends_killed_at_any_moment_lose_nothing_and_double_nothing(place: ServerPlace, rounds: int):
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    stored: dict[str, int] = {}
    refused: dict[str, str] = {}
    done = threading.Event()

    def write(name: str) -> None:
        with Ledger.open(place.url, actor=f"test:{name}", settings=PATIENT) as ledger:
            number = 0
            while not done.is_set():
                number += 1
                title = f"{name}{number}"
                try:
                    stored[title] = ledger.transact(lambda tx, title=title: _create(tx, title))[0].position  # type: ignore[misc]
                except LedgerError as error:
                    refused[title] = error.code

    with Ledger.open(place.url, actor="test:faults") as ledger:
        writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for writer in writers:
            writer.start()
        for number in range(rounds):
            time.sleep(chance.uniform(0, 0.05))
            _kill(place.server)
            until(lambda: len(stored) > number)  # noqa: B023
        done.set()
        for writer in writers:
            writer.join()
        found = {
            event.event.title: event.position for event in recorded(ledger) if isinstance(event.event, GoalCreated)
        }
        assert [(title, refused[title]) for title in refused if title in found] == []
        assert found == stored
        assert len(titles(ledger)) == len(stored) >= rounds
        assert set(refused.values()) <= {"connection_lost", "not_stored", "cannot_open"}
        assert ledger.log.verify() == len(found) + 1


def _create(tx: Any, title: str) -> None:
    from goal_ledger.domain.goals.goal import GOAL
    from goal_ledger.domain.goals.lifecycle import GoalStatus

    tx.act(tx.new_id("goal_"), GOAL, lambda _: [GoalCreated(title=title, status=GoalStatus.PLANNED)])


# --- A server that goes and comes


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_after_a_restart_the_next_command_works(place: ServerPlace, how: signal.Signals):
    if not place.server.is_ours:
        pytest.skip("a server that somebody else runs is not ours to stop")
    with Ledger.open(place.url, actor="test:faults") as ledger:
        goal = ledger.goals.create("A")
        place.server.restart(how)
        assert ledger.goals.ready(goal.goal_id).version == 2
        place.server.restart(how)
        assert ledger.goals.get(goal.goal_id).version == 2
        place.server.restart(how)
        assert (len(ledger.goals.list().rows), ledger.log.verify()) == (1, 3)


def test_followers_hear_on_after_their_connection_was_lost(place: ServerPlace):
    heard: list[int] = []
    stop = threading.Event()
    with Ledger.open(place.url, actor="test:faults") as ledger:

        def follow() -> None:
            after = 0
            while not stop.is_set():
                try:
                    after = ledger.follow(lambda event: heard.append(event.position), after=after, stop=stop)
                except Unavailable:
                    after = heard[-1] if heard else 0

        follower = threading.Thread(target=follow)
        follower.start()
        for number in range(5):
            ledger.goals.create(str(number))
            _kill(place.server)
            time.sleep(0.01)
        ledger.goals.create("last")
        until(lambda: len(heard) >= 7)
        stop.set()
        follower.join()
    assert heard == list(range(1, 8))


# --- A busy lock


def test_a_lock_that_stays_busy_is_a_conflict_and_nothing_is_written(place: ServerPlace):
    with Ledger.open(place.url, actor="test:faults", settings=Settings(lock_wait_s=0.05)) as ledger:
        goal = ledger.goals.create("A")
        with psycopg.connect(place.server.url) as holder:
            holder.execute(f"SELECT * FROM {place.schema}.ledger_head FOR UPDATE".encode())
            error = refusal(ledger.goals.ready, goal.goal_id)
            assert (type(error), error.code) == (Conflict, "busy")
            assert ledger.goals.get(goal.goal_id) == goal == ledger.goals.list().rows[0]  # readers don't wait
        assert ledger.goals.ready(goal.goal_id).version == 2


# --- Many at once


OPEN = """
import sys
from goal_ledger.ledger import Ledger, Settings
print("ready", flush=True)
for line in sys.stdin:
    with Ledger.open(line.rstrip(), actor="agent:opener", settings=Settings(lock_wait_s=300)) as ledger:
        ledger.goals.create("A")
        print(ledger.id, flush=True)
"""


def test_twelve_processes_create_one_ledger_at_once(postgres: Server):
    openers = [python(OPEN, stdin=subprocess.PIPE) for _ in range(12)]
    try:
        assert {opener.stdout.readline() for opener in openers if opener.stdout} == {"ready\n"}
        for _ in range(5):
            place = ServerPlace(postgres)
            for opener in openers:
                assert opener.stdin is not None
                opener.stdin.write(f"{place.url}\n")
                opener.stdin.flush()
            ids = {opener.stdout.readline().rstrip() for opener in openers if opener.stdout}
            with Ledger.open(place.url, read_only=True) as ledger:
                assert ids == {ledger.id}
                assert ledger.log.verify() == 13
    finally:
        errors = [opener.communicate(timeout=PATIENCE_S)[1] for opener in openers]
    assert errors == [""] * 12
