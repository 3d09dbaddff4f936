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


# --- Lists


@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
def test_lists_are_shown_as_they_stood(gl: Cli, history: dict[str, str], option: str):
    (first, at), *_, (last, _) = moments(gl, "goal", history["goal"])

    def listed(*words: str) -> list[str]:
        return [row.get("status") or row.get("lesson_text") for row in gl.json(*words).data]

    for when in (first, at):
        assert listed("goal", "list", option, when) == ["planned"]
        assert listed("goal", "tree", option, when) == ["planned"]
        assert listed("run", "list", option, when) == listed("lesson", "list", option, when) == []
    assert listed("goal", "list", "--status", "completed", option, first) == []
    assert listed("goal", "list", "--status", "completed", option, last) == ["completed"]
    assert listed("run", "list", "--outcome", "succeeded", option, last) == ["finished"]
    assert listed("lesson", "list", option, last) == ["Prune first"]
    assert listed("goal", "list", option, "0") == []


def test_a_list_of_then_comes_in_pages_too(gl: Cli):
    ids = [gl.goal(title) for title in ("A", "B", "C")]
    head = str(gl.events())
    gl.goal("Later")
    first = gl.json("goal", "list", "--as-of", head, "--limit", "2")
    second = gl.json("goal", "list", "--as-of", head, "--limit", "2", "--after", first.document["next"])

    assert [row["goal_id"] for row in first.data + second.data] == ids
    assert second.document["next"] is None


def test_the_log_is_told_as_large_as_it_was(gl: Cli, history: dict[str, str]):
    stats = gl.json("ledger", "stats", "--as-of", "3").data
    assert (stats["events"], stats["streams"], stats["head"]) == (3, 2, 3)
    assert stats["ledger_id"] == gl.json("ledger", "stats").data["ledger_id"]


def test_a_run_has_a_timeline_of_its_own(gl: Cli, history: dict[str, str]):
    events = gl.json("run", "timeline", history["run"]).data
    assert [row["event"] for row in events] == ["run.started", "run.finished"]
    assert gl.json("run", "timeline", history["run"], "--as-of", str(events[0]["position"])).data == events[:1]


def test_a_list_of_then_touches_no_file(gl: Cli, history: dict[str, str]):
    gl.json("goal", "list")
    gl.goal("Not folded yet")
    before = gl.views.read_bytes()
    gl.json("goal", "list", "--as-of", "3")
    assert gl.views.read_bytes() == before


def test_nothing_as_of_then_is_said_as_such(gl: Cli, history: dict[str, str]):
    assert gl("goal", "list", "--as-of", "1").err == "Nothing as of then.\n"


# --- When it was true


@pytest.fixture
def late(gl: Cli) -> tuple[str, str]:
    """A run, and the position before it became known that it was worth nothing a while before."""
    goal_id = gl.active_goal("--occurred-at", "2026-01-01")
    run_id = gl.json("run", "start", goal_id, "--occurred-at", "2026-01-02").data["run_id"]
    gl.json("run", "finish", run_id, "--outcome", "succeeded", "--occurred-at", "2026-01-03")
    before = str(gl.events())
    gl.json("run", "outcome", run_id, "degraded", "--occurred-at", "2026-01-10")
    return run_id, before


def test_a_late_outcome_counts_from_when_it_was_true_or_from_when_it_was_known(gl: Cli, late: tuple[str, str]):
    run_id, before = late

    def outcomes(*words: str) -> set[str]:
        shown = gl.json("run", "show", run_id, *words).data["business_outcome"]
        [listed] = gl.json("run", "list", *words).data
        return {shown, listed["business_outcome"]}

    assert outcomes() == {"degraded"}
    assert outcomes("--known-at", before) == {"unknown"}
    assert outcomes("--known-at", before, "--valid-at", "2026-01-31") == {"unknown"}
    assert outcomes("--valid-at", "2026-01-10") == {"degraded"}
    assert outcomes("--valid-at", "2026-01-09") == {"unknown"}
    [shown] = gl.json("run", "timeline", run_id, "--valid-at", "2026-01-02").data
    assert shown["event"] == "run.started"


def test_what_was_not_true_yet_is_5_and_the_hint_says_since_when_it_is(gl: Cli, late: tuple[str, str]):
    run_id, _ = late
    ran = gl.json("run", "show", run_id, "--valid-at", "2026-01-01")

    assert (ran.code, ran.error["code"]) == (5, "unknown_run")
    assert ran.error["message"].endswith("it began at 2026-01-02T00:00:00.000000Z")
    program, *words = ran.error["hint"].split()
    assert program == "goal-ledger" and gl.json(*words).code == 0
    both = gl.json("run", "show", run_id, "--valid-at", "2026-01-05", "--as-of", "1")
    assert "it began at position" in both.error["message"]


def test_what_does_not_say_when_it_was_true_is_left_out_with_a_warning(gl: Cli, late: tuple[str, str]):
    run_id, _ = late
    gl.json("run", "outcome", run_id, "improved", "--occurred-at", "unknown")
    goal_id = gl.goal("Some time", "--occurred-at", "unknown")

    shown = gl.json("run", "show", run_id, "--valid-at", "2026-02-01")
    assert shown.data["business_outcome"] == "degraded"
    assert shown.document["warnings"] == ["1 event does not say when it was true and is left out"]
    listed = gl.json("goal", "list", "--valid-at", "2026-02-01")
    assert [row["title"] for row in listed.data] == ["Cut checkout errors"]
    assert listed.document["warnings"] == ["2 events do not say when they were true and are left out"]
    assert "warning: 2 events do not say" in gl("goal", "list", "--valid-at", "2026-02-01").err
    assert gl.json("goal", "list", "--as-of", "5").document["warnings"] == []
    assert "nobody knows when it began" in gl.json("goal", "show", goal_id, "--valid-at", "2026-02-01").error["message"]


def test_what_is_overdue_is_judged_when_it_is_said_to_be_true(gl: Cli):
    goal_id = gl.goal("Late", "--horizon", "2025-11-10", "--now", "2025-11-01")

    def overdue(*words: str) -> bool:
        [row] = gl.json("goal", "list", *words).data
        assert row["overdue"] is gl.json("goal", "show", goal_id, *words).data["overdue"]
        return bool(row["overdue"])

    assert overdue("--valid-at", "2025-11-11") is True
    assert overdue("--valid-at", "2025-11-09") is False
    assert overdue("--valid-at", "2025-11-09", "--now", "2025-11-11") is True


@pytest.mark.parametrize(
    ("when", "code"), [("5", "bad_time"), ("soon", "bad_time"), ("2026-01-01T00:00", "naive_time")]
)
def test_what_was_true_is_asked_by_time(gl: Cli, history: dict[str, str], when: str, code: str):
    ran = gl.json("goal", "list", "--valid-at", when)
    assert (ran.code, ran.error["code"]) == (2, code)
