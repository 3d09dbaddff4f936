"""What every fault has: children that do not outlive their test, and ledgers to break."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.children import Child
from tests.places import PLACES, Place
from tests.tools import python

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []  # Unix signals, limits and mounts

Start = Callable[..., Child]
Started = Callable[..., "subprocess.Popen[str]"]
NewPlace = Callable[[], Place]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children; whatever is still running at the end of a test is killed."""
    running: list[Child] = []

    def start_one(work: Callable[..., object], *arguments: Any) -> Child:
        running.append(Child(work, *arguments))
        return running[-1]

    yield start_one
    for child in running:
        child.end()


@pytest.fixture(params=PLACES)
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Makes places for ledgers, in one store after the other."""
    numbers = itertools.count()

    def make() -> Place:
        folder = tmp_path / f"{next(numbers)}"
        folder.mkdir()
        return PLACES[request.param](folder, lambda: request.getfixturevalue("postgres"))

    return make


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts processes that run code; whatever is still running at the end of a test is killed."""
    running: list[subprocess.Popen[str]] = []

    def start_one(code: str, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        running.append(python(code, *arguments, **options))
        return running[-1]

    yield start_one
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()
