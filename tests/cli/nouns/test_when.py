"""goal-ledger ledger when."""

import pytest

from tests.cli.running import Cli


@pytest.fixture
def history(gl: Cli) -> tuple[str, str]:
    """A goal and its run, which fails at position 7."""
    goal_id, run_id = gl.started_run()
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")
    return goal_id, run_id


def test_the_event_and_the_row_are_told(gl: Cli, history: tuple[str, str]):
    goal_id, run_id = history
    data = gl.json("ledger", "when", "run.local_outcome = failed and run.attempt = 1").data

    event = data["event"]
    assert (event["position"], event["event"], event["stream"], event["by"]) == (7, "run.finished", run_id, "cli:test")
    assert event["at"] and event["occurred_at"]
    assert (data["noun"], data["row"]) == ("run", gl.json("run", "show", run_id).data)
    assert gl.json("ledger", "when", "goal.status = active", "--goal", goal_id).data["event"]["position"] == 4


def test_never_is_an_answer(gl: Cli, history: tuple[str, str]):
    never = gl.json("ledger", "when", "run.attempt > 1")
    assert (never.code, never.data) == (0, None)
    assert gl("ledger", "when", "run.attempt > 1").text == "never, up to position 9\n"
    assert gl("ledger", "when", "run.local_outcome = failed", "--as-of", "6").text == "never, up to position 6\n"
    assert gl.json("ledger", "when", "run.local_outcome = failed", "--after", "7").data is None


def test_people_see_the_event_then_the_row(gl: Cli, history: tuple[str, str]):
    first, *rest = gl("ledger", "when", "run.local_outcome = failed").text.splitlines()
    assert first.split()[0] == "7" and "run.finished" in first
    assert any(line.split() == ["local", "outcome", "failed"] for line in rest)
    assert len(gl("ledger", "when", "count(run.attempt = 1) = 0").text.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "message"),
    [
        (["run.colour = red"], 2, "bad_condition", "column 1: 'run.colour': run has no 'colour'; it has run_id"),
        (["run.attempt >"], 2, "bad_condition", "column 14: run.attempt is compared with a value, not the end"),
        (["run.status = done"], 2, "bad_condition", "column 14: run.status is one of queued"),
        (["lesson.active = true", "--goal", "GOAL"], 2, "bad_condition", "belongs to no goal"),
        (["run.attempt = 1", "--after", "99"], 2, "beyond_head", "position 99"),
        (["run.attempt = 1", "--goal", "goal_x"], 5, "unknown_goal", "goal_x"),
        ([], 2, "usage", "CONDITION"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    gl: Cli, history: tuple[str, str], words: list[str], exit_code: int, code: str, message: str
):
    ran = gl.json("ledger", "when", *(history[0] if word == "GOAL" else word for word in words))
    assert (ran.code, ran.error["code"]) == (exit_code, code)
    assert message in ran.error["message"] and ran.error["hint"]
