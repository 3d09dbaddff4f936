"""What people see: hostile text, narrow screens, pipes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from goal_ledger.cli.frame.text import visible
from tests.cli.running import Cli
from tests.tools import PATIENCE_S

HOSTILE = (
    '\'; DROP TABLE stored_events; -- "quoted" [red]not red[/red] [link=x]\n\r\tnew line \x1b[31mred\x1b]0;title\x07 '
    "\u2028 \u202egnp.exe \u200f\x9b2J 👩‍👩‍👧 שלום :smile:"
)
ID = re.compile(r"(?:goal|grun|les)_[0-9A-Z]{26}\b")


def test_json_keeps_hostile_text_exactly(gl: Cli):
    goal_id = gl.goal(HOSTILE, "--meta", 'note="\\u001b[31m"')

    assert gl.json("goal", "show", goal_id).data["title"] == HOSTILE
    assert gl.json("goal", "list").data[0]["metadata"] == {"note": "\x1b[31m"}
    assert gl.json("goal", "timeline", goal_id).data[0]["details"]["title"] == HOSTILE


def test_a_long_text_reads_back_equal(gl: Cli):
    assert gl.json("goal", "show", gl.goal("é" * 10_000)).data["title"] == "é" * 10_000


@pytest.mark.parametrize("colour", [False, True])
def test_hostile_text_neither_moves_the_cursor_nor_is_markup(gl: Cli, monkeypatch: pytest.MonkeyPatch, colour: bool):
    if colour:
        monkeypatch.setenv("FORCE_COLOR", "1")
    goal_id = gl.goal(HOSTILE, "--owner", "bot\x1b[2J", "--constraint", "\x07")
    gl.json("goal", "ready", goal_id)
    run_id = gl.json("run", "start", goal_id, "--agent", "a\x1b[2J").data["run_id"]
    gl.json("run", "act", run_id, "rm\x1b[1A", "--reason", "\x1b[2K")

    for args in (
        ("goal", "list"), ("goal", "tree"), ("goal", "show", goal_id), ("goal", "timeline", goal_id),
        ("goal", "amend", goal_id, "--priority", "1"), ("run", "list"), ("run", "show", run_id),
    ):  # fmt: skip
        text = gl(*args).text
        own = re.sub(r"\x1b\[[0-9;]*m", "", text) if colour else text
        assert all(character.isprintable() or character in "\n\u200d" for character in own)
        if "goal" in args and args[1] != "tree":
            flat = re.sub(r"\s+", " ", own)
            assert "[red]not red[/red]" in flat and r"\x1b[31mred" in flat


def test_hostile_text_in_an_error_stays_on_its_line(gl: Cli):
    gl.goal()

    ran = gl("goal", "show", "goal_\x1b[2J\nerror: all is well")

    assert ran.err.count("\n") == 1 and "\x1b" not in ran.err


def test_bytes_that_are_no_text_are_refused_in_a_document(gl: Cli):
    nonsense = os.fsdecode(b"\xff")

    assert gl.json("goal", nonsense).error["code"] == "usage"
    assert gl.json("goal", "create", nonsense).error["code"] == "bad_text"


def test_visible_keeps_what_can_be_read():
    assert visible("Zażółć 👩‍👩‍👧 שלום\u00a0x") == "Zażółć 👩‍👩‍👧 שלום\u00a0x"
    assert visible("a\nb\x00\x85\u2028\ud800\U000e0001") == r"a\nb\x00\x85\u2028\ud800\U000e0001"


@pytest.mark.parametrize("width", ["20", "60", "80", "132", "200"])
def test_ids_stay_whole_at_any_width(gl: Cli, monkeypatch: pytest.MonkeyPatch, width: str):
    long = "A title with many words that cannot fit into the width of a narrow terminal " * 3
    top = gl.goal(long, "--type", "objective")
    below = gl.goal(long, "--parent", top, "--owner", "agent:with-a-rather-long-name-of-its-own")
    gl.json("goal", "ready", below)
    run_id = gl.json("run", "start", below, "--agent", "x" * 60).data["run_id"]
    gl.json("goal", "complete", below, "--caveats", long)
    gl.json("run", "finish", run_id, "--outcome", "failed", "--category", "verification_failure")
    gl.json("run", "cost", run_id, "--usd", "12345.123456789")
    lesson_id = gl.json("lesson", "add", long, "--category", "winning_strategy", "--run", run_id).data["lesson_id"]
    monkeypatch.setenv("COLUMNS", width)

    for args, ids in (
        (("goal", "list"), {top, below}),
        (("goal", "tree"), {top, below}),
        (("goal", "show", below), {top, below, run_id}),
        (("goal", "timeline", below), {top}),
        (("run", "list"), {run_id}),
        (("run", "show", run_id), {run_id, below}),
        (("goal", "amend", below, "--priority", "1"), {below}),
        (("lesson", "list"), {lesson_id}),
        (("lesson", "show", lesson_id), {lesson_id, run_id}),
        (("lesson", "timeline", lesson_id), {run_id}),
        (("settings", "show"), set()),
        (("ledger", "export", "x.ndjson"), set()),
        (("doctor",), set()),
    ):
        text = gl(*args).text
        assert set(ID.findall(text)) == ids
        assert max(map(len, text.splitlines())) <= max(60, int(width))
        assert "…" not in text


def test_a_pipe_gets_neither_colours_nor_trailing_blanks(gl: Cli):
    gl.started_run()
    gl.json("lesson", "add", "Prune first", "--category", "safe_default")
    for args in (
        ("goal", "list"), ("goal", "tree"), ("run", "list"), ("ledger", "stats"), ("projection", "status"),
        ("lesson", "list"), ("settings", "show"), ("doctor",), ("follow", "--until-head"), ("projection", "list"),
    ):  # fmt: skip
        text = gl(*args).text
        assert "\x1b" not in text
        assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("title", ["Short", "x" * 79, "y" * 200, "Zażółć 👍", HOSTILE, " "], ids=ascii)
@pytest.mark.parametrize("width", ["60", "80", "132"])
def test_a_pipe_sees_the_words_that_a_terminal_sees(gl: Cli, monkeypatch: pytest.MonkeyPatch, title: str, width: str):
    goal_id = gl.goal(f"g {title}", "--capability", title, "--capability", "second", "--owner", "bot")
    monkeypatch.setenv("COLUMNS", width)
    for args in (("goal", "show", goal_id), ("goal", "amend", goal_id, "--priority", "3")):
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        piped = gl(*args).text
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert re.sub(r"\x1b\[[0-9;]*m", "", gl(*args).text) == piped


def test_no_color_is_respected(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    gl.active_goal()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[36mactive" in gl("goal", "list").text
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[36m" not in gl("goal", "list").text


def test_a_terminal_of_another_encoding_gets_numbers_for_what_it_lacks(gl: Cli):
    gl.goal("Zażółć 👍")

    ran = subprocess.run(
        [str(Path(sys.executable).with_name("goal-ledger")), "--db", str(gl.db), "goal", "list"],
        capture_output=True, timeout=PATIENCE_S, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip

    assert ran.returncode == 0
    assert rb"Za\u017c\xf3\u0142\u0107" in ran.stdout
