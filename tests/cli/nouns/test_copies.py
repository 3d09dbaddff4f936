"""goal-ledger ledger export, backup, and the proof of what was exported."""

import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.cli.running import Cli

PROGRAM = str(Path(sys.executable).with_name("goal-ledger"))


@pytest.fixture
def exported(gl: Cli, tmp_path: Path) -> Path:
    gl.started_run()
    path = tmp_path / "x.ndjson"
    assert gl.json("ledger", "export", str(path)).data["events"] == gl.events() == 6
    return path


# --- Export


def test_an_export_is_a_line_per_event_and_goes_where_it_is_expected(gl: Cli, tmp_path: Path):
    goal_id = gl.goal()

    done = gl.json("ledger", "export").data

    lines = [orjson.loads(line) for line in (tmp_path / "data" / "identity_ledger.ndjson").read_bytes().splitlines()]
    assert done == {
        "path": "data/identity_ledger.ndjson", "events": 2, "head": 2, "format": "ndjson",
        "bytes": (tmp_path / "data" / "identity_ledger.ndjson").stat().st_size,
    }  # fmt: skip
    assert [line["event"] for line in lines] == ["ledger_created", "goal_created"]
    assert (lines[1]["schema"], lines[1]["meta"]["goal_id"], lines[0]["prev"]) == (2, goal_id, "genesis")
    assert gl("ledger", "export").text == "ok  2 events up to position 2  data/identity_ledger.ndjson\n"


def test_an_export_is_a_byte_prefix_of_the_next(gl: Cli, exported: Path, tmp_path: Path):
    gl.goal("Another")

    gl.json("ledger", "export", "--output", str(tmp_path / "later"), "--format", "ndjson")

    first, second = exported.read_bytes(), (tmp_path / "later").read_bytes()
    assert second.startswith(first) and len(second) > len(first)


def test_an_export_to_stdout_is_the_same_bytes(gl: Cli, exported: Path):
    assert gl("ledger", "export", "-").out == exported.read_bytes()
    assert gl("ledger", "export", "--output", "-").out == exported.read_bytes()


@pytest.mark.parametrize(
    "args", [("-", "--json"), ("a", "--output", "b"), ("a", "--format", "xml"), ("-", "--output", "-")], ids=" ".join
)
def test_an_export_that_makes_no_sense_is_wrong_usage(gl: Cli, args: tuple[str, ...]):
    gl.goal()

    assert gl("ledger", "export", *args).code == 2


def test_an_export_that_cannot_be_written_says_so(gl: Cli, tmp_path: Path):
    gl.goal()
    (tmp_path / "folder").mkdir()

    assert gl.json("ledger", "export", str(tmp_path / "folder")).error["code"] == "cannot_write"


# --- Proof of an export


def test_an_export_is_proven_by_itself_and_against_the_ledger(gl: Cli, exported: Path):
    against = gl.json("ledger", "verify", "--file", str(exported)).data
    alone = gl.json("ledger", "verify", "--file", str(exported), "--alone").data

    assert against["against"].startswith("meta_") and alone["against"] is None
    assert (against["ok"], against["lines"], alone["lines"]) == (True, 6, 6)
    assert gl("ledger", "verify", "--file", str(exported)).text == "ok  6 lines, each as the log says\n"


@pytest.mark.parametrize("how", [(), ("--alone",), ("--partial",)], ids=str)
def test_a_changed_letter_in_line_3_is_named_and_exits_6(gl: Cli, exported: Path, how: tuple[str, ...]):
    lines = exported.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"goal_readied", b"goal_Readied")
    exported.write_bytes(b"".join(lines))

    ran = gl.json("ledger", "verify", "--file", str(exported), *how)

    assert (ran.code, ran.error["code"]) == (6, "damaged_export")
    assert "line 3:" in ran.error["message"] and "goal-ledger ledger export" in ran.error["hint"]
    assert "line 3:" in gl("ledger", "verify", "--file", str(exported), *how).err


