"""The command on a ledger that a server keeps."""

import os
from pathlib import Path

import pytest

from goal_ledger.ledger.engine.location import locate
from tests.cli.running import Cli, Ran
from tests.places import ServerPlace
from tests.postgres import Server


class ServerCli(Cli):
    """The command with `--db` and a url."""

    def __init__(self, url: str, capture: pytest.CaptureFixture[bytes]) -> None:
        super().__init__(Path("none.db"), capture)
        self.url = url

    def __call__(self, *args: str) -> Ran:
        return self.run("--db", self.url, "--as", "cli:test", *args)


@pytest.fixture
def place(postgres: Server) -> ServerPlace:
    return ServerPlace(postgres)


@pytest.fixture
def server(place: ServerPlace, capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    return ServerCli(place.url, capsysbinary)


def test_goals_and_runs_live_on_a_server(server: Cli):
    goal_id = server.goal("Cut checkout errors")
    server("goal", "ready", goal_id)
    assert server.json("run", "start", goal_id).data["goal_id"] == goal_id
    assert [goal["title"] for goal in server.json("goal", "list").data] == ["Cut checkout errors"]
    assert server.json("goal", "show", goal_id).data["status"] == "active"
    assert server.json("ledger", "verify").data["ok"]
    assert server.json("projection", "status").data
    assert os.listdir() == []


def test_its_name_is_told_without_the_password(place: ServerPlace, capsysbinary: pytest.CaptureFixture[bytes]):
    url = place.url.replace("tester@", "tester:secret@")
    server = ServerCli(url, capsysbinary)
    ran = server("goal", "list")
    assert ran.code == 5 and "no ledger" in ran.err and "create one" in ran.err
    assert "secret" not in ran.err
    server.goal()
    for command in (("ledger", "stats"), ("doctor",), ("doctor", "--verify")):
        ran = server(*command, "--json")
        assert ran.code == 0 and place.schema in ran.text and "secret" not in ran.text


def test_doctor_says_what_is_not_there(server: Cli):
    ran = server.json("doctor")
    [found] = [finding for finding in ran.data["findings"] if finding["check"] == "ledger"]
    assert (found["level"], found["says"].startswith("there is no ledger")) == ("warning", True)


def test_settings_stand_in_the_working_folder(server: Cli):
    Path("goal-ledger.toml").write_text("page = 7\n")
    rows = {row["name"]: row for row in server.json("settings", "show").data}
    assert (rows["page"]["value"], rows["page"]["origin"]) == (7, "goal-ledger.toml")


def test_a_ledger_is_copied_to_a_server_and_back(gl: Cli, server: Cli, place: ServerPlace, tmp_path: Path):
    gl.started_run()
    done = gl.json("ledger", "copy", "ledger.db", place.url).data
    assert (done["events"], done["head"], done["path"]) == (6, 6, locate(place.url).name)
    assert server.json("ledger", "verify").data["events"] == 6
    server.goal("On the server")
    assert gl.json("ledger", "copy", place.url, "back.db").data["events"] == 7
    assert gl.json("ledger", "copy", place.url, "ledger.db").data["events"] == 1
    assert gl.json("goal", "list").data == server.json("goal", "list").data
    server.goal("More"), gl.goal("Other")
    refused = gl("ledger", "copy", place.url, "ledger.db")
    assert refused.code == 3 and "another history" in refused.err


def test_what_is_copied_must_be_there(gl: Cli, tmp_path: Path):
    assert gl("ledger", "copy", "nothing.db", "new.db").code == 5
    assert not (tmp_path / "new.db").exists()


def test_a_backup_of_a_server_is_a_file(server: Cli, tmp_path: Path):
    server.goal("A")
    assert server.json("ledger", "backup", "backup.db").data["events"] == 2
    assert server.json("--db", "backup.db", "ledger", "verify").data["events"] == 2
