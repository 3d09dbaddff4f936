"""Commands are found by where they lie."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.frame.finding import Commands, Listed
from goal_ledger.cli.frame.main import NOUNS

FOLDER = "goal_ledger_test_commands"
ASK = 'import click\n\n\n@click.command("ask")\ndef ask():\n    """Ask."""\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package without commands."""
    package = tmp_path / FOLDER
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith(FOLDER)]:
        monkeypatch.delitem(sys.modules, name)
    return package


def test_a_file_is_a_command_and_its_first_line_the_help(folder: Path):
    (folder / "ask.py").write_text(f'"""Ask for something: anything."""\n\n{ASK}')

    commands = Commands(FOLDER)

    assert [(each.name, each.section, each.help) for each in commands.listed()] == [
        ("ask", "noun", "Ask for something: anything.")
    ]
    found = commands.get("ask")
    assert isinstance(found, click.Command) and found.name == "ask"
    assert commands.get("answer") is None


def test_listing_imports_nothing(folder: Path):
    (folder / "broken.py").write_text('"""Nothing good.\n\nListed: verb 10\n"""\n\nraise RuntimeError\n')

    assert Commands(FOLDER).listed() == [Listed("verb", 10, "broken", "Nothing good.")]
    with pytest.raises(RuntimeError):
        Commands(FOLDER).get("broken")


def test_nouns_come_before_verbs_each_by_place_then_those_without_one_by_name(folder: Path):
    for name, place in (("b", "verb 10"), ("c", "noun 20"), ("d", "noun 10"), ("f", None), ("e", None)):
        (folder / f"{name}.py").write_text('"""Words.\n\nListed: ' + place + '\n"""\n' if place else '"""Words."""\n')

    assert [each.name for each in Commands(FOLDER).listed()] == ["d", "c", "e", "f", "b"]


def test_a_name_that_python_has_taken_ends_in_an_underline_and_a_private_file_is_no_command(folder: Path):
    (folder / "import_.py").write_text('"""Bring in."""\n\n' + ASK.replace("ask", "import_"))
    (folder / "_shared.py").write_text('"""Shared."""\n')
    (folder / "notes.txt").write_text("notes")

    assert [each.name for each in Commands(FOLDER).listed()] == ["import"]
    assert Commands(FOLDER).get("import") is not None
    assert [Commands(FOLDER).get(name) for name in ("import_", "_shared", "__init__", "../import_", "")] == [None] * 5


def test_every_file_of_ours_holds_the_command_of_its_name_and_a_place_of_its_own():
    listed = NOUNS.listed()

    assert len({(each.section, each.place) for each in listed}) == len(listed) > 20
    for each in listed:
        command = NOUNS.get(each.name)
        assert isinstance(command, Verb) and command.name == each.name
        assert command.help is not None
        assert command.help.startswith(each.help.rstrip(".").split(":")[0].split(",")[0])


def test_the_help_of_the_root_imports_no_noun():
    code = (
        "import sys\nfrom goal_ledger.cli.frame.main import main\nassert main(['--help']) == 0\n"
        "found = [name for name in sys.modules if name.startswith('goal_ledger.cli.nouns.')]\n"
        "assert not found, found"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (ran.returncode, ran.stderr) == (0, "")
