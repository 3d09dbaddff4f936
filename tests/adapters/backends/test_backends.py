"""Backends: a store is a plug-in, found by the scheme of its url; every one of them keeps the same contract."""

from pathlib import Path

import pytest

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.adapters.backends.examination import Level
from goal_ledger.adapters.backends.postgres import PostgresBackend
from goal_ledger.adapters.backends.registry import BACKENDS
from goal_ledger.adapters.backends.sqlite import SqliteBackend
from goal_ledger.domain.goals.loop import LoopKind
from goal_ledger.ledger import Invalid, Ledger, LedgerError, NotFound
from goal_ledger.ledger.engine.extensions import load
from goal_ledger.ledger.engine.location import locate
from goal_ledger.ledger.health import Health, examine
from goal_ledger.projections.goals.open_loops import open_loops
from tests.places import Place
from tests.tools import finished, package, python

KINDS: list[Backend] = [SqliteBackend(), SqliteBackend(Path("a.db")), PostgresBackend("postgresql://ana:secret@db/x")]


def levels(health: Health, check: str) -> list[Level]:
    return [each.level for each in health.findings if each.check == check]


# --- What every one of them keeps


def test_a_place_is_named_opened_and_found_again(place: Place):
    backend = locate(place.url)
    assert locate(backend) is backend and locate(place.url) == backend and not backend.is_memory
    with Ledger.open(backend, actor="test:backend") as ledger:
        ledger.goals.create("A")
        assert (ledger.path, ledger.log.stats().path) == (backend.path, backend.name)
    with Ledger.open(backend.name, create=False, read_only=True) as ledger:
        assert ledger.head == 2
    with pytest.raises(LedgerError) as refused:
        Ledger.open(locate(place.url.replace("ledger.db", "other.db").replace("schema=", "schema=no_")), create=False)
    assert isinstance(refused.value, NotFound) and refused.value.code == "no_ledger"


@pytest.mark.parametrize("backend", KINDS, ids=lambda each: each.name)
def test_settings_stand_in_one_file_or_nowhere(backend: Backend):
    expected = None if backend.is_memory else Path("goal-ledger.toml")
    assert backend.settings_file == expected
    assert "secret" not in f"{backend!r} {backend.name}"


def test_what_stands_around_is_told_and_nothing_is_made(place: Place):
    backend = locate(place.url)
    assert not examine(backend).damaged and levels(examine(backend), "ledger") == [Level.WARNING]
    assert backend.examine_views() == (None, None)
    with Ledger.open(backend, actor="test:backend") as ledger:
        ledger.goals.create("A")
    assert (backend.examine_views(), backend.rows(open_loops, {})) == ((None, None), [])
    assert not place.has_views()


def test_read_models_are_seen_as_they_stand(place: Place):
    backend = locate(place.url)
    with Ledger.open(backend, actor="test:backend") as ledger:
        ledger.loops.open(LoopKind.FOLLOW_UP, "Who is on call?", due_at="2026-01-01")
        known = len(ledger.loops.list().rows)
        ledger.loops.open(LoopKind.FOLLOW_UP, "And tomorrow?", due_at="9999-01-01")
        tables = backend.examine_views().tables or ()
        assert known == 1 and {each.position for each in tables} == {ledger.head - 1}
        assert [row.question for row in backend.rows(open_loops, {"status": "open"})] == ["Who is on call?"]
        assert backend.rows(open_loops, {"status": "closed"}) == []
        assert [each.says for each in examine(backend).findings if each.check in ("views", "loops")] == [
            "1 events behind; the next question catches up", "1 open loops are overdue",
        ]  # fmt: skip


def test_read_models_that_cannot_be_used_are_told_with_the_way_out(place: Place):
    backend = locate(place.url)
    with Ledger.open(backend, actor="test:backend") as ledger:
        ledger.goals.create("A")
        ledger.goals.list()
    place.views_rows("DROP TABLE folded")
    found = backend.examine_views()
    assert found.tables is None and found.trouble is not None
    assert (found.trouble.level, "nothing is lost" in str(found.trouble.do)) == (Level.WARNING, True)
    assert levels(examine(backend), "views") == [Level.WARNING]


# --- The table


def test_every_backend_of_the_table_is_there():
    assert {scheme: type(load(place)(f"{scheme}:///x")) for scheme, place in BACKENDS.items()} == {
        "sqlite": SqliteBackend, "postgresql": PostgresBackend, "postgres": PostgresBackend,
    }  # fmt: skip


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(
        Invalid, match="mongodb is not a kind of ledger; there are sqlite, postgresql, postgres"
    ) as error:
        locate("mongodb://host")
    assert error.value.code == "bad_url"


