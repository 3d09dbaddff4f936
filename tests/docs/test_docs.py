"""The documents tell the truth: their examples run, their generated pages are current, their links lead somewhere."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from goal_ledger.adapters.store.codec import Codec
from goal_ledger.domain.base import Event, Recorded
from goal_ledger.ledger import Ledger, Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BIN = Path(sys.executable).parent


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GOAL_LEDGER_")}
    return {**kept, "COLUMNS": "80", "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", **more}


def in_general(text: str) -> str:
    """What is different every time, ids, digests and times, made the same."""
    text = re.sub(r"\b(\d+):[0-9a-f]{16}\b", r"\1:DIGEST", text)
    text = re.sub(r"\b(goal|grun)_[0-9A-Z]{26}", r"\1_ID", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)


@pytest.mark.parametrize("page", ["README.md", "docs/embedding.md"])
def test_the_first_example_runs_under_python_with_warnings_as_errors(tmp_path, page):
    program = blocks(page, "python")[0]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment()
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "run.finished" in done.stdout


def test_the_loop_of_embedding_goes_on_where_it_was_killed(tmp_path):
    program = blocks("docs/embedding.md", "python")[1]
    dying = program.replace(
        "    ledger.runs.act(", "    step == 7 and os.kill(os.getpid(), 9)\n        ledger.runs.act("
    )
    for text, code in (("import os\n" + dying, -9), (program, 0)):
        done = subprocess.run([sys.executable, "-W", "error", "-c", text], cwd=tmp_path, env=environment(), check=False)
        assert done.returncode == code
    with Ledger.open(tmp_path / "goal-ledger.db") as ledger:
        [run] = ledger.runs.list().rows
        assert run.actions_taken == tuple(f"count {step}" for step in range(10))
        assert ledger.goals.get(run.goal_id).done


def test_the_further_examples_of_embedding_run_one_after_the_other():
    with Ledger.open(":memory:") as ledger:
        goal, first, second = (ledger.goals.create(title) for title in ("one", "two", "three"))
        stopping = threading.Event()
        told: list[object] = []

        def tell(recorded: object) -> None:
            told.append(recorded)
            if len(told) == ledger.log.stats().events:
                stopping.set()

        names: dict[str, Any] = {
            "ledger": ledger,
            "goal": goal,
            "first": first,
            "second": second,
            "started_at": datetime(2025, 11, 9, 11, tzinfo=UTC),
            "position": 0,
            "stopping": stopping,
            "print": tell,
        }
        shared_work, *others = blocks("docs/embedding.md", "python")[2:]
        exec(shared_work, names)
        for each in (goal, first):  # not before: the workers would do them
            ledger.goals.ready(each.goal_id)
            ledger.goals.activate(each.goal_id)
        for program in others:
            exec(program, names)
        assert ledger.goals.get(goal.goal_id).status == "blocked"
        assert ledger.goals.get(first.goal_id).done
        assert names["way_out"] == f'ledger.goals.ready("{second.goal_id}")'
        assert [call.arguments for call in names["calls"]] == [(second.goal_id,)]
        assert names["position"] == len(told) > 10
        assert names["busiest"] == ("agent:planner", 1) and names["follow_up"].question == "Why did it fail?"
        assert names["reminded"].done[0].endswith(": Which region?")
        assert ledger.sessions.get().clean and ledger.loops.list(status=None).rows[0].answer == "eu-west-1"


def test_starting_and_stopping_works_as_it_is_written(tmp_path):
    section = (ROOT / "docs/operations.md").read_text().partition("## Starting and stopping")[2].partition("\n## ")[0]
    commands = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    assert [command.split()[2] for command in commands] == ["start", "list", "drain", "stop", "show"]
    for command in commands:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True, env=environment())
    with Ledger.open(tmp_path / "goal-ledger.db") as ledger:
        assert (ledger.sessions.get().status, ledger.sessions.get().number) == ("stopped", 1)


def test_the_example_of_evolution_reads_every_version():
    names: dict[str, Any] = {"Event": Event, "ClassVar": ClassVar, "Any": Any, "__name__": "example"}
    [program] = blocks("docs/evolution.md", "python")
    exec(program, names)
    codec = Codec({"goal.failed": names["GoalFailed"]})
    circumstances = {"at": "", "occurred_at": None, "by": "", "command": None, "cause": None}
    for version, data in ((1, {"kinds": ["disk"]}), (2, {"kind": "disk"}), (3, {"cause": "disk"})):
        body = orjson.dumps({**circumstances, "v": version, "data": data})
        recorded = codec.decode((1, "goal_1", 1, "goal.failed", body))
        assert isinstance(recorded, Recorded), recorded
        assert recorded.event == names["GoalFailed"](cause="disk")


def test_the_session_of_the_readme_is_what_the_command_prints(tmp_path):
    [session] = blocks("README.md", "console")
    ids: dict[str, str] = {}
    printed = []
    for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
        for kind, actual in ids.items():
            command = re.sub(rf"{kind}_[0-9A-Z]{{26}}", actual, command)
        done = subprocess.run(
            shlex.split(command),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment(GOAL_LEDGER_ACTOR="cli:ana"),
        )
        printed.append(f"$ {command}\n{done.stdout}{done.stderr}")
        for kind in ("goal", "grun"):
            if found := re.search(rf"{kind}_[0-9A-Z]{{26}}", done.stdout):
                ids.setdefault(kind, found.group())
    assert in_general("\n".join(printed)) == in_general(session)


def test_the_generated_pages_are_current():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, text in generate.pages().items():
        assert (ROOT / "docs" / name).read_text() == text, f"{name} is not current; run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_table_of_settings_is_whole_and_says_the_defaults():
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert {name: orjson.loads(value) for name, value in rows} == Settings().model_dump(mode="json")


@pytest.mark.parametrize(("page", "at_least"), [("guarantees.md", 40), ("evolution.md", 8)])
def test_every_guarantee_names_a_test_that_exists(page, at_least):
    rows = re.findall(r"^\| .* \| `(tests/[\w/.]+)::(\w+)` \|$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    assert len(rows) >= at_least
    for file, name in rows:
        assert re.search(rf"^( {{4}})?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file}::{name}"
