"""The hash of the state: equal wherever the state is equal, different wherever it is not."""

import hashlib
import json
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.goal import GoalAmended, GoalCreated
from goal_ledger.domain.learning.lesson import LessonConfirmed, LessonLearned
from goal_ledger.ledger import Damaged, Ledger, LessonCategory, Settings, Unavailable
from goal_ledger.ledger.audit.state_hash import StateHash
from goal_ledger.projections.registry import PROJECTIONS
from tests.histories.files import load
from tests.histories.scenario import tell
from tests.tools import Clock, finished, python, rows, tamper


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with something of everything."""
    path = tmp_path_factory.mktemp("told") / "ledger.db"
    with Ledger.open(path, actor="test:state", clock=Clock()) as ledger:
        tell(ledger, Random(1))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return load("0.1.0", tmp_path / "ledger.db")


def state(path: Path, up_to: int | None = None) -> StateHash:
    with Ledger.open(path, create=False) as ledger:
        return ledger.as_of(up_to).log.state_hash()


def differing(one: StateHash, other: StateHash) -> set[str]:
    """The projections whose state differs; the hash of the whole differs with them."""
    pairs = zip(one.projections, other.projections, strict=True)
    found = {a.name for a, b in pairs if a.sha256 != b.sha256}
    assert (one.sha256 == other.sha256) is (found == set())
    return found


def test_it_is_the_hash_that_the_documents_describe(told: Path):
    def lines(*values: object) -> str:
        dumped = [
            json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
            for value in values
        ]
        dumped = [one.replace("1e-07", "1e-7") for one in dumped]  # json writes exponents with two digits
        return hashlib.sha256("".join(f"{one}\n" for one in dumped).encode()).hexdigest()

    with Ledger.open(told, create=False) as ledger:
        found = ledger.log.state_hash()
        for each in found.projections:
            projection = PROJECTIONS[each.name]
            table = ledger.views.select(projection, order=(projection.key,))
            assert each.rows == len(table) > 0
            assert each.sha256 == lines([each.name, projection.row._fields], *map(list, table))
            assert (each.lacking, each.digest) == (0, projection.digest)
        assert sum((run.cost_usd or Decimal(0) for run in ledger.runs.list().rows), Decimal(0)) > 0
    whole = "".join(f"{each.sha256}  {each.name}\n" for each in found.projections)
    assert found.sha256 == hashlib.sha256(whole.encode()).hexdigest()
    assert [each.name for each in found.projections] == sorted(PROJECTIONS)
    [(head,)] = rows(told, "SELECT MAX(rowid) FROM stored_events")
    assert (found.head, found.lacking) == (head, [])


def test_it_is_the_same_whatever_the_page_and_however_the_ledger_is_opened(path: Path, tmp_path: Path):
    expected = state(path)
    for settings in (Settings(page=1), Settings(page=7), Settings(page=100_000)):
        with Ledger.open(path, create=False, settings=settings) as ledger:
            assert ledger.log.state_hash() == expected
    with Ledger.open(path, read_only=True) as ledger:
        assert ledger.log.state_hash() == expected
    with Ledger.open(path, create=False) as ledger:
        ledger.log.backup(tmp_path / "copy.db")
        assert ledger.log.verify_deep() == expected
    assert state(tmp_path / "copy.db") == expected


def test_it_is_the_same_in_any_process_of_any_machine(path: Path):
    code = "import sys; from goal_ledger.ledger import Ledger; print(Ledger.open(sys.argv[1]).log.state_hash().sha256)"
    for number, (zone, place) in enumerate((("Asia/Tokyo", "C"), ("America/Lima", "tr_TR.UTF-8"))):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "TZ": zone, "LC_ALL": place}
        assert finished(python(code, path, env=environment)) == state(path).sha256 + "\n"


def readers(event_type: type[Event]) -> set[str]:
    return {name for name, projection in PROJECTIONS.items() if event_type in projection.folds}


def test_every_change_of_state_changes_it_where_it_happened(path: Path):
    before = state(path)
    with Ledger.open(path, create=False) as ledger:
        lesson = ledger.lessons.add("Count the disks", category=LessonCategory.SAFE_DEFAULT)
        learned = ledger.log.state_hash()
        assert {"lessons"} <= differing(before, learned) <= readers(LessonLearned)
        goal = ledger.goals.create("Count the disks")
        created = ledger.log.state_hash()
        assert {"goal_definitions", "goal_state_events"} <= differing(learned, created) <= readers(GoalCreated)
        ledger.goals.amend(goal.goal_id, priority=1)
        amended = ledger.log.state_hash()
        assert {"goal_definitions"} <= differing(created, amended) <= readers(GoalAmended)
        ledger.lessons.confirm(lesson.lesson_id)
        assert {"lessons"} <= differing(amended, ledger.log.state_hash()) <= readers(LessonConfirmed)
        assert ledger.goals.amend(goal.goal_id, priority=1).priority == 1  # already so: nothing is written
        assert differing(before, ledger.as_of(before.head).log.state_hash()) == set()


def test_it_can_be_asked_as_of_then(told: Path, tmp_path: Path):
    events = rows(told, "SELECT * FROM stored_events ORDER BY rowid")
    for position in (1, 7, 100, len(events) - 1):
        cut = tmp_path / f"{position}.db"
        with Ledger.open(told, create=False) as ledger:
            ledger.log.backup(cut)
        tamper(cut, f"DELETE FROM stored_events WHERE rowid > {position}")
        assert differing(state(told, up_to=position), state(cut)) == set()
    assert state(told, up_to=0).head == 0


def test_the_users_own_read_models_are_neither_read_nor_made(path: Path):
    views = path.with_name("ledger.views.db")
    expected = state(path)
    assert not views.exists()
    with Ledger.open(path, create=False) as ledger:
        ledger.views.catch_up()
    [name] = [row[0] for row in rows(views, "SELECT name FROM folded WHERE projection = 'goal_definitions'")]
    tamper(views, f'UPDATE "{name}" SET title = 5')
    before = views.read_bytes()
    assert state(path) == expected
    assert views.read_bytes() == before


def test_what_is_appended_meanwhile_waits_for_the_next_time(path: Path):
    expected = state(path)
    with Ledger.open(path, create=False, settings=Settings(page=50)) as ledger:
        asked = []

        def progress(done: int, of: int) -> None:
            asked.append((done, of))
            ledger.goals.create(f"Meanwhile {done}")

        assert ledger.log.state_hash(progress=progress) == expected
        assert asked[:2] == [(50, 300), (100, 300)] and asked[-1] == (300, 300)


def test_nothing_is_left_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    state(path)
    assert list(folder.iterdir()) == []


def test_without_a_temporary_folder_the_way_out_is_said(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(Unavailable) as refused:
        state(path)
    assert refused.value.code == "no_temporary_folder" and "TMPDIR" in str(refused.value.hint)


# --- What cannot be read


def replace(path: Path, position: int, *, name: str | None = None, body: tuple[bytes, bytes] = (b"", b"")) -> None:
    """Another event in the place of one, sealed as its writer would."""
    [(_, stream, version, was, stored, _)] = rows(path, f"SELECT * FROM stored_events WHERE rowid = {position}")
    name, written = name or was, stored.replace(*body) if body[0] else stored
    tamper(path, f"UPDATE stored_events SET topic = ?1, state = ?2, digest = ?3 WHERE rowid = {position}",
           values=(name, written, digest(position, stream, version, name, written)))  # fmt: skip


def last(path: Path, name: str) -> int:
    position: int = rows(path, f"SELECT MAX(rowid) FROM stored_events WHERE topic = '{name}'")[0][0]
    return position


def test_an_event_of_newer_code_is_lacking_and_no_damage(path: Path):
    position, before = last(path, "run.finished"), state(path)
    replace(path, position, body=(b'{"v":1', b'{"v":2'))
    with Ledger.open(path, create=False) as ledger:
        found = ledger.log.verify_deep()
    reads_it = {"goal_runs", "run_ends", "success_rates"}
    assert {(each.projection, each.position) for each in found.lacking} == {(name, position) for name in reads_it}
    assert "written by newer code" in found.lacking[0].problem
    assert {each.name: each.lacking for each in found.projections if each.lacking} == dict.fromkeys(reads_it, 1)
    assert differing(before, found) == reads_it


def test_a_name_that_nobody_knows_is_lacking_everywhere(path: Path):
    replace(path, last(path, "run.heartbeat"), name="run.teleported")
    assert [each.lacking for each in state(path).projections] == [1] * len(PROJECTIONS)


def test_where_an_event_is_lacking_counts_and_how_it_is_worded_does_not(path: Path, tmp_path: Path):
    other, elsewhere = load("0.1.0", tmp_path / "other.db"), load("0.1.0", tmp_path / "elsewhere.db")
    position = last(path, "run.heartbeat")
    first = rows(path, "SELECT MIN(rowid) FROM stored_events WHERE topic = 'run.heartbeat'")[0][0]
    replace(path, position, body=(b'{"v":1', b'{"v":8'))
    replace(other, position, body=(b'{"v":1', b'{"v":9'))
    replace(elsewhere, first, body=(b'{"v":1', b'{"v":8'))
    found = [state(each) for each in (path, other, elsewhere)]
    assert found[0].lacking[0].problem != found[1].lacking[0].problem
    assert differing(found[0], found[1]) == set()
    assert differing(found[0], found[2]) == {"goal_runs"}


def test_a_damaged_log_is_not_folded(path: Path):
    tamper(path, "UPDATE stored_events SET state = replace(state, 'backup', 'Backup') WHERE rowid = 2")
    with Ledger.open(path, create=False) as ledger, pytest.raises(Damaged) as damaged:
        ledger.log.verify_deep()
    assert "position 2" in damaged.value.message


def test_progress_counts_what_is_checked_and_then_what_is_folded(path: Path):
    told: list[tuple[int, int]] = []
    with Ledger.open(path, create=False, settings=Settings(page=100)) as ledger:
        ledger.log.verify_deep(lambda done, of: told.append((done, of)))
    assert told == [(400, 600), (500, 600), (600, 600), *told[3:]]
    assert set(told[3:]) <= {(600, 600)}
