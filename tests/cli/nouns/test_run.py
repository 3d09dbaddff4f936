"""goal-ledger run."""

import pytest

from goal_ledger.projections.runs.goal_runs import RunRow
from tests.cli.running import Cli


def test_a_run_from_start_to_outcome(gl: Cli):
    goal_id = gl.active_goal()
    started = gl.json(
        "run", "start", goal_id, "--agent", "bot", "--job", "j-1", "--plan", "try it", "--metric", "errors=3",
        "--metric", "rate=0.7", "--occurred-at", "2025-11-09T01:00:00Z",
    ).data  # fmt: skip
    run_id = started["run_id"]
    assert list(started) == list(RunRow._fields)
    assert (started["status"], started["attempt"], started["metrics_before"]) == (
        "running", 1, {"errors": 3, "rate": 0.7},
    )  # fmt: skip

    for *words, field, value in (
        ("act", "deploy", "--type", "shell", "--ok", "--detail", "fine", "actions_taken", ["deploy"]),
        ("heartbeat", "--note", "half", "status", "running"),
        ("checkpoint", "s3://part-3", "checkpoint_ref", "s3://part-3"),
        ("resume", "status", "running"),
        ("verify", "passed", "--verifier", "tests", "--score", "0.98", "verifier_status", "passed"),
        ("cost", "--usd", "0.10", "--tokens-in", "1200", "--model", "m", "cost_usd", "0.10"),
        ("cost", "--usd", "0.032", "--tokens-out", "90", "cost_usd", "0.132"),
        ("finish", "--outcome", "succeeded", "--duration", "312.5", "--metric", "errors=0", "duration_seconds", 312.5),
        ("outcome", "improved", "--source", "billing", "--external-id", "i-7", "business_outcome", "improved"),
    ):
        verb, *rest = words
        assert gl.json("run", verb, run_id, *rest).data[field] == value

    shown = gl.json("run", "show", run_id).data
    assert (shown["local_outcome"], shown["tokens_in"], shown["tokens_out"]) == ("succeeded", 1200, 90)
    assert shown["started_at"] == "2025-11-09T01:00:00.000000Z"
    assert gl.json("run", "list").data == [shown]


def test_a_failed_run_needs_a_category_and_keeps_it(gl: Cli):
    _, run_id = gl.started_run()

    assert gl.json("run", "finish", run_id, "--outcome", "failed").error["code"] == "no_failure_category"
    finished = gl("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error", "--detail", "quota")

    assert finished.text == f"{run_id}  finished  attempt 1  failed (tool_error)\n"
    assert gl.json("run", "show", run_id).data["detail"] == "quota"


def test_overlap_is_refused_unless_allowed(gl: Cli):
    goal_id, run_id = gl.started_run()

    refused = gl.json("run", "start", goal_id)

    assert (refused.code, refused.error["code"]) == (3, "run_overlap")
    assert run_id in refused.error["hint"]
    assert gl.json("run", "start", goal_id, "--allow-overlap").data["attempt"] == 2
    assert gl.json("run", "interrupt", run_id, "--reason", "worker lost").data["status"] == "interrupted"


def test_repeating_a_start_with_its_command_id_starts_one_run(gl: Cli):
    wish = ("run", "start", gl.active_goal(), "--agent", "bot", "--command-id", "r-1")

    assert gl.json(*wish).out == gl.json(*wish).out
    assert len(gl.json("run", "list").data) == 1


@pytest.mark.parametrize("usd", ["NaN", "Infinity", "-1"])
def test_a_bill_that_is_no_amount_is_refused(gl: Cli, usd: str):
    _, run_id = gl.started_run()
    before = gl.events()

    assert gl.json("run", "cost", run_id, "--usd", usd).code == 2
    assert gl.events() == before


def test_lists_filter_and_follow_the_cursor(gl: Cli):
    goal_id, first = gl.started_run()
    gl.json("run", "finish", first, "--outcome", "succeeded")
    ids = [first]
    for agent in ("ana", "ben", "ana"):
        ids.append(gl.json("run", "start", goal_id, "--agent", agent, "--allow-overlap").data["run_id"])

    def found(*options: str) -> list[str]:
        return [row["run_id"] for row in gl.json("run", "list", *options).data]

    assert found() == ids[::-1]
    assert found("--agent", "ana") == [ids[3], ids[1]]
    assert found("--outcome", "succeeded") == found("--status", "finished") == [first]
    assert found("--goal", goal_id) == ids[::-1]
    page = gl.json("run", "list", "--limit", "3").document
    assert [row["run_id"] for row in page["data"]] == ids[:0:-1]
    assert found("--after", page["next"]) == [first]


def test_people_see_the_run_and_its_details(gl: Cli):
    goal_id, run_id = gl.started_run()

    text = gl("run", "show", run_id).text

    assert text.startswith(f"{run_id}  running  attempt 1\n")
    assert f"  goal id           {goal_id}\n" in text
    assert "duration" not in text
    assert gl("run", "list").text.splitlines()[1].split() == [run_id, "1", "running"]
