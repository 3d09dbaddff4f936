"""What a detector is given, what it gives back, and what it can be tuned by."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from pydantic import Field

from goal_ledger.domain.base import Json, Payload, Share, Texts


class Check(NamedTuple):
    """A scheduled task ran. at: UTC text. source: who schedules it, blank when nobody said."""

    task: str
    ok: bool
    at: str
    error: str | None = None
    source: str = ""


class Attempt(NamedTuple):
    """A run that ended. won: it succeeded and no verifier failed it. at: when it ended, UTC text."""

    run_id: str
    goal_id: str
    agent: str | None
    task: str | None
    won: bool
    at: str


class Standing(NamedTuple):
    """An active goal. since: when something last happened to it, UTC text. progress: of a key result, 0 to 1.

    begun_at, deadline: UTC text, None when unknown or without end.
    """

    goal_id: str
    title: str
    goal_type: str
    since: str
    progress: float | None = None
    begun_at: str | None = None
    deadline: str | None = None


class History(Protocol):
    """What happened, as the read models know it; times are UTC text, both ends included."""

    def checks(self, since: str, until: str) -> Sequence[Check]:
        """Scheduled tasks that ran, by time."""
        ...

    def attempts(self, since: str, until: str) -> Sequence[Attempt]:
        """Runs that ended, by time."""
        ...

    def standings(self) -> Sequence[Standing]:
        """The active goals, by id."""
        ...


class Finding(Payload):
    """What should become a goal.

    text: the goal's title. pattern: what kind of thing was found. subject: about what; the same pattern and subject
    is the same finding. evidence: what shows it. success_metrics: what must hold for it to be done.
    """

    text: str
    category: str
    pattern: str
    subject: str
    evidence: Json = Field(default_factory=dict)
    confidence: Share
    value: Share
    effort: Share
    risk: Share
    success_metrics: Json = Field(default_factory=dict)
    aligns_with: Texts = ()
    contradicts: Texts = ()
    capabilities: Texts = ()


class Detect(Protocol):
    """Looks for what should become a goal; pure: the same history and instant give the same findings."""

    def __call__(self, history: History, *, now: datetime) -> Sequence[Finding]: ...


class Detector(NamedTuple):
    """name: stands on the proposals and goals that come of it. configure: makes it from its settings, checked.

    settings: their type, for docs. What the detector finds, the docstring of the module of `configure` says.
    """

    name: str
    configure: Callable[[Mapping[str, Any]], Detect]
    settings: type[Payload] | None = None


def confidence(n: int, least: int) -> float:
    """How sure n observations make us when `least` are needed: 0.80, and 0.05 more for each further one, to 0.95."""
    return round(min(0.95, 0.80 + 0.05 * (n - least)), 2)
