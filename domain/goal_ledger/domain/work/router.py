"""What to work on next: the policies `router@1`, `router@2` and `router@3`.

First what advances the active key result that is furthest behind, then the next one; within one what is worth most
(see `ranking`; `router@1` leaves that out), then by priority, then the oldest. What advances none comes after, by
priority, worth and age; what is worked on already, where its goal allows a second run, comes last. See `place`.

`router@3` serves neither work that succeeded, nor imported history, nor what contradicts a belief that is held.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.policies import Scored
from goal_ledger.domain.settings import Weights
from goal_ledger.domain.times import parse_utc
from goal_ledger.domain.work.dispatch import Spent
from goal_ledger.domain.work.ranking import Estimates, utility

ROUTER = "router@3"
BY_WORTH = "router@2"
BY_PRIORITY = "router@1"
"""Published before; decisions that were made by them can be re-evaluated."""

CLOSED = frozenset(
    {
        GoalStatus.COMPLETED,
        GoalStatus.COMPLETED_WITH_CAVEATS,
        GoalStatus.FAILED,
        GoalStatus.REJECTED,
        GoalStatus.ARCHIVED,
    }
)
"""What is over is no candidate; it may still stand between work and the key result above it."""

_OUTCOMES = frozenset({GoalType.OBJECTIVE, GoalType.KEY_RESULT})
_LOWEST = 5  # priority


class Work(NamedTuple):
    """A goal as the router sees it.

    done: completed, so that what depends on it can go on. running, queued: its runs that are open, and those that wait
    for them, the oldest first. not_before: when it may be tried again, UTC text. spent: what its runs cost, looked at
    when there is a budget. progress: of a key result, 0 to 1. is_due: whether what it watches or maintains asks for a
    run now, None when nobody can say. succeeded_in: the attempt of the latest run, when that succeeded. is_history: it
    was imported, as a record of what has already happened.
    """

    goal_id: str
    title: str
    goal_type: GoalType
    status: GoalStatus
    priority: int
    parent_goal_id: str | None = None
    dependencies: tuple[str, ...] = ()
    done: bool = False
    running: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()
    overlap: Overlap = Overlap.FORBID
    attempts: int = 0
    max_attempts: int | None = None
    not_before: str | None = None
    budget_usd: Decimal | None = None
    spent: Spent = Spent()
    progress: float = 0.0
    is_due: bool | None = None
    estimates: Estimates = Estimates()
    succeeded_in: int | None = None
    is_history: bool = False

    @property
    def waits_to_be_completed(self) -> bool:
        """What a success means for its goal: nothing more is to be tried, somebody completes it.

        An experiment goes on until it is concluded, and what repeats until it is archived. A queued run was asked for.
        """
        goes_on = self.is_due is not None or self.goal_type is GoalType.EXPERIMENT
        return self.succeeded_in is not None and not goes_on and not self.queued


class Choice(NamedTuple):
    """A goal and what the router thinks of it.

    score: falls along the list: 1 to 2 for what advances a key result, below 1 for the rest, below 0 for what is worked
    on already. key_result_id: the active key result that it advances. why: in words, also why it is not eligible.
    worth: 0 to 1, what decides among goals of one score.
    """

    goal_id: str
    title: str
    priority: int
    eligible: bool
    score: float | None
    key_result_id: str | None
    progress: float | None
    why: str
    worth: float = 0.0

    @property
    def scored(self) -> Scored:
        """As a receipt keeps it."""
        return Scored(self.goal_id, self.score or 0.0, self.why)


def obstacle(one: Work, known: Mapping[str, Work], now: str, policy: str = ROUTER) -> str | None:
    """Why it cannot be handed out now; None when it can."""
    if one.goal_type in _OUTCOMES:
        return f"is measured, not worked on: it is a goal of type {one.goal_type}"
    if one.status not in (GoalStatus.READY, GoalStatus.ACTIVE):
        return f"is {one.status}"
    if waits_for := [other for other in one.dependencies if other not in known or not known[other].done]:
        return f"depends on {', '.join(waits_for)}"
    if one.running and one.overlap is not Overlap.ALLOW:
        return f"run {one.running[0]} is open"
    if one.not_before is not None and now < one.not_before:
        return f"is tried again at {one.not_before}"
    if one.budget_usd is not None and one.spent.usd >= one.budget_usd:
        return f"its budget of ${one.budget_usd} is used up: its runs cost {one.spent}"
    if not one.queued and one.max_attempts is not None and one.attempts >= one.max_attempts:
        return f"all {one.max_attempts} attempts are used up"
    if one.is_due is False:
        return "no incident is open" if one.goal_type is GoalType.WATCHDOG else "nothing is due"
    return _never_served(one) if policy == ROUTER else None


def _never_served(one: Work) -> str | None:
    """Why `router@3` passes it over, whatever its turn; None when it does not."""
    if one.waits_to_be_completed:
        return f"succeeded in attempt {one.succeeded_in}; waits to be completed"
    if one.is_history:
        return "is imported history"
    if one.estimates.against:
        return f"contradicts {', '.join(one.estimates.against)}, which is held true"
    return None


def advanced(one: Work, known: Mapping[str, Work]) -> Work | None:
    """The nearest key result above it that is active; None when there is none."""
    seen, above = {one.goal_id}, one.parent_goal_id
    while above is not None and above not in seen and (parent := known.get(above)) is not None:
        if parent.goal_type is GoalType.KEY_RESULT:
            return parent if parent.status is GoalStatus.ACTIVE else None
        seen.add(above)
        above = parent.parent_goal_id
    return None


def judged(one: Work, known: Mapping[str, Work], now: str, weights: Weights | None, policy: str = ROUTER) -> Choice:
    """What the router thinks of a goal.

    known: by id, what it depends on and everything above it. weights: of its worth, None when that does not count.
    """
    key_result = advanced(one, known)
    key_result_id, progress = (None, None) if key_result is None else (key_result.goal_id, key_result.progress)
    worth = 0.0 if weights is None else utility(one.estimates, now=parse_utc(now), weights=weights)
    if (why := obstacle(one, known, now, policy)) is not None:
        return Choice(one.goal_id, one.title, one.priority, False, None, key_result_id, progress, why, worth)
    if key_result is None:
        score = (_LOWEST - one.priority) / _LOWEST
        why = f"priority {one.priority}, advances no active key result"
    else:
        score = 2 - key_result.progress
        why = f"advances {key_result_id}, which is at {progress:.0%}, priority {one.priority}"
    if one.queued:
        why += f", run {one.queued[0]} is queued"
    if one.running:
        score -= 3
        why += ", a second run beside the open one"
    if weights is not None:
        why += f", worth {worth:.3f}"
    return Choice(one.goal_id, one.title, one.priority, True, round(score, 6), key_result_id, progress, why, worth)


Place = tuple[bool, float, str, float, int, str]
"""Where a choice stands: whether it has to wait, then what it is served by, last its goal."""


def place(choice: Choice) -> Place:
    """Where a choice stands; the lowest is served first, and no two are the same."""
    score = 0.0 if choice.score is None else -choice.score
    return not choice.eligible, score, choice.key_result_id or "", -choice.worth, choice.priority, choice.goal_id
