"""goal-ledger projection: every verb, for people and for programs; what doctor says of what they leave."""

import itertools
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from goal_ledger.cli.frame.progress import lines
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.registry import PROJECTIONS
from tests.cli.running import Cli, Ran
from tests.places import Place
from tests.tools import rows, tamper

BOARD = f"goal_definitions__{goal_definitions.digest}"
OTHER = "0" * 12


@pytest.fixture
def folded(gl: Cli) -> Cli:
    """Three goals, one of them active: six events, all folded."""
    gl.active_goal()
    gl.goal("Back up nightly")
    gl.goal("Answer mail within a day")
    gl("goal", "list")
    return gl


def change(gl: Cli, *statements: str) -> None:
    for statement in statements:
        rows(gl.views, statement)


def of_other_code(gl: Cli) -> None:
    """Let the table of the goals be one that other code folded, and each title another."""
    change(
        gl,
        f'ALTER TABLE "{BOARD}" RENAME TO "goal_definitions__{OTHER}"',
        f"UPDATE folded SET name = 'goal_definitions__{OTHER}', digest = '{OTHER}' WHERE name = '{BOARD}'",
        f"UPDATE \"goal_definitions__{OTHER}\" SET title = upper(title) WHERE title LIKE 'B%'",
    )


def status(gl: Cli, name: str = "goal_definitions") -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in gl.json("projection", "status").data if row["name"] == name)
    return row


def views(ran: Ran) -> list[dict[str, Any]]:
    return [finding for finding in ran.data["findings"] if finding["check"] == "views"]


# --- The way of a maintainer


def test_a_schema_change_from_stale_to_dropped(folded: Cli):
    gl = folded
    of_other_code(gl)
    assert (status(gl)["state"], status(gl)["kept"], status(gl)["table"]) == (
        "stale",
        [f"goal_definitions__{OTHER}"],
        None,
    )
    assert f"goal_definitions: kept beside it: goal_definitions__{OTHER}" in gl("projection", "status").text

    [diff] = gl.json("projection", "rebuild", "goal_definitions", "--dry-run").data
    [change] = diff["changes"]
    assert (diff["projection"], diff["changed"], diff["added"], diff["rows"]) == ("goal_definitions", 1, 0, 3)
    assert change["fields"] == {"title": ["BACK UP NIGHTLY", "Back up nightly"]}
    assert (change["because"]["position"], change["because"]["name"]) == (5, "goal.created")
    text = gl("projection", "rebuild", "goal_definitions", "--dry-run").text
    assert "goal_definitions  1 changed  of 3 rows" in text and "title: BACK UP NIGHTLY → Back up nightly" in text
    assert "since position 5, goal.created, " in text
    assert status(gl)["state"] == "stale"

    assert gl.json("projection", "drop-old").error["code"] == "nothing_live"
    built = gl.json("projection", "rebuild", "goal_definitions", "--no-swap").data["projections"]
    assert [(row["name"], row["building"], row["table"]) for row in built] == [("goal_definitions", 6, None)]
    assert "not in use yet" in gl("projection", "rebuild", "goal_definitions", "--no-swap").text
    assert "goal_definitions: a new table is built up to position 6" in gl("projection", "status").text
    [kept] = gl.json("projection", "diff", "goal_definitions").data
    assert kept["after"] != diff["after"]  # of the dry run, whose table is gone; no name is used twice
    assert kept | {"after": diff["after"]} == diff
    assert "title: BACK UP NIGHTLY → Back up nightly" in gl("projection", "diff", "goal_definitions").text

    swapped = gl.json("projection", "swap", "goal_definitions").data
    assert (swapped["position"], swapped["projections"][0]["state"]) == (6, "current")
    assert gl.json("projection", "drop-old").data == {"dropped": [f"goal_definitions__{OTHER}"]}
    assert gl("projection", "drop-old").text == "nothing to drop\n"
    assert status(gl)["kept"] == []


def test_back_and_forth(folded: Cli):
    gl = folded
    change(gl, f"UPDATE \"{BOARD}\" SET title = 'forged'")
    assert gl("projection", "rebuild", "goal_definitions").text == "goal_definitions  3 rows  folded up to position 6\n"
    for title in ("forged", "Cut checkout errors"):
        ran = gl.json("projection", "swap", "goal_definitions", "--back")
        assert ran.data["projections"][0]["rows"] == 3
        assert title in {row["title"] for row in gl.json("goal", "list").data}
    assert gl("projection", "swap", "goal_definitions", "--back").text.startswith("goal_definitions  3 rows")
    assert gl("projection", "drop-old", "goal_definitions").text == f"dropped  {BOARD}__2\n"


def test_a_new_table_that_nobody_wants_is_thrown_away(folded: Cli):
    gl = folded
    gl("projection", "rebuild", "goal_definitions", "--no-swap")

    assert gl.json("projection", "drop-new").data == {"dropped": [f"{BOARD}__2"]}
    assert gl("projection", "drop-new", "goal_definitions").text == "nothing to drop\n"
    assert gl.json("projection", "swap", "goal_definitions").error["code"] == "nothing_built"
    assert status(gl)["building"] is None


