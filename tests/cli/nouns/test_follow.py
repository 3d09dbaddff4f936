"""goal-ledger follow."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson
import pytest

from tests.cli.running import Cli
from tests.tools import PATIENCE_S, tamper

PROGRAM = str(Path(sys.executable).with_name("goal-ledger"))


@contextmanager
def following(gl: Cli, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A process that follows, and what it prints."""
    words = [PROGRAM, "--db", str(gl.db), "follow", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_each_event_is_one_line_of_json(gl: Cli):
    goal_id, run_id = gl.started_run()

    ran = gl.json("follow", "--until-head")

    rows = [orjson.loads(line) for line in ran.out.splitlines()]
    assert [(row["position"], row["event"]) for row in rows] == [
        (1, "ledger.created"),
        (2, "goal.created"),
        (3, "goal.readied"),
        (4, "goal.activated"),
        (5, "goal.run_dispatched"),
        (6, "run.started"),
    ]
    assert rows[5]["details"]["goal_id"] == goal_id and rows[5]["run_id"] == rows[4]["run_id"] == run_id
    assert rows[3].keys() == rows[5].keys()
    assert rows[3] == gl.json("goal", "timeline", goal_id).data[2]
    assert (ran.code, ran.err) == (0, "stopped behind position 6; to go on: goal-ledger follow --after 6\n")


def test_people_see_one_line_per_event_however_long(gl: Cli):
    title = "A title with many words that does not fit " * 5
    goal_id = gl.goal(title)
    gl.json("goal", "reject", gl.goal("x\x1b[2Jy\nz"), "--reason", "moot")
    gl.json("goal", "ready", goal_id, "--reason", "now")

    lines = gl("follow", "--until-head").text.splitlines()

    assert len(lines) == gl.events()
    assert "\x1b" not in "".join(lines)
    assert title.strip() in lines[1]
    assert lines[-1].split("  ")[-5:] == ["goal.readied", "planned → ready", goal_id, "cli:test", "now"]


def test_it_goes_on_behind_a_position(gl: Cli):
    gl.started_run()

    behind_4 = gl.json("follow", "--until-head", "--after", "4").out.splitlines()

    assert [orjson.loads(line)["position"] for line in behind_4] == [5, 6]
    for after in ("6", "now"):
        ran = gl.json("follow", "--until-head", "--after", after)
        assert (ran.code, ran.out) == (0, b"") and "--after 6" in ran.err


@pytest.mark.parametrize(
    ("after", "code"), [("7", "beyond_head"), ("soon", "usage"), ("-1", "usage"), ("9" * 30, "beyond_head")]
)
def test_a_position_that_is_none_is_refused(gl: Cli, after: str, code: str):
    gl.started_run()

    ran = gl.json("follow", "--until-head", f"--after={after}")

    assert (ran.code, ran.error["code"]) == (2, code)


def test_without_a_ledger_there_is_nothing_to_follow(gl: Cli):
    assert gl.json("follow").error["code"] == "no_ledger"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_events_of_another_process_come_as_they_happen_until_it_is_stopped(gl: Cli, number: signal.Signals):
    gl.goal()
    with following(gl, "--json", "--after", "1") as (process, out):
        assert orjson.loads(out.readline())["position"] == 2
        goal_id = gl.goal("From elsewhere")  # another process for the one that follows
        row = orjson.loads(out.readline())
        assert (row["position"], row["stream"]) == (3, goal_id)
        process.send_signal(number)
        rest, words = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, rest) == (0, b"")
    assert words == b"stopped behind position 3; to go on: goal-ledger follow --after 3\n"


def test_a_reader_that_leaves_is_noticed_without_another_event(gl: Cli):
    gl.started_run()
    with following(gl) as (process, out):
        assert out.readline().split()[0] == b"1"
        out.close()
        assert process.wait(timeout=PATIENCE_S) == 141
        assert process.stderr is not None and process.stderr.read() == b""


def test_an_event_that_cannot_be_read_is_told_and_passed(gl: Cli):
    goal_id = gl.goal()
    gl.json("goal", "ready", goal_id)
    tamper(gl.db, "UPDATE stored_events SET topic = 'goal.teleported' WHERE rowid = 2")

    rows = [orjson.loads(line) for line in gl.json("follow", "--until-head").out.splitlines()]

    assert [row["problem"] is None for row in rows] == [True, False, True]
    assert "goal.teleported" in gl("follow", "--until-head").text


def test_a_full_disk_behind_stdout_ends_it(gl: Cli):
    gl.goal()
    with open("/dev/full", "w") as full:
        words = [PROGRAM, "--db", str(gl.db), "follow", "--until-head"]
        ran = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)

    assert (ran.returncode, ran.stderr) == (1, "error: No space left on device\n")
