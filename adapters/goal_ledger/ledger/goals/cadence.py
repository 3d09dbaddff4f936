"""Cadences: how often something comes round, and what came due of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Invalid
from goal_ledger.domain.goals import maintenance
from goal_ledger.domain.goals.goal import GOAL, GoalCreated, Transition
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.projections.goals.goal_definitions import goal_definitions

MOST_AT_ONCE = 1_000
"""Occurrences of one goal that are dealt with at once; the next time goes on from there."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def check_cadence(cadence: str) -> None:
    """Accept an interval like `7d`, or a cron line with an optional time zone. Invalid: bad_cadence."""
    try:
        if _interval(cadence) is None:
            _cron(cadence, datetime(2000, 1, 1, tzinfo=UTC))
    except (CronSimError, ZoneInfoNotFoundError, ValueError, OverflowError):
        raise Invalid(
            "bad_cadence",
            f"{cadence!r} is neither an interval nor a cron line",
            hint='write it like 7d, or "0 9 * * 1", or "0 9 * * 1 Europe/Berlin"',
        ) from None


def occurrences(cadence: str, after: datetime, until: datetime, *, most: int | None = None) -> list[datetime]:
    """When something comes round after one moment and until another, that one included; in UTC, the earliest first.

    An interval counts on from `after`, a day being 24 hours. A cron line is read in its time zone, UTC by default, so
    09:00 stays 09:00 through the year. A time that the clocks skip in spring comes round at the end of the gap; one
    that they repeat in autumn comes round once, the first time. An `*` in the hours means every hour that passes.
    """
    step = _interval(cadence)
    coming = _cron(cadence, after) if step is None else _steps(step, after)
    return list(islice(takewhile(lambda moment: moment <= until, coming), most))


def due_occurrences(engine: Engine, now: datetime) -> list[str]:
    """Let come due what is due of every active maintenance goal, in one transaction; what was done, in words.

    Counted from the last occurrence that was dealt with, or from when the goal was first active. Repeating it changes
    nothing.
    """
    rows = engine.views.select_columns(
        goal_definitions,
        ("goal_id", "review_cadence"),
        {"status": GoalStatus.ACTIVE, "goal_type": GoalType.MAINTENANCE},
        order=("priority", "goal_id"),
    )
    repeating = [goal_id for goal_id, cadence in rows if cadence is not None]
    if not repeating:
        return []
    recorded = engine.using(occurred_at=now).transact(
        lambda tx: fall_due_in(tx, repeating, now), operation="goal.fall_due"
    )
    return [_in_words(each) for each in recorded]


def fall_due_in(tx: Tx, goal_ids: Iterable[str], now: datetime) -> list[Recorded]:
    """Let come due what is due of maintenance goals, inside a transaction; what was gathered."""
    gathered: list[Recorded] = []
    for goal_id in goal_ids:
        goal = tx.load(goal_id, GOAL)
        if maintenance.is_repeating(goal):
            since = parse_utc(goal.last_due) if goal.last_due else _began(tx, goal_id, now)
            due = occurrences(goal.contract["review_cadence"], since, now, most=MOST_AT_ONCE)
            gathered += tx.act(goal_id, GOAL, maintenance.fall_due, due=[utc_text(moment) for moment in due])
    return gathered


def _in_words(recorded: Recorded) -> str:
    event = recorded.event
    if isinstance(event, maintenance.OccurrencesSkipped):
        return f"{recorded.stream} skipped {event.missed} until {event.due_at}"
    if isinstance(event, maintenance.OccurrenceDue):
        return f"{recorded.stream} due since {event.due_at}" + (f", {event.missed} missed" if event.missed else "")
    return f"{recorded.stream} {recorded.name}"


def _began(tx: Tx, goal_id: str, now: datetime) -> datetime:
    """When the goal was first active."""
    for item in tx.history(goal_id):
        if not isinstance(item, Recorded):
            continue
        event = item.event
        began = isinstance(event, GoalCreated) and event.status is GoalStatus.ACTIVE
        if began or (isinstance(event, Transition) and event.to_status is GoalStatus.ACTIVE):
            return parse_utc(item.occurred_at or item.at)
    return now


def _interval(cadence: str) -> timedelta | None:
    """How long an interval like `7d` is; None when it is none. OverflowError."""
    count, unit = cadence[:-1], _UNITS.get(cadence[-1:])
    if unit is None or not (count.isascii() and count.isdecimal() and int(count) > 0):
        return None
    return timedelta(**{unit: int(count)})


def _steps(step: timedelta, after: datetime) -> Iterator[datetime]:
    moment = after.astimezone(UTC)
    while True:
        try:
            moment += step
        except OverflowError:  # beyond the calendar
            return
        yield moment


def _cron(cadence: str, after: datetime) -> Iterator[datetime]:
    """The times of a cron line with an optional zone. CronSimError, ZoneInfoNotFoundError, ValueError."""
    *cron, zone = cadence.rsplit(" ", 1) if cadence.count(" ") == 5 else (cadence, "UTC")
    coming = CronSim(" ".join(cron), after.astimezone(ZoneInfo(zone)))
    return (moment.astimezone(UTC) for moment in coming)