def test_a_dry_run_of_what_is_as_it_should_be_says_so(folded: Cli):
    gl = folded
    assert "goal_definitions  no row differs  of 3 rows" in gl("projection", "rebuild", "--dry-run").text.splitlines()
    gl.views.unlink()
    assert gl("projection", "rebuild", "--dry-run").text == "nothing is folded yet that could change\n"
    assert gl.json("projection", "rebuild", "--dry-run").data == []


def test_more_changes_than_the_limit_are_counted(folded: Cli):
    gl = folded
    change(gl, f"UPDATE \"{BOARD}\" SET title = 'forged'")

    assert "  and 2 more rows" in gl("projection", "rebuild", "goal_definitions", "--dry-run", "--limit", "1").text
    [diff] = gl.json("projection", "rebuild", "goal_definitions", "--dry-run", "--limit", "0").data
    assert (diff["changed"], diff["changes"]) == (3, [])


def test_the_rows_of_one_goal_are_mended(folded: Cli):
    gl = folded
    goal_id = gl.json("goal", "list").data[0]["goal_id"]
    change(gl, f"UPDATE \"{BOARD}\" SET title = 'forged'")

    done = gl.json("projection", "rebuild", "--stream", goal_id).data

    assert {"projection": "goal_definitions", "rows": 1, "changed": 1} in done
    assert [row["title"] for row in gl.json("goal", "list").data].count("forged") == 2
    assert "goal_definitions  1 rows folded anew, 0 changed" in gl("projection", "rebuild", "--stream", goal_id).text
    assert gl("projection", "rebuild", "--stream", "goal_gone").text == "no read model has rows of it\n"


def test_what_was_quarantined_is_tried_again(folded: Cli):
    gl = folded
    change(gl, f"INSERT INTO quarantine VALUES ('{BOARD}', 2, 'x', 'goal.created', 'was broken')")
    assert gl.json("projection", "retry", "goal_runs").data["healed"] == 0
    assert gl("projection", "retry").text == "ok  1 quarantined events recovered, 0 still missing\n"
    rows_of = gl.json("projection", "retry").data["projections"]
    assert [row["quarantined"] for row in rows_of] == [0] * len(PROJECTIONS)

    tamper(gl.db, "UPDATE stored_events SET topic = 'goal.teleported' WHERE rowid = 3")
    gl("projection", "rebuild")
    assert gl("projection", "retry").text.startswith(
        f"partly  0 quarantined events recovered, {len(PROJECTIONS)} still"
    )


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["rebuild", "gaol_board"], "unknown_projection", 5),
        (["rebuild", "gaol_board", "--dry-run"], "unknown_projection", 5),
        (["rebuild", "gaol_board", "--no-swap"], "unknown_projection", 5),
        (["diff", "gaol_board"], "unknown_projection", 5),
        (["swap", "gaol_board"], "unknown_projection", 5),
        (["swap", "gaol_board", "--back"], "unknown_projection", 5),
        (["drop-old", "gaol_board"], "unknown_projection", 5),
        (["drop-new", "gaol_board"], "unknown_projection", 5),
        (["retry", "gaol_board"], "unknown_projection", 5),
        (["diff", "goal_definitions"], "nothing_built", 3),
        (["swap", "goal_definitions"], "nothing_built", 3),
        (["swap", "goal_definitions", "--back"], "nothing_kept", 3),
        (["rebuild", "--dry-run", "--no-swap"], "usage", 2),
        (["rebuild", "--stream", "goal_x", "--dry-run"], "usage", 2),
        (["rebuild", "--stream", "goal_x", "--no-swap"], "usage", 2),
        (["rebuild", "--stream", "goal_x", "--all"], "usage", 2),
        (["rebuild", "--stream", "goal_x", "goal_runs"], "usage", 2),
        (["rebuild", "goal_runs", "--all"], "usage", 2),
        (["rebuild", "--limit", "-1"], "usage", 2),
        (["swap"], "usage", 2),
        (["diff"], "usage", 2),
        (["diff", "goal_runs", "lessons"], "usage", 2),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(folded: Cli, words: list[str], code: str, exit_code: int):
    before = status(folded)
    ran = folded.json("projection", *words)
    assert (ran.error["code"], ran.code) == (code, exit_code)
    shown = folded("projection", *words)
    assert shown.code == exit_code and shown.err.startswith("error: ") and shown.out == b""
    assert status(folded) == before


def test_without_a_ledger_there_is_nothing_to_rebuild(gl: Cli):
    assert gl.json("projection", "rebuild").error["code"] == "no_ledger"


# --- The setting


