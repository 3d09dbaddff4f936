"""goal-ledger ledger, projection and import: proof, rebuilds, histories from elsewhere."""

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.projections.registry import PROJECTIONS
from tests.cli.running import Cli
from tests.tools import PATIENCE_S, rows, tamper

DATA = Path(__file__).parents[4] / "shared" / "data"

RECORD = {
    "task_id": "backup", "run_id": "r-1", "agent": "bot", "attempt": 1, "outcome": "failure",
    "failure_category": "usage_limits", "started_at": "2025-11-09T01:00:00Z", "finished_at": "2025-11-09T01:30:00Z",
    "source": "cron",
}  # fmt: skip


def history(gl: Cli) -> tuple[str, str]:
    goal_id, run_id = gl.started_run()
    gl.json("run", "act", run_id, "deploy", "--occurred-at", "unknown")
    gl.json("run", "cost", run_id, "--usd", "0.10")
    gl.json("run", "finish", run_id, "--outcome", "succeeded", "--command-id", "f-1")
    gl.goal("Another", "--parent", gl.goal("Better shop", "--type", "objective"))
    return goal_id, run_id


def tampered(gl: Cli, *statements: str) -> None:
    """Change the file as somebody would who knows SQLite."""
    with sqlite3.connect(gl.db) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount == 1
    connection.close()


def answers(gl: Cli, goal_id: str) -> list[bytes]:
    questions = (("goal", "list"), ("run", "list"), ("goal", "timeline", goal_id), ("goal", "tree"))
    return [ask(*question).out for question in questions for ask in (gl, gl.json)]


# --- ledger


def test_stats_count_events_and_streams(gl: Cli):
    history(gl)

    stats = gl.json("ledger", "stats").data

    assert (stats["events"], stats["head"], stats["streams"]) == (12, 12, 5)
    assert stats["path"] == str(gl.db)
    assert "  events     12\n" in gl("ledger", "stats").text


def test_verify_is_ok_on_what_was_written(gl: Cli):
    history(gl)

    digest = gl.json("ledger", "stats").data["digest"]
    assert gl.json("ledger", "verify").data == {"ok": True, "events": 12, "head": 12, "digest": digest}
    proven, head = gl("ledger", "verify").text.splitlines()
    assert proven.startswith("ok  12 events") and head == f"head  12:{digest[:16]}"


def test_verify_accepts_a_head_that_was_kept_and_says_6_when_the_log_lost_it(gl: Cli):
    history(gl)
    kept = gl("ledger", "verify").text.split()[-1]
    gl.goal("one more")

    assert gl.json("ledger", "verify", "--expect", kept).data["events"] == 13
    lost = gl.json("ledger", "verify", "--expect", "14")
    other = gl.json("ledger", "verify", "--expect", f"12:{'0' * 16}")
    assert (lost.code, lost.error["code"], other.code, other.error["code"]) == (6, "lost_tail", 6, "lost_tail")
    assert lost.error["message"] == "the log once reached position 14, and ends at 13"


@pytest.mark.parametrize("head", ["", "0", "12:", "12:short", "12:zzzzzzzz", "twelve", "-1", "1:" + "0" * 65])
def test_a_head_that_is_none_is_refused(gl: Cli, head: str):
    history(gl)
    ran = gl.json("ledger", "verify", f"--expect={head}")
    assert (ran.code, ran.error["code"]) == (2, "bad_head")


