"""goal-ledger doctor: what is well, what is not, and what to do."""

import os
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.goals.loop import REFUSED
from goal_ledger.ledger import Ledger, Rejected
from goal_ledger.ledger.goals.loops import note_refusal
from tests.cli.running import Cli, Ran
from tests.tools import python, tamper


def findings(ran: Ran) -> dict[str, dict[str, Any]]:
    """What was found, by what was looked at."""
    return {finding["check"]: finding for finding in ran.document["data"]["findings"]}


def levels(ran: Ran) -> set[str]:
    return {finding["level"] for finding in ran.document["data"]["findings"]}


def files(gl: Cli) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in gl.db.parent.iterdir()}


def test_a_healthy_ledger_is_ok_in_every_respect(gl: Cli):
    gl.started_run()
    gl("goal", "list")

    ran = gl.json("doctor")

    assert ran.code == 0
    assert (ran.data["ok"], ran.data["origin"], ran.data["path"]) == (True, "--db", str(gl.db))
    assert list(findings(ran)) == [
        "place", "python", "packages", "settings", "folder", "file", "ledger", "format", "views",
    ]  # fmt: skip
    assert levels(ran) == {"ok"}
    found = findings(ran)
    assert "SQLite 3." in found["python"]["says"] and "eventsourcing 9.5" in found["packages"]["says"]
    assert "6 events" in found["ledger"]["says"] and found["format"]["says"] == "1, journal mode wal"
    assert found["views"]["says"] == "up to date"


def test_verify_adds_the_full_proof(gl: Cli):
    gl.started_run()

    assert findings(gl.json("doctor", "--verify"))["proof"]["says"] == "6 events, each as it was written"


def test_people_see_a_line_for_each_and_the_way_out(gl: Cli):
    text = gl("doctor").text

    assert text.startswith("ok       place     ")
    assert "warning  ledger" in text
    assert "→ create one: goal-ledger --db" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_without_a_ledger_it_says_how_to_create_one_and_creates_nothing(gl: Cli):
    ran = gl.json("doctor")

    assert ran.code == 0 and ran.data["ok"] is True
    assert findings(ran)["ledger"]["level"] == "warning"
    assert findings(ran)["ledger"]["do"].endswith('goal create "Cut checkout errors"')
    assert list(gl.db.parent.iterdir()) == []


def test_a_ledger_in_memory_is_no_problem(gl: Cli):
    assert gl.run("--db", ":memory:", "--json", "doctor").data["path"] == "memory"


def test_it_changes_nothing(gl: Cli):
    gl.started_run()
    before = files(gl)
    gl("doctor", "--verify")
    assert files(gl) == before
    gl("goal", "list")
    gl.goal("Not folded yet")
    before = files(gl)
    gl("doctor", "--verify")
    assert files(gl) == before


def test_damage_that_shows_at_once_is_6(gl: Cli):
    gl.started_run()
    tamper(gl.db, "DELETE FROM stored_events WHERE rowid = 3")

    ran = gl.json("doctor")

    assert ran.code == 6 and ran.document["data"]["ok"] is False
    assert findings(ran)["ledger"]["level"] == "problem"
    assert "goal-ledger ledger verify" in findings(ran)["ledger"]["do"]


def test_damage_that_only_the_proof_finds_is_6_with_it(gl: Cli):
    gl.started_run()
    tamper(gl.db, "UPDATE stored_events SET state = CAST(replace(state, 'Cut', 'Cat') AS BLOB) WHERE rowid = 2")

    assert gl.json("doctor").code == 0
    ran = gl.json("doctor", "--verify")
    assert ran.code == 6
    assert "position 2" in ran.document["data"]["findings"][-1]["says"]
    assert gl("doctor", "--verify").code == 6