def test_two_cut_lines_are_noticed_against_the_ledger_only(gl: Cli, exported: Path):
    exported.write_bytes(b"".join(exported.read_bytes().splitlines(keepends=True)[:-2]))

    ran = gl.json("ledger", "verify", "--file", str(exported))

    assert ran.code == 6
    assert "line 5: the file ends here, the log holds 2 more events" in ran.error["message"]
    assert "--partial" in ran.error["hint"]
    assert gl.json("ledger", "verify", "--file", str(exported), "--partial").data["lines"] == 4
    assert gl.json("ledger", "verify", "--file", str(exported), "--alone").data["lines"] == 4


def test_without_a_ledger_an_export_is_proven_alone_with_a_warning(gl: Cli, exported: Path, tmp_path: Path):
    nowhere = tmp_path / "elsewhere.db"

    ran = gl.run("--db", str(nowhere), "--json", "ledger", "verify", "--file", str(exported))

    assert ran.data["against"] is None
    assert len(ran.document["warnings"]) == 1
    alone = gl.run("--db", str(nowhere), "--json", "ledger", "verify", "--file", str(exported), "--alone")
    assert alone.document["warnings"] == []
    assert not nowhere.exists()


@pytest.mark.parametrize("option", ["--partial", "--alone"])
def test_the_options_of_an_export_need_one(gl: Cli, option: str):
    gl.goal()

    assert gl.json("ledger", "verify", option).error["code"] == "usage"


def test_an_export_that_is_not_there_is_5(gl: Cli):
    gl.goal()

    assert gl.json("ledger", "verify", "--file", "nowhere.ndjson").error["code"] == "no_file"


# --- Backup


def test_a_backup_is_a_ledger_that_verifies_and_goes_on(gl: Cli, tmp_path: Path):
    goal_id, _ = gl.started_run()
    path = str(tmp_path / "backup" / "copy.db")

    done = gl.json("ledger", "backup", path).data

    assert (done["path"], done["events"], done["head"]) == (path, 6, 6)
    assert gl.run("--db", path, "--json", "ledger", "verify").data["events"] == 6
    assert gl.run("--db", path, "--json", "goal", "list").data == gl.json("goal", "list").data
    assert gl.run("--db", path, "--json", "goal", "complete", goal_id).data["status"] == "completed"
    assert gl.events() == 6


def test_a_backup_never_replaces_a_file(gl: Cli, tmp_path: Path):
    gl.goal()
    (tmp_path / "copy.db").write_text("precious")

    ran = gl.json("ledger", "backup", str(tmp_path / "copy.db"))

    assert (ran.code, ran.error["code"]) == (3, "file_exists")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_backup_beside_writers_holds_what_was_acknowledged_before(gl: Cli, tmp_path: Path):
    gl.goal()
    script = f"while true; do {PROGRAM} --db {gl.db} goal create x >/dev/null && echo; done"
    writers = [subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE) for _ in range(4)]
    try:
        for writer in writers:
            assert writer.stdout is not None and writer.stdout.readline() == b"\n"
        acknowledged = gl.events()
        done = gl.json("ledger", "backup", str(tmp_path / "copy.db")).data
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()

    assert done["head"] >= acknowledged >= 6
    assert gl.run("--db", str(tmp_path / "copy.db"), "--json", "ledger", "verify").data["events"] == done["head"]


@pytest.mark.parametrize("args", [("export",), ("export", "-"), ("backup", "copy.db")], ids=" ".join)
def test_without_a_ledger_nothing_is_copied(gl: Cli, args: tuple[str, ...]):
    ran = gl("ledger", *args)

    assert ran.code == 5 and "goal-ledger --db" in ran.err
    assert list(gl.db.parent.iterdir()) == []


def test_a_copied_file_is_the_same_export(gl: Cli, exported: Path, tmp_path: Path):
    shutil.copy(gl.db, tmp_path / "moved.db")

    assert gl.run("--db", str(tmp_path / "moved.db"), "ledger", "export", "-").out == exported.read_bytes()
