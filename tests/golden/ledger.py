"""A ledger that holds every event of the golden files, in every version, on streams that its ids can name."""

from collections.abc import Iterator

from goal_ledger.adapters.store.codec import StoredRow
from goal_ledger.domain.continuity.session import session_stream
from goal_ledger.domain.ids import _KINDS
from goal_ledger.domain.registry import EVENTS
from goal_ledger.ledger import Ledger
from tests.golden.files import FOLDER

PREFIXES = {kind: prefix for prefix, kind in _KINDS.items()}
"""Of ids, by what events of the kind are called: `run` of `run.started`."""


def fill_golden(ledger: Ledger) -> None:
    """Append every golden event to a new ledger, past every rule."""
    with ledger.core.store.transaction() as log:
        log.append(list(_rows(log.head(), ledger.id)))


def _rows(head: int, ledger_id: str) -> Iterator[StoredRow]:
    """The golden bodies in three orders, each on a stream of its own per kind.

    First as the registry has them, then backwards, so that every handler meets a row and no row; then the least said.
    """
    files = [(name, sorted(FOLDER.glob(f"{name}.v*.jsonl"))) for name in EVENTS]
    bodies = [(name, body) for name, versions in files for file in versions for body in file.read_bytes().splitlines()]
    least = [(name, file.read_bytes().splitlines()[-1]) for name, versions in files for file in versions]
    versions: dict[str, int] = {}
    for number, told in enumerate((bodies, bodies[::-1], least)):
        for name, body in told:
            head += 1
            stream = _stream(name.partition(".")[0], number, ledger_id)
            versions[stream] = versions.get(stream, 0) + 1
            yield head, stream, versions[stream], name, body


def _stream(kind: str, number: int, ledger_id: str) -> str:
    if kind == "session":
        return session_stream(ledger_id)
    return f"{PREFIXES.get(kind, f'{kind}_')}01KJ7E0W{number}0JN74MNPW0ARN644K"
