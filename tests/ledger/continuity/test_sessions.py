"""Sessions: start with what was left over, stop with everything laid down, and know when nobody did."""

import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from goal_ledger.adapters.process import this_process
from goal_ledger.domain.continuity.session import session_stream
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.ledger import (
    FailureCategory,
    GoalStatus,
    GoalType,
    Ledger,
    LedgerError,
    LessonCategory,
    LocalOutcome,
    LoopKind,
    RunStatus,
)
from goal_ledger.ledger.continuity import reconciliation
from goal_ledger.projections.continuity.sessions import SessionRow
from tests.signals import defaults
from tests.tools import START, Clock, python, recorded


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:planner", clock=Clock()) as opened:
        yield opened


def started_goal(ledger, title="Nightly backups that restore", **fields):
    goal_id = ledger.goals.create(title, **fields).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def refusal(ledger, ask, *args, **wish):
    """The error of what is refused, which leaves nothing behind."""
    before = ledger.head
    with pytest.raises(LedgerError) as refused:
        ask(*args, **wish)
    assert ledger.head == before
    return refused.value


def counts(row: SessionRow) -> dict[str, int]:
    """How many of each kind a start found, and what it did."""
    return {name: of["count"] for name, of in row.report.items() if isinstance(of, dict) and "count" in of}


def names(ledger, after):
    return [event.name for event in recorded(ledger) if event.position > after]


# --- Starting


def test_the_first_start_finds_nothing_before_it(ledger):
    row = ledger.sessions.start(reason="the machine came up")
    assert (row.number, row.status, row.last_stop, row.clean) == (1, "running", "none", False)
    assert set(counts(row).values()) == {0}
    assert (row.report["errors"], row.report["actions"], row.report["rules"]) == ([], [], [])
    assert ledger.sessions.get() == ledger.sessions.get(1) == row == ledger.sessions.list().rows[0]


def test_a_second_start_changes_nothing(ledger):
    started_goal(ledger)
    first = ledger.sessions.start()
    head = ledger.head
    assert ledger.sessions.start() == first
    assert ledger.head == head


def test_active_and_blocked_goals_are_loaded(ledger):
    active, blocked = started_goal(ledger), started_goal(ledger, "Move the vault")
    ledger.goals.block(blocked, reason="no access")
    ledger.goals.create("Later")
    report = ledger.sessions.start().report
    assert (report["active_goals"]["ids"], report["blocked_goals"]["ids"]) == ([active], [blocked])


def test_a_run_that_nobody_works_on_is_interrupted_and_its_goal_flagged(ledger):
    goal_id = started_goal(ledger)
    run_id = ledger.runs.start(goal_id).run_id
    head = ledger.head
    row = ledger.sessions.start()
    assert names(ledger, head) == ["run.interrupted", "loop.opened", "session.started"]
    assert ledger.runs.get(run_id).status is RunStatus.INTERRUPTED
    [retry] = ledger.loops.list(kind=LoopKind.PENDING_RETRY).rows
    assert (retry.goal_id, retry.run_id) == (goal_id, run_id)
    assert (row.report["running_runs"]["ids"], row.report["orphaned_runs"]["ids"]) == ([run_id], [run_id])
    assert row.report["open_loops"]["pending_retry"]["ids"] == [retry.loop_id]
    assert row.report["actions"] == [f"interrupted {run_id} and opened {retry.loop_id}"]


def test_a_run_that_is_left_while_a_session_goes_on_shows_that_it_ended_uncleanly(ledger):
    goal_id = started_goal(ledger)
    ledger.sessions.start()
    run_id = ledger.runs.start(goal_id).run_id
    second = ledger.sessions.start()
    assert (second.number, second.last_stop) == (2, "unclean")
    assert second.report["orphaned_runs"]["ids"] == [run_id]
    assert ledger.sessions.start() == second
    assert ledger.loops.counts()[LoopKind.PENDING_RETRY] == 1


def test_checkpointed_runs_go_on_where_their_goal_allows_it(ledger):
    allowed, forbidden = started_goal(ledger), started_goal(ledger, "By hand", resume_if_checkpointed=False)
    blocked, laid_down = started_goal(ledger, "Blocked"), started_goal(ledger, "Laid down")
    runs = {goal_id: ledger.runs.start(goal_id).run_id for goal_id in (allowed, forbidden, blocked, laid_down)}
    for run_id in runs.values():
        ledger.runs.checkpoint(run_id, "dump-2")
    ledger.goals.block(blocked, reason="no access")
    ledger.goals.checkpoint(laid_down)
    row = ledger.sessions.start()
    assert row.report["checkpointed_runs"]["count"] == 4
    assert set(row.report["resumed_runs"]["ids"]) == {runs[allowed], runs[laid_down]}
    assert {left["run_id"]: left["why"] for left in row.report["left_runs"]} == {
        runs[forbidden]: "its goal does not let it: resume_if_checkpointed is off",
        runs[blocked]: "its goal is blocked",
    }
    assert ledger.runs.get(runs[allowed]).status is RunStatus.RUNNING
    assert ledger.goals.get(laid_down).status is GoalStatus.ACTIVE
    assert ledger.runs.get(runs[forbidden]).status is RunStatus.CHECKPOINTED