def test_a_head_and_an_export_are_not_verified_in_one_go(gl: Cli):
    assert gl.json("ledger", "verify", "--expect", "1", "--file", "x").error["code"] == "usage"


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        (
            "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), 'Cut', 'Cat') AS BLOB) WHERE rowid = 2",
            2,
        ),
        ("UPDATE stored_events SET state = replace(state, 'Cut', 'Cat') WHERE rowid = 2", 2),
        ("DELETE FROM stored_events WHERE rowid = 3", 3),
        ("DELETE FROM stored_events WHERE rowid = 12", 12),
    ],
    ids=[
        "a letter changed",
        "a letter changed and the type with it",
        "a row in the middle deleted",
        "the last row deleted",
    ],
)
def test_verify_finds_what_was_altered_and_exits_6(gl: Cli, statement: str, position: int):
    goal_id, _ = history(gl)
    (parent,) = gl.json("goal", "list", "--type", "objective").data
    stream = {2: goal_id, 3: goal_id, 12: parent["goal_id"]}[position]  # the last event: a child was added
    tampered(gl, statement)

    ran = gl.json("ledger", "verify")

    assert ran.code == 6
    (problem,) = [problem for problem in ran.error["problems"] if f"position {position}," in problem]
    assert stream in problem
    assert ran.error["hint"]
    words = gl("ledger", "verify")
    assert words.code == 6 and f"position {position}, stream {stream}" in words.err


def test_verify_deep_says_the_hash_of_the_state_and_of_each_part(gl: Cli):
    history(gl)

    ran = gl.json("ledger", "verify", "--deep")

    assert ran.data.keys() == {"ok", "events", "head", "digest", "state"}
    assert (ran.data["ok"], ran.data["events"], ran.data["head"]) == (True, 12, 12)
    assert ran.document["warnings"] == []
    parts = {row["name"]: row for row in ran.data["state"]["projections"]}
    assert parts.keys() == PROJECTIONS.keys()
    expected = {
        "goal_definitions": 3,
        "goal_state_events": 5,
        "goal_runs": 1,
        "run_ends": 1,
        "lessons": 0,
        "sessions": 0,
    }
    assert {name: parts[name]["rows"] for name in expected} == expected
    assert all(row.keys() == {"name", "sha256", "rows", "lacking", "digest"} for row in parts.values())
    words = gl("ledger", "verify", "--deep").text
    assert words.startswith("ok  12 events")
    assert f"all  {ran.data['state']['sha256']}\n" in words
    assert parts["goal_runs"]["sha256"][:16] in words
    gl.goal("Something else")
    assert gl.json("ledger", "verify", "--deep").data["state"]["sha256"] != ran.data["state"]["sha256"]


def test_verify_deep_warns_of_what_newer_code_wrote(gl: Cli):
    _, run_id = history(gl)
    [(position, stream, version, name, body, _)] = rows(
        gl.db, "SELECT * FROM stored_events WHERE topic = 'run.finished'"
    )
    body = body.replace(b'{"v":1', b'{"v":2')
    tamper(gl.db, f"UPDATE stored_events SET state = ?, digest = ? WHERE rowid = {position}",
           values=(body, digest(position, stream, version, name, body)))  # fmt: skip

    ran = gl.json("ledger", "verify", "--deep")

    reads_it = ("goal_runs", "run_ends", "success_rates")
    assert ran.document["warnings"] == [
        f"{projection} lacks position {position}, run.finished of {run_id}: "
        "version 2 of run.finished was written by newer code"
        for projection in reads_it
    ]
    assert {row["name"]: row["lacking"] for row in ran.data["state"]["projections"] if row["lacking"]} == dict.fromkeys(
        reads_it, 1
    )
    assert gl("ledger", "verify", "--deep").err.startswith("warning: goal_runs lacks position")


def test_verify_deep_exits_6_on_what_was_altered(gl: Cli):
    history(gl)
    tampered(gl, "DELETE FROM stored_events WHERE rowid = 3")

    assert gl.json("ledger", "verify", "--deep").code == 6


@pytest.mark.parametrize("with_", ["--alone", "--partial", "--file=x.ndjson"])
def test_verify_deep_goes_with_no_export(gl: Cli, with_: str):
    history(gl)

    assert gl.json("ledger", "verify", "--deep", with_).error["code"] == "usage"


# --- projection


