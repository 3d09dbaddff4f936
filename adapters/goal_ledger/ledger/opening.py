"""The log that a location names, whichever store holds it."""

from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.errors import Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.location import Location


def open_store(location: Location, settings: Settings, *, read_only: bool, create: bool) -> Store:
    """The log there. create: False refuses one that does not exist. Errors: those of `Ledger.open`."""
    if location.url is not None:
        try:
            from goal_ledger.adapters.store.postgres import PostgresStore
        except ImportError as error:
            raise Unavailable(
                "missing_extra", f"PostgreSQL needs a package: {error}", hint="pip install 'goal-ledger[postgres]'"
            ) from None
        return PostgresStore(
            location.url,
            schema=location.schema,
            name=location.name,
            wait_s=settings.lock_wait_s,
            durable=settings.durable,
            read_only=read_only,
            create=create and not read_only,
        )
    path = location.path
    if not create and path is not None and not (path.exists() and path.stat().st_size):
        read_only = True  # refuses what is not there, in the store's words
    return SqliteStore(path, wait_s=settings.lock_wait_s, durable=settings.durable, read_only=read_only)
