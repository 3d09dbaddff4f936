"""Key results that are further behind than their deadline allows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from goal_ledger.domain.base import Payload
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.proposals.detectors.base import Detector, Finding, History, Standing
from goal_ledger.domain.times import seconds_between, utc_text

NAME = "key_result_detector"


class KeyResultSettings(Payload):
    """How far behind a key result may be; shares of the whole."""

    gap: float = Field(0.25, gt=0, lt=1, description="How far the progress may be behind the time that is gone.")
    settling: float = Field(0.25, ge=0, lt=1, description="The share of the time in which nothing is said.")


class KeyResultsOffTrack:
    """Expects progress in proportion to time, from when the key result began to its deadline."""

    def __init__(self, settings: KeyResultSettings) -> None:
        self._settings = settings

    def __call__(self, history: History, *, now: datetime) -> Sequence[Finding]:
        found = (self._judged(standing, utc_text(now)) for standing in history.standings())
        return [finding for finding in found if finding is not None]

    def _judged(self, standing: Standing, now: str) -> Finding | None:
        if standing.goal_type != GoalType.KEY_RESULT or standing.begun_at is None or standing.deadline is None:
            return None
        whole = seconds_between(standing.begun_at, standing.deadline)
        if whole <= 0:
            return None
        gone = min(1.0, seconds_between(standing.begun_at, now) / whole)
        progress = standing.progress or 0.0
        behind = gone - progress
        if gone < self._settings.settling or behind < self._settings.gap:
            return None
        return Finding(
            text=f"Bring '{standing.title}' back on track",
            category="performance",
            pattern="key_result_off_track",
            subject=standing.goal_id,
            evidence={"goal_id": standing.goal_id, "progress": round(progress, 4), "time_gone": round(gone, 4)},
            confidence=round(min(0.89, 0.70 + (behind - self._settings.gap) / 2), 2),
            value=0.8,
            effort=0.5,
            risk=0.3,
            success_metrics={"progress": round(gone, 4)},
        )


def configure(given: Mapping[str, Any]) -> KeyResultsOffTrack:
    return KeyResultsOffTrack(KeyResultSettings.model_validate(given))


DETECTOR = Detector(NAME, configure, KeyResultSettings)
