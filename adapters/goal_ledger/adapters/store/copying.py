"""One log from one store to another, whichever they are: in pages, each a transaction, so that it can be resumed."""

from collections.abc import Callable
from typing import Any

import orjson

from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.domain.errors import Conflict, Damaged, Hint, Rejected

_PAGE = 5_000


def copy(source: Store, target: Store, progress: Callable[[int], None] = lambda _: None) -> int:
    """Append to the target what it lacks of the source, as the source is at this moment; how many events that were.

    progress: called with the position reached, after every page.

    Rejected: not_a_prefix, when the target holds something else. Damaged: when the source does. Conflict: not_alone,
    when somebody else writes to the target.
    """
    head, begun = source.head(), target.head()
    for position in {1, begun} - {0} if begun else ():
        if source.digest_at(position) != target.digest_at(position):
            raise Rejected(
                "not_a_prefix",
                f"{target.name} holds another history: its event at position {position} is not the source's",
                hint="name a ledger that is new, or an older copy of the same",
            )
    after = begun
    while after < head:
        rows = _page(source, after, min(_PAGE, head - after))
        last = rows[-1][0]
        with target.transaction() as log:
            if log.head() != after:
                raise Conflict("not_alone", f"somebody else writes to {target.name}", hint="stop them, then try again")
            log.append(rows)
            for command_id, command in source.commands(_command_ids(rows)):
                if after < command.last_position <= last:  # one that goes on comes with its last event
                    log.remember(command_id, command)
        after = last
        progress(after)
    return head - begun


def _page(source: Store, after: int, limit: int) -> list[StoredRow]:
    """The next rows, each as it was written."""
    rows = []
    expected = after + 1
    for row, stored in source.page_with_digests(after, limit):
        if row[0] != expected or digest(*row) != stored:
            break
        rows.append(row)
        expected += 1
    if len(rows) < limit:
        raise Damaged(
            "damaged",
            f"{source.name}: the event at position {expected} is not as it was written",
            hint="see what is wrong: " + Hint("ledger", "verify"),
        )
    return rows


def _command_ids(rows: list[StoredRow]) -> list[str]:
    """The command ids that events carry, each once."""
    bodies: list[dict[str, Any]] = [orjson.loads(row[4]) for row in rows]
    return [*dict.fromkeys(body["command"]["id"] for body in bodies if body.get("command") is not None)]
