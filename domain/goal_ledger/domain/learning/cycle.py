"""A learning cycle: what the runs of a week teach, and what became of it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import Count, Decider, Event, Payload, Texts, operation
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.ids import derived_id
from goal_ledger.domain.learning.lesson import Evidence, LessonCategory, Scope, lesson_id
from goal_ledger.domain.policies import Receipt, Scored
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, VerifierStatus
from goal_ledger.domain.times import parse_utc

# --- Words

POLICY = "candidates@1"
WINDOW = timedelta(days=7)
MOST_GROUPS = 10
LONGEST_WHY = 150
"""Characters of a candidate that its receipt repeats."""


def cycle_id(until: str) -> str:
    """The id of the cycle whose window ends then, UTC text: a window is learned from once."""
    return derived_id("cycle_", "learning", until, parse_utc(until))


class Group(Payload):
    """Failures that have goal type, action type and category in common; None where nobody said."""

    goal_type: Annotated[GoalType | None, Field(strict=False)] = None
    action_type: str | None = None
    failure_category: Annotated[FailureCategory | None, Field(strict=False)] = None
    runs: Count


class LearningCycleReport(Payload):
    """What a cycle found and did.

    since, until: its window, UTC text; since itself is outside. runs: that finished in it; failed, partial: of these.
    untimed: runs of the whole ledger that nobody knows the end of. reviews: written by this cycle. groups: the largest,
    ten at most; group_count: all. candidate_count: texts that might have become lessons. lessons: promoted with
    evidence that was new. rules: drafted. advanced: what became of other rules, in words.
    """

    since: str
    until: str
    runs: Count
    failed: Count
    partial: Count
    untimed: Count
    reviews: Count
    groups: Annotated[tuple[Group, ...], Field(strict=False)] = ()
    group_count: Count
    candidate_count: Count
    lessons: Texts = ()
    rules: Texts = ()
    advanced: Texts = ()


# --- Events


class CycleCompleted(Event):
    """A learning cycle is over. receipt: the candidates with their scores, and which of them were promoted."""

    stored = "cycle.completed"

    report: LearningCycleReport
    receipt: Receipt


# --- State


class Cycle(NamedTuple):
    """completed: whether its window was learned from."""

    completed: bool = False


CYCLE = Decider("cycle", Cycle())


@CYCLE.on(CycleCompleted)
def _completed(_: Cycle, _event: CycleCompleted) -> Cycle:
    return Cycle(completed=True)


# --- Decisions


@operation("cycle.complete")
def complete(cycle: Cycle, *, completed: CycleCompleted) -> list[Event]:
    """Close the cycle with its report, once."""
    return [] if cycle.completed else [completed]


# --- The policy


def impact(
    local_outcome: LocalOutcome | None, verifier_status: VerifierStatus | None, business_outcome: BusinessOutcome
) -> float:
    """How much a run that went wrong weighs: 1.0 when it failed, 0.5 when it did in part, twice that when it degraded.

    A run that its verifier failed, failed.
    """
    failed = local_outcome is LocalOutcome.FAILED or (
        local_outcome is not LocalOutcome.PARTIAL and verifier_status is VerifierStatus.FAILED
    )
    return (1.0 if failed else 0.5) * (2 if business_outcome is BusinessOutcome.DEGRADED else 1)


WIN = 1.0
"""How much a run weighs that shows a winning strategy."""


class Vote(NamedTuple):
    """A run that speaks for a candidate. impact: how much it weighs."""

    evidence: Evidence
    impact: float


class Contender(NamedTuple):
    """What might become a lesson, and the runs that speak for it, each once."""

    scope: Scope
    text: str
    category: LessonCategory
    votes: tuple[Vote, ...]

    @property
    def lesson_id(self) -> str:
        return lesson_id(self.scope, self.text)

    @property
    def score(self) -> float:
        """Frequency times mean impact."""
        return sum(vote.impact for vote in self.votes)


class Ballot:
    """Collects the votes for candidates; one text in one scope is one candidate, and a run votes for it once."""

    def __init__(self) -> None:
        self._contenders: dict[str, tuple[Scope, str, LessonCategory, dict[str, Vote]]] = {}

    def vote(self, scope: Scope, text: str, category: LessonCategory, vote: Vote) -> None:
        """Let a run speak for a candidate."""
        found = self._contenders.setdefault(lesson_id(scope, text), (scope, text, category, {}))
        found[3].setdefault(vote.evidence.run_id, vote)

    def contenders(self) -> list[Contender]:
        """Every candidate, the highest score first."""
        found = [
            Contender(scope, text, category, tuple(votes[run] for run in sorted(votes)))
            for scope, text, category, votes in self._contenders.values()
        ]
        return sorted(found, key=lambda one: (-one.score, one.lesson_id))


def scored(contenders: Iterable[Contender]) -> list[Scored]:
    """The candidates as a receipt keeps them."""
    return [
        Scored(
            one.lesson_id,
            one.score,
            f"{len(one.votes)} runs of impact {one.score / len(one.votes):.3g}: {one.text[:LONGEST_WHY]}",
        )
        for one in contenders
    ]


def groups(counts: Mapping[tuple[GoalType | None, str | None, FailureCategory | None], int]) -> list[Group]:
    """The groups of failures, the largest first."""
    found = [
        Group(goal_type=goal_type, action_type=action_type, failure_category=category, runs=runs)
        for (goal_type, action_type, category), runs in counts.items()
    ]
    return sorted(
        found, key=lambda one: (-one.runs, one.goal_type or "", one.action_type or "", one.failure_category or "")
    )
