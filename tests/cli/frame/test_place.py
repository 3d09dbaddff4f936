"""Which ledger is meant when none is named."""

import shlex
from pathlib import Path

import pytest

from tests.cli.running import Cli


def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)


def test_the_closest_ledger_above_is_found(gl: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    in_folder(tmp_path / "team", monkeypatch)
    above = gl.run("--json", "goal", "create", "above").data
    in_folder(tmp_path / "team" / "repo" / "src", monkeypatch)

    assert gl.run("--json", "goal", "list").data[0]["goal_id"] == above["goal_id"]
    assert gl.run("--json", "goal", "create", "from below").data["version"] == 1
    assert len(gl.run("--json", "goal", "list").data) == 2
    assert gl.run("--json", "doctor").data["origin"] == "a folder above this one"
    assert gl.run("--json", "doctor").data["path"] == str(tmp_path / "team" / "goal-ledger.db")
    assert list(Path.cwd().iterdir()) == []


def test_one_in_this_folder_comes_before_those_above(gl: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gl.run("goal", "create", "above")
    in_folder(tmp_path / "below", monkeypatch)
    gl.run("--db", "goal-ledger.db", "goal", "create", "here")

    assert [row["title"] for row in gl.run("--json", "goal", "list").data] == ["here"]
    assert gl.run("--json", "doctor").data["origin"] == "this folder"


def test_a_name_is_taken_as_it_is(gl: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gl.run("goal", "create", "above")
    in_folder(tmp_path / "below", monkeypatch)

    assert gl.run("--json", "--db", "goal-ledger.db", "goal", "list").error["code"] == "no_ledger"
    monkeypatch.setenv("GOAL_LEDGER_DB", "goal-ledger.db")
    assert gl.run("--json", "goal", "list").error["code"] == "no_ledger"
    assert gl.run("--json", "doctor").data["origin"] == "GOAL_LEDGER_DB"


def test_a_folder_of_that_name_is_passed_over(gl: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gl.run("goal", "create", "above")
    in_folder(tmp_path / "below" / "goal-ledger.db", monkeypatch)
    monkeypatch.chdir(tmp_path / "below")

    assert [row["title"] for row in gl.run("--json", "goal", "list").data] == ["above"]


def test_the_settings_are_those_of_the_ledger_that_was_found(gl: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    gl.run("goal", "create", "above")
    (tmp_path / "goal-ledger.toml").write_text("page = 7\n")
    in_folder(tmp_path / "below", monkeypatch)

    assert "page" in [row["name"] for row in gl.run("--json", "settings", "show").data if row["origin"] != "default"]


@pytest.mark.parametrize("named", [True, False])
def test_the_hint_of_a_missing_ledger_creates_it(gl: Cli, tmp_path: Path, named: bool):
    options = ("--db", str(tmp_path / "a b.db")) if named else ()

    hint = gl.run(*options, "--json", "goal", "list").error["hint"]

    program, *words = shlex.split(hint.removeprefix("create one: "))
    assert program == "goal-ledger" and gl.run(*words).code == 0
    assert gl.run(*options, "--json", "goal", "list").data[0]["title"] == "Cut checkout errors"


@pytest.mark.parametrize(("noun", "options"), [("goal", ()), ("run", ()), ("lesson", ())])
def test_a_malformed_id_has_a_hint_that_lists_the_right_ones(gl: Cli, noun: str, options: tuple[str, ...]):
    gl.goal()

    hint = gl.json(noun, "show", "nonsense", *options).error["hint"]

    assert hint == f"goal-ledger {noun} list"
    assert gl.json(*hint.split()[1:]).code == 0
