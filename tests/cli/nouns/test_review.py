"""goal-ledger review."""

import pytest

from goal_ledger.projections.learning.after_action_reviews import ReviewRow
from tests.cli.running import Cli

NOBODY = "aar_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
NO_RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


def failed(gl: Cli, detail: str = "disk full on /var/1") -> str:
    _, run_id = gl.started_run()
    gl.json("run", "act", run_id, "restore dump", "--type", "shell", "--failed", "--detail", detail)
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "tool_error")
    return run_id


def reviewed(gl: Cli, run_id: str) -> str:
    aar_id: str = gl.json("review", "write", run_id).data["aar_id"]
    return aar_id


def test_a_failed_run_has_a_review_that_says_everything(gl: Cli):
    run_id = failed(gl)

    [row] = gl.json("review", "list").data

    assert list(row) == list(ReviewRow._fields)
    assert row["aar_id"].startswith("aar_")
    assert (row["run_id"], row["notable"], row["promoted"]) == (run_id, "failed", False)
    assert row["root_cause"] == {"category": "tool_error", "detail": "disk full on /var/1"}
    assert row["what_failed"] == ["restore dump: disk full on /var/1"]
    assert row["lesson_candidates"][0]["text"].startswith("When `restore dump` is tried, expect tool_error: disk full")
    assert gl.json("review", "show", row["aar_id"]).data == row


def test_write_reviews_a_won_run_once(gl: Cli):
    _, run_id = gl.started_run()
    assert gl.json("review", "write", run_id).error["code"] == "still_open"
    gl.json("run", "finish", run_id, "--outcome", "succeeded")

    row = gl.json("review", "write", run_id, "--reason", "it went so well").data

    assert (row["notable"], row["root_cause"]["detail"]) == ("requested", "nothing failed")
    before = gl.events()
    assert gl.json("review", "write", run_id).data == row
    assert gl.events() == before


def test_promote_makes_a_lesson_once(gl: Cli):
    aar_id = reviewed(gl, failed(gl))

    row = gl.json("review", "promote", aar_id).data
    [lesson] = gl.json("lesson", "list").data
    before = gl.events()

    assert (row["promoted"], row["lesson_ids"]) == (True, [lesson["lesson_id"]])
    assert gl.json("review", "promote", aar_id).data == row
    assert gl.events() == before
    events = [one["event"] for one in gl.json("review", "timeline", aar_id).data]
    assert events == ["review.written", "review.lessons_promoted"]


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (("show", NOBODY), 5, "unknown_review"),
        (("show", "nonsense"), 5, "unknown_review"),
        (("timeline", NOBODY), 5, "unknown_review"),
        (("promote", NOBODY), 5, "unknown_review"),
        (("write", NO_RUN), 5, "unknown_run"),
        (("list", "--notable", "boring"), 2, "usage"),
        (("list", "--after", "yesterday"), 2, "bad_cursor"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(gl: Cli, args: tuple[str, ...], code: int, error: str):
    gl.goal()
    before = gl.events()
    ran = gl.json("review", *args)
    assert (ran.code, ran.error["code"]) == (code, error)
    assert gl.events() == before


def test_lists_filter_and_follow_the_cursor(gl: Cli):
    ids = [reviewed(gl, failed(gl, detail)) for detail in ("disk full", "disk gone", "disk slow")]
    gl.json("review", "promote", ids[0])

    def found(*options: str) -> list[str]:
        return [row["aar_id"] for row in gl.json("review", "list", *options).data]

    assert found() == [ids[0], ids[2], ids[1]]
    assert found("--promoted") == [ids[0]]
    assert found("--unpromoted") == found("--notable", "failed", "--unpromoted") == [ids[2], ids[1]]
    assert found("--signature", "restore dump · tool_error · disk gone") == [ids[1]]
    page = gl.json("review", "list", "--limit", "2").document
    assert found("--after", page["next"]) == [ids[1]]


def test_people_see_why_there_is_a_review_and_what_it_says(gl: Cli):
    gl.goal()
    assert "goal-ledger review write" in gl("review", "list").err
    assert "goal-ledger review list" in gl("review", "list", "--promoted").err
    aar_id = reviewed(gl, failed(gl))

    assert gl("review", "list").text.splitlines()[1].startswith(f"{aar_id}  failed")
    shown = " ".join(gl("review", "show", aar_id).text.split())
    assert shown.startswith(f"{aar_id} failed no lesson taken yet")
    assert "root cause tool_error: disk full on /var/1" in shown
    assert "tool_error: disk full on /var/1" in " ".join(gl("review", "timeline", aar_id).text.split())
    gl("review", "promote", aar_id)
    assert "(promoted)" in " ".join(gl("review", "list").text.split())