def test_a_rebuild_gives_the_same_answers_byte_for_byte(gl: Cli):
    goal_id, _ = history(gl)
    before = answers(gl, goal_id)

    rebuilt = gl.json("projection", "rebuild").data

    assert rebuilt["position"] == 12
    assert {row["name"]: row["rows"] for row in rebuilt["projections"]}["goal_definitions"] == 3
    assert answers(gl, goal_id) == before


def test_a_lost_views_file_loses_nothing(gl: Cli):
    goal_id, _ = history(gl)
    before = answers(gl, goal_id)

    for path in gl.db.parent.glob("*.views.db*"):
        path.unlink()

    assert answers(gl, goal_id) == before
    assert gl.views.exists()


def test_views_of_another_or_an_older_ledger_are_noticed(gl: Cli, tmp_path: Path, capsysbinary):
    goal_id, _ = history(gl)
    answers(gl, goal_id)
    shutil.copy(gl.views, tmp_path / "older")
    other = Cli(tmp_path / "other.db", capsysbinary)
    other.goal("Of another ledger")
    other("goal", "list")
    gl.goal("Newer than the copy")
    before = answers(gl, goal_id)

    for strange in (tmp_path / "older", other.views):
        for path in gl.db.parent.glob("ledger.views.db*"):
            path.unlink()
        shutil.copy(strange, gl.views)
        assert answers(gl, goal_id) == before


def test_one_projection_can_be_rebuilt_alone(gl: Cli):
    history(gl)

    (row,) = gl.json("projection", "rebuild", "goal_runs").data["projections"]

    assert (row["name"], row["rows"], row["behind"], row["problems"]) == ("goal_runs", 1, 0, [])
    assert gl("projection", "rebuild", "goal_runs").text.startswith("goal_runs  1 rows")


def test_status_says_how_far_behind_each_stands(gl: Cli):
    history(gl)
    before = {row["name"]: row["behind"] for row in gl.json("projection", "status").data}
    gl("goal", "list")
    after = {row["name"]: row["behind"] for row in gl.json("projection", "status").data}

    assert before["goal_definitions"] == 12 and set(after.values()) == {0}
    assert "goal_definitions" in gl("projection", "status").text


def test_the_read_models_are_listed_without_a_ledger(gl: Cli):
    rows = {row["name"]: row for row in gl.json("projection", "list").data}

    assert {"goal_definitions", "goal_state_events", "goal_runs"} <= rows.keys()
    assert "goal.created" in rows["goal_definitions"]["reads"]
    assert "goal_definitions" in gl("projection", "list").text
    assert not gl.db.exists()


def test_an_event_that_cannot_be_read_is_shown_and_warned_of(gl: Cli):
    goal_id, _ = history(gl)
    tampered(gl, "UPDATE stored_events SET topic = 'goal.teleported' WHERE rowid = 3")

    rows = gl.json("goal", "timeline", goal_id).data
    listed = gl.json("goal", "list").document
    status = gl.json("projection", "status").data

    assert (rows[1]["event"], rows[1]["by"], rows[1]["details"]) == ("goal.teleported", rows[0]["by"], {})
    assert rows[1]["at"] > rows[0]["at"] and rows[1]["occurred_at"] > rows[0]["occurred_at"]
    assert "newer" in rows[1]["problem"]
    assert "cannot be read: " in gl("goal", "timeline", goal_id).text
    assert any("position 3" in warning for warning in listed["warnings"])
    assert status[0]["problems"][0]["position"] == 3
    assert "position 3 not in goal_definitions" in gl("projection", "status").text
    assert "warning: " in gl("goal", "list").err


def test_long_work_shows_a_bar_on_a_terminal_only(gl: Cli):
    history(gl)
    program = str(Path(sys.executable).with_name("goal-ledger"))
    for options, bar in ([], True), (["--json"], False):
        terminal, theirs = os.openpty()
        words = [program, "--db", str(gl.db), "projection", "rebuild", *options]
        ran = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=theirs, timeout=PATIENCE_S, env={**os.environ, "TERM": "xterm"}
        )
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # the end, when the other side is closed
            seen = os.read(terminal, 100_000)
        os.close(terminal)
        assert ran.returncode == 0
        assert (b"folding" in seen) is bar
        assert b"folding" not in ran.stdout