@pytest.mark.parametrize("how", ["file", "environment"])
def test_stale_read_models_refuse_questions_when_the_settings_say_so(
    folded: Cli, monkeypatch: pytest.MonkeyPatch, how: str
):
    gl = folded
    of_other_code(gl)
    if how == "file":
        (gl.db.parent / "goal-ledger.toml").write_text('stale = "refuse"\npage = 3\n')
    else:
        monkeypatch.setenv("GOAL_LEDGER_STALE", "refuse")
        monkeypatch.setenv("GOAL_LEDGER_PAGE", "3")

    ran = gl.json("goal", "list")
    shown = gl("goal", "list")

    assert (ran.code, ran.error["code"]) == (1, "stale_views")
    assert ran.error["hint"] == "goal-ledger projection rebuild goal_definitions, or set stale to rebuild"
    assert shown.code == 1 and "goal_definitions: not folded yet by this code" in shown.err
    assert views(gl.json("doctor"))[0] == {
        "check": "views",
        "level": "warning",
        "says": "goal_definitions: only folded by other versions, and questions are refused",
        "do": "goal-ledger projection rebuild goal_definitions",
    }
    assert gl.json("projection", "rebuild", "goal_definitions").code == 0
    assert gl.json("goal", "list").code == 0


def test_stale_takes_one_of_three_words(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOAL_LEDGER_STALE", "sometimes")

    assert (gl.json("goal", "list").code, gl.json("goal", "list").error["code"]) == (2, "invalid_value")


# --- How far it is


def test_progress_says_the_rate_and_the_time_left():
    said: list[str] = []
    seconds = iter([10.0, 10.5, 12.0, 12.9, 14.0, 14.1])
    told = lines("folding", said.append, lambda: next(seconds))
    for done in (1_000, 2_000, 5_000, 6_000, 9_000, 10_000):
        told(done, 10_000)

    assert said == [
        "folding: 5,000 of 10,000, 2,000/s, 2 s left",  # what was done before it began does not count
        "folding: 9,000 of 10,000, 2,000/s, 0 s left",
        "folding: 10,000 of 10,000, 2,195/s",
    ]


def test_progress_on_what_is_done_at_once_is_one_line():
    said: list[str] = []
    lines("folding", said.append, itertools.count().__next__)(7, 7)

    assert said == ["folding: 7 of 7"]


def test_progress_is_told_line_by_line_on_request_beside_the_one_document(folded: Cli):
    ran = folded.json("projection", "rebuild", "--progress")
    assert ran.data["position"] == 6 and ran.err == "folding: 6 of 6\n"
    assert folded("projection", "rebuild").err == ""
    assert folded("projection", "rebuild", "--dry-run", "--progress").err.endswith("folding: 6 of 6\n")


# --- What doctor says of it


def test_doctor_names_a_new_table_that_nobody_builds(folded: Cli):
    gl = folded
    gl("projection", "rebuild", "goal_definitions", "--no-swap")

    assert views(gl.json("doctor"))[1:] == [
        {
            "check": "views",
            "level": "warning",
            "says": "goal_definitions: a new table stands at position 6 of 6, and nobody builds it",
            "do": "goal-ledger projection swap goal_definitions, or drop-new goal_definitions",
        }
    ]
    builder = f"{socket.gethostname()}/1/x"
    change(gl, f"UPDATE folded SET builder = '{builder}', lease_until = {time.time() + 20} WHERE role = 'new'")
    assert views(gl.json("doctor"))[1]["level"] == "ok"
    assert (
        views(gl.json("doctor"))[1]["says"]
        == f"goal_definitions: {builder} builds a new table, position 6 of 6 is written"
    )
    change(gl, f"UPDATE folded SET digest = '{OTHER}' WHERE role = 'new'", "UPDATE folded SET lease_until = 1")
    assert views(gl.json("doctor"))[1]["do"] == "goal-ledger projection drop-old"
    assert gl.json("projection", "drop-old").data["dropped"] == [f"{BOARD}__2"]
    assert len(views(gl.json("doctor"))) == 1


def test_doctor_counts_the_tables_that_are_kept(folded: Cli):
    folded("projection", "rebuild", "goal_runs", "lessons")

    [_, kept] = views(folded.json("doctor"))

    assert (kept["says"], kept["do"]) == ("2 earlier tables take up space", "goal-ledger projection drop-old")


def test_doctor_looks_at_the_read_models_wherever_they_are(place: Place, gl: Cli):
    def found() -> list[tuple[str, str]]:
        return [(each["says"], each["level"]) for each in views(gl.run("--db", place.url, "--json", "doctor"))]

    ask: Callable[..., Any] = lambda *words: gl.run("--db", place.url, "--json", *words).data  # noqa: E731
    goal_id = ask("goal", "create", "Cut checkout errors")["goal_id"]
    assert found() == [("not made yet; the first question makes them", "ok")]
    assert not place.has_views()
    ask("goal", "list")
    assert found() == [("up to date", "ok")]
    ask("goal", "ready", goal_id)
    assert found() == [("1 events behind; the next question catches up", "ok")]
    ask("projection", "rebuild", "goal_runs")
    ask("projection", "rebuild", "goal_definitions", "--no-swap")
    assert found()[1:] == [
        ("goal_definitions: a new table stands at position 3 of 3, and nobody builds it", "warning"),
        ("1 earlier tables take up space", "warning"),
    ]