def test_a_corrupt_file_is_6(gl: Cli):
    for number in range(50):
        gl.goal(f"goal {number}")
    content = gl.db.read_bytes()
    gl.db.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])

    ran = gl.json("doctor", "--verify")

    assert ran.code == 6 and levels(ran) > {"problem"}


@pytest.mark.parametrize("kind", ["text", "database"])
def test_a_foreign_file_is_a_problem_and_stays_as_it_is(gl: Cli, kind: str):
    if kind == "text":
        gl.db.write_text("dear diary")
    else:
        with sqlite3.connect(gl.db) as connection:
            connection.execute("CREATE TABLE diary (day TEXT)")
        connection.close()
    before = files(gl)

    ran = gl.json("doctor")

    assert ran.code == 1
    assert findings(ran)["ledger"]["level"] == "problem" and "--db" in findings(ran)["ledger"]["do"]
    assert files(gl) == before


def test_an_empty_file_is_no_ledger_yet(gl: Cli):
    gl.db.touch()

    ran = gl.json("doctor")

    assert ran.code == 0 and findings(ran)["ledger"]["level"] == "warning"
    assert gl.db.read_bytes() == b""


def test_views_that_are_behind_are_counted_but_not_moved(gl: Cli):
    gl.started_run()
    gl("goal", "list")
    gl.goal("Another")

    assert "1 events behind" in findings(gl.json("doctor"))["views"]["says"]
    assert {row["behind"] for row in gl.json("projection", "status").data} == {1}


def test_views_that_cannot_be_used_may_be_deleted(gl: Cli):
    gl.started_run()
    gl("goal", "list")
    gl.views.write_bytes(gl.views.read_bytes()[:100] + b"\xff" * 5000)

    ran = gl.json("doctor")

    assert ran.code == 0 and findings(ran)["views"]["level"] == "warning"
    assert str(gl.views) in findings(ran)["views"]["do"]


def test_something_else_where_the_views_belong_is_a_problem(gl: Cli):
    gl.started_run()
    with sqlite3.connect(gl.views) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
        connection.execute("PRAGMA application_id = 42")
    connection.close()

    ran = gl.json("doctor")

    assert ran.code == 1 and "move it away" in findings(ran)["views"]["do"]


def test_views_of_another_past_and_of_other_versions_are_noticed(gl: Cli):
    gl.started_run()
    gl("goal", "list")
    with sqlite3.connect(gl.views) as connection:
        connection.execute("UPDATE folded SET ledger = 'meta_other'")
        connection.execute(
            "INSERT INTO folded VALUES"
            " ('goal_definitions__0', 'goal_definitions', '0', 'live', 1, x'00', 'meta_other', NULL, NULL)"
        )
    connection.close()

    says = [finding["says"] for finding in gl.json("doctor").data["findings"] if finding["check"] == "views"]

    assert "another past" in says[0] and "1 earlier tables" in says[1]


def test_events_that_could_not_be_folded_are_counted(gl: Cli):
    gl.started_run()
    tamper(gl.db, "UPDATE stored_events SET topic = 'goal.teleported' WHERE rowid = 3")
    gl("goal", "list")

    views = [finding for finding in gl.json("doctor").data["findings"] if finding["check"] == "views"]

    assert "could not be folded" in views[1]["says"] and views[1]["do"].endswith("goal-ledger projection status")


def test_wrong_settings_are_a_problem_and_the_rest_is_looked_at(gl: Cli):
    gl.started_run()
    (gl.db.parent / "goal-ledger.toml").write_text("page = 0\n")

    ran = gl.json("doctor")

    assert ran.code == 1
    assert "goal-ledger.toml" in findings(ran)["settings"]["says"]
    assert findings(ran)["ledger"]["level"] == "ok"


def test_settings_that_differ_are_named_with_their_origin(gl: Cli):
    gl.started_run()
    (gl.db.parent / "goal-ledger.toml").write_text("page = 7\n")

    assert "page from " in findings(gl.json("doctor"))["settings"]["says"]


