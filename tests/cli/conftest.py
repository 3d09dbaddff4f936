import os
from pathlib import Path

import pytest

from tests.cli.running import Cli


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the caller's environment nor its folder reaches a test."""
    for name in [name for name in os.environ if name.startswith("GOAL_LEDGER_")]:
        monkeypatch.delenv(name)
    for name in ("PYTHONUNBUFFERED", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gl(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    return Cli(tmp_path / "ledger.db", capsysbinary)