def test_where_a_ledger_is_can_be_said_without_any_driver():
    code = (
        "import sys; sys.modules['psycopg'] = sys.modules['sqlite3'] = None\n"
        "from goal_ledger.adapters.backends import postgres, sqlite\n"
        "print(sqlite.at('a.db').name, postgres.at('postgresql://ana@db/x').name)\n"
    )
    assert finished(python(code)) == "a.db postgresql://ana@db/x?schema=goal_ledger\n"


# --- One that a package brings

SHED = """
from pathlib import Path
from typing import NamedTuple
from goal_ledger.adapters.backends.examination import Diagnosis, Examined, ExaminedViews, Level
from goal_ledger.adapters.backends.sqlite import SqliteBackend

def at(url):
    return Shed(url.partition("://")[2])

class Shed(NamedTuple):  # the log in a file of its own, the read models in memory
    place: str
    path = None
    is_memory = False
    settings_file = None

    @property
    def name(self):
        return f"shed://{self.place}"

    def open_store(self, settings, *, read_only, create):
        return SqliteBackend(Path(self.place)).open_store(settings, read_only=read_only, create=create)

    def open_views(self, log, projections, settings, *, ledger, store=None):
        return SqliteBackend().open_views(log, projections, settings, ledger=ledger)

    def examine(self):
        return Examined([Diagnosis("shed", Level.OK, "dry")], is_there=Path(self.place).exists())

    def examine_views(self):
        return ExaminedViews()

    def rows(self, projection, where):
        return []
"""


NAMED = "bad_extension goal_ledger.backends 'shed' of the package acme"


def with_packages(folder: Path, code: str) -> str:
    return finished(python(f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}", cwd=folder))


def test_a_package_brings_a_store_with_one_entry_point(tmp_path: Path):
    package(tmp_path, "acme", SHED, "[goal_ledger.backends]\nshed = acme:at\n")
    code = """
from goal_ledger.cli.frame.main import main
from goal_ledger.ledger import Ledger
with Ledger.open("shed://tools.db", actor="test:backend") as ledger:
    goal_id = ledger.goals.create("A").goal_id
    print(ledger.log.stats().path, len(ledger.goals.list().rows), ledger.path)
for line in (["goal", "list"], ["ledger", "verify"], ["doctor"], ["ledger", "copy", "shed://tools.db", "b.db"]):
    print(main(["--db", "shed://tools.db", *line]))
print(main(["--db", "hut://x", "goal", "list"]))
"""
    told = with_packages(tmp_path, code)
    assert told.startswith("shed://tools.db 1 None\n") and "dry" in told and "views" in told
    assert [line for line in told.splitlines() if line.isdecimal()] == ["0", "0", "0", "0", "2"]
    assert sorted(each.name for each in tmp_path.glob("*.db")) == ["b.db", "tools.db"]


@pytest.mark.parametrize(
    ("code", "entry_points", "says"),
    [
        (SHED, "shed = acme:at\n[other]\n", "Shed"),
        (
            "raise OSError('no licence')",
            "shed = acme:at\n",
            NAMED,
        ),
        ("at = 5", "shed = acme:at\n", NAMED),
        (SHED, "hut = acme:at\n", "bad_url shed is not a kind of ledger; there are sqlite, postgresql, postgres, hut"),
    ],
    ids=["sound", "broken", "of another type", "of another scheme"],
)
def test_a_broken_one_is_named_and_an_unknown_one_too(tmp_path: Path, code: str, entry_points: str, says: str):
    package(tmp_path, "acme", code, f"[goal_ledger.backends]\n{entry_points}")
    ask = """
from goal_ledger.ledger import LedgerError
from goal_ledger.ledger.engine.location import locate
try: print(type(locate("shed://x")).__name__)
except LedgerError as error: print(error.code, error.message)
assert locate("a.db").name == "a.db"
"""
    assert with_packages(tmp_path, ask).startswith(says)


def test_two_packages_cannot_bring_the_same_scheme(tmp_path: Path):
    for name in ("acme", "other"):
        package(tmp_path, name, SHED, f"[goal_ledger.backends]\nshed = {name}:at\n")
    ask = """
from goal_ledger.ledger import LedgerError
from goal_ledger.ledger.engine.location import locate
try: locate("shed://x")
except LedgerError as error: print(error.code, error.message)
"""
    told = with_packages(tmp_path, ask)
    assert told == (
        "duplicate_name goal_ledger.backends 'shed' of the package other (other:at) is called 'shed', as another is\n"
    )
