"""What both stores are to the eventsourcing library."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from uuid import UUID

from eventsourcing import persistence
from eventsourcing.persistence import PersistenceError, StoredEvent

from goal_ledger.adapters.store.base import Transaction

_ERRORS = (
    "IntegrityError",
    "OperationalError",
    "ProgrammingError",
    "InternalError",
    "DataError",
    "NotSupportedError",
    "DatabaseError",
    "InterfaceError",
)


@contextmanager
def in_the_librarys_words(driver: ModuleType) -> Iterator[None]:
    """Errors of a driver, whose names PEP 249 settles, leave the block as the library's of the same name."""
    try:
        yield
    except driver.Error as error:
        for name in _ERRORS:
            if isinstance(error, getattr(driver, name)):
                raise getattr(persistence, name)(error) from error
        raise PersistenceError(error) from error


def append_stored(log: Transaction, events: Sequence[StoredEvent]) -> list[int]:
    """Append the library's events behind the head; their positions."""
    first = log.head() + 1
    rows = [
        (position, _text(event.originator_id), event.originator_version, event.topic, event.state)
        for position, event in enumerate(events, start=first)
    ]
    if rows:
        log.append(rows)
    return [position for position, *_ in rows]


def _text(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id
