"""Shares, their differences and ratios: published examples, scipy, sums over all outcomes."""

from itertools import product
from math import comb, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pytest_circuits.statistics.shares import Share, ShareDifference, ShareRatio

counts = st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda pair: (min(pair), max(pair)))
alphas = st.floats(1e-6, 0.5)
pairs = st.sampled_from([ShareDifference, ShareRatio])


# Newcombe 1998, table I: exact (Clopper-Pearson) intervals.
@pytest.mark.parametrize(
    ("hits", "n", "ends"),
    [
        (81, 263, (0.2527, 0.3676)),
        (15, 148, (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1684)),
        (1, 29, (0.0009, 0.1776)),
    ],
)
def test_shares_agree_with_published_examples(hits, n, ends):
    assert Share(hits, n).at(0.05) == pytest.approx(ends, abs=6e-5)


@given(counts, alphas)
def test_shares_agree_with_scipy(count, alpha):
    found = binomtest(*count).proportion_ci(1 - alpha, method="exact")
    assert Share(*count).at(alpha) == pytest.approx((found.low, found.high), abs=1e-8)


@given(counts, st.floats(0.001, 0.999))
def test_p_values_agree_with_scipy(count, bound):
    share = Share(*count)
    greater, less = (binomtest(*count, bound, each).pvalue for each in ("greater", "less"))
    assert share.p_above(bound) == pytest.approx(min(1, 2 * greater), abs=1e-9)
    assert share.p_below(bound) == pytest.approx(min(1, 2 * less), abs=1e-9)


@given(counts, alphas)
def test_misses_are_hits_the_other_way_round(count, alpha):
    hits, n = count
    low, high = Share(hits, n).at(alpha)
    other = Share(n - hits, n).at(alpha)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(counts, alphas, st.floats(0.001, 0.999))
def test_a_p_value_says_what_the_interval_says(count, alpha, bound):
    share = Share(*count)
    low, high = share.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (share.p_above(bound) < alpha) == (low > bound)
        assert (share.p_below(bound) < alpha) == (high < bound)


# 6e-5 is what a claim of a hundred has at the first of four looks.
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.95, 0.98])
@pytest.mark.parametrize("n", [32, 64])
@pytest.mark.parametrize("alpha", [0.05, 0.005, 6e-5])
def test_a_share_never_errs_more_than_it_says(share, n, alpha):
    chance = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    for side in ("p_above", "p_below"):
        ps = [getattr(Share(k, n), side)(share) for k in range(n + 1)]
        assert sum(each for p, each in zip(ps, chance, strict=True) if p <= alpha) <= alpha / 2


@pytest.mark.parametrize("kind", [ShareDifference, ShareRatio])
@pytest.mark.parametrize("only", [(0.2, 0.2), (0.1, 0.02), (0.02, 0.1), (0.05, 0.0), (0.0, 0.01)])
@pytest.mark.parametrize("alpha", [0.05, 0.005, 6e-5])
def test_a_pair_never_errs_more_than_it_says(kind, only, alpha):
    n, (first, second) = 24, only
    truth = first - second if kind is ShareDifference else (1 - second) / (1 - first)
    above = below = 0.0
    for i, j in product(range(n + 1), repeat=2):
        if i + j <= n:
            ways = comb(n, i) * comb(n - i, j)
            chance = ways * first**i * second**j * (1 - first - second) ** (n - i - j)
            low, high = kind(i, j, n).at(alpha)
            above, below = above + chance * (low > truth), below + chance * (high < truth)
    assert max(above, below) <= alpha / 2


def test_prompts_that_never_differ_are_no_certainty():
    share = 1 - 0.0125 ** (1 / 128)  # Clopper and Pearson with 0 of 128, at half of alpha
    assert ShareDifference(0, 0, 128).at(0.05) == pytest.approx((-share, share))
    assert ShareRatio(0, 0, 128).at(0.05) == pytest.approx((1 - share, 1 / (1 - share)))
    assert ShareRatio(0, 0, 128).p_above(0.99) > 0.5
    assert ShareRatio(0, 0, 0).at(0.05) == (0, inf)  # no hit of either: nothing is known


@given(st.integers(0, 10), st.integers(0, 10), alphas)
def test_a_difference_turns_round_with_its_sides(first, second, alpha):
    low, high = ShareDifference(first, second, 30).at(alpha)
    other = ShareDifference(second, first, 30).at(alpha)
    assert other == pytest.approx((-high, -low), abs=1e-9)
    assert low <= (first - second) / 30 <= high


@given(st.integers(0, 10), st.integers(0, 10), alphas)
def test_a_ratio_turns_round_with_its_sides(first, second, alpha):
    low, high = ShareRatio(first, second, 30).at(alpha)
    assert ShareRatio(second, first, 30).at(alpha) == pytest.approx((1 / high, 1 / low), rel=1e-6)


@given(pairs, st.integers(0, 10), st.integers(0, 10), alphas, st.floats(-0.9, 1.9))
def test_a_pairs_p_value_says_what_its_interval_says(kind, first, second, alpha, bound):
    pair = kind(first, second, 30)
    low, high = pair.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (pair.p_above(bound) < alpha) == (low > bound)
        assert (pair.p_below(bound) < alpha) == (high < bound)
