"""Experiments: results of several arms, and a winner that may be looked for after every single one of them."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, Rejected
from goal_ledger.domain.goals.goal import GOAL, ArmResult, Goal, existing
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType
from goal_ledger.domain.sample_size import further

_TUNED_FOR = 100  # results of an arm at which its interval is the narrowest for its error rate
_MOST = 10**12  # results per arm beyond which an estimate says nothing

# --- Events


class ArmResultRecorded(Event):
    """One arm had a success or a failure. run_id: the run that gave the result, which counts once."""

    stored = "goal.arm_result_recorded"

    arm: str
    success: bool
    run_id: str | None = None


# --- State


@GOAL.on(ArmResultRecorded)
def _recorded(goal: Goal, event: ArmResultRecorded) -> Goal:
    return goal._replace(results=(*goal.results, ArmResult(event.arm, event.success, event.run_id)))


# --- Decisions


@operation("goal.record")
def record(goal: Goal, *, arm: str, success: bool, run_id: str | None = None, reason: str | None = None) -> list[Event]:
    """Note the result of an arm; the same result of the same run again is quiet.

    Rejected: not_an_experiment, archived, unknown_arm, already_counted.
    """
    status = existing(goal)
    require_experiment(goal)
    if status is GoalStatus.ARCHIVED:
        raise Rejected("archived", "the experiment is archived, which is final: it takes no results")
    arms = goal.contract["arms"]
    if arm not in arms:
        raise Rejected(
            "unknown_arm",
            f"the experiment has no arm {arm!r}; it has {', '.join(arms) or 'none'}",
            hint=None if arms else Hint("goal", "amend", STREAM, arms=(Blank("A"), Blank("B"))),
        )
    for counted in goal.results if run_id is not None else ():
        if counted.run_id != run_id:
            continue
        if counted == (arm, success, run_id):
            return []
        raise Rejected(
            "already_counted",
            f"run {run_id} is counted already: a {'success' if counted.success else 'failure'} of arm {counted.arm!r}",
        )
    return [ArmResultRecorded(arm=arm, success=success, run_id=run_id, reason=reason)]


def require_experiment(goal: Goal) -> None:
    """Rejected: not_an_experiment."""
    if goal.goal_type is not GoalType.EXPERIMENT:
        raise Rejected("not_an_experiment", f"only an experiment has arms, and this goal is of type {goal.goal_type}")


# --- Report


class ArmReport(NamedTuple):
    """What is known of an arm. rate: the share of successes. low, high: where the true one lies."""

    arm: str
    n: int
    successes: int
    rate: float | None
    low: float
    high: float


class Report(NamedTuple):
    """How an experiment stands.

    winner: the arm that is better than every other one; None while that is open. further: about how many more results,
    over all arms, would settle it if the rates stayed as they are; None when nothing can be said, 0 with a winner.
    alpha: the chance that any interval, at any look, leaves out its arm's true rate.
    """

    arms: Sequence[ArmReport]
    winner: str | None
    further: int | None
    alpha: float


def tally(results: Sequence[ArmResult], arms: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Results and successes of each arm, those that were taken out of the contract among them."""
    counts = dict.fromkeys(arms, (0, 0))
    for arm, success, _ in results:
        n, successes = counts.get(arm, (0, 0))
        counts[arm] = n + 1, successes + success
    return counts


def report(counts: Mapping[str, tuple[int, int]], *, alpha: float = 0.05) -> Report:
    """Who wins, if anybody: the arm whose lower bound is above the upper bound of every other one.

    Each of K arms gets a confidence sequence at level alpha/K, so all of them hold at all times together with
    probability 1 - alpha, and looking after every result is allowed: with equal rates, a winner is ever named with
    probability alpha at the most. Equal rates give no winner, however many results there are.

    counts: results and successes of each arm.
    """
    level = _level(counts, alpha)
    arms = intervals(counts, alpha=alpha)
    best = winner(arms)
    return Report(arms, best, 0 if best is not None else _further(arms, level), alpha)


def intervals(counts: Mapping[str, tuple[int, int]], *, alpha: float) -> list[ArmReport]:
    """Each arm with where its true rate lies, all of them at all times together with probability 1 - alpha."""
    level = _level(counts, alpha)
    return [_arm(arm, n, successes, level) for arm, (n, successes) in counts.items()]


def winner(arms: Sequence[ArmReport]) -> str | None:
    """The arm that is better than every other one, as far as their intervals say."""
    for one in arms:
        others = [other for other in arms if other is not one]
        if others and all(one.low > other.high for other in others):
            return one.arm
    return None


def _level(counts: Mapping[str, tuple[int, int]], alpha: float) -> float:
    return alpha / max(1, len(counts))


def radius(n: int, level: float) -> float:
    """Half the width of a confidence sequence for the mean of n results in [0, 1], none of them chosen by its outcome.

    Results in [0, 1] are sub-Gaussian with variance 1/4 (Hoeffding), so the sum S of their deviations from the mean
    makes exp(x·S - x²·n/8) a supermartingale for every x. Mixing over x ~ N(0, 1/r) gives
    sqrt(r / (n/4 + r)) · exp(S² / 2(n/4 + r)), and Ville's inequality bounds it by 1/level at all n together: the
    two-sided normal mixture of Robbins (1970), equation 14 of Howard, Ramdas, McAuliffe and Sekhon (2021),
    "Time-uniform, nonparametric, nonasymptotic confidence sequences".
    """
    if n == 0:
        return 1.0
    mixture = _mixture(level)
    v = n / 4 + mixture
    return math.sqrt(v * math.log(v / (mixture * level * level))) / n


def _mixture(level: float) -> float:
    """The r that is nearly the tightest at _TUNED_FOR results (Howard et al. 2021, section 3.5)."""
    wide = 2 * math.log(1 / level)
    return _TUNED_FOR / 4 / (wide + math.log(1 + wide))


def _arm(arm: str, n: int, successes: int, level: float) -> ArmReport:
    if n == 0:
        return ArmReport(arm, 0, 0, None, 0.0, 1.0)
    rate, width = successes / n, radius(n, level)
    return ArmReport(arm, n, successes, rate, max(0.0, rate - width), min(1.0, rate + width))


def _further(arms: Sequence[ArmReport], level: float) -> int | None:
    """Results still needed, the same number for every arm, if their rates stay as they are."""
    if len(arms) < 2 or any(arm.rate is None for arm in arms):
        return None
    best, *others = sorted(arms, key=lambda arm: -(arm.rate or 0.0))

    def settles(more: int) -> bool:
        low = (best.rate or 0.0) - radius(best.n + more, level)
        return all(low > (other.rate or 0.0) + radius(other.n + more, level) for other in others)

    enough = further(settles, most=_MOST)
    return None if enough is None else enough * len(arms)
