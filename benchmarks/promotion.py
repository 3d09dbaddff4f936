"""How often rules are promoted and rolled back wrongly, and how soon rightly: trials by the thousand, in counts.

Every rule is looked at after every run. What the product would decide is asked of `promotion.judge`; numpy only finds
the looks at which the answer can be another one than "wait".
"""

from collections.abc import Iterator
from math import lgamma, log, pi
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Bench, Figure, Result
from goal_ledger.domain.learning.evidence import Counts
from goal_ledger.domain.learning.promotion import FIRST_MARK, Choice, Trial, judge
from goal_ledger.domain.settings import Settings

SEED = 20260224
_SLACK = 1e-6  # what rounding may take from a screen

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class World(NamedTuple):
    """What is true of the rules. effect: on the rate of success in canary; later: on that once the rule is in force.

    base: between which rates runs succeed without the rule. guards: whether cost, duration and business outcome are
    known too; they are the same with and without the rule, pairs as often worse as a fair coin. good_for: runs in force
    before it becomes so.
    """

    effect: float = 0.0
    later: float = 0.0
    base: tuple[float, float] = (0.3, 0.9)
    guards: bool = True
    good_for: int = 0


class Outcome(NamedTuple):
    """Of every rule: the run after which it was promoted and rolled back, -1 when it was not."""

    promoted: Ints
    rolled_back: Ints

    def told(self) -> dict[str, float]:
        """Shares of the rules, and median numbers of runs over those that it happened to."""
        was_promoted, was_rolled_back = self.promoted >= 0, self.rolled_back >= 0
        both = was_promoted & was_rolled_back
        return {
            "promoted": float(was_promoted.mean()),
            "rolled back": float(was_rolled_back.mean()),
            "rolled back of those promoted": float(both.sum() / max(1, was_promoted.sum())),
            **_median("runs to promotion", self.promoted[was_promoted]),
            **_median("runs to rollback", self.rolled_back[was_rolled_back]),
            **_median("runs from promotion to rollback", (self.rolled_back - self.promoted)[both]),
        }


def promotion(bench: Bench) -> Iterator[Result]:
    """Rules without effect, rules that harm by exactly the margin, and rules whose worth is lost once in force."""
    rules, runs = bench.size(10_000, 40), bench.size(5_000, 300)
    settings = Settings()
    margin = settings.rule_margin
    worlds = {
        "no effect": World(),
        "harm by the margin": World(effect=-margin, later=-margin),
        "20 points lost once in force": World(later=-0.2),
        "20 points lost 1,000 runs later": World(later=-0.2, good_for=1000),
    }
    for name, world in worlds.items():
        for policy in (by_evidence, by_bare_rates):
            began = perf_counter()
            outcome = policy(world, rules, runs, np.random.default_rng(SEED), settings)
            took = (perf_counter() - began) / (rules * runs)
            case = f"rules with {name}, {'promotion@1' if policy is by_evidence else 'bare rates'}"
            yield Result(case, rules * runs, {"ours": Figure(took)}, told=outcome.told())


def by_evidence(world: World, rules: int, runs: int, chance: np.random.Generator, settings: Settings) -> Outcome:
    """By `promotion@1`: e-values, looked at after every run."""
    trials = _Trials(world, rules, runs, chance)
    for now in range(runs):
        trials.run()
        harmful = trials.may_be_harmful(settings)
        helpful = trials.may_help(settings)
        for index in np.flatnonzero(harmful | helpful):
            promoted = bool(trials.in_force[index])
            match judge(trials.trial(index), promoted=promoted, round=1, settings=settings).choice:
                case Choice.ROLL_BACK:
                    trials.roll_back(index, now)
                case Choice.PROMOTE:
                    trials.promote(index, now)
    return trials.outcome


