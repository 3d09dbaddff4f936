"""goal-ledger goal."""

import pytest

from goal_ledger.projections.goals.goal_definitions import GoalRow
from tests.cli.running import Cli

CONTRACT = (
    "--description", "at the till", "--type", "initiative", "--priority", "2", "--category", "shop",
    "--task-category", "bug", "--owner", "agent:fixer", "--metric", "error rate < 1%", "--criterion", "on-call agrees",
    "--failure-condition", "revenue falls", "--failure-condition", "a week passes", "--constraint", "no downtime",
    "--cadence", "7d", "--start-condition", "after launch", "--stop-condition", "shop closes",
    "--horizon", "2999-01-01", "--capability", "deploy", "--no-learning", "--value", "0.8", "--effort", "0.5",
    "--risk", "0.3", "--horizon-min", "30", "--horizon-max", "90", "--aligns-with", "belief_1",
    "--contradicts", "belief_2", "--meta", 'team="payments"', "--meta", "retries=3", "--source", "collaborative",
)  # fmt: skip


def test_create_answers_with_the_whole_goal(gl: Cli):
    parent, other = gl.goal("Better shop", "--type", "objective"), gl.goal("First this")

    made = gl.json("goal", "create", "Cut checkout errors", *CONTRACT, "--parent", parent, "--depends-on", other).data

    assert list(made) == list(GoalRow._fields)
    assert made["goal_id"].startswith("goal_")
    assert made | {
        "title": "Cut checkout errors", "status": "planned", "description": "at the till", "goal_type": "initiative",
        "priority": 2, "category": "shop", "task_category": "bug", "owner_agent": "agent:fixer",
        "failure_conditions": ["revenue falls", "a week passes"], "constraints": ["no downtime"],
        "review_cadence": "7d", "start_condition": "after launch", "stop_condition": "shop closes",
        "time_horizon": "2999-01-01T00:00:00.000000Z", "allowed_capabilities": ["deploy"], "learning_required": False,
        "value": 0.8, "effort": 0.5, "risk": 0.3, "horizon_min_minutes": 30, "horizon_max_minutes": 90,
        "aligns_with": ["belief_1"], "contradicts": ["belief_2"], "metadata": {"team": "payments", "retries": 3},
        "source": "collaborative", "parent_goal_id": parent, "dependencies": [other], "created_by": "cli:test",
    } == made  # fmt: skip
    assert [(criterion["text"], criterion["target"]) for criterion in made["criteria"]] == [
        ("error rate < 1%", 1.0),
        ("on-call agrees", None),
    ]


def test_show_and_list_add_what_depends_on_others_and_on_the_time(gl: Cli):
    other = gl.goal("First this")
    goal_id = gl.goal("Then that", "--depends-on", other, "--horizon", "2999-01-01")

    shown = gl.json("goal", "show", goal_id).data

    assert list(shown) == [*GoalRow._fields, "blocked_by", "overdue", "acting", "flags"]
    assert (shown["blocked_by"], shown["overdue"]) == ([other], False)
    assert gl.json("goal", "show", goal_id, "--now", "2999-01-02").data["overdue"] is True
    del shown["flags"]  # they and the progress of other goals than key results are not told in lists
    assert shown | {"progress": None} in gl.json("goal", "list").data


def test_every_verb_moves_a_goal_with_its_reason(gl: Cli):
    goal_id, moved = gl.goal(), {}

    for verb, *options, status in (
        ("ready", "ready"),
        ("activate", "active"),
        ("wait", "waiting"),
        ("retry", "retrying"),
        ("activate", "active"),
        ("block", "blocked"),
        ("unblock", "active"),
        ("checkpoint", "--ref", "step-3", "checkpointed"),
        ("resume", "active"),
        ("complete", "--evidence", "0.7%", "--caveats", "only in Europe", "completed_with_caveats"),
        ("archive", "--cause", "stopped", "archived"),
    ):
        moved = gl.json("goal", verb, goal_id, *options, "--reason", f"because {verb}").data
        assert (moved["status"], moved["status_reason"]) == (status, f"because {verb}")
    assert (moved["evidence"], moved["caveats"], moved["checkpoint_ref"]) == ("0.7%", "only in Europe", "step-3")
    assert gl.json("goal", "fail", gl.active_goal(), "--reason", "gone").data["status"] == "failed"
    assert gl.json("goal", "approve", goal_id).error["code"] == "not_allowed"
    assert gl.json("goal", "reject", goal_id, "--reason", "x").error["code"] == "not_allowed"


def test_repeating_a_move_writes_nothing(gl: Cli):
    goal_id = gl.active_goal()
    before = gl.events()

    assert gl.json("goal", "activate", goal_id).data["status"] == "active"
    assert gl.events() == before


