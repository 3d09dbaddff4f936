"""The root command: exit codes, the JSON envelope, global options, errors, help."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.main import main, root
from tests.cli.running import Cli
from tests.tools import PATIENCE_S

PROGRAM = str(Path(sys.executable).with_name("goal-ledger"))
NOBODY = "goal_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


def process(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "goal_ledger.cli.frame.main", *args],
        capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, **env},
    )  # fmt: skip


def commands(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Verb]]:
    assert isinstance(command, Verb)
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


ALL = dict(commands())


# --- Exit codes and the envelope


def test_done_is_0_and_one_document(gl: Cli):
    ran = gl.json("goal", "create", "Cut checkout errors")

    assert ran.code == 0
    assert ran.document.keys() == {"version", "status", "data", "warnings"}


@pytest.mark.parametrize(
    "args",
    [
        ("--nonsense",),
        ("goal", "list", "--nonsense"),
        ("goal", "frob"),
        ("goal",),
        (),
        ("frob",),
        ("goal", "show"),
        ("goal", "list", "--status", "asleep"),
        ("goal", "create", "x", "--priority", "high"),
        ("goal", "create", "x", "--meta", "team=payments"),
        ("goal", "create", "x", "--now", "2026-01-01", "--occurred-at", "unknown"),
        ("run", "start", NOBODY, "--metric", "error_rate"),
        ("run", "cost", NOBODY, "--usd", "much"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_one_document(gl: Cli, args: tuple[str, ...]):
    ran = gl.json(*args)

    assert ran.code == 2
    assert ran.error["code"] == "usage" and "--help" in ran.error["hint"]
    assert not gl.db.exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--priority", "9"), "invalid_value"),
        (("--value", "nan"), "invalid_value"),
        (("--meta", "n=NaN"), "invalid_value"),
        (("--meta", "n=99999999999999999999"), "invalid_value"),
        (("--occurred-at", "yesterday"), "bad_time"),
        (("--now", "2026-01-01T00:00"), "naive_time"),
        (("--metric", "fewer errors"), "bad_metric"),
        (("--cadence", "sometimes"), "bad_cadence"),
        (("--description", "\udcff"), "bad_text"),
        (("--description", "x" * 10_001), "text_too_long"),
        (("--command-id", "\n"), "bad_command_id"),
        (("--as", "a\nb"), "bad_actor"),
        (("--db", "mongodb://host"), "bad_url"),
    ],
)
def test_what_cannot_be_stored_is_2_with_a_hint_and_nothing_is_written(gl: Cli, options: tuple[str, ...], code: str):
    gl.goal()

    ran = gl.json("goal", "create", "x", *options)

    assert (ran.code, ran.error["code"]) == (2, code)
    assert ran.error["hint"]
    assert gl.events() == 2


def test_refused_by_a_rule_is_3_names_both_states_and_the_way_out(gl: Cli):
    goal_id = gl.goal()
    before = gl.events()

    ran = gl.json("goal", "complete", goal_id)

    assert (ran.code, ran.error["code"]) == (3, "not_allowed")
    assert "planned" in ran.error["message"] and "completed" in ran.error["message"]
    assert f"goal-ledger goal ready {goal_id}" in ran.error["hint"]
    assert gl.events() == before


def test_a_version_that_is_gone_is_4(gl: Cli):
    goal_id = gl.goal()

    assert gl.json("goal", "ready", goal_id, "--if-version", "7").error["code"] == "wrong_version"
    assert gl.json("goal", "ready", goal_id, "--if-version", "7").code == 4
    assert gl.json("goal", "ready", goal_id, "--if-version", "1").data["version"] == 2


@pytest.mark.parametrize(
    "args",
    [
        ("goal", "show", NOBODY),
        ("goal", "show", "nonsense"),
        ("goal", "approve", NOBODY),
        ("goal", "timeline", NOBODY),
        ("goal", "tree", NOBODY),
        ("goal", "create", "x", "--depends-on", NOBODY),
        ("run", "start", NOBODY),
        ("run", "show", NOBODY.replace("goal", "grun")),
        ("run", "heartbeat", NOBODY.replace("goal", "grun")),
        ("projection", "rebuild", "horoscope"),
        ("import", "runs", "nowhere.jsonl"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_5(gl: Cli, args: tuple[str, ...]):
    gl.goal()
    before = gl.events()

    assert gl.json(*args).code == 5
    assert gl.json(*args).error["message"]
    assert gl.events() == before


@pytest.mark.parametrize(
    "args",
    [
        ("goal", "list"),
        ("goal", "tree"),
        ("goal", "show", NOBODY),
        ("goal", "approve", NOBODY),
        ("run", "list"),
        ("ledger", "stats"),
        ("ledger", "verify"),
        ("projection", "status"),
        ("projection", "rebuild"),
        ("lesson", "list"),
        ("lesson", "confirm", NOBODY.replace("goal", "les")),
        ("ledger", "export"),
        ("ledger", "backup", "copy.db"),
        ("goal", "timeline", NOBODY, "--as-of", "3"),
        ("goal", "show", NOBODY, "--as-of", "2026-01-01"),
        ("follow", "--until-head"),
    ],
    ids=" ".join,
)
def test_only_what_begins_a_history_makes_a_ledger(gl: Cli, args: tuple[str, ...]):
    ran = gl.json(*args)

    assert (ran.code, ran.error["code"]) == (5, "no_ledger")
    assert ran.error["hint"]
    assert 'goal create "' in ran.error["hint"]
    assert list(gl.db.parent.iterdir()) == []


def test_an_error_is_one_line_that_ends_with_the_way_out(gl: Cli):
    goal_id = gl.goal()

    ran = gl("goal", "complete", goal_id)

    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("error: goal is planned") and ran.err.rstrip().endswith(f"goal activate {goal_id}")


def test_a_file_that_is_no_ledger_is_1(gl: Cli):
    gl.db.write_text("dear diary")

    assert gl.json("goal", "list").code == 1
    assert gl.json("goal", "list").error["code"] == "not_a_ledger"
    assert gl.db.read_text() == "dear diary"


def test_a_mistake_of_ours_is_one_line_without_a_traceback(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    def breaks() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(root, "get_command", lambda _ctx, _name: Verb("broken", callback=breaks))

    ran = gl("broken")
    assert ran.code == 1 and ran.err.startswith("error: ZeroDivisionError: oh — ") and ran.err.count("\n") == 1
    assert gl.json("broken").error["code"] == "unexpected"
    monkeypatch.setenv("GOAL_LEDGER_DEBUG", "1")
    assert "Traceback" in gl("broken").err


def test_a_full_disk_behind_stdout_is_one_line(gl: Cli):
    gl.goal()
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [PROGRAM, "--db", str(gl.db), "goal", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )

    assert (ran.returncode, ran.stderr) == (1, "error: No space left on device\n")


def test_a_reader_that_leaves_is_no_error(gl: Cli):
    for _ in range(3):
        gl.goal("x" * 9_000)
    for options in ([], ["--json"]):
        with subprocess.Popen(
            [PROGRAM, "--db", str(gl.db), "goal", "list", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as ran:
            assert ran.stdout is not None and ran.stderr is not None
            ran.stdout.close()
            assert ran.stderr.read() == b""
        assert ran.returncode == 141


def test_without_stdout_it_still_works(gl: Cli):
    words = shlex.join([PROGRAM, "--db", str(gl.db), "goal", "create", "x"])

    ran = subprocess.run(["/bin/sh", "-c", f"{words} >&-"], capture_output=True, timeout=PATIENCE_S)

    assert (ran.returncode, ran.stderr) == (0, b"")
    assert gl.events() == 2


def test_control_c_is_130(tmp_path: Path):
    os.mkfifo(tmp_path / "endless.jsonl")
    ran = subprocess.Popen(
        [PROGRAM, "--db", str(tmp_path / "x.db"), "--json", "import", "runs", "endless.jsonl"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    writer = os.open(tmp_path / "endless.jsonl", os.O_WRONLY)  # returns when the import reads
    ran.send_signal(signal.SIGINT)
    out, err = ran.communicate(timeout=PATIENCE_S)
    os.close(writer)

    assert ran.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"
    assert b"Traceback" not in err


# --- Global options


@pytest.mark.parametrize("where", range(3))
def test_global_options_may_stand_anywhere(gl: Cli, where: int):
    gl.goal("first")
    words = ["goal", "create", "second"]

    spread = [*words[:where], "--json", "--db", str(gl.db), "--as", "cli:ana", *words[where:]]

    assert gl.run(*spread).data["created_by"] == "cli:ana"
    assert gl.run(*words, "--json", "--db", str(gl.db), "--as", "cli:ana").data["created_by"] == "cli:ana"
    assert len(gl.json("goal", "list").data) == 3


def test_the_environment_speaks_when_no_option_does(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GOAL_LEDGER_DB", str(gl.db))
    monkeypatch.setenv("GOAL_LEDGER_ACTOR", "agent:planner")

    assert gl.run("goal", "create", "x", "--json").data["created_by"] == "agent:planner"
    assert gl.run("goal", "create", "x", "--json", "--as", "cli:ana").data["created_by"] == "cli:ana"
    assert gl.db.exists()


def test_without_any_the_ledger_is_in_this_folder_and_the_actor_is_the_login(
    gl: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("LOGNAME", "ana")

    assert gl.run("goal", "create", "x", "--json").data["created_by"] == "cli:ana"
    assert (tmp_path / "goal-ledger.db").exists()


def test_a_user_without_a_name_is_unknown(gl: Cli, monkeypatch: pytest.MonkeyPatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 5)

    assert gl.run("--db", str(gl.db), "goal", "create", "x", "--json").data["created_by"] == "cli:unknown"


def test_a_value_that_looks_like_a_global_option_is_a_value(gl: Cli):
    assert gl("goal", "create", "x", "--reason", "--json").text.endswith("planned  x\n")
    assert gl("goal", "create", "--", "--json").text.endswith("planned  --json\n")
    assert gl("goal", "reject", gl.goal(), "--reason", "--json").err.startswith("error: ")
    assert gl("goal", "show", "--", "--json").err.startswith("error: ")


# --- Help


def test_help_imports_nothing_slow():
    code = (
        "import sys\nfrom goal_ledger.cli.frame.main import main\nassert main(['--help']) == 0\n"
        "slow = {'pydantic', 'rich', 'orjson', 'pathlib', 'eventsourcing', 'sqlite3', 'goal_ledger.ledger'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_an_answer_in_json_draws_nothing(gl: Cli):
    gl.goal()
    code = (
        "import sys\nfrom goal_ledger.cli.frame.main import main\nassert main(sys.argv[1:]) == 0\n"
        "assert 'rich' not in sys.modules"
    )
    args = [sys.executable, "-c", code, "--db", str(gl.db), "--json", "goal", "list"]

    assert subprocess.run(args, capture_output=True, timeout=PATIENCE_S).returncode == 0


def test_one_goal_is_shown_without_what_only_other_commands_need(gl: Cli):
    goal_id = gl.goal()
    code = (
        "import sys\nfrom goal_ledger.cli.frame.main import main\nassert main(sys.argv[1:]) == 0\n"
        "slow = {'rich', 'zoneinfo', 'importlib.metadata', 'getpass', 'tomllib', 'cronsim', 'gzip'}\n"
        "assert not slow & set(sys.modules) - before, slow & set(sys.modules)"
    )
    libraries = (
        "import sys, click, eventsourcing.persistence, eventsourcing.sqlite, orjson, pydantic, ulid\n"
        "class Model(pydantic.BaseModel):\n    title: str\n"
        "before = set(sys.modules)\n"
    )
    args = [sys.executable, "-c", libraries + code, "--db", str(gl.db), "goal", "show", goal_id]
    ran = subprocess.run(args, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, "LOGNAME": "ana"})

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_that_fits_and_examples_that_parse(gl: Cli, path: tuple[str, ...]):
    ran = gl.run(*path, "--help")

    assert ran.code == 0
    assert ALL[path].help and ALL[path].examples
    assert "\nExamples:\n" in ran.text and "--json" in ran.text
    assert max(map(len, ran.text.splitlines())) <= 100
    for example in ALL[path].examples:
        program, *words = shlex.split(example.replace("\\\n", " "))
        assert program == "goal-ledger" and example in ran.text
        target = max((known for known in ALL if known == tuple(words[: len(known)])), key=len)
        with suppress(click.exceptions.Exit):  # an example of --help
            ALL[target].make_context("example", words[len(target) :], obj=App())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]):
    options = [param for param in ALL[path].params if isinstance(param, click.Option)]

    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("args", [("--help",), ("goal", "--help"), ("goal", "list", "--help")], ids=" ".join)
def test_help_in_json_is_one_document(gl: Cli, args: tuple[str, ...]):
    assert "Usage: goal-ledger" in gl.json(*args).data["help"]
    assert "Usage: goal-ledger" in gl.run(*args, "--json").data["help"]


def test_the_version_is_that_of_the_distribution(gl: Cli):
    number = gl.run("--version", "--json").data["version"]

    assert gl.run("--version").text == f"goal-ledger {number}\n"


def test_nothing_at_all_shows_the_help_as_wrong_usage(gl: Cli):
    ran = gl.run()

    assert (ran.code, ran.out) == (2, b"")
    assert "Nouns:" in ran.err and "Verbs on their own:" in ran.err


def test_the_console_script_answers_like_the_module(gl: Cli):
    gl.goal()

    script = subprocess.run(
        [PROGRAM, "--db", str(gl.db), "goal", "list"], capture_output=True, text=True, timeout=PATIENCE_S
    )

    assert script.stdout == process("--db", str(gl.db), "goal", "list").stdout != ""
    assert process("--db", str(gl.db), "goal", "frob").returncode == 2


def test_main_returns_what_the_shell_gets(capsysbinary: pytest.CaptureFixture[bytes]):
    assert main(["goal", "frob"]) == 2


def test_the_shell_can_ask_what_could_be_typed_next():
    words = {"COMP_WORDS": "goal-ledger goal co", "COMP_CWORD": "2"}

    assert process(_GOAL_LEDGER_COMPLETE="bash_complete", **words).stdout == "plain,complete\n"
    assert "complete -o" in process(_GOAL_LEDGER_COMPLETE="bash_source").stdout
