"""A stock eventsourcing application reads the log through this mapper.

    Application(env={
        "PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": "goal-ledger.db", "ORIGINATOR_ID_TYPE": "text",
        "MAPPER_TOPIC": "goal_ledger.adapters.store.mapper:LedgerMapper",
    })

On a server its `name` must be "stored", after which the library names the table; PERSISTENCE_MODULE is
"eventsourcing.postgres", POSTGRES_SCHEMA the ledger's, and CREATE_TABLE "no".

Reading only: events are written by the ledger, which decides first.
"""

from dataclasses import dataclass
from datetime import datetime

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, MapperDeserialisationError, StoredEvent

from goal_ledger.adapters.store.codec import Codec
from goal_ledger.domain.base import Event, Unreadable
from goal_ledger.domain.errors import Rejected


@dataclass(frozen=True)
class LedgerEvent:
    """An event of the ledger in the library's form."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    name: str
    event: Event


class LedgerMapper(Mapper[str]):
    """Turns the library's stored events into ours."""

    _codec = Codec()

    def to_domain_event(self, stored_event: StoredEvent) -> LedgerEvent:
        """The event. MapperDeserialisationError: this code does not understand it."""
        stream, version = str(stored_event.originator_id), stored_event.originator_version
        recorded = self._codec.decode((0, stream, version, stored_event.topic, stored_event.state))
        if isinstance(recorded, Unreadable):
            raise MapperDeserialisationError(f"{stored_event.topic} of {stream}: {recorded.problem}")
        return LedgerEvent(stream, version, datetime.fromisoformat(recorded.at), recorded.name, recorded.event)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Always refused. Rejected: not_writable."""
        raise Rejected("not_writable", "a ledger is written through Ledger.act, which decides first")
