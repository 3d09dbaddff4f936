"""Cadences: how often something comes round."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from goal_ledger.domain.errors import Invalid

_INTERVAL = ("s", "m", "h", "d", "w")


def check_cadence(cadence: str) -> None:
    """Accept an interval like `7d`, or a cron line with an optional time zone. Invalid: bad_cadence."""
    if cadence[:-1].isdecimal() and int(cadence[:-1]) > 0 and cadence[-1:] in _INTERVAL:
        return
    *cron, zone = cadence.rsplit(" ", 1) if cadence.count(" ") == 5 else (cadence, "UTC")
    try:
        ZoneInfo(zone)
        CronSim(" ".join(cron), datetime(2000, 1, 1))  # noqa: DTZ001 — only to read the line
    except (CronSimError, ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            "bad_cadence",
            f"{cadence!r} is neither an interval nor a cron line",
            hint='write it like 7d, or "0 9 * * 1", or "0 9 * * 1 Europe/Berlin"',
        ) from None
