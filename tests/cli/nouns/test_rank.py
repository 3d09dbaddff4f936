"""The ranking of open goals, from the command line."""

from tests.cli.running import Cli


def test_the_goals_that_are_worth_most_are_shown(gl: Cli):
    gl.goal("some", "--value", "0.6")
    gl.goal("much", "--value", "0.9", "--effort", "0.1")
    assert [row["title"] for row in gl.json("rank").data] == ["much", "some"]
    assert [row["title"] for row in gl.json("rank", "--limit", "1").data] == ["much"]
    assert gl("rank").text.splitlines()[1].split()[1] == "0.787"
    assert "value 0.9, effort 0.1, risk unknown, urgency 0, alignment 0.75; is planned" in gl("rank", "--explain").text
    assert gl.json("rank", "--limit", "0").error["code"] == "usage"


def test_an_empty_ledger_has_nothing_to_rank(gl: Cli):
    goal_id = gl.goal("gone")
    gl.json("goal", "archive", goal_id)
    assert gl("rank").err.startswith("No open goal")
