"""What must be true of an interval of anything, and what is known of some."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statistic_values import correlation_of, mean_of, ratio_of

from pytest_circuits.statistics.bounded import Within
from pytest_circuits.statistics.intervals import Folded, Percentile, Unseen, intervals
from pytest_circuits.statistics.special import student_quantile

seeds = st.integers(0, 10_000)
sizes = st.integers(2, 60)
alphas = st.floats(1e-6, 0.5)


def only(value, n):
    (interval,) = intervals(value, n)
    return interval


def drawn(seed, n):
    """Return a statistic of some drawn numbers: skewed, curved or neither."""
    rng = np.random.default_rng(seed)
    x, y = rng.gamma(2, size=(2, n)) + rng.normal(size=(2, n)) * (seed % 3)
    kinds = [mean_of(x), ratio_of(y, np.abs(x) + 0.5), correlation_of(x, y)]
    return kinds[seed % 3] if n > 4 else kinds[0]


@given(seeds, sizes, alphas, alphas)
def test_a_higher_level_contains_a_lower_one(seed, n, first, second):
    interval = only(drawn(seed, n), n)
    wide, narrow = interval.at(min(first, second)), interval.at(max(first, second))
    assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@given(seeds, st.integers(5, 60))
def test_the_point_lies_in_the_interval(seed, n):
    interval = only(drawn(seed, n), n)
    low, high = interval.at(0.05)
    assert low < interval.point < high


@given(seeds, sizes, alphas, st.floats(-3, 3))
def test_a_p_value_says_what_the_interval_says(seed, n, alpha, steps):
    interval = only(drawn(seed, n), n)
    low, high = interval.at(alpha)
    bound = interval.point + steps * (1 if n < 3 else 0.3)
    if abs(bound - low) > 1e-6 * (1 + abs(bound)):
        assert (interval.p_above(bound) < alpha) == (low > bound)
    if abs(bound - high) > 1e-6 * (1 + abs(bound)):
        assert (interval.p_below(bound) < alpha) == (high < bound)


@given(seeds, sizes, st.randoms(use_true_random=False))
def test_the_order_of_prompts_is_of_no_account(seed, n, random):
    numbers = np.random.default_rng(seed).gamma(2, size=n)
    mixed = numbers.copy()
    random.shuffle(mixed)
    assert only(mean_of(mixed), n).at(0.05) == pytest.approx(only(mean_of(numbers), n).at(0.05))


@given(seeds, st.integers(5, 60), st.floats(0.1, 10), st.floats(-10, 10))
def test_another_unit_gives_the_same_interval_in_it(seed, n, scale, shift):
    numbers = np.random.default_rng(seed).gamma(2, size=n)
    low, high = only(mean_of(numbers), n).at(0.05)
    other = only(mean_of(scale * numbers + shift), n).at(0.05)
    assert other == pytest.approx((scale * low + shift, scale * high + shift))


def test_symmetric_numbers_have_the_textbook_interval():
    numbers = np.array([1.0, 2.0, 4.0, 5.0, 7.0, 8.0])
    half = student_quantile(0.025, 5) * numbers.std(ddof=1) / sqrt(6)
    assert only(mean_of(numbers), 6).at(0.05) == pytest.approx((4.5 - half, 4.5 + half))


def test_skewed_numbers_have_a_longer_end_on_their_long_side():
    numbers = np.random.default_rng(0).exponential(size=64)
    interval = only(mean_of(numbers), 64)
    low, high = interval.at(0.05)
    assert high - interval.point > 1.2 * (interval.point - low)


def test_a_correlation_is_as_fisher_says():
    # Fisher 1915: atanh(r) has standard error 1 / sqrt(n - 3).
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = 0.9 * x + sqrt(0.19) * rng.normal(size=400)
    interval = only(correlation_of(x, y), 400)
    z, half = np.arctanh(interval.point), 1.959964 / sqrt(397)
    assert interval.at(0.05) == pytest.approx((np.tanh(z - half), np.tanh(z + half)), abs=0.006)


def test_an_almost_perfect_correlation_is_below_1():
    rng = np.random.default_rng(0)
    for x, noise in rng.normal(size=(100, 2, 64)):
        low, high = only(correlation_of(x, x + 0.1 * noise), 64).at(0.05)
        assert 0.97 < low < high < 1


def test_a_ratio_whose_denominator_may_be_0_is_unbounded():
    rng = np.random.default_rng(0)
    value = ratio_of(1 + rng.normal(size=30), 0.3 + rng.normal(size=30))
    assert inf in np.abs(only(value, 30).at(0.001))


def test_a_constant_says_nothing_of_prompts_not_drawn():
    interval = only(mean_of(np.full(20, 0.3)), 20)
    assert isinstance(interval, Unseen)
    assert interval.at(0.05) == (-inf, inf)
    assert (interval.p_above(0.0), interval.p_below(1.0)) == (1.0, 1.0)
    assert interval.method == "no variation on 20: others may differ"


def test_a_constant_with_bounds_is_as_far_from_them_as_a_rate_without_hits():
    (interval,) = intervals(mean_of(np.full(32, 0.9)), 32, reach=(0.0, 1.0))
    share = 1 - 0.025 ** (1 / 32)  # Clopper and Pearson with 0 of 32
    assert interval.at(0.05) == pytest.approx((0.9 - 0.9 * share, 0.9 + 0.1 * share))
    assert interval.p_above(0.9 - 0.9 * share) == pytest.approx(0.05)
    assert interval.p_below(0.9 + 0.1 * share) == pytest.approx(0.05)


@pytest.mark.parametrize("last_bit", [0.0, 2.0**-53])
def test_no_effect_but_for_the_last_bit_is_told_on_the_scale_of_its_terms(last_bit):
    # Terms of size 1 whose difference is 0 or 2^-53.
    differences = np.where(np.arange(32) % 3 == 0, last_bit, 0.0)
    (interval,) = intervals(mean_of(differences), 32, scale=1.0)
    low, high = interval.at(0.05)
    assert -0.11 < low < 0 < high < 0.11  # one prompt in ten may be otherwise, by 1 at most
    assert interval.p_below(0.15) < 0.05
    assert interval.p_above(-0.15) < 0.05


def test_a_mean_of_rare_deviations_is_not_taken_for_their_absence():
    # 2 % of prompts deviate, by 1; most samples of 32 have none, and one without says nothing.
    for numbers in np.random.default_rng(0).random((300, 32)) < 0.02:
        for reach in (None, (0.0, 1.0)):
            (interval,) = intervals(mean_of(1.0 * numbers), 32, reach=reach)
            assert numbers.any() or interval.p_below(0.02) > 0.5


def test_what_is_bounded_is_never_known_better_than_prompts_not_seen_allow():
    rng = np.random.default_rng(0)
    held = [
        intervals(mean_of((rng.random(64) < 0.01) + 1e-3 * rng.random(64)), 64, reach=(0.0, 1.01))
        for _ in range(1000)
    ]
    assert np.mean([each.p_below(0.0105) <= 0.05 for (each,) in held]) <= 0.025


def test_a_jump_has_the_bootstrap():
    numbers = np.random.default_rng(0).normal(0.1, 1, size=30)
    interval = only(lambda rows: np.sign(mean_of(numbers)(rows)), 30)
    assert isinstance(interval, Percentile)
    assert interval.at(0.05) == (-1, 1)
    assert 0.1 < interval.p_above(0) <= 1


def test_parts_do_not_touch_one_another():
    rng = np.random.default_rng(0)
    x, y = rng.gamma(2, size=(2, 30))
    values = [mean_of(x), ratio_of(y, x), mean_of(np.ones(30)), correlation_of(x, y)]
    together = intervals(lambda rows: np.concatenate([each(rows) for each in values]), 30)
    for interval, value in zip(together, values, strict=True):
        assert interval.at(0.01) == pytest.approx(only(value, 30).at(0.01))


@given(seeds, st.integers(3, 40), alphas)
def test_an_absolute_value_is_what_the_signed_one_allows(seed, n, alpha):
    signed = only(mean_of(np.random.default_rng(seed).normal(size=n)), n)
    low, high = signed.at(alpha)
    folded = Folded(signed)
    assert folded.point == abs(signed.point)
    assert folded.at(alpha)[1] == max(abs(low), abs(high))
    inner = signed.at(alpha / 2)
    assert (folded.at(alpha)[0] == 0) == (inner[0] <= 0 <= inner[1])


@given(seeds, st.integers(3, 40), alphas, st.floats(0.01, 1))
def test_an_absolute_p_value_says_what_its_interval_says(seed, n, alpha, bound):
    folded = Folded(only(mean_of(np.random.default_rng(seed).normal(size=n)), n))
    low, high = folded.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (folded.p_above(bound) < alpha) == (low > bound)
        assert (folded.p_below(bound) < alpha) == (high < bound)
    assert folded.p_above(-bound) == 0
    assert folded.p_below(-bound) == 1


@given(seeds, st.integers(3, 40), alphas, st.floats(-0.5, 1.5))
def test_bounds_cut_an_interval_off_and_leave_it_alone_inside(seed, n, alpha, bound):
    inner = only(mean_of(np.random.default_rng(seed).uniform(size=n) ** 8), n)
    within = Within(inner, 0.0, 1.0)
    (low, high), cut = inner.at(alpha), within.at(alpha)
    assert cut == (max(low, 0.0), min(high, 1.0))
    if 0 < bound < 1:
        assert within.p_above(bound) == inner.p_above(bound)
        assert within.p_below(bound) == inner.p_below(bound)
    if bound < 0:
        assert (within.p_above(bound), within.p_below(bound)) == (0, 1)
    if bound > 1:
        assert (within.p_above(bound), within.p_below(bound)) == (1, 0)


def test_everything_that_comes_out_is_builtin():
    interval = only(mean_of(np.random.default_rng(0).normal(size=20)), 20)
    for number in (interval.point, *interval.at(0.1), interval.p_above(0), interval.p_below(0)):
        assert type(number) is float
