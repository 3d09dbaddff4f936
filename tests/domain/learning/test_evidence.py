"""E-values of counts: scipy works out the same, and no null hypothesis is rejected too often."""

from collections.abc import Callable
from math import comb, exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import betaln, logsumexp, xlog1py, xlogy

from goal_ledger.domain.learning.evidence import Counts, against_half, against_no_harm, against_worse
from goal_ledger.domain.sample_size import further

MARGIN = 0.1


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    n = draw(st.one_of(st.integers(0, 30), st.integers(0, 5000)))
    return Counts(n, draw(st.integers(0, n)))


def marginal(one: Counts) -> float:
    """By scipy: what Beta(1/2, 1/2) says of the results."""
    return float(betaln(one.successes + 0.5, one.n - one.successes + 0.5) - betaln(0.5, 0.5))


def likelihood(one: Counts, p: float) -> float:
    return float(xlogy(one.successes, p) + xlog1py(one.n - one.successes, -p))


def highest(worse: Counts, better: Counts, margin: float) -> float:
    """By scipy: the largest likelihood with p_worse ≤ p_better - margin, each maximised given the other."""

    def given_better(p_better: float) -> float:
        cap = p_better - margin
        best = cap if worse.rate is None else min(worse.rate, cap)
        return likelihood(worse, max(0.0, best)) + likelihood(better, p_better)

    found = minimize_scalar(
        lambda p: -given_better(p), bounds=(margin, 1.0), method="bounded", options={"xatol": 1e-12, "maxiter": 2000}
    )
    summit = better.rate if better.rate is not None else 1.0
    return max(-float(found.fun), *(given_better(p) for p in (margin, 1.0, max(margin, summit))))


@given(counts(), counts(), st.sampled_from([0.01, 0.1, 0.3]))
def test_evidence_of_no_inferiority_is_as_scipy_works_it_out(treatment: Counts, control: Counts, margin: float):
    pooled = Counts(treatment.n + control.n, treatment.successes + control.successes)
    mixture = logsumexp([marginal(treatment) + marginal(control), marginal(pooled)]) - log(2)
    expected = mixture - highest(treatment, control, margin)
    assert against_worse(treatment, control, margin) == pytest.approx(expected, abs=1e-7)


@given(counts(), counts())
def test_evidence_of_harm_is_as_scipy_works_it_out(treatment: Counts, control: Counts):
    expected = marginal(treatment) + marginal(control) - highest(control, treatment, 0.0)
    assert against_no_harm(treatment, control) == pytest.approx(expected, abs=1e-7)


@given(counts())
def test_evidence_of_more_than_half_is_as_scipy_works_it_out(pairs: Counts):
    found = minimize_scalar(lambda p: -likelihood(pairs, p), bounds=(0.0, 0.5), method="bounded",
                            options={"xatol": 1e-12})  # fmt: skip
    highest_likelihood = max(-float(found.fun), *(likelihood(pairs, p) for p in (0.0, 0.5)))
    assert against_half(pairs) == pytest.approx(marginal(pairs) - highest_likelihood, abs=1e-7)


@pytest.mark.parametrize("sizes", [(0, 6), (6, 0), (5, 7), (9, 4), (12, 12)])
@pytest.mark.parametrize(("p_treatment", "p_control"), [(0.0, 0.1), (0.2, 0.3), (0.45, 0.55), (0.9, 1.0), (0.1, 0.9)])
def test_of_an_inferior_treatment_the_e_value_is_one_at_most_on_average(
    sizes: tuple[int, int], p_treatment: float, p_control: float
):
    assert mean(sizes, p_treatment, p_control, lambda t, c: against_worse(t, c, MARGIN)) <= 1 + 1e-12


@pytest.mark.parametrize("sizes", [(0, 6), (6, 0), (5, 7), (9, 4), (12, 12)])
@pytest.mark.parametrize(("p_treatment", "p_control"), [(0.0, 0.0), (0.3, 0.3), (0.5, 0.5), (1.0, 1.0), (0.9, 0.1)])
def test_of_a_harmless_treatment_the_e_value_is_one_at_most_on_average(
    sizes: tuple[int, int], p_treatment: float, p_control: float
):
    assert mean(sizes, p_treatment, p_control, against_no_harm) <= 1 + 1e-12


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5])
def test_of_a_fair_coin_the_e_value_is_one_at_most_on_average(p: float):
    for n in range(15):
        total = sum(binomial(n, k, p) * exp(against_half(Counts(n, k))) for k in range(n + 1))
        assert total <= 1 + 1e-12


def mean(
    sizes: tuple[int, int], p_treatment: float, p_control: float, evidence: Callable[[Counts, Counts], float]
) -> float:
    """Over every outcome of so many runs."""
    told, kept = sizes
    return sum(
        binomial(told, k, p_treatment) * binomial(kept, j, p_control) * exp(evidence(Counts(told, k), Counts(kept, j)))
        for k in range(told + 1)
        for j in range(kept + 1)
    )


def binomial(n: int, k: int, p: float) -> float:
    return float(comb(n, k) * p**k * (1 - p) ** (n - k))


@pytest.mark.parametrize(("p_treatment", "p_control"), [(0.2, 0.3), (0.5, 0.6), (0.85, 0.95)])
def test_looking_after_every_pair_of_runs_rarely_finds_an_inferior_treatment_good(p_treatment: float, p_control: float):
    alpha = 0.2
    ever = crossing(p_treatment, p_control, alpha, lambda t, c: against_worse(t, c, MARGIN))
    assert 0 < ever <= alpha
    assert crossing(p_control, p_control, alpha, lambda t, c: against_worse(t, c, MARGIN)) > 2 * ever


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_looking_after_every_pair_of_runs_rarely_finds_a_harmless_treatment_harmful(p: float):
    alpha = 0.2
    assert 0 < crossing(p, p, alpha, against_no_harm) <= alpha
    assert crossing(0.1, 0.9, alpha, against_no_harm) > 0.99


def crossing(
    p_treatment: float,
    p_control: float,
    alpha: float,
    evidence: Callable[[Counts, Counts], float],
    most: int = 30,
) -> float:
    """The exact chance that the e-value ever reaches 1/alpha, looking after each of so many pairs of runs."""
    alive = np.zeros((most + 1, most + 1))
    alive[0, 0] = 1.0
    for n in range(1, most + 1):
        told = p_treatment * np.roll(alive, 1, axis=0) + (1 - p_treatment) * alive
        alive = p_control * np.roll(told, 1, axis=1) + (1 - p_control) * told
        for k in range(n + 1):
            for j in range(n + 1):
                if evidence(Counts(n, k), Counts(n, j)) >= -log(alpha):
                    alive[k, j] = 0.0
    return float(1 - alive.sum())


@given(counts(), counts(), st.floats(0.01, 0.5))
def test_evidence_is_finite_whatever_the_counts(treatment: Counts, control: Counts, margin: float):
    for value in (against_worse(treatment, control, margin), against_no_harm(treatment, control)):
        assert -inf < value < inf


def test_more_results_at_the_same_rate_settle_it_at_the_number_that_is_told():
    def settles(more: int) -> bool:
        arm = Counts(10, 7).projected(more)
        return against_worse(arm, arm, MARGIN) >= log(40)

    more = further(settles, most=10**9)
    assert more is not None
    assert settles(more) and not settles(more - 1)
    assert further(lambda more: False, most=10**9) is None
