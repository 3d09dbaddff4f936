"""goal-ledger experiment."""

from tests.cli.running import Cli


def trial(gl: Cli) -> str:
    return gl.goal("Old or new prompt", "--type", "experiment", "--arm", "old", "--arm", "new")


def test_a_report_names_the_winner_only_with_enough_evidence(gl: Cli):
    goal_id = trial(gl)
    told = gl.json("experiment", "record", goal_id, "new", "--success", "--reason", "right answer").data
    assert (told["verdict"], told["winner"], told["further"]) == ("inconclusive", None, None)
    gl.json("experiment", "record", goal_id, "old", "--failure")
    told = gl.json("experiment", "report", goal_id).data
    assert told["further"] > 0
    assert "inconclusive" in gl("experiment", "report", goal_id).text
    for _ in range(told["further"] // 2):
        gl.json("experiment", "record", goal_id, "new", "--success")
        gl.json("experiment", "record", goal_id, "old", "--failure")
    told = gl.json("experiment", "report", goal_id).data
    assert (told["verdict"], told["winner"], told["further"], told["alpha"]) == ("winner", "new", 0, 0.05)
    assert [arm["rate"] for arm in told["arms"]] == [0.0, 1.0]
    assert "winner  new" in gl("experiment", "report", goal_id).text


def test_a_run_counts_once(gl: Cli):
    goal_id = trial(gl)
    for verb in ("ready", "activate"):
        gl.json("goal", verb, goal_id)
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    for _ in range(2):
        assert gl.json("experiment", "record", goal_id, "old", "--success", "--run", run_id).data["arms"][0]["n"] == 1
    again = gl.json("experiment", "record", goal_id, "new", "--success", "--run", run_id)
    assert (again.code, again.error["code"]) == (3, "already_counted")


def test_what_is_no_arm_and_no_experiment_is_refused(gl: Cli):
    goal_id, other = trial(gl), gl.goal()
    before = gl.events()
    assert gl.json("experiment", "record", goal_id, "newer", "--success").error["code"] == "unknown_arm"
    assert gl.json("experiment", "record", goal_id, "new").error["code"] == "usage"
    assert gl.json("experiment", "record", other, "new", "--success").error["code"] == "not_an_experiment"
    assert gl.json("experiment", "report", other).error["code"] == "not_an_experiment"
    assert gl.events() == before
