"""goal-ledger learn."""

from pathlib import Path

import pytest

from goal_ledger.projections.learning.failure_groups import FailureGroup
from goal_ledger.projections.learning.learning_cycle_reports import CycleRow
from goal_ledger.projections.learning.success_rates import WeekRow
from tests.cli.running import Cli

NOW = "2026-02-25T09:00:00Z"
NOBODY = "cycle_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
LINE = (
    '{{"source": "elsewhere", "task_id": "t", "run_id": "{0}", "category": "backup", "agent": "bot", "outcome": '
    '"failure", "failure_category": "wrong_result", "started_at": "2026-02-2{0}T08:00:00Z", '
    '"finished_at": "2026-02-2{0}T09:00:00Z"}}'
)


@pytest.fixture
def week(gl: Cli, tmp_path: Path) -> Cli:
    """A ledger with a week of failures from elsewhere."""
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(LINE.format(day) for day in range(3)), encoding="utf-8")
    assert gl.json("import", "runs", str(path)).code == 0
    return gl


def test_learn_tells_what_a_week_taught_once(week: Cli):
    done = week.json("learn", "--now", NOW, "--reason", "to see").data

    assert list(done) == list(CycleRow._fields)
    assert (done["runs"], done["failed"], done["reviews"], done["reason"]) == (3, 3, 3, "to see")
    assert done["groups"] == [
        {"goal_type": "initiative", "action_type": "backup", "failure_category": "verification_failure", "runs": 3}
    ]
    [lesson] = week.json("lesson", "list").data
    assert (done["lessons"], lesson["evidence_for"]) == ([lesson["lesson_id"]], 3)
    before = week.events()
    assert week.json("learn", "--now", NOW).data == done
    assert week.json("learn", "show", done["cycle_id"]).data == done
    assert week.json("learn", "list").data == [done]
    assert week.events() == before


def test_what_was_learned_is_shown_to_people(week: Cli):
    shown = " ".join(week("learn", "--now", NOW).text.split())
    assert "2026-02-18T09:00:00Z to 2026-02-25T09:00:00Z" in shown
    assert "runs 3, 3 failed, 0 partial" in shown and "reviews 3 written" in shown
    assert "3 initiative · backup · verification_failure" in shown
    assert "3 When `backup` is tried, expect verification_failure." in shown
    cycle_id = shown.split()[0]
    assert week("learn", "list").text.splitlines()[1].split() == [cycle_id, "2026-02-25T09:00:00Z", "3", "1"]
    assert week("learn", "groups").text.splitlines()[1].split(maxsplit=2)[::2] == [
        "3", "backup · verification_failure"
    ]  # fmt: skip
    assert week("learn", "rates").text.splitlines()[1].split() == ["2026-W08", "3", "0", "0", "3", "0%"]


def test_groups_and_rates_are_plain_rows(week: Cli):
    week.json("learn", "--now", NOW)
    [group] = week.json("learn", "groups").data
    assert list(group) == list(FailureGroup._fields)
    assert (group["signature"], group["runs"]) == ("backup · verification_failure", 3)
    rates = week.json("learn", "rates").data
    assert [list(row) for row in rates] == [list(WeekRow._fields)]
    assert [(row["week"], row["runs"], row["rate"]) for row in rates] == [("2026-W08", 3, 0.0)]


def test_lists_come_in_pages(week: Cli):
    for day in ("2026-02-22", "2026-02-23"):
        assert week.json("learn", "--now", day).code == 0
    page = week.json("learn", "list", "--limit", "1").document
    rest = week.json("learn", "list", "--after", page["next"]).data
    assert [row["until"][:10] for row in (*page["data"], *rest)] == ["2026-02-23", "2026-02-22"]
    assert week.json("learn", "groups", "--after", "9/z").data != []


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("show", NOBODY), 5, "unknown_cycle"),
        (("show", "nonsense"), 5, "unknown_cycle"),
        (("--now", "yesterday"), 2, "bad_time"),
        (("--now", NOW, "list"), 2, "usage"),
        (("list", "--after", "7"), 2, "bad_cursor"),
        (("groups", "--after", "7"), 2, "bad_cursor"),
        (("groups", "--after", "x/y"), 2, "bad_cursor"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(gl: Cli, args: tuple[str, ...], code: int, error: str):
    gl.goal()
    before = gl.events()
    ran = gl.json("learn", *args)
    assert (ran.code, ran.error["code"]) == (code, error)
    assert gl.events() == before
    assert gl.json("learn", "show", "nonsense").error["hint"] == "goal-ledger learn list"


def test_empty_lists_say_how_to_fill_them(gl: Cli):
    gl.goal()
    assert "goal-ledger learn" in gl("learn", "list").err
    assert "goal-ledger learn" in gl("learn", "groups").err
    assert "goal-ledger run start" in gl("learn", "rates").err


def test_a_tick_says_what_it_learned(week: Cli):
    told = week("tick", "--now", "2026-02-27", "--duty", "learning")
    assert told.text.startswith("learning: cycle_")
    assert "learned from 3 runs until 2026-02-26T00:00:00.000000Z: 3 reviewed, 1 lessons" in told.text
    assert week("tick", "--now", "2026-02-27", "--duty", "learning").text == ""


def test_suggest_says_what_to_improve_and_how_to_begin(gl: Cli):
    gl.goal()
    assert (gl("suggest").err, gl.json("suggest").data) == ("Nothing to suggest.\n", [])
    for _ in range(3):
        _, run_id = gl.started_run()
        gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")

    without, back = gl.json("suggest").data

    assert list(without) == ["kind", "id", "what", "why", "command"]
    assert (without["id"], back["kind"]) == ("cut checkout errors · tool_error", "failure_came_back")
    told = " ".join(gl("suggest").text.split())
    assert "Draw a lesson from what fails: cut checkout errors · tool_error 3 runs failed like this:" in told
