"""The session of docs/operations.md on a change of a read model is what the command prints."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.adapters.views.sqlite import sqlite_views
from goal_ledger.ledger import Ledger
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.registry import PROJECTIONS
from tests.docs.test_docs import blocks, environment, in_general


def yesterdays_board() -> Projection[Any]:
    """The goals as a version folded them that did not keep why a goal is in its status."""
    kinds = {name: kind for name, kind in goal_definitions.row.__annotations__.items() if name != "status_reason"}
    row: Any = NamedTuple("GoalRow", list(kinds.items()))  # type: ignore[misc]
    board: Projection[Any] = Projection("goal_definitions", row, key="goal_id", indexes=goal_definitions.indexes)

    for event_type, fold in goal_definitions.folds.items():

        @board.on(event_type)
        def _(before: Any, recorded: Any, event: Any, handler: Any = fold.handler) -> Any:
            after = handler(before and goal_definitions.row(status_reason=None, **before._asdict()), recorded, event)
            return after and row(*(getattr(after, name) for name in kinds))

    return board


def goals_of_yesterday(path: Path) -> None:
    """Three goals, one of them blocked, and their read models."""
    with Ledger.open(path, actor="cli:ana") as ledger:
        first = ledger.goals.create("Cut checkout errors").goal_id
        ledger.goals.ready(first)
        ledger.goals.activate(first)
        ledger.goals.block(first, reason="no key for the shop")
        for title in ("Back up nightly", "Answer mail within a day"):
            ledger.goals.create(title)
        ledger_id = ledger.id
        projections = [*(each for each in PROJECTIONS.values() if each is not goal_definitions), yesterdays_board()]
        views = sqlite_views(path.with_name("goal-ledger.views.db"), SqliteStore(path), projections, ledger=ledger_id)
        views.catch_up()
        views.close()


def in_short(text: str) -> str:
    """Digests made the same, and what is said of all read models left out but for the one that is shown."""
    text = re.sub(r"__[0-9a-f]{12}\b", "__DIGEST", in_general(text))
    others = tuple(name for name in PROJECTIONS if name != "goal_definitions")
    return "\n".join(line.rstrip() for line in text.splitlines() if not line.startswith(others)).strip()


def test_the_change_of_a_read_model_goes_as_the_page_shows(tmp_path: Path):
    goals_of_yesterday(tmp_path / "goal-ledger.db")
    sessions = [block for block in blocks("docs/operations.md", "console") if "projection" in block]
    printed = []
    for command in re.findall(r"^\$ (.*)$", "\n".join(sessions), re.MULTILINE):
        done = subprocess.run(
            shlex.split(command), cwd=tmp_path, capture_output=True, text=True, env=environment(), check=False
        )
        printed.append(f"$ {command}\n{done.stdout}{done.stderr}")
    assert in_short("".join(printed)) == in_short("".join(sessions))
    assert len(printed) > 6
