"""The documents' programs as their readers write them: under a strict type checker, without a setting of ours."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.programs import PAGES, write_programs


def check(folder: Path) -> Mapping[str, list[str]]:
    """What mypy says of each program."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        file, _, words = line.partition(":")
        found.setdefault(file, []).append(words)
    return found


def test_every_program_of_the_documents_passes_the_strict_type_checker(tmp_path: Path):
    programs = write_programs(tmp_path)
    shown = sum(page.read_text(encoding="utf-8").count("```python\n") for page in PAGES)
    assert len(programs) == shown > 20
    assert check(tmp_path) == {}
