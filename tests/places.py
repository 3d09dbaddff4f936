"""Where a ledger can be, and a hand that reaches around it. A new store adds one class, and its name in PLACES."""

import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from goal_ledger.adapters.backends.postgres import at
from goal_ledger.adapters.store.base import Store
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.location import locate
from tests.postgres import Server, schema_of


class Place(ABC):
    """Where one ledger is, or will be. In its SQL, `rowid` stands for the column that numbers the events.

    url: opens it. refused: the driver's error when SQL breaks a rule of the log.
    """

    url: str
    refused: type[Exception]

    def store(self) -> Store:
        """The log by itself."""
        return locate(self.url).open_store(Settings(), read_only=False, create=True)

    @abstractmethod
    def stock(self) -> dict[str, str]:
        """How a stock application of the eventsourcing library is told to read it."""

    @abstractmethod
    def content(self) -> Any:
        """Everything that the log's tables hold."""

    @abstractmethod
    def has_views(self) -> bool:
        """Whether read models were kept."""

    @abstractmethod
    def rows(self, sql: str) -> list[Any]:
        """What a question to the database itself gives."""

    @abstractmethod
    def views_rows(self, sql: str) -> list[Any]:
        """What a question to the read models' database itself gives, or what somebody does to it."""

    @abstractmethod
    def run(self, sql: str) -> None:
        """What somebody does who has the rights that the ledger itself has."""

    @abstractmethod
    def tamper(self, *statements: str, values: tuple[Any, ...] = ()) -> None:
        """Change the log as only somebody with the database in hand can: without its triggers."""

    @abstractmethod
    def count_to(self, position: int | None) -> None:
        """Let the database say that it counted to there; None: it lost count."""


class FilePlace(Place):
    refused = sqlite3.IntegrityError

    def __init__(self, path: Path) -> None:
        self.path = path
        self.views = path.with_name(f"{path.stem}.views.db")
        self.url = str(path)

    def stock(self) -> dict[str, str]:
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": self.url}

    def content(self) -> Any:
        return self.path.read_bytes()

    def has_views(self) -> bool:
        return self.views.exists()

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def views_rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.views)) as connection, connection:
            return connection.execute(sql).fetchall()

    def run(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(sql)

    def tamper(self, *statements: str, values: tuple[Any, ...] = ()) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement, values)
            for _, sql in triggers:
                connection.execute(sql)

    def count_to(self, position: int | None) -> None:
        self.tamper("DELETE FROM sqlite_sequence")
        if position is not None:
            self.tamper(f"INSERT INTO sqlite_sequence VALUES ('stored_events', {position})")


class ServerPlace(Place):
    refused = psycopg.errors.RestrictViolation

    def __init__(self, server: Server) -> None:
        self.url = server.fresh()
        self.server = server
        self.schema = schema_of(self.url)

    def stock(self) -> dict[str, str]:
        given = conninfo_to_dict(at(self.url).url)
        names = {"dbname": "DBNAME", "host": "HOST", "user": "USER", "password": "PASSWORD", "port": "PORT"}
        return {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_PASSWORD": "",
            **{f"POSTGRES_{names[name]}": str(value) for name, value in given.items() if name in names},
            "POSTGRES_SCHEMA": self.schema,
            "CREATE_TABLE": "no",
        }

    def content(self) -> Any:
        return [
            self.rows(f"SELECT * FROM {table} ORDER BY 1") for table in ("stored_events", "commands", "ledger_head")
        ]

    def has_views(self) -> bool:
        return bool(self.rows(f"SELECT 1 FROM pg_namespace WHERE nspname = '{self.schema}_views'"))

    def rows(self, sql: str) -> list[Any]:
        return self.server.ask(_theirs(sql), url=self.url)

    def views_rows(self, sql: str) -> list[Any]:
        return self.server.ask(sql, url=f"?schema={self.schema}_views")

    def run(self, sql: str) -> None:
        self.server.ask(_theirs(sql), url=self.url)

    def tamper(self, *statements: str, values: tuple[Any, ...] = ()) -> None:
        self.run("ALTER TABLE stored_events DISABLE TRIGGER ALL")
        for statement in statements:
            self.server.ask(_theirs(statement), values, url=self.url)
        self.run("ALTER TABLE stored_events ENABLE ALWAYS TRIGGER events_are_never_changed")

    def count_to(self, position: int | None) -> None:
        self.run("DELETE FROM ledger_head")
        if position is not None:
            self.run(f"INSERT INTO ledger_head VALUES ({position})")


def _theirs(sql: str) -> str:
    return re.sub(r"\browid\b", "notification_id", sql).replace("?", "%s")


PLACES: dict[str, Callable[[Path, Callable[[], Server]], Place]] = {
    "sqlite": lambda folder, _: FilePlace(folder / "ledger.db"),
    "postgres": lambda _, server: ServerPlace(server()),
}
