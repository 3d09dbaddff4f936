"""A ledger on a PostgreSQL server, in a schema of its own, its read models in another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from goal_ledger.adapters.backends.backend import FORMS, SETTINGS_FILE
from goal_ledger.adapters.backends.examination import Diagnosis, Examined, ExaminedViews, Level
from goal_ledger.domain.errors import Invalid, LedgerError, Unavailable

if TYPE_CHECKING:
    from goal_ledger.adapters.store.base import Store
    from goal_ledger.adapters.views.log import Log
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.domain.settings import Settings
    from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

DEFAULT_SCHEMA = "goal_ledger"

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_SHOWN = ("host", "hostaddr", "port", "dbname", "user")
"""The options of a url that say where the server is; the others may be secret."""


def at(url: str) -> PostgresBackend:
    """What `postgresql://user@host/database?schema=name` names. Invalid: bad_url."""
    where, _, query = url.partition("?")
    options = parse_qsl(query, keep_blank_values=True)
    schemas = [value for name, value in options if name == "schema"] or [DEFAULT_SCHEMA]
    if "\0" in unquote(url):
        raise Invalid("bad_url", "the url of a server holds a NUL character", hint=FORMS)
    if len(schemas) > 1 or not _SCHEMA.fullmatch(schemas[0]):
        raise Invalid(
            "bad_url",
            f"{schemas[-1]!r} cannot be the schema of a ledger",
            hint="one name of up to 41 small letters, digits and underscores: ?schema=team_a",
        )
    rest = urlencode([option for option in options if option[0] != "schema"], quote_via=quote)
    return PostgresBackend(where + (f"?{rest}" if rest else ""), schemas[0])


class PostgresBackend(NamedTuple):
    """url: as the server's library understands it, perhaps with a password. schema: where the tables of the log are."""

    url: str
    schema: str = DEFAULT_SCHEMA

    def __repr__(self) -> str:
        return f"PostgresBackend({self.name})"

    @property
    def name(self) -> str:
        """The url without what may be secret."""
        parts = urlsplit(self.url)
        user, _, hosts = parts.netloc.rpartition("@")
        account = user.partition(":")[0]
        shown = [option for option in parse_qsl(parts.query) if option[0] in _SHOWN]
        query = urlencode([*shown, ("schema", self.schema)], quote_via=quote, safe="/")
        return f"postgresql://{account}{'@' if account else ''}{hosts}{parts.path}?{query}"

    @property
    def path(self) -> None:
        """It is no file."""

    @property
    def is_memory(self) -> bool:
        """It outlives its process."""
        return False

    @property
    def settings_file(self) -> Path:
        """The file of the settings, in the working folder."""
        return Path(SETTINGS_FILE)

    def open_store(self, settings: Settings, *, read_only: bool, create: bool) -> Store:
        """The log. create: False refuses one that does not exist. Errors: those of `Ledger.open`."""
        try:
            from goal_ledger.adapters.store.postgres import PostgresStore
        except ImportError as error:
            raise Unavailable(
                "missing_extra", f"PostgreSQL needs a package: {error}", hint="pip install 'goal-ledger[postgres]'"
            ) from None
        return PostgresStore(
            self.url,
            schema=self.schema,
            name=self.name,
            wait_s=settings.lock_wait_s,
            durable=settings.durable,
            read_only=read_only,
            create=create and not read_only,
        )

    def open_views(
        self,
        log: Log,
        projections: Iterable[Projection[Any]],
        settings: Settings,
        *,
        ledger: str,
        store: Store | None = None,
    ) -> Views:
        """The read models of a log, in the schema `<schema>_views`. ledger: its id."""
        from goal_ledger.adapters.views.postgres import postgres_views

        return postgres_views(
            self.url,
            log,
            projections,
            schema=self.schema,
            name=self.name,
            ledger=ledger,
            page=settings.page,
            wait_s=settings.lock_wait_s,
            stale=settings.stale,
        )

    # --- Seen from outside

    def examine(self) -> Examined:
        """Nothing: what can be wrong shows when the log is opened."""
        return Examined()

    def examine_views(self) -> ExaminedViews:
        """The tables in the schema of the read models."""
        from goal_ledger.adapters.views.postgres import look_at_server

        try:
            return ExaminedViews(look_at_server(self.url, schema=self.schema, name=self.name))
        except LedgerError as error:
            where = f"{self.schema}_views"
            away = f"drop them, nothing is lost: DROP SCHEMA {where} CASCADE"
            says = f"{where} cannot be used: {error.message}"
            return ExaminedViews(trouble=Diagnosis("views", Level.WARNING, says, away))

    def rows(self, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
        """Rows as they stand, not caught up; [] when this code has folded none."""
        from goal_ledger.adapters.views.postgres import rows_on_server

        return rows_on_server(self.url, projection, where, schema=self.schema, name=self.name)
