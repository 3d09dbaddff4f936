"""A feed: how far an external source of measurements has been read, and what each metric last was."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Count, Decider, Event, Payload, operation
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.ids import derived_id

_LONGEST = 200


def feed_id(source: str) -> str:
    """The id of the feed of this source. Invalid: bad_source."""
    if not (0 < len(source) <= _LONGEST and source.isprintable() and source.strip()):
        raise Invalid("bad_source", f"the name of a source must be 1 to {_LONGEST} printable characters")
    return derived_id("feed_", source, "feed", None)


# --- Events


class Level(Payload):
    """What a metric was at an instant, UTC text: the next measurement is compared with it."""

    metric: str
    value: float
    at: str


class FeedAdvanced(Event):
    """The source was read. cursor: the instant up to which it has been taken, UTC text; None when nothing was.

    records: how many were read. outcomes: how many outcomes of runs they gave. problems: how many were not taken.
    levels: the metrics that moved on.
    """

    stored = "feed.advanced"

    source: str
    cursor: str | None = None
    records: Count
    outcomes: Count
    problems: Count
    levels: Annotated[tuple[Level, ...], Field(strict=False)] = ()


# --- State


class Feed(NamedTuple):
    """levels: by metric."""

    cursor: str | None = None
    levels: Mapping[str, Level] = MappingProxyType({})


FEED = Decider("feed", Feed())


@FEED.on(FeedAdvanced)
def _advanced(feed: Feed, event: FeedAdvanced) -> Feed:
    return Feed(event.cursor, MappingProxyType({**feed.levels, **{level.metric: level for level in event.levels}}))


# --- Decisions


@operation("feed.advance")
def advance(
    feed: Feed,
    *,
    source: str,
    cursor: str | None,
    records: int,
    outcomes: int,
    problems: int,
    levels: Sequence[Level] = (),
) -> list[Event]:
    """Note how far the source was read; quiet when that brought nothing new. A cursor never goes back."""
    cursor = max(filter(None, (cursor, feed.cursor)), default=None)
    if not outcomes and not levels and cursor == feed.cursor:
        return []
    return [
        FeedAdvanced(
            source=source,
            cursor=cursor,
            records=records,
            outcomes=outcomes,
            problems=problems,
            levels=tuple(levels),
        )
    ]
