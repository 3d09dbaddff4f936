"""A strict type checker as the authors of other programs run it: on files of theirs, without a setting of ours."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def complaints(folder: Path) -> Mapping[str, list[str]]:
    """What mypy says of the programs in a folder: `line: error: …`, by file."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--hide-error-context", "--no-error-summary"]
    done = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        file, _, words = line.partition(":")
        found.setdefault(file, []).append(words)
    return found
