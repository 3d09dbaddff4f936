"""Evidence that may be looked at after every run: e-values of counts, in natural logarithms.

An e-value here is what a mixture of models, fixed in advance, says of the results, divided by the most that any
model of the null hypothesis says of them: universal inference (Wasserman, Ramdas and Balakrishnan 2020, "Universal
inference", PNAS 117, section 7). Under any model of the null the ratio stays below a martingale that starts at 1,
whatever decides which arm comes next, as long as it does not see results of the future. Ville's inequality then bounds
the chance that the ratio ever reaches x, at any look, by 1/x. Counts are all that it needs.
"""

import math
from typing import NamedTuple

_HALVINGS = 100  # of an interval within [0, 1]: beyond what a float can tell apart


class Counts(NamedTuple):
    """Results of an arm, and how many of them were successes. Projections of the future may be fractions."""

    n: float = 0
    successes: float = 0

    @property
    def rate(self) -> float | None:
        """The share of successes; None without results."""
        return self.successes / self.n if self.n else None

    def plus(self, success: bool) -> "Counts":
        """One more result."""
        return Counts(self.n + 1, self.successes + success)

    def since(self, earlier: "Counts") -> "Counts":
        """What came after these."""
        return Counts(self.n - earlier.n, self.successes - earlier.successes)

    def projected(self, more: float) -> "Counts":
        """So many more results at the same rate."""
        return self if not self.n else Counts(self.n + more, self.successes * (1 + more / self.n))


def against_worse(treatment: Counts, control: Counts, margin: float) -> float:
    """Evidence against "treatment succeeds less often than control by the margin or more": p_t ≤ p_c - margin.

    The mixture is half two rates that know nothing of each other, half one rate for both, which is much the stronger
    when the two do not differ.
    """
    apart = _marginal(treatment) + _marginal(control)
    alike = _marginal(Counts(treatment.n + control.n, treatment.successes + control.successes))
    return _mean(apart, alike) - _most_likely_worse(treatment, control, margin)


def against_no_harm(treatment: Counts, control: Counts) -> float:
    """Evidence against "treatment succeeds at least as often as control": p_t ≥ p_c."""
    return _marginal(treatment) + _marginal(control) - _most_likely_worse(control, treatment, 0.0)


def against_half(counts: Counts) -> float:
    """Evidence against "successes are no more than half": p ≤ 1/2."""
    rate = counts.rate or 0.0
    return _marginal(counts) - _likelihood(counts, min(rate, 0.5))


def _marginal(counts: Counts) -> float:
    """What Beta(1/2, 1/2) over the rate says of the results in their order (Krichevsky and Trofimov 1981)."""
    n, successes = counts
    log_beta = math.lgamma(successes + 0.5) + math.lgamma(n - successes + 0.5) - math.lgamma(n + 1)
    return log_beta - math.log(math.pi)


def _likelihood(counts: Counts, p: float) -> float:
    """What the rate p says of the results in their order; p must not exclude any of them."""
    n, successes = counts
    return (successes * math.log(p) if successes else 0.0) + (
        (n - successes) * math.log1p(-p) if n > successes else 0.0
    )


def _most_likely_worse(worse: Counts, better: Counts, margin: float) -> float:
    """The largest likelihood with p_worse ≤ p_better - margin.

    The likelihood is concave, so where its summit is not allowed the largest lies on the edge, p_worse = q - margin and
    p_better = q. There its slope falls from one end of [margin, 1] to the other, and halving finds where it is 0.
    """
    summit = _summit(worse, better, margin)
    if summit is not None:
        return summit
    if not margin:
        both = Counts(worse.n + better.n, worse.successes + better.successes)
        return _likelihood(both, both.rate or 0.0)
    low, high = 0.0, 1.0 - margin  # of p_worse
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        if _slope(worse, p) + _slope(better, p + margin) > 0:
            low = p
        else:
            high = p
    p = (low + high) / 2
    return _likelihood(worse, p) + _likelihood(better, min(p + margin, 1.0))


def _summit(worse: Counts, better: Counts, margin: float) -> float | None:
    """The largest likelihood of all, when it is allowed; an arm without results has whatever rate suits."""
    p_worse = 0.0 if worse.rate is None else worse.rate
    p_better = 1.0 if better.rate is None else better.rate
    if p_worse > p_better - margin:
        return None
    return _likelihood(worse, p_worse) + _likelihood(better, p_better)


def _slope(counts: Counts, p: float) -> float:
    """The derivative of the likelihood."""
    n, successes = counts
    up = successes / p if successes else 0.0
    down = (n - successes) / (1 - p) if n > successes else 0.0
    return up - down


def _mean(one: float, other: float) -> float:
    """The logarithm of the mean of two numbers given as logarithms."""
    high = max(one, other)
    return high + math.log((math.exp(one - high) + math.exp(other - high)) / 2)
