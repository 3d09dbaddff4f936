"""goal-ledger project."""

import pytest

from tests.cli.running import Cli

NOBODY = "project_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


def created(gl: Cli, name: str = "Web shop") -> str:
    project_id: str = gl.json("project", "create", name, "--description", "Sells what we make").data["project_id"]
    return project_id


def test_create_makes_the_ledger_and_the_same_again_writes_nothing(gl: Cli):
    row = gl.json("project", "create", "Web shop").data
    assert (row["name"], row["percent_complete"], row["features"], row["critical_bugs"]) == ("Web shop", 0.0, [], 0)
    events = gl.events()
    assert gl.json("project", "create", "web shop").data == row
    assert gl.events() == events


def test_one_of_four_features_is_a_quarter(gl: Cli):
    shop = created(gl)
    for title in ("Pay", "Search", "Filter", "Ship"):
        gl.json("project", "feature", shop, title)
    assert gl("project", "feature", shop, "pay", "--done").text == f"{shop}  25 %  Web shop\n"
    assert gl.json("project", "feature", shop, "Pay").data["features_done"] == 1
    assert gl.json("project", "feature", shop, "Pay", "--not-done").data["percent_complete"] == 0.0


def test_bugs_are_reported_counted_and_resolved(gl: Cli):
    shop = created(gl)
    for title in ("Paid twice", "Cart lost"):
        gl.json("project", "bug", shop, title, "--severity", "critical")
    gl.json("project", "bug", shop, "Card shown", "--severity", "critical", "--id", "PAY-17")
    assert gl.json("project", "resolve", shop, "PAY-17", "--reason", "one charge").data["critical_bugs"] == 2
    shown = gl("project", "show", shop).text
    assert "b1 Paid twice (critical)" in shown and "PAY-17" not in shown
    assert [row["event"] for row in gl.json("project", "timeline", shop).data] == [
        "project.registered", *["project.bug_reported"] * 3, "project.bug_resolved",
    ]  # fmt: skip
    assert "one charge" in gl("project", "timeline", shop).text


def test_lists_tell_how_far_each_is_page_by_page_and_as_of_then(gl: Cli):
    assert gl.json("goal", "create", "A").code == 0
    assert gl("project", "list").err == 'No projects; add one: goal-ledger project create "Web shop"\n'
    first, second = created(gl), created(gl, "Depot")
    position = gl.events()
    gl.json("project", "amend", first, "--description", "Sells abroad too")
    lines = [line.split() for line in gl("project", "list").text.splitlines()]
    nothing = ["0", "%", "0", "of", "0", "0", "0"]
    assert lines[1:] == [[first, *nothing, "Web", "shop"], [second, *nothing, "Depot"]]
    page = gl.json("project", "list", "--limit", "1").document
    assert [row["project_id"] for row in gl.json("project", "list", "--after", page["next"]).data] == [second]
    old = gl.json("project", "list", "--as-of", str(position)).data
    assert [(row["project_id"], row["description"]) for row in old] == [
        (second, "Sells what we make"), (first, "Sells what we make"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (["create", " "], 3, "no_name"),
        (["feature", NOBODY, "Pay"], 5, "unknown_project"),
        (["bug", NOBODY, "Slow", "--severity", "awful"], 2, "usage"),
        (["show", "project_7"], 5, "unknown_project"),
        (["list", "--after", "x"], 2, "bad_cursor"),
    ],
)
def test_what_cannot_be_is_refused(gl: Cli, words: list[str], exit_code: int, code: str):
    gl.goal()
    ran = gl.json("project", *words)
    assert (ran.code, ran.error["code"]) == (exit_code, code)


def test_a_refusal_names_the_way_out(gl: Cli):
    shop = created(gl)
    again = gl.json("project", "create", "Web shop", "--description", "Sells").error
    assert (again["code"], again["hint"]) == ("already_exists", f'goal-ledger project amend {shop} --description "…"')
    assert gl.json("project", "resolve", shop, "b9").error["code"] == "unknown_bug"
