"""The events that a few rows were folded from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from goal_ledger.adapters.views.log import Log
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.projections.base import Key, Projection

_PAGE = 5_000


def keys_of(projection: Projection[Any], events: Collection[Recorded | Unreadable]) -> set[Key]:
    """The rows that events concern; an event that its projection cannot place concerns none."""
    keys: set[Key] = set()
    for item in events:
        if isinstance(item, Recorded) and (fold := projection.folds.get(type(item.event))) is not None:
            try:
                keys.add(item.stream if fold.at is None else fold.at(item, item.event))
            except Exception:  # noqa: S112  # it is in the quarantine, with its reason
                continue
    return keys


def history(
    projection: Projection[Any], log: Log, keys: Collection[Key], up_to: int
) -> Iterator[Recorded | Unreadable]:
    """Every event up to a position that concerns these rows, each row's in order."""
    if projection.is_by_stream:
        for key in keys:
            yield from log.stream(str(key), up_to=up_to)
    elif all(isinstance(key, int) for key in keys):  # a row for each event, under its position
        for key in sorted(keys):
            yield from (log.decode(row) for row in log.page(int(key) - 1, 1) if row[0] == key)
    else:
        yield from _scan(projection, log, keys, up_to)


def _scan(projection: Projection[Any], log: Log, keys: Collection[Key], up_to: int) -> Iterator[Recorded]:
    after = 0
    while after < up_to and (rows := log.page(after, min(_PAGE, up_to - after))):
        for row in rows:
            item = log.decode(row)
            if isinstance(item, Recorded) and keys_of(projection, [item]) & set(keys):
                yield item
        after = rows[-1][0]
