"""Which open goal is worth most: the policies `utility@1` and `revenue@1`, for goals of people and of the system."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from heapq import nsmallest
from typing import NamedTuple

from goal_ledger.domain.settings import Weights
from goal_ledger.domain.strategy.belief import NEUTRAL
from goal_ledger.domain.times import EPOCH, parse_utc

UNKNOWN = 0.5
"""What counts for an estimate that nobody gave."""
FIRST = frozenset({"critical", "blocker"})
"""Task categories that come before all others, whatever they earn."""
_DAY_S = 86_400.0


class Estimates(NamedTuple):
    """What is known of a goal's worth.

    value, effort, risk: 0 to 1, None when nobody estimated them. deadline: UTC text, None without end. revenue: USD a
    month. alignment: how it fits the beliefs, 0 to 1. against: beliefs that are held and that it contradicts.
    """

    value: float | None = None
    effort: float | None = None
    risk: float | None = None
    deadline: str | None = None
    task_category: str | None = None
    revenue: Decimal = Decimal(0)
    alignment: float = NEUTRAL
    against: tuple[str, ...] = ()


class Rankable(NamedTuple):
    """An open goal as a ranking sees it. obstacle: why it cannot be worked on now, None when it can."""

    goal_id: str
    title: str
    priority: int
    estimates: Estimates = Estimates()
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


def urgency(deadline: str | None, now: datetime) -> float:
    """How near the deadline is: 0.0 with a day left or more, 1.0 when it has passed."""
    if deadline is None:
        return 0.0
    return min(1.0, max(0.0, 1.0 - (_seconds(deadline) - (now - EPOCH).total_seconds()) / _DAY_S))


def utility(estimates: Estimates, *, now: datetime, weights: Weights) -> float:
    """What a goal is worth, 0 to 1: the weighted sum of what is known of it; 0 against a belief that is held.

    Rounded to 9 digits, so that equal goals tie on every machine.
    """
    if estimates.against:
        return 0.0
    known = (estimates.value, estimates.effort, estimates.risk)
    value, effort, risk = (UNKNOWN if one is None else one for one in known)
    total = (
        weights.value * value
        + weights.effort * (1 - effort)
        + weights.risk * (1 - risk)
        + weights.urgency * urgency(estimates.deadline, now)
        + weights.alignment * estimates.alignment
    )
    return round(min(1.0, max(0.0, total)), 9)


def by_utility(goals: Iterable[Rankable], *, now: datetime, weights: Weights, limit: int | None = None) -> list[Ranked]:
    """The goals that are worth most, equal ones by id. limit: so many, None for all."""
    scored = ((-utility(goal.estimates, now=now, weights=weights), goal.goal_id, goal) for goal in goals)
    best = sorted(scored) if limit is None else nsmallest(limit, scored)
    return [_worth(goal, -score, now) for score, _, goal in best]


def by_revenue(goals: Iterable[Rankable], *, now: datetime, limit: int | None = None) -> list[Ranked]:
    """Critical goals and blockers first, then by what they earn, priority, how they fit the beliefs, and id."""
    best = sorted(goals, key=_by_revenue) if limit is None else nsmallest(limit, goals, key=_by_revenue)
    return [_earning(goal, now) for goal in best]


def is_overdue(deadline: str | None, now: datetime) -> bool:
    """Whether a deadline has passed."""
    return deadline is not None and _seconds(deadline) < (now - EPOCH).total_seconds()


def _by_revenue(goal: Rankable) -> tuple[bool, Decimal, int, float, str]:
    known = goal.estimates
    return known.task_category not in FIRST, -known.revenue, goal.priority, -known.alignment, goal.goal_id


def _worth(goal: Rankable, score: float, now: datetime) -> Ranked:
    known = goal.estimates
    near = round(urgency(known.deadline, now), 6)
    parts = {"value": known.value, "effort": known.effort, "risk": known.risk, "urgency": near,
             "alignment": known.alignment}  # fmt: skip
    told = [f"{name} {'unknown' if one is None else f'{one:g}'}" for name, one in parts.items()]
    why = f"contradicts {', '.join(known.against)}, which is held true" if known.against else ", ".join(told)
    overdue = is_overdue(known.deadline, now)
    return Ranked(goal.goal_id, goal.title, score, dict(parts), overdue, goal.obstacle, why)


def _earning(goal: Rankable, now: datetime) -> Ranked:
    known = goal.estimates
    first = f"{known.task_category}, " if known.task_category in FIRST else ""
    parts: dict[str, float | str | None] = {
        "category": known.task_category, "revenue": str(known.revenue), "priority": goal.priority,
        "alignment": known.alignment,
    }  # fmt: skip
    why = f"{first}${known.revenue:.2f}/month, priority {goal.priority}, alignment {known.alignment:.0%}"
    overdue = is_overdue(known.deadline, now)
    return Ranked(goal.goal_id, goal.title, float(known.revenue), parts, overdue, goal.obstacle, why)


def _seconds(deadline: str) -> float:
    return (parse_utc(deadline) - EPOCH).total_seconds()
