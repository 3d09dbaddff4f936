"""What a change out there says about runs: how good it is, and which of them it speaks about."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from goal_ledger.domain.runs.run import BusinessOutcome
from goal_ledger.domain.times import EPOCH, utc_text

_DIGITS = 9
"""Of a relative change: binary fractions must not decide what lies exactly at the threshold."""


class Verdict(NamedTuple):
    """change: relative to what was before; None when that was 0."""

    outcome: BusinessOutcome
    change: float | None


class Rule(StrEnum):
    """Which of the runs before a measurement it speaks about."""

    LATEST = "latest"
    ALL = "all"


class Ended(NamedTuple):
    """A run that finished. finished_at: UTC text; None when nobody knows."""

    run_id: str
    finished_at: str | None


def judge(before: float, after: float, *, threshold: float, lower_is_better: bool = False) -> Verdict:
    """Improved or degraded when the metric moved by the threshold or more, relative to |before|; neutral otherwise.

    From 0 there is no relative change: any rise is an improvement, any fall the opposite. lower_is_better turns both.
    """
    change = None if before == 0 else round((after - before) / abs(before), _DIGITS)
    gain = after if change is None else change
    if lower_is_better:
        gain = -gain
    if gain == 0 or (change is not None and abs(gain) < threshold):
        return Verdict(BusinessOutcome.NEUTRAL, change)
    return Verdict(BusinessOutcome.IMPROVED if gain > 0 else BusinessOutcome.DEGRADED, change)


def in_words(metric: str, before: float, after: float, change: float | None) -> str:
    """The measurement on one line: `reply_rate: 0.12 to 0.08 (-33.3%)`."""
    told = "" if change is None else f" ({change:+.1%})"
    return f"{metric}: {before:.6g} to {after:.6g}{told}"


def spoken_about(runs: Iterable[Ended], at: datetime, *, window_days: float, rule: Rule) -> list[str]:
    """The runs that finished within the window before the measurement, its ends included; the newest first.

    A run that nobody knows the end of is in no window. rule: only the one that finished last, or all.
    """
    end = utc_text(at)
    start = utc_text(max(EPOCH, at - timedelta(days=window_days)))
    within = [run for run in runs if run.finished_at is not None and start <= run.finished_at <= end]
    within.sort(key=lambda run: (run.finished_at or "", run.run_id), reverse=True)
    return [run.run_id for run in (within[:1] if rule is Rule.LATEST else within)]
