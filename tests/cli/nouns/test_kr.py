"""goal-ledger kr, and the progress of goals."""

import pytest

from goal_ledger.ledger import Ledger
from tests.cli.running import Cli


def key_result(gl: Cli, *options: str, title: str = "Interpreter accuracy", above: str | None = None) -> str:
    above = above or gl.goal("Improve agent reliability", "--type", "objective")
    return gl.goal(title, "--type", "key_result", "--parent", above, *options)


UP = ("--baseline", "80", "--target", "95", "--unit", "%")


def test_a_hierarchy_shows_the_progress_of_each_node(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    objective = gl.goal("Improve agent reliability", "--type", "objective")
    accuracy = key_result(gl, *UP, title="95% interpreter accuracy", above=objective)
    actions = key_result(gl, "--baseline", "10", "--target", "2", "--unit", "%", title="< 2% false", above=objective)
    verified = key_result(
        gl, "--baseline", "50", "--target", "90", "--unit", "%", title="90% verified", above=objective
    )
    initiative = gl.goal("Build the harness", "--type", "initiative", "--parent", accuracy)
    suite = gl.goal("Add the paraphrase suite", "--parent", initiative)
    nightly = gl.goal("Run it nightly", "--parent", initiative, "--depends-on", suite)

    for goal_id, value in ((accuracy, "87.5"), (actions, "6"), (verified, "90")):
        assert gl.json("kr", "record", goal_id, value).code == 0
    for verb in ("ready", "activate", "complete"):
        assert gl.json("goal", verb, suite).code == 0

    (top,) = gl.json("goal", "tree").data
    told = {top["goal_id"]: top["progress"]}
    for below in top["children"]:
        told[below["goal_id"]] = below["progress"]
    assert told == {objective: pytest.approx(2 / 3), accuracy: 0.5, actions: 0.5, verified: 1.0}
    (below,) = top["children"][0]["children"]
    assert (below["goal_id"], below["progress"], below["flags"]) == (initiative, 0.5, [])
    assert {child["goal_id"]: child["progress"] for child in below["children"]} == {suite: 1.0, nightly: 0.0}

    monkeypatch.setenv("COLUMNS", "160")
    drawn = gl("goal", "tree").text
    assert f"Improve agent reliability (objective, planned) 67% {objective}" in drawn
    for line in (f"planned) 50% {actions}", f"planned) 100% {verified}", f"planned) 50% {initiative}"):
        assert line in drawn
    assert gl.json("goal", "show", objective).data["progress"] == pytest.approx(2 / 3)
    assert "67%" in gl("goal", "show", objective).text


def test_a_key_result_needs_a_target_and_an_objective(gl: Cli):
    objective = gl.goal("Improve agent reliability", "--type", "objective")
    before = gl.events()
    assert gl.json("goal", "create", "A", "--type", "key_result", "--target", "1").error["code"] == "wrong_parent"
    refused = gl.json("goal", "create", "A", "--type", "key_result", "--parent", objective)
    assert (refused.code, refused.error["code"]) == (3, "no_target")
    assert "--target" in refused.error["hint"]
    assert gl.events() == before


def test_record_answers_with_where_the_key_result_stands(gl: Cli):
    goal_id = key_result(gl, *UP)
    told = gl.json("kr", "record", goal_id, "87.5", "--note", "suite", "--at", "2026-02-24T09:00:00Z").data
    assert told.items() >= {
        "goal_id": goal_id, "baseline": 80.0, "current": 87.5, "target": 95.0, "unit": "%", "progress": 0.5,
        "measured_at": "2026-02-24T09:00:00.000000Z",
    }.items()  # fmt: skip
    assert gl("kr", "record", goal_id, "95").text == f"{goal_id}  95%  100%\n"
    assert gl.json("ledger", "when", "goal.current >= 95").data["row"]["goal_id"] == goal_id


def test_a_value_may_be_negative(gl: Cli):
    goal_id = key_result(gl, "--baseline", "-10", "--target", "0")
    assert gl.json("kr", "record", goal_id, "-5").data["progress"] == 0.5


@pytest.mark.parametrize(("value", "code"), [("nan", "invalid_value"), ("inf", "invalid_value"), ("much", "usage")])
def test_what_is_no_number_is_refused(gl: Cli, value: str, code: str):
    goal_id = key_result(gl, *UP)
    before = gl.events()
    assert gl.json("kr", "record", goal_id, value).error["code"] == code
    assert gl.events() == before


def test_only_a_key_result_is_recorded_and_shown(gl: Cli):
    goal_id = gl.goal()
    assert gl.json("kr", "record", goal_id, "1").error["code"] == "not_a_key_result"
    for verb in ("show", "history"):
        assert gl.json("kr", verb, goal_id).error["code"] == "not_a_key_result"


def test_an_archived_key_result_takes_no_values(gl: Cli):
    goal_id = key_result(gl, *UP)
    gl.json("goal", "archive", goal_id)
    assert gl.json("kr", "record", goal_id, "1").error["code"] == "archived"


def test_the_time_of_a_value_is_said_once(gl: Cli):
    goal_id, day = key_result(gl, *UP), "2026-02-24"
    assert gl.json("kr", "record", goal_id, "1", "--at", day, "--occurred-at", day).error["code"] == "usage"


def test_a_first_value_beyond_the_target_is_pointed_out(gl: Cli):
    goal_id = key_result(gl, "--target", "95")
    (warning,) = gl.json("kr", "record", goal_id, "97").document["warnings"]
    assert "less is better" in warning and "--baseline" in warning
    assert gl.json("kr", "record", goal_id, "96").document["warnings"] == []


def test_show_list_and_history_tell_what_was_measured(gl: Cli):
    goal_id = key_result(gl, *UP)
    other = key_result(gl, *UP, title="Another")
    gl.json("kr", "record", goal_id, "83", "--note", "first")
    gl.json("kr", "record", goal_id, "95")

    shown = gl.json("kr", "show", goal_id).data
    assert [(row["value"], row["progress"], row["note"]) for row in shown["history"]] == [
        (83, 0.2, "first"),
        (95, 1, None),
    ]
    assert gl.json("kr", "history", goal_id).data == shown["history"]
    assert gl.json("kr", "history", goal_id, "--limit", "1").data == shown["history"][:1]
    after = gl.json("kr", "history", goal_id, "--limit", "1").document["next"]
    assert gl.json("kr", "history", goal_id, "--after", after).data == shown["history"][1:]
    objective = gl.json("goal", "show", goal_id).data["parent_goal_id"]
    assert [row["goal_id"] for row in gl.json("kr", "list").data] == [goal_id, other]
    assert [row["goal_id"] for row in gl.json("kr", "list", "--objective", objective).data] == [goal_id]
    page = gl.json("kr", "list", "--limit", "1").document
    assert [row["goal_id"] for row in gl.json("kr", "list", "--after", page["next"]).data] == [other]
    position = str(shown["history"][0]["position"])
    assert gl.json("kr", "show", goal_id, "--as-of", position).data["current"] == 83
    for verb in (("show", goal_id), ("history", goal_id), ("list",)):
        assert "95%" in gl("kr", *verb).text
    assert gl("kr", "history", other).err.startswith("Nothing measured yet")
    for verb in (("history", goal_id), ("list",)):
        assert gl.json("kr", *verb, "--after", "nowhere").error["code"] == "bad_cursor"


def test_an_initiative_that_serves_no_key_result_is_pointed_out(gl: Cli):
    words = "no key result stands above"
    made = gl.json("goal", "create", "Alone", "--type", "initiative").document
    assert words in made["warnings"][0]
    assert gl.json("goal", "show", made["data"]["goal_id"]).data["flags"] == ["no_key_result"]
    assert "no_key_result" in gl("goal", "tree").text
    measured = key_result(gl, *UP)
    assert gl.json("goal", "create", "B", "--type", "initiative", "--parent", measured).document["warnings"] == []
    assert gl.json("goal", "create", "A task of nobody").document["warnings"] == []


def test_a_goal_has_one_owner_and_another_one_is_an_event(gl: Cli):
    before = gl.events() if gl.db.exists() else 0
    refused = gl.json("goal", "create", "A", "--owner", "agent:a", "--owner", "agent:b")
    assert (refused.code, refused.error["code"]) == (2, "usage")
    assert "one owner" in refused.error["message"]
    assert before == 0 and not gl.db.exists()
    goal_id = gl.goal("A", "--owner", "agent:a")
    assert gl.json("goal", "amend", goal_id, "--owner", "agent:b").data["owner_agent"] == "agent:b"
    last = gl.json("goal", "timeline", goal_id).data[-1]
    assert (last["event"], last["details"]["was"]) == ("goal.amended", {"owner_agent": "agent:a"})
    assert gl.json("goal", "amend", goal_id, "--owner", "a", "--owner", "b").error["code"] == "usage"


def test_a_maintenance_goal_completes_its_occurrences_one_by_one(gl: Cli):
    from datetime import UTC, datetime

    from goal_ledger.ledger.goals.cadence import due_occurrences

    goal_id = gl.goal("Sweep", "--type", "maintenance", "--cadence", "1s")
    for verb in ("ready", "activate"):
        gl.json("goal", verb, goal_id, "--occurred-at", "2026-02-24T09:00:00Z")
    refused = gl.json("goal", "complete", goal_id)
    assert (refused.code, refused.error["code"]) == (3, "no_occurrence")
    with Ledger.open(gl.db) as ledger:
        due_occurrences(ledger, datetime(2026, 2, 24, 9, 0, 5, tzinfo=UTC))
    assert gl.json("goal", "show", goal_id).data["open_occurrences"] == ["2026-02-24T09:00:05.000000Z"]
    done = gl.json("goal", "complete", goal_id, "--evidence", "swept").data
    assert (done["status"], done["open_occurrences"]) == ("active", [])
    assert [row["event"] for row in gl.json("goal", "timeline", goal_id).data[-2:]] == [
        "goal.occurrence_due", "goal.occurrence_completed"
    ]  # fmt: skip
