"""goal-ledger loop."""

import pytest

from tests.cli.running import Cli

NOBODY = "01HZX3KQ5N8RWT2M4V6Y7B9DEF"


def opened(gl: Cli, question: str = "Did it hold?", *options: str) -> str:
    loop_id: str = gl.json("loop", "open", "follow_up", question, *options).data["loop_id"]
    return loop_id


def test_open_makes_the_ledger_and_answers_with_the_whole_loop(gl: Cli):
    row = gl.json("loop", "open", "follow_up", "Did it hold?", "--due", "2026-03-01", "--now", "2026-03-02").data
    assert {name: row[name] for name in ("kind", "status", "question", "due_at", "overdue", "times_opened")} == {
        "kind": "follow_up", "status": "open", "question": "Did it hold?", "due_at": "2026-03-01T00:00:00.000000Z",
        "overdue": True, "times_opened": 1,
    }  # fmt: skip
    assert "due_order" not in row


def test_the_same_again_writes_nothing(gl: Cli):
    loop_id = opened(gl)
    events = gl.events()
    assert opened(gl) == loop_id
    assert gl.events() == events


def test_close_takes_the_answer(gl: Cli):
    loop_id = opened(gl)
    assert gl("loop", "close", loop_id, "--answer", "yes").text == f"{loop_id}  closed  follow_up: Did it hold?\n"
    assert gl.json("loop", "show", loop_id).data["answer"] == "yes"
    assert gl.json("loop", "close", loop_id, "--answer", "no").error["code"] == "already_closed"
    assert [row["event"] for row in gl.json("loop", "timeline", loop_id).data] == ["loop.opened", "loop.closed"]


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (["open", "follow_up", " "], 3, "no_question"),
        (["open", "pending_retry", "Again?"], 3, "no_goal"),
        (["open", "hunch", "?"], 2, "usage"),
        (["open", "follow_up", "?", "--goal", f"goal_{NOBODY}"], 5, "unknown_goal"),
        (["close", f"loop_{NOBODY}", "--answer", "yes"], 5, "unknown_loop"),
        (["show", "loop_7"], 5, "unknown_loop"),
        (["list", "--after", "yesterday,1"], 2, "bad_cursor"),
        (["list", "--after", "2026-03-01T00:00:00.000000Z,x"], 2, "bad_cursor"),
    ],
)
def test_what_cannot_be_is_refused(gl: Cli, words: list[str], exit_code: int, code: str):
    gl.goal()
    ran = gl.json("loop", *words)
    assert (ran.code, ran.error["code"]) == (exit_code, code)


def test_list_shows_what_is_owed_the_overdue_marked_and_all_when_asked(gl: Cli):
    late, other = opened(gl, "late", "--due", "2026-01-01"), opened(gl, "other")
    gl.json("loop", "close", opened(gl, "done"), "--answer", "yes")
    lines = gl("loop", "list", "--now", "2026-02-01").text.splitlines()
    assert [line.split() for line in lines[1:]] == [
        [late, "follow_up", "late", "(overdue)"], [other, "follow_up", "other"]
    ]  # fmt: skip
    assert len(gl.json("loop", "list", "--all").data) == 3
    assert gl.json("loop", "list", "--kind", "clarification").data == []
    assert gl("loop", "list", "--kind", "clarification").err.startswith("No loop matches")


def test_pages_follow_each_other(gl: Cli):
    ids = [opened(gl, question, "--due", due) for question, due in (("a", "2026-01-01"), ("b", "2026-01-02"))]
    ids.append(opened(gl, "c"))
    first = gl.json("loop", "list", "--limit", "2").document
    rest = gl.json("loop", "list", "--after", first["next"]).document
    assert [row["loop_id"] for row in first["data"] + rest["data"]] == ids and rest["next"] is None


def test_a_goal_waits_for_an_answer(gl: Cli):
    goal_id = gl.active_goal()
    assert gl.json("goal", "wait", goal_id, "--question", "Which region?").data["status"] == "waiting"
    [row] = gl.json("loop", "list", "--goal", goal_id).data
    assert (row["kind"], row["holds_goal"]) == ("clarification", True)
    gl.json("loop", "close", row["loop_id"], "--answer", "eu-west-1")
    assert gl.json("goal", "show", goal_id).data["status"] == "active"
    assert gl.json("goal", "wait", goal_id, "--due", "2026-03-01").error["code"] == "usage"


def test_a_failed_run_is_owed_a_retry_as_of_then(gl: Cli):
    goal_id, run_id = gl.started_run()
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")
    position = gl.events()
    assert [row["run_id"] for row in gl.json("loop", "list", "--kind", "pending_retry").data] == [run_id]
    gl.json("run", "start", goal_id)
    assert gl.json("loop", "list").data == []
    assert gl("loop", "list").err == "No open loops.\n"
    assert [row["run_id"] for row in gl.json("loop", "list", "--as-of", str(position)).data] == [run_id]