def by_bare_rates(world: World, rules: int, runs: int, chance: np.random.Generator, settings: Settings) -> Outcome:
    """By plain rates: promoted with 3 wins and a rate that is not below that without the rule; rolled back when the
    rate is below by more than the margin, with 3 runs or more on each side.
    """
    trials, least = _Trials(world, rules, runs, chance), settings.rule_validated_runs
    for now in range(runs):
        trials.run()
        told, won, kept, kept_won = trials.compared()
        with np.errstate(invalid="ignore", divide="ignore"):
            behind = kept_won / kept - won / told
        enough = trials.alive & (told >= least) & (kept >= least)
        for index in np.flatnonzero(enough & (behind > settings.rule_margin)):
            trials.roll_back(index, now)
        validated = trials.alive & ~trials.in_force & (won >= least) & (kept > 0)
        for index in np.flatnonzero(validated & (behind <= 0)):
            trials.promote(index, now)
    return trials.outcome


class _Trials:
    """Many trials side by side, one run of each at a time."""

    def __init__(self, world: World, rules: int, runs: int, chance: np.random.Generator) -> None:
        self.world, self.chance = world, chance
        self.logs = _Logs(runs + 1)
        self.base = chance.uniform(*world.base, rules)
        self.known = chance.uniform(0.02, 0.3, rules)  # degraded
        self.in_force = np.zeros(rules, bool)
        self.alive = np.ones(rules, bool)
        self.outcome = Outcome(np.full(rules, -1), np.full(rules, -1))
        self.counts = {name: np.zeros((2, rules), np.int64) for name in Trial._fields if name != "full_marks"}
        self.marks: list[Ints] = []
        while FIRST_MARK << len(self.marks) <= runs:
            self.marks.append(np.zeros(rules, np.int64))
        self.unpaired = np.zeros(rules, np.int64)

    def run(self) -> None:
        """One more run of every rule that is not rolled back."""
        rules = len(self.base)
        told = self.alive & (self.in_force | (self.chance.random(rules) < 0.5))
        kept = self.alive & ~told
        is_late = self.in_force & (self.counts["full"][0] >= self.world.good_for)
        effect = np.where(is_late, self.world.later, self.world.effect)
        won = self.chance.random(rules) < self.base + np.where(told, effect, 0.0)
        self._count("full", told & self.in_force, won)
        for number, mark in enumerate(self.marks):
            reached = self.counts["full"][0] == FIRST_MARK << number
            mark[reached] = self.counts["full"][1][reached]
        self._count("treatment", told & ~self.in_force, won)
        self._count("control", kept, won)
        if not self.world.guards:
            return
        paired = told & (self.unpaired > 0)
        self.unpaired += kept.astype(np.int64) - paired
        self._count("costs", paired, self.chance.random(rules) < 0.5)
        self._count("durations", paired, self.chance.random(rules) < 0.5)
        fine = self.chance.random(rules) >= self.known
        self._count("treatment_values", told, fine)
        self._count("control_values", kept, fine)

    def _count(self, name: str, which: Flags, success: Flags) -> None:
        self.counts[name][0] += which
        self.counts[name][1] += which & success

    def compared(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Runs with the rule in its present mode and those won, runs without and those won."""
        told, won = np.where(self.in_force, self.counts["full"], self.counts["treatment"])
        return told, won, *self.counts["control"]

    def may_be_harmful(self, settings: Settings) -> Flags:
        """Where a question about harm is answered with yes."""
        alpha = settings.rule_alpha / 2
        told, won, kept, kept_won = self.compared()
        found = self.logs.no_harm(told, won, kept, kept_won) >= -log(alpha / 4) - _SLACK
        found &= ~self.in_force
        found[self.in_force] = self._may_be_harmful_in_force(alpha / 4)
        if self.world.guards:
            values = (*self.counts["treatment_values"], *self.counts["control_values"])
            found |= self.logs.no_harm(*values) >= -log(alpha / 6) - _SLACK
            for name in ("costs", "durations"):
                found |= self.logs.half(*self.counts[name]) >= -log(alpha / 6) - _SLACK
        return found & self.alive

    def _may_be_harmful_in_force(self, alpha: float) -> Flags:
        told, won = self.counts["full"][:, self.in_force]
        control = self.counts["control"][:, self.in_force]
        found: Flags = self.logs.no_harm(told, won, *control) >= -log(alpha / 2) - _SLACK
        for number, mark in enumerate(self.marks, 1):
            since = told - (FIRST_MARK << (number - 1))
            (past,) = np.nonzero(since > 0)
            reached = self.logs.no_harm(since[past], (won - mark[self.in_force])[past], *control[:, past])
            found[past] |= reached >= -log(alpha / 2 / (number * (number + 1))) - _SLACK
        return found

    def may_help(self, settings: Settings) -> Flags:
        """Where the e-value may suffice for a promotion: it is never larger than the bound that is looked at here."""
        found = np.zeros(len(self.alive), bool)
        (open_,) = np.nonzero(self.alive & ~self.in_force)
        told, won = self.counts["treatment"][:, open_]
        kept, kept_won = self.counts["control"][:, open_]
        bound = self.logs.worse_at_most(told, won, kept, kept_won, settings.rule_margin)
        found[open_] = bound >= -log(settings.rule_alpha / 2) - _SLACK
        return found

    def trial(self, index: Any) -> Trial:
        """The counts of one rule as the product has them."""
        counted = {name: Counts(*map(int, counts[:, index])) for name, counts in self.counts.items()}
        runs = counted["full"].n
        marks = [int(mark[index]) for number, mark in enumerate(self.marks) if FIRST_MARK << number <= runs]
        return Trial(full_marks=tuple(marks), **counted)

    def promote(self, index: Any, now: int) -> None:
        self.in_force[index] = True
        self.outcome.promoted[index] = now + 1

    def roll_back(self, index: Any, now: int) -> None:
        self.alive[index] = False
        self.outcome.rolled_back[index] = now + 1


class _Logs:
    """Logarithms of e-values of many counts at once, from tables."""

    def __init__(self, most: int) -> None:
        whole = np.arange(most + 1)
        self.half_gamma = np.array([lgamma(n + 0.5) for n in whole])
        self.gamma = np.array([lgamma(n + 1.0) for n in whole])
        self.n_log_n = np.array([n * log(n) if n else 0.0 for n in whole])

    def marginal(self, n: Ints, won: Ints) -> Floats:
        """Of Beta(1/2, 1/2) over the rate."""
        found: Floats = self.half_gamma[won] + self.half_gamma[n - won] - self.gamma[n] - log(pi)
        return found

    def summit(self, n: Ints, won: Ints) -> Floats:
        """The largest likelihood."""
        found: Floats = self.n_log_n[won] + self.n_log_n[n - won] - self.n_log_n[n]
        return found

    def no_harm(self, told: Ints, won: Ints, kept: Ints, kept_won: Ints) -> Floats:
        """Of "the treatment does no harm", minus infinity where the rates say so themselves."""
        apart = self.marginal(told, won) + self.marginal(kept, kept_won)
        found = apart - self.summit(told + kept, won + kept_won)
        return np.where(won * kept < kept_won * told, found, -np.inf)

    def half(self, pairs: Ints, worse: Ints) -> Floats:
        """Of "worse in no more than half the pairs"."""
        return np.where(2 * worse > pairs, self.marginal(pairs, worse) + pairs * log(2), -np.inf)

    def worse_at_most(self, told: Ints, won: Ints, kept: Ints, kept_won: Ints, margin: float) -> Floats:
        """At least the e-value of "the treatment is worse by the margin".

        The null hypothesis is given some rate that it allows, near the best one, and so no more than it deserves.
        """
        apart = self.marginal(told, won) + self.marginal(kept, kept_won)
        mixture = np.logaddexp(apart, self.marginal(told + kept, won + kept_won)) - log(2)
        tiny = 1e-9
        p = np.clip((won + kept_won + told * margin) / np.maximum(told + kept, 1), margin + tiny, 1 - tiny)
        for _ in range(2):  # Newton's steps towards the best
            low, lost, kept_lost = p - margin, told - won, kept - kept_won
            slope = won / low - lost / (1 - low) + kept_won / p - kept_lost / (1 - p)
            bend = won / low**2 + lost / (1 - low) ** 2 + kept_won / p**2 + kept_lost / (1 - p) ** 2
            p = np.clip(p + slope / np.maximum(bend, tiny), margin + tiny, 1 - tiny)
        low = p - margin
        given = won * np.log(low) + (told - won) * np.log1p(-low)
        found: Floats = mixture - given - kept_won * np.log(p) - (kept - kept_won) * np.log1p(-p)
        return found


def _median(name: str, values: Ints) -> dict[str, float]:
    return {name: float(np.median(values))} if len(values) else {}