def test_of_two_checkpointed_attempts_at_a_goal_the_latest_goes_on(ledger):
    goal_id = started_goal(ledger)
    first, second = (ledger.runs.start(goal_id, overlap=True).run_id for _ in range(2))
    for run_id in (first, second):
        ledger.runs.checkpoint(run_id, "dump-2")
    report = ledger.sessions.start().report
    assert report["resumed_runs"]["ids"] == [second]
    assert [(left["run_id"], left["why"]) for left in report["left_runs"]] == [
        (first, f"{second} of the same goal is running")
    ]


def test_open_loops_are_told_by_kind_and_moot_retries_are_closed(ledger):
    goal_id, done = started_goal(ledger), started_goal(ledger, "Done meanwhile")
    for goal in (goal_id, done):
        run_id = ledger.runs.start(goal).run_id
        ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    # Told as history, a goal lets go of nothing; commands close the retry with the goal.
    ledger.transact(lambda tx: tx.act(done, GOAL, goal_rules.complete), is_history=True)
    question = ledger.loops.open(LoopKind.CLARIFICATION, "Which region?", goal_id=goal_id).loop_id
    ledger.loops.open(LoopKind.FOLLOW_UP, "Did it hold?")
    report = ledger.sessions.start().report
    assert {kind: of["count"] for kind, of in report["open_loops"].items()} == {
        "pending_retry": 1, "clarification": 1, "follow_up": 1
    }  # fmt: skip
    assert report["open_loops"]["clarification"]["ids"] == [question]
    assert report["closed_loops"]["count"] == 1
    assert [row.goal_id for row in ledger.loops.list(kind=LoopKind.PENDING_RETRY).rows] == [goal_id]


def test_only_lessons_of_the_types_of_active_goals_are_loaded(ledger):
    def learn(text, goal_type):
        return ledger.lessons.add(text, category=LessonCategory.SAFE_DEFAULT, goal_type=goal_type).lesson_id

    wanted = [learn("for it", GoalType.MAINTENANCE), learn("for any", None)]
    learn("for another", GoalType.WATCHDOG)
    ledger.lessons.retire(learn("retired", GoalType.MAINTENANCE), reason="moot")
    started_goal(ledger, goal_type=GoalType.MAINTENANCE)
    assert ledger.sessions.start().report["lessons"]["ids"] == sorted(wanted)


def test_without_active_goals_no_lesson_is_loaded(ledger):
    ledger.lessons.add("for any", category=LessonCategory.SAFE_DEFAULT)
    assert ledger.sessions.start().report["lessons"]["count"] == 0


def test_the_same_start_under_the_same_command_id_gives_the_first_answer(ledger):
    starting = ledger.using(command_id="boot-7")
    first = starting.sessions.start()
    ledger.sessions.stop()
    assert starting.sessions.start() == first
    assert ledger.sessions.get().status == "stopped"


# --- Stopping


def test_a_stop_lays_down_what_is_under_way_and_tells_what_was_happening(ledger):
    goal_id, blocked = started_goal(ledger), started_goal(ledger, "Move the vault")
    ledger.goals.block(blocked, reason="no access")
    key_result = started_goal(
        ledger, "Every backup restores", goal_type=GoalType.KEY_RESULT, target=100.0,
        parent_goal_id=started_goal(ledger, "Backups", goal_type=GoalType.OBJECTIVE),
    )  # fmt: skip
    ledger.key_results.record(key_result, 40.0)
    ledger.sessions.start()
    fresh, before = (ledger.runs.start(goal_id, overlap=True).run_id for _ in range(2))
    ledger.runs.checkpoint(before, "dump-2")
    ledger.runs.resume(before)
    ledger.loops.open(LoopKind.FOLLOW_UP, "Did it hold?")
    head = ledger.head
    row = ledger.using(occurred_at=START + timedelta(days=1)).sessions.stop(reason="an upgrade")
    assert names(ledger, head) == ["session.draining", "run.checkpointed", "run.checkpointed", "session.stopped"]
    assert (ledger.runs.get(fresh).checkpoint_ref, ledger.runs.get(before).checkpoint_ref) == ("session:1", "dump-2")
    assert (row.status, row.clean, row.stop_reason) == ("stopped", True, "an upgrade")
    assert row.stopped_at == "2026-02-25T09:00:00.000000Z"
    assert row.snapshot["key_results"] == [{"goal_id": key_result, "value": 40.0}]
    assert row.snapshot["open_loops"]["follow_up"]["count"] == 1
    assert row.summary == (
        f"2 runs under way: {fresh} of {goal_id}, {before} of {goal_id}. "
        f"3 goals active: {goal_id} (Nightly backups that restore), "
        + ", ".join(f"{each.goal_id} ({each.title})" for each in ledger.goals.list(sort="newest", reverse=True).rows
                    if each.title in ("Backups", "Every backup restores"))
        + f". 1 goals blocked: {blocked} (Move the vault). Owed: 0 pending retry, 0 clarification, 1 follow up."
    )  # fmt: skip