def test_amend_changes_what_is_given_and_nothing_else(gl: Cli):
    goal_id = gl.goal("Cut checkout errors", *CONTRACT)
    (before,) = gl.json("goal", "list").data

    after = gl.json("goal", "amend", goal_id, "--priority", "1", "--learning", "--title", "Cut errors").data

    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"priority", "learning_required", "title", "updated_at", "version", "position"}


def test_amend_takes_values_away_with_an_empty_text(gl: Cli):
    goal_id = gl.goal("Cut checkout errors", *CONTRACT)

    options = ("--owner", "", "--description", "", "--constraint", "", "--cadence", "", "--criterion", "")
    after = gl.json("goal", "amend", goal_id, *options).data

    assert (after["owner_agent"], after["description"], after["review_cadence"]) == (None, "", None)
    assert (after["constraints"], after["criteria"]) == ([], [])
    assert gl.json("goal", "amend", goal_id, "--title", "").error["code"] == "no_title"


def test_amend_needs_a_field(gl: Cli):
    assert gl.json("goal", "amend", gl.goal()).error["code"] == "usage"


def test_the_same_command_id_gives_the_same_answer_and_one_event(gl: Cli):
    wish = ("goal", "create", "Cut checkout errors", "--priority", "2", "--command-id", "c-1")

    first = gl.json(*wish)
    gl.json("goal", "ready", first.data["goal_id"])
    before = gl.events()
    again = gl.json(*wish)

    assert again.out == first.out
    assert gl.events() == before == 3


def test_a_command_id_for_another_wish_is_refused(gl: Cli):
    gl.json("goal", "create", "Cut checkout errors", "--command-id", "c-1")
    before = gl.events()

    ran = gl.json("goal", "create", "Cut other errors", "--command-id", "c-1")

    assert (ran.code, ran.error["code"]) == (3, "command_id_reused")
    assert gl.events() == before


@pytest.mark.parametrize(
    ("options", "occurred_at"),
    [
        (("--occurred-at", "2025-11-09T02:00:00+01:00"), "2025-11-09T01:00:00.000000Z"),
        (("--occurred-at", "2025-11-09"), "2025-11-09T00:00:00.000000Z"),
        (("--now", "2025-11-09T02:00:00Z"), "2025-11-09T02:00:00.000000Z"),
        (("--occurred-at", "unknown"), None),
    ],
)
def test_a_write_says_when_it_was_true(gl: Cli, options: tuple[str, str], occurred_at: str | None):
    goal_id = gl.goal("Old one", *options)

    (event,) = gl.json("goal", "timeline", goal_id).data
    assert event["occurred_at"] == occurred_at
    assert event["at"] > "2025-12"


def test_now_decides_whether_a_deadline_has_passed(gl: Cli):
    late = ("goal", "create", "x", "--horizon", "2025-11-10")

    assert gl.json(*late).error["code"] == "deadline_passed"
    assert gl.json(*late, "--now", "2025-11-09").code == 0


def test_lists_filter(gl: Cli):
    objective = gl.goal("Better shop", "--type", "objective", "--owner", "agent:a")
    child = gl.goal("Part", "--parent", objective)
    active = gl.active_goal()

    def found(*options: str) -> list[str]:
        return [row["goal_id"] for row in gl.json("goal", "list", *options).data]

    assert found() == [objective, child, active]
    assert found("--status", "planned", "--status", "active") == [objective, child, active]
    assert found("--status", "active") == [active]
    assert found("--type", "objective") == found("--owner", "agent:a") == [objective]
    assert found("--parent", objective) == [child]
    assert found("--source", "user") == [objective, child, active]
    assert found("--source", "imported") == []


def test_pages_follow_the_cursor_to_the_end(gl: Cli):
    ids = [gl.goal(f"goal {number}", "--priority", str(1 + number % 3)) for number in range(7)]
    seen: list[str] = []
    cursor: list[str] = []

    while True:
        page = gl.json("goal", "list", "--limit", "3", *cursor).document
        seen += [row["goal_id"] for row in page["data"]]
        if page["next"] is None:
            break
        cursor = ["--after", page["next"]]

    assert seen == [row["goal_id"] for row in gl.json("goal", "list").data]
    assert sorted(seen) == sorted(ids)


