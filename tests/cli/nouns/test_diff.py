"""goal-ledger diff."""

import pytest

from tests.cli.running import Cli


@pytest.fixture
def history(gl: Cli) -> tuple[str, str]:
    """A goal and its run, up to 6; the run failed at 7, a retry came at 8, a review at 9; another goal began at 10."""
    goal_id, run_id = gl.started_run()
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")
    gl.goal("Another")
    return goal_id, run_id


def test_a_change_holds_the_fields_that_differ_and_the_events_that_did_it(gl: Cli, history: tuple[str, str]):
    goal_id, run_id = history
    changed, opened, added = gl.json("diff", "--from", "6").data

    assert {name: changed[name] for name in ("noun", "id", "change", "about", "positions")} == {
        "noun": "run", "id": run_id, "change": "changed", "about": goal_id, "positions": [7],
    }  # fmt: skip
    assert changed["fields"]["local_outcome"] == {"before": None, "after": "failed"}
    assert changed["fields"]["status"] == {"before": "running", "after": "finished"}
    assert (opened["noun"], opened["change"], opened["positions"]) == ("loop", "added", [8])
    assert (added["noun"], added["change"], added["about"], added["positions"]) == ("goal", "added", "Another", [10])
    assert added["fields"]["status"] == {"before": None, "after": "planned"}


def test_a_goal_is_compared_with_its_runs(gl: Cli, history: tuple[str, str]):
    assert [row["id"] for row in gl.json("diff", "--from", "1", history[0]).data] == list(history)
    assert [row["id"] for row in gl.json("diff", "--from", "4", "--to", "5", history[0]).data] == [history[0]]


def test_people_see_before_and_after(gl: Cli, history: tuple[str, str]):
    lines = gl("diff", "--from", "6", "--to", "7").text.splitlines()
    assert lines[0] == f"{history[1]}  changed  {history[0]}"
    assert "  status            running → finished" in lines
    assert lines[-1] == "  by 1 event: 7"
    assert gl("diff", "--from", "8").text.splitlines()[-1] == "  by 1 event: 10"


def test_of_many_events_the_ends_are_told(gl: Cli):
    goal_id = gl.goal("Busy")
    for number in range(8):
        gl.json("goal", "amend", goal_id, "--priority", str(1 + number % 2))
    assert gl("diff", "--from", "1").text.splitlines()[-1] == "  by 9 events: 2, 3, 4, 5, 6, 7, …, 10"


def test_nothing_changed_is_said(gl: Cli, history: tuple[str, str]):
    assert gl.json("diff", "--from", "10").data == []
    assert gl("diff", "--from", "10").err == "Nothing changed.\n"


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (["--from", "7", "--to", "6"], 2, "bad_interval"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], 2, "bad_interval"),
        (["--from", "99"], 2, "beyond_head"),
        (["--from", "yesterday"], 2, "bad_time"),
        (["--from", "1", "--to", "2026-01-01T00:00"], 2, "naive_time"),
        ([], 2, "usage"),
        (["--from", "1", "goal_x"], 5, "unknown_goal"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    gl: Cli, history: tuple[str, str], words: list[str], exit_code: int, code: str
):
    ran = gl.json("diff", *words)
    assert (ran.code, ran.error["code"]) == (exit_code, code)
    assert ran.error["hint"]


def test_every_noun_that_diff_knows_says_what_a_row_is_about(gl: Cli):
    gl.goal()
    gl("belief", "hold", "Backups must restore")
    for _ in range(3):
        gl("check", "record", "backup", "--failed", "--error", "timeout")
    gl("detect")

    about = {row["noun"]: row["about"] for row in gl.json("diff", "--from", "2").data}

    assert about["belief"] == "Backups must restore"
    assert "backup" in about["proposal"]
    assert about["scan"] is None
    assert "Backups must restore" in gl("diff", "--from", "2").text
