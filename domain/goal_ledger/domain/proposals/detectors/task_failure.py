"""Scheduled tasks that keep failing; what begins to fail at the same time is one incident."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Payload
from goal_ledger.domain.proposals.detectors.base import Check, Detector, Finding, History, confidence
from goal_ledger.domain.times import seconds_between, utc_text

NAME = "task_failure_detector"


class TaskFailureSettings(Payload):
    """What makes a pattern, and what makes an incident."""

    threshold: int = Field(3, ge=1, description="Failures of a task that make a pattern; successes do not reset it.")
    lookback_hours: float = Field(24.0, gt=0, description="How far back they count, both ends included.")
    incident_tasks: int = Field(4, ge=2, description="So many tasks that begin to fail together have one cause.")
    incident_minutes: float = Field(10.0, ge=0, description="Together is within so many minutes.")


class Episode(NamedTuple):
    """Failures of one task with no success between them."""

    task: str
    failures: tuple[Check, ...]

    @property
    def began_at(self) -> str:
        return self.failures[0].at


class TaskFailures:
    """See `TaskFailureSettings`; successes in between neither count nor reset the count."""

    def __init__(self, settings: TaskFailureSettings) -> None:
        self._settings = settings

    def __call__(self, history: History, *, now: datetime) -> Sequence[Finding]:
        since = utc_text(now - timedelta(hours=self._settings.lookback_hours))
        episodes = episodes_of(history.checks(since, utc_text(now)))
        incidents, rest = self._incidents(episodes)
        return [*map(self._incident, incidents), *self._recurring(rest)]

    def _incidents(self, episodes: Sequence[Episode]) -> tuple[list[list[Episode]], list[Episode]]:
        """Episodes that began together, and the others."""
        settings, incidents, rest = self._settings, [], []
        for together in _together(episodes, settings.incident_minutes * 60):
            is_incident = len({episode.task for episode in together}) >= settings.incident_tasks
            incidents.append(together) if is_incident else rest.extend(together)
        return incidents, rest

    def _recurring(self, episodes: Iterable[Episode]) -> list[Finding]:
        failures: dict[str, list[Check]] = {}
        for episode in episodes:
            failures.setdefault(episode.task, []).extend(episode.failures)
        return [
            self._finding(
                f"Fix recurring failures in '{task}' task",
                "task_failure_recurring",
                task,
                confidence(len(found), self._settings.threshold),
                {"task_type": task, **self._evidence(found)},
            )
            for task, found in sorted(failures.items())
            if len(found) >= self._settings.threshold
        ]

    def _incident(self, episodes: Sequence[Episode]) -> Finding:
        tasks = sorted({episode.task for episode in episodes})
        found = sorted((check for episode in episodes for check in episode.failures), key=lambda check: check.at)
        sources = {check.source for check in found}
        [subject] = sources if len(sources) == 1 and sources != {""} else {", ".join(tasks)}
        return self._finding(
            f"Fix the common cause of failures in {len(tasks)} tasks of '{subject}'",
            "task_failure_incident",
            subject,
            confidence(len(tasks), self._settings.incident_tasks),
            {"task_types": tasks, **self._evidence(found)},
        )

    def _evidence(self, failures: Sequence[Check]) -> dict[str, Any]:
        errors = Counter(check.error or "unknown" for check in failures)
        hours = self._settings.lookback_hours
        return {
            "failure_count": len(failures),
            "lookback_hours": int(hours) if hours.is_integer() else hours,
            "error_type": min(errors, key=lambda error: (-errors[error], error)),
            "first_failure": failures[0].at,
            "last_failure": failures[-1].at,
        }

    @staticmethod
    def _finding(text: str, pattern: str, subject: str, sure: float, evidence: dict[str, Any]) -> Finding:
        return Finding(
            text=text,
            category="capability",
            pattern=pattern,
            subject=subject,
            evidence=evidence,
            confidence=sure,
            value=0.8,
            effort=0.5,
            risk=0.3,
            success_metrics={"task_success_rate": 0.95, "consecutive_successes": 3},
        )


def episodes_of(checks: Iterable[Check]) -> list[Episode]:
    """The failures of every task between its successes, by when they began; checks: by time."""
    failing: dict[str, list[Check]] = {}
    ended: list[list[Check]] = []
    for check in checks:
        if not check.ok:
            failing.setdefault(check.task, []).append(check)
        elif check.task in failing:
            ended.append(failing.pop(check.task))
    found = [Episode(failures[0].task, tuple(failures)) for failures in (*ended, *failing.values())]
    return sorted(found, key=lambda episode: (episode.began_at, episode.task))


def _together(episodes: Iterable[Episode], seconds: float) -> list[list[Episode]]:
    """Episodes in groups, each within so many seconds of its first one; episodes: by when they began."""
    groups: list[list[Episode]] = []
    for episode in episodes:
        if groups and seconds_between(groups[-1][0].began_at, episode.began_at) <= seconds:
            groups[-1].append(episode)
        else:
            groups.append([episode])
    return groups


def configure(given: Mapping[str, Any]) -> TaskFailures:
    return TaskFailures(TaskFailureSettings.model_validate(given))


DETECTOR = Detector(NAME, configure, TaskFailureSettings)
