"""An event changes its fields: old bytes and new bytes of the same history give the same answers."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.goals.goal import GoalCompleted
from goal_ledger.ledger import Damaged, GoalStatus, Ledger, Rejected
from goal_ledger.projections.registry import PROJECTIONS
from tests.histories.files import fill, load, recorded_state
from tests.histories.scenario import tell
from tests.tools import Clock, recorded, tables
from tests.tools import rows as stored_rows

NAME = "goal.completed"

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
Change = Callable[..., None]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Let GoalCompleted be as it will be after a change of its fields: another version, with these upcasts."""

    def change(version: int, **upcasts: Upcast) -> None:
        monkeypatch.setattr(GoalCompleted, "schema_version", version)
        for name, upcast in upcasts.items():
            monkeypatch.setattr(GoalCompleted, name, staticmethod(upcast), raising=False)

    return change


def renamed(old: str, new: str) -> Upcast:
    return lambda data: {new if name == old else name: value for name, value in data.items()}


def twice_renamed(change: Change) -> None:
    """Version 1 said `proof`, version 2 `shown`, version 3 says `evidence`."""
    change(3, upcast_v1=renamed("proof", "shown"), upcast_v2=renamed("shown", "evidence"))


def as_version(body: bytes, version: int) -> bytes:
    """The body as the code of an older version wrote it."""
    said = orjson.loads(body)
    back = {3: "evidence", 2: "shown", 1: "proof"}[version]
    return orjson.dumps(said | {"v": version, "data": renamed("evidence", back)(said["data"])})


@pytest.fixture
def told(tmp_path: Path, change: Change) -> Path:
    """A ledger that the code of version 3 wrote."""
    twice_renamed(change)
    with Ledger.open(tmp_path / "new.db", actor="test:evolution", clock=Clock()) as ledger:
        tell(ledger, Random(3))
        goal = ledger.goals.create("Restore")
        for verb in (ledger.goals.ready, ledger.goals.activate):
            verb(goal.goal_id)
        ledger.goals.complete(goal.goal_id, evidence="all 214 tables")
    return tmp_path / "new.db"


@pytest.fixture(params=[1, 2])
def older(request: pytest.FixtureRequest, told: Path) -> Path:
    """The same history with the bytes of an older version."""
    with Ledger.open(told, create=False) as ledger:
        stored = [*ledger.rows()]
    rows = [(*row[:4], as_version(row[4], request.param) if row[3] == NAME else row[4]) for row in stored]
    assert sum(row[3] == NAME for row in rows) > 2 and rows != stored
    return fill(told.with_name("old.db"), rows)


def test_old_and_new_bytes_fold_into_the_same_state(told: Path, older: Path):
    with Ledger.open(told, create=False) as new, Ledger.open(older, create=False) as old:
        assert old.log.verify_deep() == new.log.verify_deep()
        assert recorded(old) == recorded(new)
        assert [*old.goals.list().rows] == [*new.goals.list().rows]
    with Ledger.open(told, create=False) as new, Ledger.open(older, create=False) as old:
        for ledger in (new, old):
            ledger.views.rebuilds.rebuild()
    rows = [
        {name: rows for name, rows in tables(path.with_name(f"{path.stem}.views.db")).items() if name in PROJECTIONS}
        for path in (told, older)
    ]
    assert rows[0] == rows[1] and sum(map(len, rows[0].values())) > 200


def test_old_and_new_bytes_give_the_same_answers_as_of_any_position(told: Path, older: Path):
    with Ledger.open(told, create=False) as new, Ledger.open(older, create=False) as old:
        completed = [event for event in recorded(new) if event.name == NAME]
        for event in completed:
            for position in (event.position - 1, event.position, new.head):
                assert old.as_of(position).log.state_hash() == new.as_of(position).log.state_hash()
                then = new.as_of(position).goals.get(event.stream)
                assert old.as_of(position).goals.get(event.stream) == then
                assert then.done is (position >= event.position)
        assert new.goals.get(completed[-1].stream).evidence == "all 214 tables"
        timelines = [ledger.goals.timeline(completed[-1].stream) for ledger in (new, old)]
        assert timelines[0] == timelines[1] and all(isinstance(item, Recorded) for item in timelines[1])