def test_lists_filter_by_priority_and_title(gl: Cli):
    urgent = gl.goal("Größe of the TILL", "--priority", "1")
    usual, low = gl.goal("Fix the till"), gl.goal("Paint the door", "--priority", "5")

    def found(*options: str) -> list[str]:
        return [row["goal_id"] for row in gl.json("goal", "list", *options).data]

    assert found("--priority", "1", "--priority", "5") == [urgent, low]
    assert found("--search", "till") == [urgent, usual]
    assert found("--search", "GRÖSSE") == [urgent]
    assert found("--search", "till", "--priority", "3") == [usual]
    assert found("--search", "100%_") == []
    assert gl.json("goal", "list", "--priority", "6").code == 2
    assert "goal-ledger goal list" in gl("goal", "list", "--search", "nothing").err


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sort", ["priority", "newest", "updated"])
@pytest.mark.parametrize("search", [None, "goal"])
def test_every_order_pages_through_everything_once_each(gl: Cli, sort: str, reverse: bool, search: str | None):
    ids = [gl.goal(f"goal {number}", "--priority", str(1 + number % 3)) for number in range(7)]
    for goal_id in (ids[4], ids[1]):
        gl.json("goal", "ready", goal_id)
    options = ["--sort", sort, *(["--reverse"] if reverse else []), *(["--search", search] if search else [])]
    expected = {
        "priority": [ids[at] for at in (0, 3, 6, 1, 4, 2, 5)],
        "newest": ids[::-1],
        "updated": [ids[at] for at in (1, 4, 6, 5, 3, 2, 0)],
    }[sort]
    seen: list[str] = []
    cursor: list[str] = []

    while True:
        page = gl.json("goal", "list", "--limit", "2", *options, *cursor).document
        seen += [row["goal_id"] for row in page["data"]]
        if page["next"] is None:
            break
        cursor = ["--after", page["next"]]

    assert seen == (expected[::-1] if reverse else expected)
    assert [row["goal_id"] for row in gl.json("goal", "list", *options).data] == seen


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("priority", "page two"), ("priority", "3"), ("priority", "3:grun_1"), ("priority", "9" * 30 + ":goal_1"),
        ("newest", "3:goal_1"), ("newest", "12"), ("updated", "goal_1"), ("updated", "9" * 30),
    ],
)  # fmt: skip
def test_a_cursor_of_nowhere_is_refused(gl: Cli, sort: str, cursor: str):
    gl.goal()

    ran = gl.json("goal", "list", "--sort", sort, "--after", cursor)

    assert (ran.code, ran.error["code"]) == (2, "bad_cursor")
    assert "next" in ran.error["hint"]


def test_people_see_a_first_page_and_programs_everything(gl: Cli):
    for number in range(52):
        gl.goal(f"goal {number}")

    ran = gl("goal", "list")

    assert len(ran.text.splitlines()) == 51
    assert ran.err.startswith("50 shown; for more add: --after 3:goal_")
    assert len(gl("goal", "list", *ran.err.split()[-2:]).text.splitlines()) == 3
    assert len(gl.json("goal", "list").data) == 52


def test_the_tree_holds_children_inside_their_parents(gl: Cli):
    top = gl.goal("Better shop", "--type", "objective")
    middle = gl.goal("Error rate below 1%", "--type", "key_result", "--parent", top, "--baseline", "5", "--target", "1")
    leaf, alone = gl.goal("Fix the till", "--parent", middle), gl.goal("Alone")

    first, second = gl.json("goal", "tree").data

    assert (first["goal_id"], second["goal_id"]) == (top, alone)
    assert first["children"][0]["children"][0]["goal_id"] == leaf
    assert gl.json("goal", "tree", middle).data == first["children"]
    drawn = gl("goal", "tree").text.splitlines()
    assert drawn[0] == f"Better shop (objective, planned) 0% {top}"
    assert drawn[1].startswith("└── Error rate below 1% (key_result, planned) 0%")


def test_the_timeline_tells_the_goal_and_its_runs(gl: Cli):
    goal_id, run_id = gl.started_run()
    gl.json("run", "act", run_id, "deploy", "--failed", "--attr", "host=7")
    gl.json("goal", "amend", goal_id, "--priority", "1", "--reason", "urgent")

    rows = gl.json("goal", "timeline", goal_id).data

    assert [(row["event"], row["from"], row["to"]) for row in rows] == [
        ("goal.created", None, "planned"),
        ("goal.readied", "planned", "ready"),
        ("goal.activated", "ready", "active"),
        ("goal.run_dispatched", None, None),
        ("run.started", None, None),
        ("run.action_taken", None, None),
        ("goal.amended", None, None),
    ]
    assert [row["position"] for row in rows] == list(range(2, 9))
    assert {row["by"] for row in rows} == {"cli:test"}
    assert [(row["run_id"], row["attempt"]) for row in rows[2:]] == [(None, None), *[(run_id, 1)] * 3, (None, None)]
    assert rows[5]["details"] == {"action": "deploy", "ok": False, "attributes": {"host": 7}}
    assert rows[6]["details"] == {"changes": {"priority": 1}, "was": {"priority": 3}}
    assert rows[6]["reason"] == "urgent"
    assert (rows[4]["stream"], rows[4]["version"]) == (run_id, 1)


