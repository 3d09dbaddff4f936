"""goal-ledger import analytics and crm, and run outcomes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Cli
from tests.serving import Server

REPLIES: dict[str, Any] = {"id": "7", "metric": "reply_rate", "before": 0.12, "after": 0.08, "at": "2026-03-09"}


@pytest.fixture
def run_id(gl: Cli) -> str:
    goal_id = gl.json("goal", "create", "Write to those who left", "--task-category", "outreach").data["goal_id"]
    gl.json("goal", "ready", goal_id)
    run_id: str = gl.json("run", "start", goal_id, "--occurred-at", "2026-03-07").data["run_id"]
    gl.json("run", "finish", run_id, "--outcome", "succeeded", "--occurred-at", "2026-03-08")
    return run_id


def stats(folder: Path, *records: Any) -> str:
    path = folder / "stats.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def test_pipeline_statistics_say_what_outreach_was_worth(gl: Cli, run_id: str, tmp_path: Path):
    file = stats(tmp_path, REPLIES, REPLIES | {"id": "8", "run_id": "grun_none"})

    ran = gl.json("import", "crm", file)

    assert (ran.data["outcomes"], ran.data["problems"][0]["code"]) == (1, "unknown_run")
    assert ran.document["warnings"][0].startswith("record 2: unknown_run: ")
    assert gl.json("import", "crm", file).data["outcomes"] == 0
    assert gl.json("run", "show", run_id).data["business_outcome"] == "degraded"
    again = gl("import", "crm", file)
    assert "unchanged  1" in again.text and again.err.startswith("warning: record 2: ")


def test_what_a_run_was_worth_is_listed_word_by_word(gl: Cli, run_id: str, tmp_path: Path):
    gl.json("import", "crm", stats(tmp_path, REPLIES, REPLIES | {"revision": 2, "after": 0.2}))
    goal_id = gl.json("run", "show", run_id).data["goal_id"]

    rows = gl.json("run", "outcomes", run_id).data

    assert [(row["external_id"], row["business_outcome"]) for row in rows] == [("7@2", "improved"), ("7", "degraded")]
    assert gl.json("run", "outcomes", "--goal", goal_id, "--source", "crm").data == rows
    assert "(-33.3%)" in gl("run", "outcomes", run_id).text
    first = gl.json("run", "outcomes", "--limit", "1")
    assert first.data == rows[:1]
    assert gl.json("run", "outcomes", "--after", first.document["next"]).data == rows[1:]
    assert gl.json("run", "outcomes", "--as-of", str(rows[1]["position"])).data == rows[1:]
    assert gl.json("run", "outcomes", "--source", "billing").data == []
    assert "Nobody said" in gl("run", "outcomes", "--source", "billing").err
    assert gl.json("run", "outcomes", "--after", "x").error["code"] == "bad_cursor"
    assert gl.json("run", "outcomes", "grun_none").error["code"] == "unknown_run"


def test_options_say_which_runs_are_meant_and_what_should_fall(gl: Cli, run_id: str, tmp_path: Path):
    goal_id = gl.json("run", "show", run_id).data["goal_id"]
    churn = {"metric": "churn", "before": 4, "after": 2, "at": "2026-03-09", "campaign": "spring"}
    file = stats(tmp_path, churn | {"id": "1"})

    ran = gl.json(
        "import", "crm", file, "--campaign", f"spring={goal_id}", "--lower-is-better", "churn", "--rule", "all"
    )

    assert ran.data["outcomes"] == 1
    assert gl.json("run", "show", run_id).data["business_outcome"] == "improved"
    file = stats(tmp_path, {"metric": "churn", "before": 2, "after": 4, "at": "2026-03-09"})
    assert gl.json("import", "analytics", file, "--run", run_id, "--source", "board").data["source"] == "board"
    assert gl.json("import", "analytics", file, "--goal", goal_id, "--strict").data["outcomes"] == 1
    assert gl.json("import", "analytics", file, "--strict").error["code"] == "bad_lines"
    assert gl.json("import", "crm", file, "--rule", "some").code == 2


def test_events_are_counted_as_the_options_say(gl: Cli, run_id: str, tmp_path: Path):
    goal_id = gl.json("run", "show", run_id).data["goal_id"]
    days = (("ana", 5), ("ana", 6), ("ben", 7), ("cyd", 7), ("ana", 8), ("ana", 9))
    events = [
        {"event": "activated", "distinct_id": who, "timestamp": f"2026-03-{day:02}T10:00:00Z"} for who, day in days
    ]
    file = stats(tmp_path, *events)

    assert gl.json("import", "analytics", file, "--goal", goal_id).error["code"] == "no_event"
    ran = gl.json("import", "analytics", file, "--event", "activated", "--window", "1", "--goal", goal_id)
    assert (ran.data["records"], ran.data["baselines"], ran.data["outcomes"]) == (4, 1, 2)
    [last, *_] = gl.json("run", "outcomes", run_id).data
    assert last["detail"] == "people who did activated in 1 day: 2 to 1 (-50.0%); threshold 0.05"


def test_a_funnel_without_a_time_needs_one(gl: Cli, run_id: str, tmp_path: Path):
    steps = [{"name": "seen", "order": 0, "count": 4}, {"name": "done", "order": 1, "count": 1}]
    file = stats(tmp_path, steps)

    assert gl.json("import", "analytics", file, "--run", run_id).data["skipped"] == 1
    assert gl.json("import", "analytics", file, "--run", run_id, "--at", "2026-03-09").data["baselines"] == 1


@pytest.mark.parametrize("verb", ["analytics", "crm"])
def test_the_key_of_the_environment_is_told_to_nobody(gl: Cli, run_id: str, verb: str, monkeypatch):
    monkeypatch.setenv("POSTHOG_API_KEY", "phx_secret")
    monkeypatch.setenv("CRM_API_KEY", "phx_secret")
    server = Server()
    server.answers = [(403, {}, b"phx_secret")]

    ran = gl("import", verb, f"{server.url}/stats?key=phx_secret")
    server.close()

    assert (ran.code, ran.out) == (1, b"")
    assert "wants a key (403)" in ran.err and "phx_secret" not in ran.err
    assert gl.json("import", verb, "http://crm.example/").error["code"] == "bad_url"
    assert gl.json("import", verb, "none.json").error["code"] == "no_file"
