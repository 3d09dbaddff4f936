"""What the system proposes, from the command line: checks in, a scan, its proposals, a person's review."""

from pathlib import Path

import pytest

from tests.cli.running import Cli

CHECKS = """task,checked_at,status,error,http_code
daily_backup,2025-11-09T10:00:00Z,up,,200
daily_backup,2025-11-09T11:00:00Z,failed,timeout,
daily_backup,2025-11-09T12:00:00Z,down,,503
daily_backup,2025-11-09T13:00:00Z,FAILED,timeout,
daily_backup,2025-11-09T14:00:00Z,error,timeout,
"""
NOW = "2025-11-09T14:00:00Z"


@pytest.fixture
def scanned(gl: Cli, tmp_path: Path) -> Cli:
    (tmp_path / "checks.csv").write_text(CHECKS)
    gl.json("import", "checks", "checks.csv")
    return gl


def test_checks_are_imported_once(gl: Cli, tmp_path: Path):
    (tmp_path / "checks.csv").write_text(
        CHECKS + "daily_backup,yesterday,up,,\n,2025-11-09T10:00:00Z,up,,\na,2025-11-09,so,,\n"
    )
    first = gl.json("import", "checks", "checks.csv")
    assert (first.data["tasks"], first.data["checks"], first.data["events"], first.data["skipped"]) == (1, 5, 5, 3)
    assert [problem["line"] for problem in first.data["problems"]] == [7, 8, 9]
    again = gl.json("import", "checks", "checks.csv").data
    assert (again["events"], again["unchanged"]) == (0, 5)
    assert gl.json("import", "checks", "checks.csv", "--strict").error["code"] == "bad_lines"
    errors = [row["error"] for row in gl.json("check", "list").data]
    assert errors == ["timeout", "timeout", "http 503", "timeout", None]
    assert len(gl.json("check", "list", "--failed", "--limit", "3").data) == 3


def test_a_file_without_its_columns_is_refused(gl: Cli, tmp_path: Path):
    (tmp_path / "checks.csv").write_text("task,when\n")
    assert gl.json("import", "checks", "checks.csv").error["code"] == "unknown_column"
    (tmp_path / "checks.csv").write_text("")
    assert gl.json("import", "checks", "checks.csv").error["code"] == "no_header"


def test_a_check_is_recorded_by_hand(gl: Cli):
    row = gl.json("check", "record", "daily_backup", "--failed", "--error", "timeout", "--occurred-at", NOW).data
    assert (row["task"], row["ok"], row["error"]) == ("daily_backup", False, "timeout")
    assert row["checked_at"] == "2025-11-09T14:00:00.000000Z"
    assert gl.json("check", "record", "daily_backup").error["code"] == "usage"
    assert gl("check", "record", "daily_backup", "--ok").text == "daily_backup  ok\n"


def test_a_scan_prints_what_came_of_it_and_its_telemetry(scanned: Cli):
    gl = scanned
    dry = gl.json("detect", "--now", NOW, "--dry-run").data
    assert (dry["scan_id"], dry["dry_run"], dry["telemetry"]["total_goals_created"]) == (None, True, 1)
    done = gl.json("detect", "--now", NOW).data
    assert done["telemetry"] == {
        "total_proposals_evaluated": 1,
        "total_goals_created": 1,
        "total_goals_rejected": 0,
        "auto_approved_count": 0,
        "rejection_reasons": {},
    }
    words = gl("detect", "--now", NOW).text
    assert words.splitlines()[-1].split("(")[-1] == "duplicate_goal_exists 1)"
    assert gl.json("proposal", "telemetry", "--since", NOW).data["total_proposals_evaluated"] == 2


def test_a_person_reviews_what_was_proposed(scanned: Cli):
    gl = scanned
    gl.json("detect", "--now", NOW)
    [goal] = gl.json("goal", "list", "--status", "proposed", "--source", "system").data
    assert (goal["created_by"], goal["metadata"]["confidence"]) == ("task_failure_detector", 0.85)
    assert goal["metadata"]["evidence"]["failure_count"] == 4
    assert gl.json("next").data is None
    assert gl.json("goal", "approve", goal["goal_id"]).data["status"] == "active"
    best = gl.json("next").data
    assert (best["goal_id"], best["plan"]["method"]) == (goal["goal_id"], "find_the_bottleneck")
    [explained] = gl.json("next", "--explain").data
    assert explained["plan"]["steps"] == [
        "Analyze the logs of 'daily_backup' for timeout patterns",
        "Identify the resource bottleneck that causes the timeouts",
        "Increase the timeout or relieve the bottleneck",
        "Test 'daily_backup' with the fix applied",
    ]
    assert "  4. Test 'daily_backup' with the fix applied" in gl("next", "--explain").text.splitlines()
    [proposal] = gl.json("proposal", "list").data
    shown = gl.json("proposal", "show", proposal["proposal_id"]).data
    assert (shown["goal_id"], shown["status"]) == (goal["goal_id"], "accepted")
    names = [row["event"] for row in gl.json("proposal", "timeline", proposal["proposal_id"]).data]
    assert names == ["proposal.made", "proposal.accepted"]
    assert "task_failure_recurring" in gl("proposal", "show", proposal["proposal_id"]).text
    assert gl.json("proposal", "show", "prop_x").error["code"] == "unknown_proposal"


def test_the_last_line_of_the_exported_ledger_is_the_goal(scanned: Cli):
    import json

    gl = scanned
    gl.json("detect", "--now", NOW)
    gl.json("ledger", "export", "--format", "ndjson", "--output", "out.ndjson")
    last = json.loads(Path("out.ndjson").read_text().splitlines()[-1])
    [goal] = gl.json("goal", "list").data
    assert (last["schema"], last["event"]) == (2, "goal_created")
    told = {name: last["meta"][name] for name in ("goal_id", "category", "source", "created_by")}
    assert told == {
        "goal_id": goal["goal_id"],
        "category": "capability",
        "source": "system",
        "created_by": "task_failure_detector",
    }


def test_what_is_held_true_is_listed(gl: Cli):
    belief = gl.json("belief", "hold", "Backups must restore").data["belief_id"]
    assert "Backups must restore" in gl("belief", "list").text
    assert gl.json("belief", "contradict", belief).error["code"] == "no_reason"
    assert gl.json("belief", "contradict", belief, "--reason", "two did not").data["status"] == "contradicted"
    assert gl.json("belief", "list").data == []
    assert gl.json("belief", "retract", belief, "--reason", "moot").data["status"] == "retracted"
    assert [row["status"] for row in gl.json("belief", "list", "--all").data] == ["retracted"]
    assert "moot" in gl("belief", "show", belief).text
    assert len(gl.json("belief", "timeline", belief).data) == 3
