"""The eventsourcing library's ProjectionRunner on PostgreSQL, as its manual says, folding one projection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import ProjectionRunner
from psycopg.sql import SQL, Identifier

from benchmarks.fold import Board, Goals
from benchmarks.writers import stock_arguments
from goal_ledger.adapters.backends.postgres import at


class _PostgresBoard(PostgresTrackingRecorder):
    """Its rows, each change with the position that it came from."""

    def __init__(self, datastore: Any, **given: Any) -> None:
        super().__init__(datastore, **given)
        board = Identifier(self.datastore.schema), Identifier("board")
        self._add = SQL("INSERT INTO {}.{} VALUES (%s, %s, 'active', %s)").format(*board)
        self._move = SQL("UPDATE {}.{} SET status = %s, position = %s WHERE goal_id = %s").format(*board)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {}.{} (goal_id text PRIMARY KEY, title text, status text, position bigint)"
            ).format(*board)
        )

    def add(self, goal_id: str, title: str, tracking: Tracking) -> None:
        self._write(self._add, (goal_id, title, tracking.notification_id), tracking)

    def move(self, goal_id: str, status: str, tracking: Tracking) -> None:
        self._write(self._move, (status, tracking.notification_id, goal_id), tracking)

    def skip(self, tracking: Tracking) -> None:
        self.insert_tracking(tracking)

    def _write(self, statement: Any, row: tuple[Any, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, row)


class Runner:
    """A history of so many events in a schema of its own, to be folded again and again.

    events: at least; `last` is how many they are.
    """

    def __init__(self, url: str, events: int) -> None:
        location = at(url)
        self._server, self._schema = location.url, location.schema
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(self._schema)))
        self._env = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_SCHEMA": self._schema,
            **{f"POSTGRES_{name.upper()}": value for name, value in stock_arguments(self._server).items()},
        }
        with Goals(env=self._env) as application:
            self.last = application.fill(events)

    def prepare(self) -> Callable[[], None]:
        """Forget what was folded; the work is to start the runner and wait until it has folded everything."""
        with psycopg.connect(self._server, autocommit=True) as connection:
            for table in ("board", "board_tracking"):
                connection.execute(
                    SQL("DROP TABLE IF EXISTS {}.{}").format(Identifier(self._schema), Identifier(table))
                )

        def work() -> None:
            with ProjectionRunner(
                application_class=Goals, projection_class=Board, view_class=_PostgresBoard, env=self._env
            ) as runner:
                runner.wait(self.last, timeout=300)

        return work