# --- import


def lines(path: Path, *records: dict[str, object] | str) -> str:
    text = "".join((line if isinstance(line, str) else orjson.dumps(line).decode()) + "\n" for line in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def test_an_import_lands_and_repeating_it_adds_nothing(gl: Cli, tmp_path: Path):
    file = lines(tmp_path / "runs.jsonl.gz", RECORD, RECORD | {"run_id": "r-2", "attempt": 2})

    first, again = gl.json("import", "runs", file).data, gl.json("import", "runs", file).data

    assert (first["records"], first["goals"], first["runs"], first["skipped"]) == (2, 1, 2, 0)
    assert first["events"] > 4
    assert (again["events"], again["unchanged"], again["changed"], again["problems"]) == (0, 2, [], [])
    newest = gl.json("run", "list", "--limit", "1").data[0]
    assert (newest["local_outcome"], newest["failure_category"]) == ("failed", "resource_limit")
    assert (newest["started_at"], newest["source_outcome"]) == ("2025-11-09T01:00:00.000000Z", "usage_limits")


def test_a_prefix_makes_another_copy_of_the_same_records(gl: Cli, tmp_path: Path):
    file = lines(tmp_path / "runs.jsonl", RECORD)

    plain = gl.json("import", "runs", file).data
    assert gl.json("import", "runs", file, "--prefix", "copy-2").data == plain
    assert gl.json("import", "runs", file, "--prefix", "copy-2").data["events"] == 0

    assert {row["source"] for row in gl.json("run", "list").data} == {"cron", "copy-2:cron"}
    assert gl.json("import", "runs", file, "--prefix", " ").error["code"] == "bad_prefix"


def test_bad_lines_are_warned_of_one_by_one_up_to_a_limit(gl: Cli, tmp_path: Path):
    file = lines(tmp_path / "runs.jsonl", "not json", RECORD, *["{}"] * 30)

    ran = gl.json("import", "runs", file)

    assert (ran.data["runs"], ran.data["skipped"], len(ran.data["problems"])) == (1, 31, 31)
    assert ran.data["problems"][0].keys() == {"line", "reason"}
    assert len(ran.document["warnings"]) == 21
    assert ran.document["warnings"][0].startswith("line 1: ")
    assert ran.document["warnings"][-1].startswith("11 more")
    assert gl("import", "runs", file).err.startswith("warning: line 1: ")


def test_strict_lands_nothing_when_a_line_is_bad(gl: Cli, tmp_path: Path):
    file = lines(tmp_path / "runs.jsonl", RECORD, "not json")

    ran = gl.json("import", "runs", file, "--strict")

    assert (ran.code, ran.error["code"]) == (2, "bad_lines")
    assert gl.events() == 1


def test_a_record_that_changed_is_named(gl: Cli, tmp_path: Path):
    gl.json("import", "runs", lines(tmp_path / "a.jsonl", RECORD))
    changed = lines(tmp_path / "b.jsonl", RECORD | {"outcome": "partial"})

    ran = gl.json("import", "runs", changed)

    assert (ran.data["events"], ran.data["changed"]) == (0, ["cron:r-1"])
    assert "cron:r-1" in gl("import", "runs", changed).text


LOG = """case_id,activity,ts,team
A1,opened,2026-01-01T00:00:00Z,red
A2,opened,2026-01-02T00:00:00Z,
A1,closed,2026-01-03T00:00:00Z,blue
"""
COLUMNS = ("--case-column", "case_id", "--activity-column", "activity", "--time-column", "ts")


def process_log(path: Path, text: str = LOG) -> str:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def test_a_process_log_lands_and_repeating_it_adds_nothing(gl: Cli, tmp_path: Path):
    file = process_log(tmp_path / "log.csv.gz")

    first = gl.json("import", "events", file, *COLUMNS).data
    again = gl.json("import", "events", file, *COLUMNS).data

    assert first == {"goals": 2, "rows": 3, "events": 5, "skipped": 0, "unchanged": 0, "problems": []}
    assert again == first | {"events": 0, "unchanged": 3}
    one, other = gl.json("goal", "list").data
    assert (one["title"], one["source"], one["status"]) == ("log A1", "imported", other["status"])
    rows = gl.json("goal", "timeline", one["goal_id"]).data
    assert [(row["event"], row["occurred_at"]) for row in rows] == [
        ("goal.created", "2026-01-01T00:00:00.000000Z"),
        ("goal.activity_recorded", "2026-01-01T00:00:00.000000Z"),
        ("goal.activity_recorded", "2026-01-03T00:00:00.000000Z"),
    ]
    assert rows[2]["details"]["activity"] == "closed" and rows[2]["details"]["attributes"] == {"team": "blue"}
    assert "  rows       3\n" in gl("import", "events", file, *COLUMNS).text


def test_a_prefix_keeps_the_cases_of_two_logs_apart(gl: Cli, tmp_path: Path):
    file = process_log(tmp_path / "log.csv")

    gl.json("import", "events", file, *COLUMNS, "--prefix", "north")
    assert gl.json("import", "events", file, *COLUMNS, "--prefix", "south").data["events"] == 5
    assert gl.json("import", "events", file, *COLUMNS, "--prefix", "north").data["events"] == 0

    assert {row["title"] for row in gl.json("goal", "list").data} == {"north A1", "north A2", "south A1", "south A2"}


def test_bad_rows_of_a_process_log_are_warned_of_and_strict_lands_nothing(gl: Cli, tmp_path: Path):
    file = process_log(tmp_path / "log.csv", LOG + "A3,opened,yesterday,red\n,opened,2026-01-01T00:00:00Z,red\n")

    strict = gl.json("import", "events", file, *COLUMNS, "--strict")
    assert (strict.code, strict.error["code"]) == (2, "bad_lines")
    assert gl.events() == 1

    ran = gl.json("import", "events", file, *COLUMNS)
    assert (ran.data["rows"], ran.data["skipped"]) == (3, 2)
    assert [problem["line"] for problem in ran.data["problems"]] == [5, 6]
    assert ran.document["warnings"][0].startswith("line 5: ")


@pytest.mark.parametrize("missing", range(3))
def test_every_column_must_be_named(gl: Cli, tmp_path: Path, missing: int):
    columns = [*COLUMNS[: 2 * missing], *COLUMNS[2 * missing + 2 :]]

    assert gl.json("import", "events", process_log(tmp_path / "log.csv"), *columns).error["code"] == "usage"


def test_a_column_that_is_not_there_is_named_beside_those_that_are(gl: Cli, tmp_path: Path):
    file = process_log(tmp_path / "log.csv")

    ran = gl.json("import", "events", file, *COLUMNS[:4], "--time-column", "when")

    assert (ran.code, ran.error["code"]) == (2, "unknown_column")
    assert "case_id, activity, ts, team" in ran.error["message"]


def test_a_log_that_is_not_there_is_5(gl: Cli):
    assert gl.json("import", "events", "nowhere.csv", *COLUMNS).error["code"] == "no_file"


@pytest.mark.soak
@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not here")
def test_a_real_log_lands_whole_and_once(gl: Cli):
    file = str(DATA / "events_bpic2013_incidents.csv.gz")

    first = gl.json("import", "events", file, *COLUMNS).data
    again = gl.json("import", "events", file, *COLUMNS).data

    assert (first["goals"], first["rows"], first["skipped"]) == (5287, 51931, 0)
    assert (again["events"], again["unchanged"]) == (0, 51931)
