"""goal-ledger next, and runs that are leased, taken over and queued."""

from goal_ledger.projections.runs.goal_runs import RunRow
from tests.cli.running import Cli


def ready(gl: Cli, title: str, *options: str) -> str:
    goal_id = gl.goal(title, *options)
    assert gl.json("goal", "ready", goal_id).code == 0
    return goal_id


def test_next_shows_the_choice_and_writes_nothing(gl: Cli):
    ready(gl, "Later", "--priority", "4")
    first = ready(gl, "Sooner", "--priority", "1")
    before = gl.events()

    shown = gl.json("next").data

    assert (shown["goal_id"], shown["eligible"], shown["why"]) == (
        first, True, "priority 1, advances no active key result, worth 0.487",
    )  # fmt: skip
    assert gl("next").text == f"{first}  Sooner\n  priority 1, advances no active key result, worth 0.487\n"
    assert gl.events() == before


def test_explain_lists_every_open_goal_and_why_not(gl: Cli):
    planned, first = gl.goal("Planned"), ready(gl, "Ready")
    done = ready(gl, "Done")
    for verb in ("activate", "complete"):
        gl.json("goal", verb, done)

    rows = gl.json("next", "--explain").data

    assert [(row["goal_id"], row["eligible"], row["why"]) for row in rows] == [
        (first, True, "priority 3, advances no active key result, worth 0.487"),
        (planned, False, "is planned"),
    ]
    lines = gl("next", "--explain").text.splitlines()
    assert lines[0].split() == ["goal", "score", "title", "why"]
    assert lines[-1].split() == [planned, "Planned", "is", "planned"]


def test_a_claim_answers_with_the_run_and_then_with_nothing(gl: Cli):
    goal_id = ready(gl, "Only one")

    run = gl.json("next", "--claim", "--lease", "300", "--reason", "idle").data

    assert list(run) == list(RunRow._fields)
    assert (run["goal_id"], run["status"], run["agent"], run["lease_s"]) == (goal_id, "running", "cli:test", 300.0)
    nothing = gl.json("next", "--claim")
    assert (nothing.code, nothing.data) == (0, None)
    for options in ((), ("--claim",)):
        said = gl("next", *options)
        assert (said.code, said.out, said.err) == (
            0, b"", "Nothing to do now; see why: goal-ledger next --explain\n",
        )  # fmt: skip
    assert gl.json("goal", "timeline", goal_id).data[-2]["details"]["receipt"]["policy"] == "router@3"
    assert "receipt: router@3, from 1" in gl("goal", "timeline", goal_id).text


def test_a_claim_is_for_the_agent_that_is_named(gl: Cli):
    goal_id = ready(gl, "Only one")
    claimed = gl("next", "--claim", "--agent", "agent:b")
    [run] = gl.json("run", "list").data
    assert claimed.text == f"{run['run_id']}  running  attempt 1\n  for {goal_id}\n"
    assert run["agent"] == "agent:b"


def test_options_that_exclude_each_other_are_refused(gl: Cli):
    ready(gl, "Only one")
    before = gl.events()
    for options in (("--claim", "--explain"), ("--lease", "5"), ("--agent", "a", "--explain")):
        assert gl.json("next", *options).code == 2
    assert gl.json("next", "--claim", "--lease", "0").error["code"] == "invalid_value"
    assert gl.events() == before


def test_next_is_asked_as_of_another_time(gl: Cli):
    goal_id = ready(gl, "Flaky", "--max-attempts", "3")
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")

    assert gl.json("next").data is None
    assert gl.json("next", "--now", "2100-01-01").data["goal_id"] == goal_id


def test_a_run_is_taken_over_and_its_worker_is_told(gl: Cli):
    goal_id = gl.active_goal()
    run_id = gl.json("run", "start", goal_id, "--lease", "60").data["run_id"]
    assert gl.json("run", "take-over", run_id).error["code"] == "no_reason"

    new = gl.json("run", "take-over", goal_id, "--agent", "b", "--lease", "30", "--reason", "silent").data

    assert (new["takes_over"], new["attempt"], new["lease_s"]) == (run_id, 2, 30.0)
    refused = gl.json("run", "finish", run_id, "--outcome", "succeeded")
    assert (refused.code, refused.error["code"]) == (3, "lease_lost")
    assert new["run_id"] in refused.error["message"]


def test_a_worker_that_fell_silent_is_seen_and_a_claim_goes_on_without_it(gl: Cli):
    goal_id = ready(gl, "Only one")
    long_ago = ("--occurred-at", "2026-01-01T00:00:00Z")
    run_id = gl.json("next", "--claim", "--lease", "60", *long_ago).data["run_id"]
    warning = f"the lease of {run_id} was over at 2026-01-01T00:01:00.000000Z; to free what it holds: goal-ledger tick"
    for looking in (("next",), ("next", "--explain"), ("run", "list")):
        assert warning in gl.json(*looking).document["warnings"]
        assert f"warning: {warning}" in gl(*looking).err.splitlines()
    assert gl.json("run", "list", "--as-of", "1").document["warnings"] == []
    [finding] = [one for one in gl.json("doctor").data["findings"] if one["check"] == "leases"]
    assert (finding["level"], finding["says"]) == (
        "warning", "still running after their lease: 1, the first since 2026-01-01T00:01:00.000000Z",
    )  # fmt: skip
    assert gl.json("next", "--claim").data["goal_id"] == goal_id
    assert gl.json("run", "list").document["warnings"] == []


def test_a_heartbeat_early_in_the_lease_writes_nothing(gl: Cli):
    run_id = gl.json("run", "start", gl.active_goal(), "--lease", "3600").data["run_id"]
    before = gl.events()
    assert gl.json("run", "heartbeat", run_id).code == 0
    assert gl.events() == before
    assert gl.json("run", "heartbeat", run_id, "--lease", "7200").data["lease_s"] == 7200.0


def test_a_queued_run_is_listed_and_claimed_in_its_turn(gl: Cli):
    goal_id = gl.active_goal("--overlap", "enqueue")
    first = gl.json("run", "start", goal_id).data["run_id"]
    second = gl.json("run", "start", goal_id).data
    assert second["status"] == "queued"
    assert [row["run_id"] for row in gl.json("run", "list", "--status", "queued").data] == [second["run_id"]]
    gl.json("run", "finish", first, "--outcome", "succeeded")
    assert gl.json("next", "--claim").data["run_id"] == second["run_id"]


def test_the_rules_for_runs_refuse_in_the_terminal(gl: Cli):
    goal_id = gl.active_goal("--max-attempts", "1", "--capability", "http")
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    assert gl.json("run", "act", run_id, "rm", "--type", "shell").error["code"] == "policy_block"
    gl.json("run", "finish", run_id, "--outcome", "succeeded")
    refused = gl.json("run", "start", goal_id)
    assert (refused.code, refused.error["code"]) == (3, "no_attempts_left")
    assert refused.error["hint"] == f"goal-ledger goal amend {goal_id} --max-attempts 2"