def test_what_anybody_may_change_is_warned_of(gl: Cli):
    gl.started_run()
    gl.db.chmod(0o666)

    file = findings(gl.json("doctor"))["file"]

    assert file["level"] == "warning" and file["do"] == f"chmod o-w {gl.db}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_what_cannot_be_written_or_read_is_said(gl: Cli):
    gl.started_run()
    gl.db.chmod(0o400)
    assert findings(gl.json("doctor"))["file"]["level"] == "warning"
    gl.db.chmod(0o000)
    assert findings(gl.json("doctor"))["file"]["level"] == "problem"


def test_a_journal_that_is_not_write_ahead_is_warned_of(gl: Cli):
    gl.started_run()
    connection = sqlite3.connect(gl.db)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()

    assert findings(gl.json("doctor"))["format"]["level"] == "warning"


def test_a_newer_format_is_a_problem(gl: Cli):
    gl.started_run()
    connection = sqlite3.connect(gl.db)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    ran = gl.json("doctor")

    assert ran.code == 1 and findings(ran)["ledger"]["do"] == "upgrade"


def test_a_url_that_is_none_is_wrong_usage(gl: Cli):
    assert gl.run("--db", "mongodb://host", "--json", "doctor").error["code"] == "bad_url"


def test_the_python_is_the_one_that_runs(gl: Cli):
    version = ".".join(map(str, sys.version_info[:3]))

    assert findings(gl.json("doctor"))["python"]["says"].startswith(version)
    assert Path(sys.executable).exists()


# --- Sessions and loops


def test_how_the_session_stands_is_told(gl: Cli):
    gl.json("session", "start")
    assert findings(gl.json("doctor"))["session"] == {
        "check": "session", "level": "ok", "says": "session 1 is running", "do": None
    }  # fmt: skip


def test_a_session_that_ended_without_a_stop_is_a_warning(gl: Cli):
    gl.goal()
    code = "import os, sys; from goal_ledger.ledger import Ledger\nwith Ledger.open(sys.argv[1]).session(): os._exit(0)"
    python(code, gl.db).communicate()
    found = findings(gl.json("doctor"))["session"]
    assert (found["level"], found["says"]) == ("warning", "session 1 ended without a stop: its process is gone")
    assert found["do"].endswith("goal-ledger session start")

    gl.json("session", "start")
    found = findings(gl.json("doctor"))["session"]
    assert (found["level"], found["says"]) == (
        "warning", "session 2 is running; the one before it ended without a stop",
    )  # fmt: skip
    gl.json("session", "stop")
    gl.json("session", "start")
    assert findings(gl.json("doctor"))["session"]["level"] == "ok"


def test_overdue_loops_are_one_finding(gl: Cli):
    for question in ("one", "two"):
        gl.json("loop", "open", "follow_up", question, "--due", "2020-01-01")
    gl.json("loop", "open", "follow_up", "later", "--due", "9999-01-01")
    gl("loop", "list")
    found = findings(gl.json("doctor"))["loops"]
    assert (found["level"], found["says"]) == ("warning", "2 open loops are overdue")
    assert found["do"].endswith("goal-ledger loop list")


def test_reactions_that_were_refused_are_one_finding(gl: Cli):
    gl.json("goal", "create", "A")
    with Ledger.open(gl.db) as ledger:
        for name in ("billing", "roll-up"):
            ledger.transact(partial(note_refusal, name=name, error=Rejected("no", "not so"), recorded=None))
    asked = {row["question"] for row in gl.json("loop", "list").data}
    assert asked == {f"{REFUSED}: billing: not so (no)", f"{REFUSED}: roll-up: not so (no)"}
    found = findings(gl.json("doctor"))["reactions"]
    assert (found["level"], found["says"]) == ("warning", "2 that should have followed from events were refused")
    assert found["do"].endswith("goal-ledger loop list --kind follow_up")
