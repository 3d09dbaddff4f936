"""Why a policy decided so, and what it would decide under another version or other settings, from the command line."""

from typing import NamedTuple

import pytest

from tests.cli.running import Cli


class Claimed(NamedTuple):
    """A claim of what is worth most, while something easier was there."""

    worth: str
    easy: str
    run: str
    position: int


@pytest.fixture
def claimed(gl: Cli) -> Claimed:
    worth = gl.goal("A", "--value", "0.9", "--effort", "0.9")
    easy = gl.goal("B", "--value", "0.1", "--effort", "0.1")
    for goal_id in (worth, easy):
        gl("goal", "ready", goal_id)
    run = gl.json("next", "--claim").data["run_id"]
    [position] = [
        event["position"]
        for event in gl.json("goal", "timeline", worth).data
        if event["event"] == "goal.run_dispatched"
    ]
    return Claimed(worth, easy, run, position)


EASY = ("--set", "weight.value=0.1", "--set", "weight.effort=0.9")


def test_a_decision_is_explained_by_its_position_its_run_and_its_goal(gl: Cli, claimed: Claimed):
    before = gl.events()
    told = gl.json("why", str(claimed.position)).data
    assert told == gl.json("why", claimed.run).data == gl.json("why", claimed.worth).data
    assert (told["event"]["event"], told["chosen"]) == ("goal.run_dispatched", claimed.worth)
    assert (told["receipt"]["policy"], told["receipt"]["count"]) == ("router@3", 2)
    assert told["again"] == {
        "outcome": "same", "chosen": claimed.worth, "same_settings": True, "receipt": told["receipt"],
    }  # fmt: skip
    assert gl.events() == before


def test_people_see_the_candidates_and_the_outcome(
    gl: Cli, claimed: Claimed, monkeypatch: pytest.MonkeyPatch
):  # fmt: skip
    lines = gl("why", claimed.run).text.splitlines()
    assert lines[0] == f"{claimed.position}  goal.run_dispatched  {claimed.worth}"
    assert [line for line in lines if "0.400" in line and claimed.easy in line]
    assert lines[-1] == "same  the same again, from the same candidates and scores; the same settings"
    monkeypatch.setenv("GOAL_LEDGER_WEIGHT", "{value = 0.1, effort = 0.9}")
    assert gl("why", claimed.run).text.splitlines()[-1] == f"flipped  now it would be {claimed.easy}; other settings"


def test_a_replay_flips_nothing_unless_something_is_changed(gl: Cli, claimed: Claimed):
    assert gl.json("ledger", "replay", "--policy", "router@3").data == {
        "policy": "router@3", "decisions": 1, "same": 1, "rescored": 0, "flipped": 0, "not_made_again": {}, "flips": [],
    }  # fmt: skip
    [flip] = gl.json("ledger", "replay", "--policy", "router@3", *EASY).data["flips"]
    assert (flip["position"], flip["was"]["id"], flip["becomes"]["id"]) == (
        claimed.position,
        claimed.worth,
        claimed.easy,
    )
    assert flip["was"]["then"] == {"score": 0.4, "why": "priority 3, advances no active key result, worth 0.588"}
    assert flip["becomes"]["now"] == {"score": 0.4, "why": "priority 3, advances no active key result, worth 0.932"}
    lines = gl("ledger", "replay", "--policy", "router@3", *EASY).text.splitlines()
    assert lines[0].startswith(f"{claimed.position}  ") and claimed.worth in lines[1]
    assert "flipped  under router@3" in lines
    later = str(claimed.position + 1)
    assert gl.json("ledger", "replay", "--policy", "router@3", "--from", later).data["decisions"] == 0
    assert gl.json("ledger", "replay", "--policy", "router@3", "--limit", "1", "--to", later).data["decisions"] == 1


def test_what_cannot_be_explained_says_why(gl: Cli, claimed: Claimed):
    refused = [
        (("why", "1"), 3, "no_receipt"),
        (("why", "9999"), 5, "unknown_position"),
        (("why", "nothing"), 2, "bad_event"),
        (("ledger", "replay", "--policy", "router@9"), 5, "unknown_policy"),
        (("ledger", "replay", "--policy", "router@3", "--set", "weight.valu=1"), 2, "unknown_setting"),
        (("ledger", "replay", "--policy", "router@3", "--set", "weight.value=7"), 2, "invalid_value"),
        (("ledger", "replay", "--policy", "router@3", "--set", "weight"), 2, "usage"),
    ]
    for args, code, name in refused:
        ran = gl.json(*args)
        assert (args, ran.code, ran.error["code"]) == (args, code, name)
