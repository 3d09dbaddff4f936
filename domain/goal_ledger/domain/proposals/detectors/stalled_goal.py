"""Active initiatives to which nothing has happened for long."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from goal_ledger.domain.base import Payload
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.proposals.detectors.base import Detector, Finding, History
from goal_ledger.domain.times import seconds_between, utc_text

NAME = "stalled_goal_detector"
_DAY = 86_400


class StalledSettings(Payload):
    """From when on a goal is stalled."""

    days: float = Field(7.0, gt=0, description="Without an event of the goal or of its runs.")


class StalledGoals:
    """Looks at initiatives: what is measured, repeats or watches has a rhythm of its own."""

    def __init__(self, settings: StalledSettings) -> None:
        self._settings = settings

    def __call__(self, history: History, *, now: datetime) -> Sequence[Finding]:
        return [
            Finding(
                text=f"Find out why nothing happens to '{standing.title}'",
                category="maintenance",
                pattern="goal_stalled",
                subject=standing.goal_id,
                evidence={"goal_id": standing.goal_id, "last_event": standing.since, "days": round(quiet, 1)},
                confidence=0.75,
                value=0.5,
                effort=0.2,
                risk=0.1,
            )
            for standing in history.standings()
            if standing.goal_type == GoalType.INITIATIVE
            if (quiet := seconds_between(standing.since, utc_text(now)) / _DAY) >= self._settings.days
        ]


def configure(given: Mapping[str, Any]) -> StalledGoals:
    return StalledGoals(StalledSettings.model_validate(given))


DETECTOR = Detector(NAME, configure, StalledSettings)