def test_a_second_stop_changes_nothing_and_without_a_start_there_is_nothing_to_stop(ledger):
    assert refusal(ledger, ledger.sessions.stop).code == "no_session"
    assert refusal(ledger, ledger.sessions.drain).code == "no_session"
    assert refusal(ledger, ledger.sessions.get).code == "no_session"
    ledger.sessions.start()
    stopped = ledger.sessions.stop()
    head = ledger.head
    assert ledger.sessions.stop() == stopped
    assert ledger.head == head
    assert refusal(ledger, ledger.sessions.get, 2).code == "unknown_session"


def test_after_a_clean_stop_only_what_the_policy_allows_goes_on_and_nothing_is_orphaned(ledger):
    allowed, forbidden = started_goal(ledger), started_goal(ledger, "By hand", resume_if_checkpointed=False)
    ledger.sessions.start()
    run_id = ledger.runs.start(allowed).run_id
    ledger.runs.start(forbidden)
    stopped = ledger.sessions.stop()
    row = ledger.sessions.start()
    assert (row.number, row.last_stop) == (2, "clean")
    assert row.report["last_clean_shutdown_at"] == stopped.stopped_at
    assert (row.report["resumed_runs"]["ids"], len(row.report["left_runs"])) == ([run_id], 1)
    assert row.report["orphaned_runs"]["count"] == 0
    assert ledger.loops.list().rows == []


def test_no_work_is_handed_out_between_a_drain_and_the_next_start(ledger):
    goal_id = started_goal(ledger)
    ledger.sessions.start()
    run_id = ledger.runs.start(goal_id).run_id
    assert ledger.sessions.drain(reason="an upgrade").status == "draining"
    error = refusal(ledger, ledger.runs.start, goal_id, overlap=True)
    assert (error.code, error.hint) == ("draining", "session start")
    ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)  # what is under way may end
    ledger.sessions.stop()
    assert refusal(ledger, ledger.runs.start, goal_id).code == "stopped"
    assert refusal(ledger, ledger.sessions.drain).code == "stopped"
    ledger.sessions.start()
    assert ledger.runs.start(goal_id).status is RunStatus.RUNNING


def test_without_any_session_work_is_handed_out(ledger):
    assert ledger.runs.start(started_goal(ledger)).status is RunStatus.RUNNING


def test_a_drained_session_that_never_stopped_ended_uncleanly(ledger):
    ledger.sessions.start()
    ledger.sessions.drain()
    assert ledger.sessions.start().last_stop == "unclean"


def test_an_expected_version_is_that_of_the_sessions(ledger):
    goal_id = started_goal(ledger)
    ledger.using(if_version=0).sessions.start()
    ledger.runs.start(goal_id)
    assert refusal(ledger, ledger.using(if_version=0).sessions.stop).code == "wrong_version"
    assert ledger.using(if_version=1).sessions.stop().status == "stopped"


def test_after_many_sessions_a_new_process_knows_the_latest_and_its_version(tmp_path):
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for _ in range(5):
            ledger.sessions.start()
            ledger.sessions.stop()
        stopped_at = ledger.sessions.get().stopped_at
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        row = ledger.using(if_version=15).sessions.start()
        assert (row.number, row.report["last_clean_shutdown_at"]) == (6, stopped_at)


def test_the_past_knows_its_sessions(ledger):
    first = ledger.sessions.start()
    then = ledger.as_of(ledger.head)
    ledger.sessions.stop()
    ledger.sessions.start()
    assert then.sessions.get() == first
    assert [row.number for row in ledger.sessions.list().rows] == [2, 1]
    assert [row.clean for row in ledger.sessions.list(limit=1, after=(2,)).rows] == [True]


def test_a_run_that_began_after_the_read_models_were_asked_is_laid_down_too(ledger):
    goal_id = started_goal(ledger)
    ledger.sessions.start()
    seen, late = reconciliation.look(ledger), ledger.runs.start(goal_id).run_id
    ledger.transact(lambda tx: reconciliation.stop_in(tx, session_stream(ledger.id), seen))
    assert ledger.runs.get(late).status is RunStatus.CHECKPOINTED


