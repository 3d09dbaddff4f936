"""Whole commands, from exec to exit, beside a process that only imports the libraries underneath."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import Bench, Budget, Prepare, Result
from goal_ledger.ledger import Ledger

_COMMAND = Path(sys.executable).with_name("goal-ledger")
_LIBRARIES = """
import click, eventsourcing.persistence, eventsourcing.sqlite, orjson, pydantic, ulid

class Model(pydantic.BaseModel):
    title: str
    priority: int = 3
"""


def processes(bench: Bench) -> Iterator[Result]:
    """Run `--help` and `goal show`; raw is an interpreter that imports the core libraries and defines one model."""
    if not _COMMAND.exists() or find_spec("goal_ledger.cli.frame.main") is None:
        yield Result("goal-ledger --help, goal show", skipped="the command does not exist yet")
        return
    path = bench.folder / "process.db"
    with Ledger.open(path, actor="agent:bench") as ledger:
        goal = ledger.goals.create("Cut checkout errors", priority=2)
    times, bytecode = bench.size(5, 1), None if bench.quick else bench.folder / "bytecode"
    budgets = (Budget("ms", 150), Budget("times", 1.3))
    for case, arguments in (
        ("goal-ledger --help", ["--help"]),
        ("goal-ledger goal show ID", ["--db", str(path), "goal", "show", goal.goal_id]),
    ):
        ways: dict[str, Prepare] = {
            "ours": _running(times, bytecode, str(_COMMAND), *arguments),
            "raw": _running(times, bytecode, sys.executable, "-c", _LIBRARIES),
        }
        yield Result(case, times, bench.compare(ways, times), budgets)


def _running(times: int, bytecode: Path | None, *command: str) -> Prepare:
    # An installed package has its bytecode; a checkout gets it here, whatever the caller's environment says.
    environment = dict(os.environ)
    if bytecode is not None:
        environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def prepare() -> Callable[[], None]:
        def work() -> None:
            for _ in range(times):
                subprocess.run(command, check=True, capture_output=True, env=environment)

        return work

    return prepare
