"""Catching up and rebuilding, killed in the middle of a page."""

import shutil
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from goal_ledger.adapters.views import builder
from goal_ledger.ledger import Ledger, Settings
from tests.faults.children import Child, Tell, chance
from tests.faults.conftest import Start
from tests.faults.work import FAST, fill
from tests.tools import tables


def fold(tell: Tell, path: str, page: int, wish: str) -> None:
    """Catch up or rebuild, writing after few events; tell where building begins, and every page."""
    builder._WRITTEN_EVERY = 1
    claim = builder.Builder._claim

    def telling(*args: Any, **options: Any) -> Any:
        places = claim(*args, **options)
        tell(("began", min((place.position for place in places.values()), default=0)))
        return places

    builder.Builder._claim = telling  # type: ignore[method-assign]
    with Ledger.open(path, settings=Settings(durable=False, page=page)) as ledger:
        attrgetter(wish)(ledger.views)(progress=lambda done, _: tell(("page", done)))


def undisturbed(path: Path, folder: Path) -> dict[str, list[Any]]:
    """The tables that one who was never disturbed folds from the same log."""
    folder.mkdir()
    with Ledger.open(path, read_only=True) as ledger:
        ledger.log.backup(folder / "ledger.db")
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
    seeded, events = chance(), max(100, 2 * page)
    began: list[int] = []
    killed = stories = 0
    while killed < kills or not any(began):
        stories += 1
        assert stories < 10 * kills, "no building was ever resumed"
        path = tmp_path / f"{stories}.db"
        with Ledger.open(path, actor="test:faults", settings=FAST) as ledger:
            for wish in seeded.choice(
                (["catch_up"], ["rebuilds.rebuild"], ["catch_up", "rebuilds.rebuild", "catch_up"])
            ):
                _live(ledger, seeded, events)
                before = ledger.goals.list().rows if wish == "rebuilds.rebuild" else None
                for _ in range(seeded.randint(1, 4)):
                    told, was_killed = _killed(
                        start(fold, str(path), page, wish), seeded.randint(1, 2 + events // page)
                    )
                    began += [position for what, position in told if what == "began"]
                    killed += was_killed
                    assert before is None or ledger.goals.list().rows == before
                attrgetter(wish)(ledger.views)()
                assert tables(path.with_name(f"{stories}.views.db")) == undisturbed(path, tmp_path / "clean")


def _live(ledger: Ledger, seeded: Random, count: int) -> None:
    """New goals, and runs at some of them, so that rows change after they were written."""
    before = ledger.head
    fill(ledger, count)
    goals = [event.stream for event in ledger.events(after=before)]
    for goal_id in seeded.sample(goals, 10):
        ledger.goals.amend(goal_id, description=f"{seeded.random()}")
        run = ledger.runs.start(ledger.goals.ready(goal_id).goal_id)
        ledger.runs.heartbeat(run.run_id)


def _killed(child: Child, after: int) -> tuple[list[Any], bool]:
    """What a child told that is killed after it told so much, and whether it was, or had ended before."""
    told = []
    for _ in range(after):
        try:
            told.append(child.hear())
        except EOFError:
            break
    told += child.kill()
    return told, child.was_killed
