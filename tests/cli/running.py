"""Runs the command as its users do, inside this process."""

from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from goal_ledger.cli.frame.main import main


class Ran(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        assert self.out.endswith(b"\n") and self.out.count(b"\n") == 1
        document: dict[str, Any] = orjson.loads(self.out)
        assert document["version"] == 1
        return document

    @property
    def data(self) -> Any:
        assert self.document["status"] == "ok", self.document
        assert self.code == 0
        return self.document["data"]

    @property
    def error(self) -> dict[str, Any]:
        assert self.document["status"] == "error"
        assert self.err == ""
        error: dict[str, Any] = self.document["error"]
        return error


class Cli:
    """`goal-ledger` on a ledger of its own."""

    def __init__(self, db: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.db = db
        self.views = db.with_name(f"{db.stem}.views.db")
        self._capture = capture

    def run(self, *args: str) -> Ran:
        """Exactly these arguments."""
        self._capture.readouterr()
        code = main(args)
        out, err = self._capture.readouterr()
        return Ran(code, out, err.decode())

    def __call__(self, *args: str) -> Ran:
        """With this ledger, for people."""
        return self.run("--db", str(self.db), "--as", "cli:test", *args)

    def json(self, *args: str) -> Ran:
        """With this ledger, for programs."""
        return self("--json", *args)

    def events(self) -> int:
        """How many events the ledger holds."""
        count: int = self.json("ledger", "stats").data["events"]
        return count

    def goal(self, title: str = "Cut checkout errors", *options: str) -> str:
        """A new goal's id."""
        goal_id: str = self.json("goal", "create", title, *options).data["goal_id"]
        return goal_id

    def active_goal(self, *options: str) -> str:
        """A new goal that was started."""
        goal_id = self.goal("Cut checkout errors", *options)
        for verb in ("ready", "activate"):
            assert self.json("goal", verb, goal_id).code == 0
        return goal_id

    def started_run(self) -> tuple[str, str]:
        """A goal and a run at it."""
        goal_id = self.active_goal()
        return goal_id, self.json("run", "start", goal_id, "--agent", "bot").data["run_id"]
