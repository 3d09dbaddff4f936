"""Catching up and rebuilding, killed in the middle of a page."""

import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from goal_ledger.adapters.views import builder
from goal_ledger.ledger import Ledger, Settings
from tests.faults.children import Tell, chance
from tests.faults.conftest import Start
from tests.faults.work import FAST, fill
from tests.tools import tables

EVENTS = 240  # added per story


def fold(tell: Tell, path: str, page: int, wish: str) -> None:
    """Catch up or rebuild, writing after few events; tell where building begins, and every page."""
    builder._WRITTEN_EVERY = 20
    claim = builder.Builder._claim

    def telling(*args: Any, **options: Any) -> Any:
        places = claim(*args, **options)
        tell(("began", min(place.position for place in places.values())))
        return places

    builder.Builder._claim = telling  # type: ignore[method-assign]
    with Ledger.open(path, settings=Settings(durable=False, page=page)) as ledger:
        getattr(ledger.views, wish)(progress=lambda done, _: tell(("page", done)))


def undisturbed(path: Path, folder: Path) -> dict[str, list[Any]]:
    """The tables that one who was never disturbed folds from the same log."""
    folder.mkdir()
    with Ledger.open(path, read_only=True) as ledger:
        ledger.backup(folder / "ledger.db")
    with Ledger.open(folder / "ledger.db", settings=FAST) as ledger:
        ledger.views.catch_up()
    clean = tables(folder / "ledger.views.db")
    shutil.rmtree(folder)
    return clean


@pytest.mark.parametrize("page", [1, 2, 37, 500])
@pytest.mark.parametrize("kills", [5, pytest.param(250, marks=pytest.mark.soak)])
def test_folding_that_is_killed_goes_on_where_it_stopped_and_ends_as_if_undisturbed(
    start: Start, tmp_path: Path, page: int, kills: int
):
    seeded = chance()
    began: list[int] = []
    stories = 0
    while len(began) < kills or not any(began):
        stories += 1
        assert stories < 10 * kills, "no building was ever resumed"
        path = tmp_path / f"{stories}.db"
        with Ledger.open(path, actor="test:faults", settings=FAST) as ledger:
            _live(ledger, seeded)
            for wish in seeded.choice((["catch_up"], ["rebuild"], ["catch_up", "rebuild"])):
                with_old_rows = ledger.goals.list().goals if wish == "rebuild" else None
                if wish == "catch_up":
                    _live(ledger, seeded)
                for _ in range(seeded.randint(1, 4)):
                    began += _killed(start, path, page, wish, seeded)
                    if with_old_rows is not None:
                        assert ledger.goals.list().goals == with_old_rows
                getattr(ledger.views, wish)()
                assert tables(path.with_name(f"{stories}.views.db")) == undisturbed(path, tmp_path / "clean")


def _live(ledger: Ledger, seeded: Random) -> None:
    """Goals, and runs at some of them, so that rows change after they were written."""
    fill(ledger, EVENTS // 2)
    goals = [event.stream for event in ledger.events() if event.name == "goal.created"]
    for goal_id in seeded.sample(goals, 15):
        ledger.goals.amend(goal_id, description=f"{seeded.random()}")
        ledger.goals.archive(goal_id, reason="done")


def _killed(start: Start, path: Path, page: int, wish: str, seeded: Random) -> list[int]:
    """Kill a child at a moment of its folding; where its building began, [] when it built nothing."""
    child = start(fold, str(path), page, wish)
    told = []
    try:
        for _ in range(seeded.randint(1, max(2, EVENTS // page))):
            told.append(child.hear())
    except EOFError:  # it was done before
        child.finished()
    else:
        told += child.kill_if_alive()
    return [position for what, position in told if what == "began"]
