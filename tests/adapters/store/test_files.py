"""The ledger's file: where it may lie, what it must be, who may touch it."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.store.sqlite import APPLICATION_ID, FORMAT
from goal_ledger.ledger import Invalid, Ledger, LedgerError, NotFound, Unavailable
from tests.tools import Clock, as_somebody, recorded, rows

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and Unix permissions")


def refusal(url: Any, **options: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        Ledger.open(url, actor="test:files", **options).close()
    return refused.value


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


# --- Where it may lie


@pytest.mark.parametrize(
    "name",
    [
        "plain.db",
        "no extension",
        "with space.db",
        "what?mode=ro.db",
        "a#fragment.db",
        "100%25.db",
        "a&b=c;d.db",
        "ünïcödé-日本-🌙.db",
        'quote\'s "double".db',
        "back\\slash.db",
        "new\nline.db",
        "-dash.db",
        "ledger.views.db",
    ],
)
def test_a_ledger_may_have_any_name(tmp_path: Path, name: str):
    path = tmp_path / name
    with Ledger.open(path, actor="test:files") as ledger:
        goal = ledger.goals.create("A")
        assert ledger.goals.list().rows == [goal]
    assert path.is_file()
    assert [found for found in os.listdir(tmp_path) if not found.startswith(path.stem)] == []
    with Ledger.open(str(path), read_only=True) as ledger:
        assert ledger.goals.list().rows == [goal]


@unix
def test_a_name_need_not_be_utf_8(tmp_path: Path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.db"))
    with Ledger.open(path, actor="test:files") as ledger:
        ledger.goals.create("A")
    assert path.is_file()


def test_a_path_may_be_said_as_a_url_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with Ledger.open("a.db", actor="test:files") as ledger:
        first = ledger.id
    for url in (f"sqlite:///{tmp_path}/a.db", "sqlite:///a.db", Path("a.db"), "./a.db", tmp_path / "a.db"):
        with Ledger.open(url, create=False) as ledger:
            assert (ledger.id, ledger.path and ledger.path.absolute()) == (first, tmp_path / "a.db")


def test_in_memory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for url in (":memory:", "sqlite:///:memory:"):
        with Ledger.open(url, actor="test:files") as ledger:
            ledger.goals.create("A")
            assert (len(ledger.goals.list().rows), ledger.path) == (1, None)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "url", ["file:ledger.db", "file:///tmp/ledger.db", "mysql://host/ledger", "http://x/y.db", "", "a/", "a\0b.db"]
)
def test_what_names_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.chdir(tmp_path)
    error = refusal(url)
    assert isinstance(error, Invalid) and error.code == "bad_url"
    assert contents(tmp_path) == {}


def test_a_folder_is_refused(tmp_path: Path):
    error = refusal(tmp_path)
    assert (type(error), error.code, error.exit_code) == (Invalid, "bad_url", 2)
    assert "folder" in error.message


@pytest.mark.parametrize("between", ["missing", "missing/deeper", "file.txt"])
def test_a_missing_folder_is_refused_and_not_made(tmp_path: Path, between: str):
    (tmp_path / "file.txt").write_text("a file, no folder")
    error = refusal(tmp_path / between / "ledger.db")
    assert (type(error), error.code) == (Unavailable, "cannot_open")
    assert error.hint is not None and error.hint.startswith("mkdir -p")
    assert sorted(os.listdir(tmp_path)) == ["file.txt"]


@unix
def test_a_name_too_long_for_the_disk_is_refused(tmp_path: Path):
    assert refusal(tmp_path / ("x" * 300)).code == "cannot_open"


# --- What it must be


def test_the_header_says_what_it_is(tmp_path: Path):
    Ledger.open(tmp_path / "a.db", actor="test:files").close()
    assert rows(tmp_path / "a.db", "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert rows(tmp_path / "a.db", "PRAGMA user_version") == [(FORMAT,)]
    assert rows(tmp_path / "a.db", "PRAGMA journal_mode") == [("wal",)]


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()


def _foreign_but_empty(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")


def _views(path: Path) -> None:
    with Ledger.open(path.with_name("other.db"), actor="test:files") as ledger:
        ledger.views.catch_up()
    path.with_name("other.views.db").rename(path)
    path.with_name("other.db").unlink()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("Dear diary,\n"),
        lambda path: path.write_text("Dear diary,\n" * 1000),
        lambda path: path.write_bytes(b"\0" * 100),
        lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000),
        _foreign,
        _foreign_but_empty,
        _views,
    ],
    ids=["short text", "long text", "zeros", "half a header", "foreign", "foreign and empty", "views"],
)
@pytest.mark.parametrize("options", [{}, {"read_only": True}, {"create": False}], ids=str)
def test_another_file_is_refused_and_left_as_it_was(tmp_path: Path, make: Callable[[Path], None], options: Any):
    make(tmp_path / "a.db")
    before = contents(tmp_path)["a.db"]
    error = refusal(tmp_path / "a.db", **options)
    assert (error.code, error.exit_code) in [("not_a_ledger", 1), ("corrupt", 6)]
    assert contents(tmp_path)["a.db"] == before


def test_a_newer_format_is_refused(tmp_path: Path):
    Ledger.open(tmp_path / "a.db", actor="test:files").close()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    error = refusal(tmp_path / "a.db")
    assert (type(error), error.code, error.hint) == (Unavailable, "newer_format", "upgrade")


def _never_made(_: Path) -> None:
    """Nothing there."""


def _empty(path: Path) -> None:
    path.touch()


def _killed_while_created(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:  # the first thing that a creation writes
        connection.execute("PRAGMA journal_mode = WAL")
    assert path.stat().st_size > 0


@pytest.mark.parametrize("make", [_never_made, _empty, _killed_while_created])
def test_a_file_that_is_not_there_or_blank_becomes_a_ledger(tmp_path: Path, make: Callable[[Path], None]):
    make(tmp_path / "a.db")
    with Ledger.open(tmp_path / "a.db", actor="test:files", clock=Clock()) as ledger:
        assert [event.name for event in recorded(ledger)] == ["ledger.created"]
        assert ledger.log.verify() == 1


@pytest.mark.parametrize("options", [{"read_only": True}, {"create": False}], ids=str)
def test_what_is_not_there_is_not_found_and_not_made(tmp_path: Path, options: Any):
    error = refusal(tmp_path / "a.db", **options)
    assert (type(error), error.code, error.exit_code) == (NotFound, "no_ledger", 5)
    assert contents(tmp_path) == {}


# --- Who may touch it


@pytest.fixture
def shared() -> Iterator[Path]:
    """A ledger in a folder that anybody may reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        inner = Path(folder) / "inner"
        inner.mkdir()
        with Ledger.open(inner / "a.db", actor="test:files") as ledger:
            ledger.goals.create("A")
        yield inner / "a.db"
        os.chmod(inner, 0o755)


@unix
@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "code"), [(0o444, 0o755, "not_writable"), (0o000, 0o755, "cannot_open")]
)
def test_without_permission_nothing_is_written(shared: Path, file_mode: int, folder_mode: int, code: str):
    path = shared
    os.chmod(path, file_mode)
    os.chmod(path.parent, folder_mode)
    assert as_somebody(lambda: _attempt(path)) == code


@unix
def test_in_a_folder_that_cannot_be_written_no_ledger_is_made(shared: Path):
    path = shared
    os.chmod(path.parent, 0o555)
    assert as_somebody(lambda: _attempt(path.with_name("new.db"))) in ("cannot_open", "not_writable")
    assert not path.with_name("new.db").exists()


@unix
def test_in_a_folder_that_cannot_be_entered_nothing_is_found(shared: Path):
    path = shared
    os.chmod(path.parent, 0o000)
    assert as_somebody(lambda: _attempt(path)) == "cannot_open"
    assert as_somebody(lambda: _attempt(path, read_only=True)) == "cannot_open"


def _attempt(path: Path, **options: Any) -> str:
    try:
        with Ledger.open(path, actor="test:files", **options) as ledger:
            ledger.goals.create("A")
    except LedgerError as error:
        return error.code
    return "written"
