"""goal-ledger tick, and the conditions of goals on the command line."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.cli.running import Cli
from tests.tools import PATIENCE_S

DUE = ("--now", "2030-03-26")


def stopping(gl: Cli) -> str:
    return gl.goal("Cut checkout errors", "--stop-condition", "now >= 2030-03-01")


def test_a_tick_says_what_it_did_and_nothing_when_there_is_nothing(gl: Cli):
    goal_id = stopping(gl)
    assert gl("tick", "--now", "2030-02-01")[:2] == (0, b"")

    ran = gl("tick", *DUE)
    assert (ran.code, ran.out.decode(), ran.err) == (
        0,
        f"conditions: {goal_id} archived: stop_condition: now >= 2030-03-01\n",
        "",
    )
    assert gl("tick", *DUE)[:2] == (0, b"")


def test_a_tick_for_programs_tells_every_duty(gl: Cli):
    goal_id = stopping(gl)
    data = gl.json("tick", *DUE, "--duty", "conditions").data
    assert data == {
        "now": "2030-03-26T00:00:00+00:00",
        "duties": [
            {
                "name": "conditions",
                "done": [f"{goal_id} archived: stop_condition: now >= 2030-03-01"],
                "problem": None,
            }
        ],
        "attention": [],
    }
    assert [duty["done"] for duty in gl.json("tick", *DUE).data["duties"]] == [
        [] for _ in gl.json("tick").data["duties"]
    ]


def test_a_check_lists_what_is_overdue_and_what_is_stuck(gl: Cli):
    late = gl.goal("Cut checkout errors", "--horizon", "2030-01-01")
    _, run_id = gl.started_run()
    ran = gl("tick", "--check", *DUE)
    assert ran.code == 0
    assert ran.out.decode().splitlines()[0] == f"overdue: {late} since 2030-01-01T00:00:00.000000Z"
    assert ran.out.decode().splitlines()[1].startswith(f"stuck: {run_id} since 20")
    assert [item["kind"] for item in gl.json("tick", "--check", *DUE).data["attention"]] == ["overdue", "stuck"]


def test_a_duty_that_fails_is_named_and_the_exit_code_says_so(gl: Cli):
    first, second = stopping(gl), stopping(gl)
    taken = f"tick:conditions:2030-03-26T00:00:00.000000Z:{first}:1"
    gl("goal", "create", "B", "--command-id", taken)
    ran = gl("tick", *DUE)
    assert ran.code == 1
    assert ran.out.decode() == f"conditions: {second} archived: stop_condition: now >= 2030-03-01\n"
    assert ran.err.startswith("error: duty conditions: command id ")
    again = gl.run("--db", str(gl.db), "--json", "tick", *DUE)
    assert (again.code, json.loads(again.out)["status"]) == (1, "ok")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--forever", "--now", "2030-01-01"), "--now stands still"),
        (("--interval", "5"), "goes with --forever"),
        (("--duty", "chores"), "there is no duty 'chores'"),
    ],
)
def test_what_makes_no_sense_is_refused(gl: Cli, arguments: tuple[str, ...], words: str):
    gl.goal()
    ran = gl("tick", *arguments)
    assert (ran.code, ran.out) == (2, b"")
    assert words in ran.err


def test_without_a_ledger_there_is_nothing_to_tick(gl: Cli):
    assert gl("tick").code == 5
    assert not gl.db.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_for_ever_it_ticks_until_it_is_told_to_stop(gl: Cli, number: int, options: tuple[str, ...]):
    gl.goal()
    command = [sys.executable, "-m", "goal_ledger.cli.frame.main", "--db", str(gl.db), *options]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, "tick", "--forever", "--interval", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    try:
        assert process.stdout is not None
        goal_id = gl.goal("B", "--stop-condition", "now >= 2020-01-01")
        line = process.stdout.readline().decode()
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert f"{goal_id} archived: stop_condition: now >= 2020-01-01" in line
    if options:
        assert json.loads(line)["duties"][-1]["done"]
    assert (process.returncode, out, err.decode()) == (0, b"", "stopped\n")


def test_a_bad_condition_is_refused_with_its_field_and_column(gl: Cli):
    gl.goal()
    before = gl.events()
    ran = gl("goal", "create", "B", "--failure-condition", "run.cost > 5")
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("error: failure_conditions: column 1: 'run.cost': run has no 'cost'; it has ")
    assert gl.events() == before


def test_show_tells_which_conditions_act(gl: Cli):
    goal_id = gl.goal("B", "--constraint", "cheap", "--constraint", "run.attempt <= 3", "--watch", "goal.attempts > 2")
    shown = gl.json("goal", "show", goal_id).data
    assert shown["acting"] == ["watch: goal.attempts > 2", "constraints: run.attempt <= 3"]
    assert "acting" in gl("goal", "show", goal_id).out.decode()


def test_a_start_condition_that_does_not_hold_is_named_with_the_way_out(gl: Cli):
    goal_id = gl.goal("B", "--start-condition", "now >= 2999-01-01")
    ran = gl("goal", "ready", goal_id)
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err == (
        "error: its start condition does not hold: now >= 2999-01-01 — a tick makes it ready when it does; "
        f"to do without: goal-ledger goal amend {goal_id} --start-condition ''\n"
    )
    assert gl("goal", "amend", goal_id, "--start-condition", "").code == 0
    assert gl("goal", "ready", goal_id).code == 0
