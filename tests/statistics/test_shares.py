"""Shares and their differences against published examples and sums over all outcomes."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits.statistics.shares import Share, ShareDifference

counts = st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda pair: (min(pair), max(pair)))
alphas = st.floats(1e-6, 0.5)


# Newcombe 1998, table I: mid-p and exact (Clopper-Pearson) intervals.
@pytest.mark.parametrize(
    ("hits", "n", "exact", "ends"),
    [
        (81, 263, False, (0.2544, 0.3658)),
        (15, 148, False, (0.0601, 0.1581)),
        (0, 20, False, (0.0000, 0.1391)),
        (1, 29, False, (0.0017, 0.1585)),
        (81, 263, True, (0.2527, 0.3676)),
        (15, 148, True, (0.0578, 0.1617)),
        (0, 20, True, (0.0000, 0.1684)),
        (1, 29, True, (0.0009, 0.1776)),
    ],
)
def test_shares_agree_with_published_examples(hits, n, exact, ends):
    assert Share(hits, n, exact).at(0.05) == pytest.approx(ends, abs=6e-5)


@given(counts, alphas, st.booleans())
def test_misses_are_hits_the_other_way_round(count, alpha, exact):
    hits, n = count
    low, high = Share(hits, n, exact).at(alpha)
    other = Share(n - hits, n, exact).at(alpha)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(counts, alphas, st.floats(0.001, 0.999), st.booleans())
def test_a_p_value_says_what_the_interval_says(count, alpha, bound, exact):
    share = Share(*count, exact)
    low, high = share.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (share.p_above(bound) < alpha) == (low > bound)
        assert (share.p_below(bound) < alpha) == (high < bound)


@given(counts, alphas)
def test_exact_is_wider_and_both_contain_the_share(count, alpha):
    exact, mid = Share(*count, True).at(alpha), Share(*count).at(alpha)
    assert 0 <= exact[0] <= mid[0] <= Share(*count).point <= mid[1] <= exact[1] <= 1
    assert mid[1] - mid[0] > 0


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.95, 0.98])
@pytest.mark.parametrize("n", [32, 64])
def test_exact_never_errs_more_than_it_says(share, n):
    chance = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    for side in ("p_above", "p_below"):
        ps = [getattr(Share(k, n, True), side)(share) for k in range(n + 1)]
        assert sum(each for p, each in zip(ps, chance, strict=True) if p <= 0.05) <= 0.025


def test_mid_p_covers_what_it_says_on_average():
    n = 64
    ends = np.array([Share(k, n).at(0.05) for k in range(n + 1)])
    shares = np.linspace(0.05, 0.95, 181)[:, None]
    chance = np.array([comb(n, k) for k in range(n + 1)], dtype=float)
    chance = chance * shares ** np.arange(n + 1) * (1 - shares) ** (n - np.arange(n + 1))
    covered = (chance * ((ends[:, 0] <= shares) & (shares <= ends[:, 1]))).sum(axis=1)
    assert 0.945 < covered.mean() < 0.955
    assert covered.min() < 0.94  # no interval of whole hits has 95 % for every share


def test_a_difference_of_no_discordant_prompts_has_wilsons_width():
    # Tango 1998: with no discordant pair the score interval is +- z^2 / (n + z^2).
    z2 = 1.959964**2
    assert ShareDifference(0, 0, 128).at(0.05) == pytest.approx((-z2 / (128 + z2), z2 / (128 + z2)))


@given(st.integers(0, 10), st.integers(0, 10), alphas)
def test_a_difference_turns_round_with_its_sides(first, second, alpha):
    low, high = ShareDifference(first, second, 30).at(alpha)
    other = ShareDifference(second, first, 30).at(alpha)
    assert other == pytest.approx((-high, -low), abs=1e-9)
    assert low <= (first - second) / 30 <= high


@given(st.integers(0, 10), st.integers(0, 10), alphas, st.floats(-0.9, 0.9))
def test_a_differences_p_value_says_what_its_interval_says(first, second, alpha, bound):
    difference = ShareDifference(first, second, 30)
    low, high = difference.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (difference.p_above(bound) < alpha) == (low > bound)
        assert (difference.p_below(bound) < alpha) == (high < bound)


def test_no_difference_is_mcnemars_test():
    # McNemar 1947: z = (b - c) / sqrt(b + c); 15 against 3 give 12 / sqrt(18) = 2.8284.
    assert ShareDifference(15, 3, 100).p_above(0) == pytest.approx(0.0046777, abs=1e-7)
    assert ShareDifference(9, 9, 100).p_above(0) == 1