def test_the_timeline_of_a_whole_contract_is_told_in_json_and_in_words(gl: Cli):
    goal_id = gl.goal("Cut checkout errors", *CONTRACT)
    gl.json("goal", "amend", goal_id, "--metric", "error rate < 2%", "--owner", "")

    made, amended = gl.json("goal", "timeline", goal_id).data
    assert [criterion["text"] for criterion in made["details"]["criteria"]] == ["error rate < 1%", "on-call agrees"]
    assert amended["details"]["changes"]["criteria"][0]["target"] == 2.0
    words = " ".join(gl("goal", "timeline", goal_id).text.split())
    assert "criteria: error rate < 1%, on-call agrees" in words
    assert "error rate < 1%, on-call agrees → error rate < 2%" in words
    assert "owner_agent: agent:fixer → none" in words
    assert 'metadata {"team":"payments","retries":3}' in " ".join(gl("goal", "show", goal_id).text.split())


def test_the_timeline_for_people_shows_what_changed(gl: Cli):
    goal_id = gl.goal("Cut checkout errors", "--occurred-at", "2025-11-09T02:00:00Z")
    gl("goal", "amend", goal_id, "--priority", "1", "--reason", "urgent", "--occurred-at", "unknown")

    text = gl("goal", "timeline", goal_id).text

    assert "   2  2025-11-09T02:00:00Z  goal.created  planned\n      cli:test · recorded 20" in text
    assert "   3  unknown               goal.amended\n      cli:test · " in text
    assert "priority: 3 → 1" in text


def test_the_last_task_completes_the_goal_above_and_says_why(gl: Cli):
    above = gl.active_goal()
    tasks = [gl.active_goal("--parent", above) for _ in range(2)]
    for task in tasks:
        assert gl.json("goal", "show", above).data["status"] == "active"
        assert gl.json("goal", "complete", task).data["goal_id"] == task

    row = gl.json("goal", "show", above).data
    assert (row["status"], row["status_reason"], row["progress"]) == ("completed", "all_tasks_complete", 1.0)
    own, followed = gl.json("goal", "timeline", tasks[-1]).data[-1], gl.json("goal", "timeline", above).data[-1]
    assert (followed["event"], followed["cause"]) == ("goal.completed", own["position"])
    assert "all_tasks_complete" in gl("goal", "timeline", above).text


def test_a_confirmation_names_the_goal_and_its_new_status(gl: Cli):
    goal_id = gl.goal()

    assert gl("goal", "ready", goal_id).text == f"{goal_id}  ready  Cut checkout errors\n"


def test_an_empty_list_says_so_and_what_to_do(gl: Cli):
    goal_id = gl.goal()
    gl.json("goal", "archive", goal_id)

    nothing = gl("goal", "list", "--status", "active")
    no_runs = gl("run", "list")

    assert (nothing.out, nothing.err) == (b"", "No goal matches; see all: goal-ledger goal list\n")
    assert (no_runs.out, no_runs.err) == (b"", "No runs yet; start one: goal-ledger run start GOAL\n")
    assert gl.json("run", "list").document == {
        "version": 1, "status": "ok", "data": [], "next": None, "warnings": [],
    }  # fmt: skip


def test_similar_goals_are_shown_with_their_scores_and_nothing_is_written(gl: Cli):
    backup, other = gl.goal("Backup times out"), gl.goal("Fix the backup that times out")
    done = gl.goal("Backup timed out")
    gl.json("goal", "archive", done)
    events = gl.events()

    assert [row["goal_id"] for row in gl.json("goal", "similar", "backup times out").data] == [backup, other]
    [row] = gl.json("goal", "similar", backup, "--limit", "1").data
    assert (row["goal_id"], row["title"], row["status"]) == (other, "Fix the backup that times out", "planned")
    assert gl("goal", "similar", "backup times out").text.splitlines()[1].split()[:3] == [backup, "1.00", "planned"]
    assert done in {row["goal_id"] for row in gl.json("goal", "similar", backup, "--all").data}
    assert gl.json("goal", "similar", "backup", "--as-of", "1").data == []
    assert gl.events() == events

    assert gl("goal", "similar", "zzz").err.startswith("No goal has anything in common")
    assert gl.json("goal", "similar", " ").error["code"] == "no_text"
    assert gl.json("goal", "similar", "goal_nope").error["code"] == "unknown_goal"
    assert gl.json("goal", "similar", "backup", "--limit", "0").error["code"] == "usage"