def test_old_streams_take_writes_which_are_stored_in_the_new_form(older: Path):
    with Ledger.open(older, create=False) as ledger:
        [goal, *_] = [goal for goal in ledger.goals.list().rows if goal.evidence == "all 214 tables"]
        assert ledger.goals.archive(goal.goal_id).status is GoalStatus.ARCHIVED
        [active, *_] = ledger.goals.list(status=GoalStatus.ACTIVE).rows
        ledger.goals.complete(active.goal_id, evidence="again")
        [*_, last] = [row for row in ledger.rows() if row[3] == "goal.completed"]
        assert orjson.loads(last[4])["v"] == 3 and orjson.loads(last[4])["data"]["evidence"] == "again"
        assert ledger.log.verify() == ledger.head


def test_another_version_of_an_event_folds_its_read_models_anew_into_the_same_state(tmp_path: Path, change: Change):
    path = load("0.1.0", tmp_path / "ledger.db")
    with Ledger.open(path, create=False) as ledger:
        goals, before = ledger.goals.list().rows, ledger.log.state_hash()
    change(2, upcast_v1=lambda data: data)
    with Ledger.open(path, create=False) as ledger:
        assert ledger.goals.list().rows == goals
        now = ledger.log.state_hash()
    assert now.sha256 == before.sha256
    assert {a.name for a, b in zip(now.projections, before.projections, strict=True) if a.digest != b.digest} == {
        "agenda", "goal_definitions", "goal_state_events"
    }  # fmt: skip
    assert (
        len(stored_rows(tmp_path / "ledger.views.db", "SELECT 1 FROM folded WHERE projection = 'goal_definitions'"))
        == 2
    )
    assert {each.name: each.sha256 for each in now.projections} == {
        name: said["sha256"] for name, said in recorded_state("0.1.0").items()
    }


def fails(data: dict[str, Any]) -> dict[str, Any]:
    raise KeyError("proof")


@pytest.mark.parametrize(
    ("upcasts", "problem"),
    [
        ({}, "there is no upcast_v1 of goal.completed"),
        ({"upcast_v1": fails}, "upcast_v1 of goal.completed failed: KeyError: 'proof'"),
        ({"upcast_v1": renamed("evidence", "proof")}, "proof: extra inputs are not permitted"),
    ],
    ids=["missing", "failing", "mistaken"],
)
def test_an_event_that_is_not_brought_to_the_present_is_named_and_its_stream_takes_no_writes(
    tmp_path: Path, change: Change, upcasts: dict[str, Upcast], problem: str
):
    with Ledger.open(tmp_path / "ledger.db", actor="test:evolution", clock=Clock()) as ledger:
        goal = ledger.goals.create("Restore")
        for verb in (ledger.goals.ready, ledger.goals.activate):
            verb(goal.goal_id)
        ledger.goals.complete(goal.goal_id, evidence="all tables")
    change(2, **upcasts)
    with Ledger.open(tmp_path / "ledger.db", create=False) as ledger:
        with pytest.raises(Rejected) as refused:
            ledger.goals.archive(goal.goal_id)
        assert refused.value.code == "newer_event" and problem in refused.value.message
        assert ledger.goals.get(goal.goal_id).status is GoalStatus.ACTIVE  # readable up to there
        ledger.views.catch_up()
        assert {item.problem for item in ledger.views.repairs.quarantined()} == {problem}
        assert {item.problem for item in ledger.log.state_hash().lacking} == {problem}
        with pytest.raises(Damaged) as damaged:
            ledger.log.verify_deep()
        assert f"goal.completed cannot be read: {problem}" in damaged.value.message


def test_what_newer_code_wrote_takes_no_writes_and_is_no_damage(told: Path, change: Change):
    with Ledger.open(told, create=False) as ledger:
        [*_, goal] = [event.stream for event in recorded(ledger) if event.name == NAME]
    change(2, upcast_v1=lambda data: data)  # back to the code before
    with Ledger.open(told, create=False) as ledger:
        with pytest.raises(Rejected) as refused:
            ledger.goals.archive(goal)
        assert "version 3 of goal.completed was written by newer code" in refused.value.message
        assert {each.event for each in ledger.log.verify_deep().lacking} == {NAME}
