"""Agents that keep failing at one category of task."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from goal_ledger.domain.base import Payload, Share
from goal_ledger.domain.proposals.detectors.base import Attempt, Detector, Finding, History, confidence
from goal_ledger.domain.times import utc_text

NAME = "failing_pair_detector"


class FailingPairSettings(Payload):
    """From when on an agent is chronically failing at a category of task."""

    attempts: int = Field(5, ge=2, description="The least that say something.")
    days: float = Field(30.0, gt=0, description="How far back they count.")
    most_won: Share = Field(0.2, description="The rate up to which a pair is chronically failing.")


class FailingPairs:
    """Counts the runs of each agent by their task category."""

    def __init__(self, settings: FailingPairSettings) -> None:
        self._settings = settings

    def __call__(self, history: History, *, now: datetime) -> Sequence[Finding]:
        settings = self._settings
        pairs: dict[tuple[str, str], list[Attempt]] = {}
        for attempt in history.attempts(utc_text(now - timedelta(days=settings.days)), utc_text(now)):
            if attempt.agent is not None and attempt.task is not None:
                pairs.setdefault((attempt.agent, attempt.task), []).append(attempt)
        return [
            self._finding(agent, task, attempts)
            for (agent, task), attempts in sorted(pairs.items())
            if len(attempts) >= settings.attempts
            if sum(attempt.won for attempt in attempts) <= settings.most_won * len(attempts)
        ]

    def _finding(self, agent: str, task: str, attempts: Sequence[Attempt]) -> Finding:
        won = sum(attempt.won for attempt in attempts)
        return Finding(
            text=f"Find out why '{agent}' keeps failing at '{task}'",
            category="capability",
            pattern="agent_task_failing",
            subject=f"{agent} · {task}",
            evidence={
                "agent": agent,
                "task_category": task,
                "attempts": len(attempts),
                "won": won,
                "last_attempt": attempts[-1].at,
            },
            confidence=min(0.89, confidence(len(attempts) - won, self._settings.attempts)),
            value=0.7,
            effort=0.4,
            risk=0.2,
            success_metrics={"task_success_rate": 0.6},
        )


def configure(given: Mapping[str, Any]) -> FailingPairs:
    return FailingPairs(FailingPairSettings.model_validate(given))


DETECTOR = Detector(NAME, configure, FailingPairSettings)
