"""goal-ledger session."""

from tests.cli.running import Cli


def test_start_makes_the_ledger_and_answers_with_the_report(gl: Cli):
    row = gl.json("session", "start", "--now", "2026-02-24T09:00:00Z").data
    assert (row["number"], row["status"], row["last_stop"]) == (1, "running", "none")
    assert row["started_at"] == "2026-02-24T09:00:00.000000Z"
    assert row["report"]["orphaned_runs"]["count"] == 0


def test_a_day_of_work_stops_and_starts_again(gl: Cli):
    goal_id = gl.active_goal()
    gl.json("session", "start")
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    assert gl("session", "drain", "--reason", "upgrade").text.startswith("session 1  draining")
    assert gl.json("run", "start", goal_id, "--allow-overlap").error["code"] == "draining"
    stopped = gl("session", "stop").text
    assert stopped.startswith("session 1  stopped") and run_id in stopped
    assert gl.json("run", "start", goal_id).error["hint"] == "goal-ledger session start"
    report = gl("session", "start").text
    assert "last stop clean" in " ".join(report.split()) and f"resumed {run_id}" in report
    assert gl.json("run", "show", run_id).data["status"] == "running"


def test_again_changes_nothing(gl: Cli):
    for verb in ("start", "drain", "stop"):
        first = gl.json("session", verb).data
        events = gl.events()
        assert gl.json("session", verb).data == first
        assert gl.events() == events


def test_an_orphan_is_named_and_its_goal_flagged(gl: Cli):
    goal_id, run_id = gl.started_run()
    [action] = gl.json("session", "start").data["report"]["actions"]
    [retry] = gl.json("loop", "list", "--goal", goal_id).data
    assert action == f"interrupted {run_id} and opened {retry['loop_id']}"


def test_sessions_are_shown_listed_and_reported(gl: Cli):
    assert gl.json("session", "list").error["code"] == "no_ledger"
    gl.goal()
    assert gl("session", "list").err.startswith("No session was ever started")
    assert gl.json("session", "show").error["code"] == "no_session"
    for verb in ("start", "stop", "start"):
        gl.json("session", verb)
    position = gl.events()
    gl.json("session", "stop")
    assert [row["number"] for row in gl.json("session", "list").data] == [2, 1]
    first = gl.json("session", "list", "--limit", "1").document
    assert [row["number"] for row in gl.json("session", "list", "--after", first["next"]).data] == [1]
    assert gl.json("session", "show", "1").data["clean"] is True
    assert gl.json("session", "show", "--as-of", str(position)).data["status"] == "running"
    assert gl.json("session", "report", "3").error["code"] == "unknown_session"
    assert "last stop" in gl("session", "report").text and "summary" in gl("session", "show").text
    assert gl("session", "list").text.splitlines()[1].split()[:2] == ["2", "stopped"]
    assert gl.json("session", "list", "--after", "x").error["code"] == "bad_cursor"