# --- In a program


def test_a_block_is_a_session(ledger):
    with ledger.session() as session:
        assert (session.number, session.status) == (1, "running")
        assert session.owner == this_process()
    assert ledger.sessions.get().status == "stopped"


def test_an_error_stops_the_session_with_its_name_and_goes_on(ledger):
    with pytest.raises(KeyError), ledger.session():
        raise KeyError("host")
    assert ledger.sessions.get().stop_reason == "ended by KeyError"


def test_a_session_that_goes_on_is_joined_and_left_running(ledger):
    with ledger.session() as outer:
        with ledger.using(command_id="again").session() as inner:
            assert inner == outer
        assert ledger.sessions.get().status == "running"
    assert ledger.sessions.get().status == "stopped"


def test_a_run_of_a_living_process_is_no_orphan(ledger):
    goal_id = started_goal(ledger)
    with ledger.session() as session:
        run_id = ledger.runs.start(goal_id).run_id
        assert ledger.sessions.start() == session
        assert ledger.runs.get(run_id).status is RunStatus.RUNNING


def test_a_session_that_drains_in_a_living_process_is_not_begun_anew(ledger):
    with ledger.session():
        ledger.sessions.drain()
        assert refusal(ledger, ledger.sessions.start).code == "draining"


@pytest.fixture
def default_signals():
    with defaults():
        yield


@pytest.mark.usefixtures("default_signals")
def test_sigterm_is_handled_in_the_main_thread_for_the_length_of_the_block(ledger):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, ledger.session():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143
    assert ledger.sessions.get().stop_reason == "ended by SIGTERM"
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_handler_of_the_program_is_left_alone(ledger):
    def own(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, own)
    try:
        with ledger.session():
            assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("default_signals")
def test_in_another_thread_no_handler_is_installed(ledger):
    seen = []

    def work():
        with ledger.session():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
    assert ledger.sessions.get().status == "stopped"


def test_sessions_and_loops_are_the_same_on_every_store(place):
    with Ledger.open(place.url, clock=Clock()) as ledger:
        goal_id = started_goal(ledger)
        lost = ledger.runs.start(goal_id).run_id
        with ledger.session() as first:
            run_id = ledger.runs.start(goal_id).run_id
        second = ledger.sessions.start()
        assert (first.report["orphaned_runs"]["ids"], second.report["resumed_runs"]["ids"]) == ([lost], [run_id])
        ledger.goals.wait(goal_id, question="Which region?")
        [asked] = ledger.loops.list().rows
        ledger.loops.close(asked.loop_id, answer="eu")
        assert ledger.goals.get(goal_id).status is GoalStatus.ACTIVE
        assert [row.number for row in ledger.sessions.list().rows] == [2, 1]


WORKER = """
import sys, time
from goal_ledger.ledger import Ledger
with Ledger.open(sys.argv[1], actor="agent:worker") as ledger, ledger.session():
    run = ledger.runs.start(sys.argv[2])
    print(run.run_id, flush=True)
    time.sleep(600)
"""


def worker(path: Path, goal_id: str):
    """A process at work, and its run."""
    process = python(WORKER, path, goal_id)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_after_a_kill_the_start_says_unclean_finds_the_orphan_and_asks_nothing_twice(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        goal_id = started_goal(ledger)
        process, run_id = worker(path, goal_id)
        process.kill()
        process.communicate()
        row = ledger.sessions.start()
        assert (row.number, row.last_stop, row.report["last_clean_shutdown_at"]) == (2, "unclean", None)
        assert row.report["orphaned_runs"]["ids"] == [run_id]
        head = ledger.head
        assert ledger.sessions.start() == row
        assert (ledger.head, len(ledger.loops.list().rows)) == (head, 1)
        assert ledger.log.verify() == head


def test_a_process_that_is_killed_with_nothing_under_way_ended_uncleanly_too(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        process, run_id = worker(path, started_goal(ledger))
        ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
        process.kill()
        process.communicate()
        row = ledger.sessions.start()
        assert (row.number, row.last_stop, row.report["orphaned_runs"]["count"]) == (2, "unclean", 0)


def test_sigterm_lets_a_process_stop_in_order_and_the_next_one_goes_on(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        process, run_id = worker(path, started_goal(ledger))
        process.terminate()
        assert (process.communicate()[1], process.returncode) == ("", 143)
        stopped = ledger.sessions.get()
        assert (stopped.status, stopped.stop_reason) == ("stopped", "ended by SIGTERM")
        row = ledger.sessions.start()
        assert (row.last_stop, row.report["resumed_runs"]["ids"]) == ("clean", [run_id])
