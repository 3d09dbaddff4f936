"""Tools of the tests: a clock that ticks, a hand that tampers, processes of their own."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.ledger import Ledger

PATIENCE_S = 300
"""How long to wait for what comes at once: what takes longer hangs, on however slow and crowded a machine."""

START = datetime(2026, 2, 24, 9, tzinfo=UTC)


def examples(count: int) -> int:
    """How many examples a property is tried on; `make soak` tries many times as many."""
    return count * int(os.environ.get("SOAK", "1"))


class Clock:
    """Gives START, then a second more at every call; `now` can be set."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        told, self.now = self.now, self.now + timedelta(seconds=1)
        return told


def recorded(ledger: Ledger, stream: str | None = None) -> list[Recorded]:
    """Every event, of one stream or of all; each must be readable."""
    found: Iterable[Recorded | Unreadable] = ledger.events() if stream is None else ledger.stream(stream)
    events = []
    for item in found:
        assert isinstance(item, Recorded), item
        events.append(item)
    return events


def tamper(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Change a ledger as only somebody with the file in hand can: without its triggers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values)
        for _, sql in triggers:
            connection.execute(sql)


def rows(path: Path, sql: str) -> list[Any]:
    """What the file itself answers, or what somebody does to it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def tables(path: Path, role: str = "live") -> dict[str, list[Any]]:
    """The tables of a views file that have a role; see `tables_by`."""
    return tables_by(lambda sql: rows(path, sql), role)


def tables_by(ask: Callable[[str], list[Any]], role: str) -> dict[str, list[Any]]:
    """What views hold in the tables of a role: rows as stored, by projection; where they stand, what they lack."""
    chosen = f"role = '{role}' ORDER BY projection, digest"
    names = dict(ask(f"SELECT projection, name FROM folded WHERE {chosen}"))
    stored = {projection: ask(f'SELECT * FROM "{name}" ORDER BY 1') for projection, name in names.items()}
    stored["folded"] = ask(f"SELECT projection, digest, position, head, ledger FROM folded WHERE {chosen}")
    lacking = "SELECT projection, q.position, stream, event, problem FROM quarantine q JOIN folded USING (name)"
    stored["quarantine"] = ask(f"{lacking} WHERE {chosen}, q.position")
    return stored


def python(code: str, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
    """A python process of its own that runs the code; the arguments are in sys.argv[1:]."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def until(true: Callable[[], object]) -> None:
    """Wait for something that will be true."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def finished(process: "subprocess.Popen[str]") -> str:
    """Its standard output, when it went well."""
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return output


def as_somebody(ask: Callable[[], str]) -> str:
    """The answer of a forked child whom file permissions hold back, also when the tests run as root."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            answer = ask()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answers:
        answer = answers.read().decode()
    os.waitpid(child, 0)
    return answer


def package(folder: Path, name: str, code: str, entry_points: str) -> Path:
    """A package as an installer leaves it in a folder that is on the path: one module, and what it declares."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (information / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    return folder
