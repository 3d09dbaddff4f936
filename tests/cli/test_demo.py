"""The demo: what a visitor sees first."""

import os
import re
import subprocess
import sys
from pathlib import Path

from goal_ledger.cli.demo import play
from goal_ledger.ledger import Ledger
from tests.tools import PATIENCE_S


def test_the_demo_tells_its_story_and_ends_with_commands_that_work(tmp_path: Path):
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    demo = [sys.executable, "-W", "error", "-m", "goal_ledger.cli.demo"]

    ran = subprocess.run(demo, capture_output=True, text=True, timeout=PATIENCE_S, env=env, cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert max(len(line) for line in ran.stdout.splitlines() if str(tmp_path) not in line) <= 80
    for words in (
        "Nightly backups that restore",
        "execution_timeout",
        "active → completed",
        "equal before and after",
        "ok  ",
    ):
        assert words in ran.stdout
    assert "bug" not in ran.stdout
    commands = re.findall(r"^# .*\n(.*) \\\n    (.*)$", ran.stdout, flags=re.MULTILINE)
    assert len(commands) >= 5 and ran.stdout.endswith(commands[-1][1] + "\n")
    codes = [
        subprocess.run(
            [*program.split(), *words.split()], capture_output=True, timeout=PATIENCE_S, cwd=tmp_path
        ).returncode
        for program, words in commands
    ]
    assert sorted(codes) == [0] * (len(codes) - 1) + [3]


def test_the_story_is_the_same_every_time():
    def told() -> list[tuple[object, ...]]:
        with Ledger.open(":memory:") as ledger:
            play(ledger)
            return [
                (row.title, row.status, row.attempts, row.created_at, row.updated_at)
                for row in ledger.goals.list().rows
            ]

    first = told()
    assert first == told()
    assert [status for _, status, *_ in first].count("completed") == 1
