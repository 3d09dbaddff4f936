"""goal-ledger completion: scripts, and what the shell is told."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.main import root
from goal_ledger.cli.frame.options import Id
from tests.cli.running import Cli
from tests.tools import PATIENCE_S

PROGRAM = str(Path(sys.executable).with_name("goal-ledger"))


def asked(gl: Cli, line: str, shell: str = "zsh") -> list[str]:
    """What the shell is told when the cursor stands at the end of the line."""
    words = line.split(" ")
    env = {
        "_GOAL_LEDGER_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1),
        "GOAL_LEDGER_DB": str(gl.db),
    }  # fmt: skip
    ran = subprocess.run([PROGRAM], env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.strip("\n").splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_us(gl: Cli, shell: str):
    script = gl.run("completion", shell).text

    assert f"_GOAL_LEDGER_COMPLETE={shell}_complete" in script and "goal-ledger" in script
    assert gl.run("completion", shell, "--json").data == {"shell": shell, "script": script.strip()}


@pytest.mark.parametrize(("shell", "check"), [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])])
def test_the_script_is_one_that_the_shell_understands(gl: Cli, tmp_path: Path, shell: str, check: list[str]):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(gl.run("completion", shell).text)

    assert subprocess.run([shell, *check, str(script)], capture_output=True, timeout=PATIENCE_S).returncode == 0


def test_another_shell_is_wrong_usage(gl: Cli):
    assert gl.run("completion", "tcsh").code == 2
    assert gl.run("completion").code == 2


def test_commands_options_and_words_complete(gl: Cli):
    assert asked(gl, "goal-ledger goal co", "bash") == ["plain,complete"]
    assert "plain,doctor" in asked(gl, "goal-ledger d", "bash")
    assert asked(gl, "goal-ledger goal list --sta", "bash") == ["plain,--status"]
    assert asked(gl, "goal-ledger goal list --status comp", "bash") == [
        "plain,completed", "plain,completed_with_caveats",
    ]  # fmt: skip
    assert asked(gl, "goal-ledger --db ", "bash")[0].startswith("file,")


def test_ids_complete_from_the_ledger_the_newest_first_with_what_they_are(gl: Cli):
    goal_id, run_id = gl.started_run()
    other = gl.goal("Second: with\na new line and \x1b[31mcolour")
    lesson_id = gl.json("lesson", "add", "Prune first", "--category", "safe_default").data["lesson_id"]

    told = asked(gl, "goal-ledger goal show ")
    assert told[1::3] == [other, goal_id]
    assert told[2::3] == [r"planned  Second: with\na new line and \x1b[31mcolour", "active  Cut checkout errors"]
    assert asked(gl, f"goal-ledger goal show {goal_id[:-1]}")[1::3] == [goal_id]
    assert asked(gl, "goal-ledger goal show goal_zzz") == []
    assert asked(gl, "goal-ledger goal create x --parent goal_")[1::3] == [other, goal_id]
    assert asked(gl, "goal-ledger run show ")[1:3] == [run_id, "running  attempt 1"]
    assert asked(gl, f"goal-ledger run list --goal {goal_id[:12]}")[1::3][-1] == goal_id
    assert asked(gl, "goal-ledger lesson show les_")[1:3] == [lesson_id, "Prune first"]


def test_beliefs_and_rules_complete_too(gl: Cli):
    belief_id = gl.json("belief", "hold", "Backups must restore").data["belief_id"]
    lesson_id = gl.json("lesson", "add", "Prune first", "--category", "safe_default", "--confidence", "0.9").data[
        "lesson_id"
    ]
    for number in range(8):
        gl("lesson", "confirm", lesson_id, "--reason", f"seen {number}")
    rule_id = gl.json("rule", "draft", lesson_id).data["rule_id"]

    assert asked(gl, "goal-ledger belief show ")[1:3] == [belief_id, "Backups must restore"]
    assert asked(gl, "goal-ledger rule show rule_")[1] == rule_id


def ids(command: click.Command = root) -> Iterator[tuple[str, Id]]:
    """Every place of the command line where an id is wanted."""
    for param in command.params:
        if isinstance(param.type, Id):
            yield f"{command.name} {param.name}", param.type
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from ids(found)


def test_wherever_an_id_is_wanted_its_noun_offers_some():
    found = list(ids())
    assert len(found) > 50
    for where, wanted in found:
        noun = root.get_command(click.Context(root), wanted.noun)
        assert isinstance(noun, Noun) and noun.candidates is not None, where


def test_the_ledger_named_on_the_line_is_asked(gl: Cli, tmp_path: Path):
    gl.goal()
    elsewhere = tmp_path / "other.db"
    goal_id = gl.run("--db", str(elsewhere), "--json", "goal", "create", "x").data["goal_id"]

    assert asked(gl, f"goal-ledger --db {elsewhere} goal show ")[1::3] == [goal_id]


def test_without_a_ledger_or_with_a_foreign_one_nothing_is_told_and_nothing_made(gl: Cli):
    assert asked(gl, "goal-ledger goal show ") == []
    assert list(gl.db.parent.iterdir()) == []
    gl.db.write_text("dear diary")
    assert asked(gl, "goal-ledger goal show ") == []
    assert [path.name for path in gl.db.parent.iterdir()] == [gl.db.name]
