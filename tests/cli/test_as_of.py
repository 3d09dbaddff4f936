"""What was: `--as-of` a position or a time."""

import pytest

from tests.cli.running import Cli


@pytest.fixture
def history(gl: Cli) -> dict[str, str]:
    """A goal that moved, its run, and a lesson that weighs more by now."""
    goal_id = gl.active_goal("--horizon", "2999-01-01")
    run_id = gl.json("run", "start", goal_id).data["run_id"]
    lesson_id = gl.json("lesson", "add", "Prune first", "--category", "safe_default").data["lesson_id"]
    gl.json("run", "finish", run_id, "--outcome", "succeeded")
    gl.json("lesson", "confirm", lesson_id, "--run", run_id)
    gl.json("goal", "complete", goal_id)
    return {"goal": goal_id, "run": run_id, "lesson": lesson_id}


def moments(gl: Cli, noun: str, thing: str) -> list[tuple[str, str]]:
    """Position and time of recording of each event."""
    return [(str(row["position"]), row["at"]) for row in gl.json(noun, "timeline", thing).data]


@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
@pytest.mark.parametrize("kind", [0, 1], ids=["by position", "by time"])
def test_a_goal_is_shown_as_it_stood(gl: Cli, history: dict[str, str], option: str, kind: int):
    goal_id = history["goal"]

    told = [
        gl.json("goal", "show", goal_id, option, moment[kind]).data["status"] for moment in moments(gl, "goal", goal_id)
    ]

    assert told == ["planned", "ready", "active", "active", "active", "active", "completed"]
    assert gl.json("goal", "show", goal_id).data["status"] == "completed"


def test_the_timeline_ends_where_it_ended_then_and_runs_with_it(gl: Cli, history: dict[str, str]):
    goal_id = history["goal"]
    whole = gl.json("goal", "timeline", goal_id).data

    for end in range(1, len(whole) + 1):
        assert gl.json("goal", "timeline", goal_id, "--as-of", str(whole[end - 1]["position"])).data == whole[:end]


def test_a_run_and_a_lesson_are_shown_as_they_stood(gl: Cli, history: dict[str, str]):
    (began, at), (confirmed, _) = moments(gl, "lesson", history["lesson"])

    assert gl.json("run", "show", history["run"], "--as-of", began).data["status"] == "running"
    assert gl.json("run", "show", history["run"], "--as-of", at).data["local_outcome"] is None
    assert gl.json("run", "show", history["run"]).data["local_outcome"] == "succeeded"
    assert gl.json("lesson", "show", history["lesson"], "--as-of", began).data["confidence"] == 0.5
    assert gl.json("lesson", "show", history["lesson"], "--as-of", confirmed).data["evidence_for"] == 1
    assert len(gl.json("lesson", "timeline", history["lesson"], "--as-of", began).data) == 1
    assert len(gl.json("lesson", "timeline", history["lesson"], "--as-of", confirmed).data) == 2


@pytest.mark.parametrize("when", ["0", "1", "2000-01-01", "2000-01-01T00:00:00+02:00"])
@pytest.mark.parametrize(
    ("noun", "verb"),
    [("goal", "show"), ("goal", "timeline"), ("run", "show"), ("lesson", "show"), ("lesson", "timeline")],
)
def test_before_it_existed_is_5_and_the_hint_says_when_it_began(
    gl: Cli, history: dict[str, str], noun: str, verb: str, when: str
):
    ran = gl.json(noun, verb, history[noun], "--as-of", when)

    assert (ran.code, ran.error["code"]) == (5, f"unknown_{noun}")
    assert ran.error["message"].startswith("as of ") and "it began at position " in ran.error["message"]
    program, *words = ran.error["hint"].split()
    assert program == "goal-ledger" and gl.json(*words).code == 0


def test_what_never_existed_is_unknown_at_any_time(gl: Cli, history: dict[str, str]):
    nobody = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"

    assert gl.json("goal", "show", nobody, "--as-of", "3").error == gl.json("goal", "show", nobody).error
    assert "goal-ledger goal list" in gl.json("goal", "show", "nonsense", "--as-of", "3").error["hint"]


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("999", "beyond_head"),
        ("9" * 18, "beyond_head"),
        ("9" * 40, "bad_time"),
        ("yesterday", "bad_time"),
        ("-1", "bad_time"),
        ("2026-01-01T00:00", "naive_time"),
    ],
)
def test_a_place_that_is_none_is_refused_with_a_hint(gl: Cli, history: dict[str, str], when: str, code: str):
    ran = gl.json("goal", "show", history["goal"], f"--as-of={when}")

    assert (ran.code, ran.error["code"]) == (2, code)
    assert ran.error["hint"]


def test_what_stood_in_its_way_is_told_as_of_then(gl: Cli):
    first = gl.active_goal()
    second = gl.goal("Then that", "--depends-on", first)
    head = str(gl.events())
    gl.json("goal", "complete", first)

    assert gl.json("goal", "show", second).data["blocked_by"] == []
    assert gl.json("goal", "show", second, "--as-of", head).data["blocked_by"] == [first]


def test_overdue_is_told_as_of_then(gl: Cli):
    goal_id = gl.goal("Late", "--horizon", "2025-11-10", "--now", "2025-11-09")
    ((position, at),) = moments(gl, "goal", goal_id)

    assert gl.json("goal", "show", goal_id).data["overdue"] is True
    assert gl.json("goal", "show", goal_id, "--as-of", at).data["overdue"] is True
    assert gl.json("goal", "show", goal_id, "--as-of", position).data["overdue"] is True
    early = gl.json("goal", "show", goal_id, "--as-of", position, "--now", "2025-11-09").data
    assert early["overdue"] is False


def test_a_goal_that_falls_due_later_was_not_overdue_before(gl: Cli):
    goal_id = gl.goal("In time", "--horizon", "2999-01-01")

    assert gl.json("goal", "show", goal_id, "--as-of", "2999-01-02").data["overdue"] is True
    assert gl.json("goal", "show", goal_id, "--as-of", "2998-12-31").data["overdue"] is False


def test_people_see_what_was_too(gl: Cli, history: dict[str, str]):
    assert gl("goal", "show", history["goal"], "--as-of", "3").text.startswith(f"{history['goal']}  ready  ")
