"""Which open goal is worth most: the policies `utility@1` and `revenue@1`, for goals of people and of the system."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from goal_ledger.domain.base import Payload, Share
from goal_ledger.domain.goals.evaluation import alignment
from goal_ledger.domain.policies import Scored
from goal_ledger.domain.times import EPOCH, parse_utc

UTILITY = "utility@1"
REVENUE = "revenue@1"

UNKNOWN = 0.5
"""What counts for an estimate that nobody gave."""
FIRST = frozenset({"critical", "blocker"})
"""Task categories that come before all others, whatever they earn."""
_DAY_S = 86_400.0


class Weights(Payload):
    """What each part of the utility counts; it is clamped to 0 to 1."""

    value: Share = 0.5
    effort: Share = 0.25
    risk: Share = 0.15
    urgency: Share = 0.05
    alignment: Share = 0.05


class Rankable(NamedTuple):
    """An open goal as a ranking sees it.

    value, effort, risk: 0 to 1, None when nobody estimated them. deadline: UTC text, None without end. revenue: USD a
    month. obstacle: why it cannot be worked on now, None when it can.
    """

    goal_id: str
    title: str
    priority: int
    value: float | None = None
    effort: float | None = None
    risk: float | None = None
    deadline: str | None = None
    task_category: str | None = None
    revenue: Decimal = Decimal(0)
    aligns_with: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    obstacle: str | None = None


class Ranked(NamedTuple):
    """A goal and what the policy makes of it.

    score: 0 to 1 of `utility`, USD a month of `revenue`. components: what it is made of; None was unknown and counted
    as one half. is_overdue: its deadline has passed.
    """

    goal_id: str
    title: str
    score: float
    components: dict[str, float | str | None]
    is_overdue: bool
    obstacle: str | None
    why: str

    @property
    def scored(self) -> Scored:
        """As a receipt keeps it."""
        return Scored(self.goal_id, self.score, self.why)


def urgency(deadline: str | None, now: datetime) -> float:
    """How near the deadline is: 0.0 with a day left or more, 1.0 when it has passed."""
    return 0.0 if deadline is None else urgency_of(_seconds(deadline), (now - EPOCH).total_seconds())


def urgency_of(deadline_s: float, now_s: float) -> float:
    """The same for instants in seconds since 1970."""
    return min(1.0, max(0.0, 1.0 - (deadline_s - now_s) / _DAY_S))


def utility(goal: Rankable, *, now: datetime, beliefs: Mapping[str, bool], weights: Weights) -> Ranked:
    """What a goal is worth, 0 to 1; 0 against a belief that is held. beliefs: ids, True for those that are held."""
    fits = alignment(goal.aligns_with, goal.contradicts, beliefs)
    near = urgency(goal.deadline, now)
    against = [belief for belief in goal.contradicts if beliefs.get(belief, False)]
    score = 0.0 if against else weighed(goal, near, fits, weights)
    why = f"contradicts {', '.join(against)}, which is held true" if against else _in_words(goal, near)
    return Ranked(
        goal.goal_id,
        goal.title,
        score,
        {"value": goal.value, "effort": goal.effort, "risk": goal.risk, "urgency": round(near, 6), "alignment": fits},
        goal.deadline is not None and _seconds(goal.deadline) < (now - EPOCH).total_seconds(),
        goal.obstacle,
        why,
    )


def weighed(goal: Rankable, near: float, fits: float, weights: Weights) -> float:
    """The weighted sum, clamped to 0 to 1 and rounded to 9 digits, so that equal goals tie on every machine."""
    value, effort, risk = (UNKNOWN if one is None else one for one in (goal.value, goal.effort, goal.risk))
    total = (
        weights.value * value
        + weights.effort * (1 - effort)
        + weights.risk * (1 - risk)
        + weights.urgency * near
        + weights.alignment * fits
    )
    return round(min(1.0, max(0.0, total)), 9)


def by_utility(
    goals: Iterable[Rankable], *, now: datetime, beliefs: Mapping[str, bool], weights: Weights
) -> list[Ranked]:
    """Every goal, the one worth most first; equal ones by id."""
    ranked = (utility(goal, now=now, beliefs=beliefs, weights=weights) for goal in goals)
    return sorted(ranked, key=lambda one: (-one.score, one.goal_id))


def by_revenue(goals: Iterable[Rankable], *, now: datetime, beliefs: Mapping[str, bool]) -> list[Ranked]:
    """Every goal: critical ones and blockers, then by what they earn, priority, how they fit the beliefs, and id."""

    def order(goal: Rankable) -> tuple[bool, Decimal, int, float, str]:
        fits = alignment(goal.aligns_with, goal.contradicts, beliefs)
        return goal.task_category not in FIRST, -goal.revenue, goal.priority, -fits, goal.goal_id

    return [_earning(goal, now, beliefs) for goal in sorted(goals, key=order)]


def _earning(goal: Rankable, now: datetime, beliefs: Mapping[str, bool]) -> Ranked:
    fits = alignment(goal.aligns_with, goal.contradicts, beliefs)
    first = f"{goal.task_category}, " if goal.task_category in FIRST else ""
    return Ranked(
        goal.goal_id,
        goal.title,
        float(goal.revenue),
        {"category": goal.task_category, "revenue": str(goal.revenue), "priority": goal.priority, "alignment": fits},
        goal.deadline is not None and _seconds(goal.deadline) < (now - EPOCH).total_seconds(),
        goal.obstacle,
        f"{first}${goal.revenue:.2f}/month, priority {goal.priority}, alignment {fits:.0%}",
    )


def _in_words(goal: Rankable, near: float) -> str:
    known = (("value", goal.value), ("effort", goal.effort), ("risk", goal.risk))
    parts = [f"{name} {'unknown' if one is None else f'{one:g}'}" for name, one in known]
    return ", ".join([*parts, *([f"urgency {near:.2f}"] if near else [])])


def _seconds(deadline: str) -> float:
    return (parse_utc(deadline) - EPOCH).total_seconds()
