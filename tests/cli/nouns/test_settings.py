"""goal-ledger settings, and that every command goes by them."""

import pytest

from goal_ledger.domain.settings import Settings
from tests.cli.running import Cli


def test_every_setting_is_shown_with_its_value_origin_and_range_and_no_ledger_is_needed(gl: Cli):
    rows = gl.json("settings", "show").data

    assert [row["name"] for row in rows] == list(Settings.model_fields)
    assert {row["name"]: row["value"] for row in rows} == Settings().model_dump()
    assert {row["origin"] for row in rows} == {"default"}
    assert all(row["value"] == row["default"] for row in rows)
    assert {row["name"]: row["allowed"] for row in rows} | {
        "text_limit": "whole number from 200 to 1,000,000",
        "lock_wait_s": "number above 0 to 3,600",
        "durable": "true or false",
        "max_key_results": "whole number from 1",
    } == {row["name"]: row["allowed"] for row in rows}
    assert list(gl.db.parent.iterdir()) == []


def test_a_value_names_the_file_or_the_variable_it_comes_from(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    file = gl.db.parent / "goal-ledger.toml"
    file.write_text("page = 7\ndurable = false\ntext_limit = 300\n")
    monkeypatch.setenv("GOAL_LEDGER_PAGE", "8")

    rows = {row["name"]: row for row in gl.json("settings", "show").data}

    assert (rows["page"]["value"], rows["page"]["origin"]) == (8, "GOAL_LEDGER_PAGE")
    assert (rows["durable"]["value"], rows["durable"]["origin"]) == (False, str(file))
    assert (rows["text_limit"]["value"], rows["text_limit"]["default"]) == (300, 10_000)
    words = gl("settings", "show").text
    assert "GOAL_LEDGER_PAGE" in words and max(map(len, words.splitlines())) <= 80


def test_the_file_is_the_one_beside_the_ledger(gl: Cli):
    (gl.db.parent / "goal-ledger.toml").write_text("page = 7\n")
    (gl.db.parent / "below").mkdir()

    rows = gl.run("--db", str(gl.db.parent / "below" / "x.db"), "--json", "settings", "show").data

    assert {row["origin"] for row in rows} == {"default"}
    assert {row["origin"] for row in gl.run("--db", ":memory:", "--json", "settings", "show").data} == {"default"}


def test_commands_go_by_them(gl: Cli):
    (gl.db.parent / "goal-ledger.toml").write_text("text_limit = 300\n")

    ran = gl.json("goal", "create", "x" * 301)

    assert (ran.code, ran.error["code"]) == (2, "text_too_long")
    assert gl.json("goal", "create", "x" * 300).code == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [("page = ", "bad_settings"), ("colour = 'red'", "unknown_setting"), ("page = 0", "invalid_value")],
)
def test_a_wrong_file_stops_every_command_with_its_name_and_the_way_out(gl: Cli, text: str, code: str):
    gl.goal()
    file = gl.db.parent / "goal-ledger.toml"
    file.write_text(text)

    for args in (("goal", "list"), ("settings", "show"), ("goal", "create", "x")):
        ran = gl.json(*args)
        assert (ran.code, ran.error["code"]) == (2, code)
        assert str(file) in ran.error["message"] and ran.error["hint"]


def test_a_wrong_variable_is_named(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    gl.goal()
    monkeypatch.setenv("GOAL_LEDGER_PAGE", "many")

    assert "GOAL_LEDGER_PAGE" in gl.json("goal", "list").error["message"]
