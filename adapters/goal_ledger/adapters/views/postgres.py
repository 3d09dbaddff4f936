"""Where the views of a ledger on a server live: a schema of their own, thrown away when it is of another version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from goal_ledger.adapters.sql.postgres import PostgresDatabase, PostgresSession, advisory_lock
from goal_ledger.adapters.views.log import Log
from goal_ledger.adapters.views.look import Folded, rows_in, tables_in
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import SCHEMA
from goal_ledger.adapters.views.table import POSTGRES_TYPES
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.settings import Stale
from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

FORMAT = 1  # of the tables that describe the others

_TYPES = {"text": 'TEXT COLLATE "C"', "integer": "BIGINT", "real": "DOUBLE PRECISION", "blob": "BYTEA"}


def postgres_views(
    url: str,
    log: Log,
    projections: Iterable[Projection[Any]],
    *,
    schema: str,
    name: str,
    ledger: str,
    page: int = 5_000,
    wait_s: float = 30.0,
    stale: Stale = Stale.REBUILD,
) -> Views:
    """Views in the schema `<schema>_views`; see `ReadModels` and `Views`. name: of the ledger, for people."""
    database = PostgresDatabase(
        url,
        schema=f"{schema}_views",
        name=name,
        wait_s=wait_s,
        durable=False,  # they can be folded anew
        lock=advisory_lock(f"views {schema}"),
    )
    try:
        with database.words():
            if not _is_ready(database):
                _create(database)
    except BaseException:
        database.close()
        raise
    models = ReadModels(database, log, projections, ledger=ledger, page=page, wait_s=wait_s, types=POSTGRES_TYPES)
    return Views(models, stale)


def look_at_server(url: str, *, schema: str, name: str) -> list[Folded] | None:
    """Every table of the schema `<schema>_views`, None when there are none; nothing is made. Unavailable."""
    database = PostgresDatabase(url, schema=f"{schema}_views", name=name, read_only=True)
    try:
        with database.words(), database.read() as session:
            return None if _format(session) is None else tables_in(session)
    finally:
        database.close()


def rows_on_server(url: str, projection: Projection[R], where: Mapping[str, Any], *, schema: str, name: str) -> list[R]:
    """Rows of a projection as they stand, not caught up; [] when this code has folded none. Unavailable."""
    database = PostgresDatabase(url, schema=f"{schema}_views", name=name, read_only=True)
    try:
        with database.words(), database.snapshot() as session:
            return [] if _format(session) is None else rows_in(session, projection, where)
    finally:
        database.close()


def _is_ready(database: PostgresDatabase) -> bool:
    with database.read() as session:
        return _format(session) == FORMAT


def _format(session: PostgresSession) -> int | None:
    if session.execute("SELECT to_regclass('views_format')").fetchone() == (None,):
        return None
    row = session.execute("SELECT version FROM views_format").fetchone()
    return None if row is None else int(row[0])


def _create(database: PostgresDatabase) -> None:
    with database.creating() as session:
        found = _format(session)
        if found == FORMAT:  # another process was quicker
            return
        if found is not None:
            session.execute(f'DROP SCHEMA "{database.schema}" CASCADE')
            session.execute(f'CREATE SCHEMA "{database.schema}"')
        for statement in (*SCHEMA, "CREATE TABLE views_format (version {integer} NOT NULL)"):
            session.execute(statement.format_map(_TYPES))
        session.execute(f"INSERT INTO views_format VALUES ({FORMAT})")
