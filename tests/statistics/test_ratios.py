"""Ratios of means: Fieller's interval, and what happens where the denominator is weak."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statistic_values import correlation_of, mean_of, ratio_of

from pytest_circuits.statistics.intervals import Unseen, intervals
from pytest_circuits.statistics.ratios import Ratio, ratios
from pytest_circuits.statistics.special import student_quantile

seeds = st.integers(0, 10_000)


def pair(seed, n=40, bottom=3.0):
    rng = np.random.default_rng(seed)
    x = bottom + rng.normal(size=n)
    return 0.8 * x + rng.gamma(2, 0.3, size=n), x


def of(top, bottom):
    (interval,) = ratios(mean_of(top), mean_of(bottom), len(top))
    return interval


def mirrored(numbers):
    """Return numbers whose every linear combination is symmetric: no skewness to correct for."""
    return np.concatenate([numbers, 2 * numbers.mean() - numbers])


def test_without_skewness_it_is_fiellers():
    # Fieller 1954: the roots r of (top - r bottom)^2 = t^2 var(top - r bottom) / n.
    top, bottom = map(mirrored, pair(0))
    n, t = len(top), student_quantile(0.025, len(top) - 1)
    variances = np.cov(top, bottom) * t**2 / n
    a = bottom.mean() ** 2 - variances[1, 1]
    b = top.mean() * bottom.mean() - variances[0, 1]
    c = top.mean() ** 2 - variances[0, 0]
    ends = (b - sqrt(b * b - a * c)) / a, (b + sqrt(b * b - a * c)) / a
    assert of(top, bottom).at(0.05) == pytest.approx(ends, rel=1e-5)


@given(seeds, st.floats(1e-5, 0.5), st.floats(0.1, 3))
def test_a_p_value_says_what_the_interval_says(seed, alpha, bound):
    interval = of(*pair(seed))
    low, high = interval.at(alpha)
    if min(abs(low - bound), abs(high - bound)) > 1e-4:
        assert (interval.p_above(bound) < alpha) == (low > bound)
        assert (interval.p_below(bound) < alpha) == (high < bound)


@given(seeds, st.floats(0.2, 5), st.floats(0.2, 5))
def test_units_divide(seed, one, other):
    top, bottom = pair(seed)
    low, high = of(top, bottom).at(0.05)
    scaled = of(one * top, other * bottom).at(0.05)
    assert scaled == pytest.approx((low * one / other, high * one / other), rel=1e-4)


@given(seeds)
def test_a_sign_of_both_is_of_no_account(seed):
    top, bottom = pair(seed)
    assert of(-top, -bottom).at(0.05) == pytest.approx(of(top, bottom).at(0.05), rel=1e-5)


@given(seeds)
def test_a_sign_of_one_turns_it_round(seed):
    top, bottom = pair(seed)
    low, high = of(top, bottom).at(0.05)
    assert of(top, -bottom).at(0.05) == pytest.approx((-high, -low), rel=1e-4)


def test_with_a_strong_denominator_it_is_the_general_one():
    top, bottom = pair(3, n=400, bottom=10.0)
    (general,) = intervals(ratio_of(top, bottom), 400)
    low, high = general.at(0.05)
    assert of(top, bottom).at(0.05) == pytest.approx((low, high), abs=0.02 * (high - low))


def test_a_denominator_that_may_be_0_decides_nothing():
    top, bottom = pair(1, bottom=0.2)
    interval = of(top, bottom)
    sign = intervals(mean_of(bottom), len(bottom))[0]
    unsure = max(sign.p_above(0), sign.p_below(0)) if sign.point < 0 else sign.p_above(0)
    assert interval.at(unsure / 2) == (-inf, inf)
    assert interval.p_above(-1e9) == pytest.approx(unsure)


def test_the_same_multiple_for_every_prompt_is_as_sure_as_prompts_not_seen_allow():
    _, bottom = pair(0)
    assert of(2 * bottom, bottom).at(0.05) == (-inf, inf)
    (found,) = ratios(mean_of(2 * bottom), mean_of(bottom), 40, scales=(10.0, 5.0))
    away = (1 - 0.025 ** (1 / 40)) * 10 / bottom.mean()
    assert isinstance(found, Unseen)
    assert found.at(0.05) == pytest.approx((2 - away, 2 + away))


def test_one_denominator_for_several_parts():
    (first, bottom), (second, _) = pair(0), pair(1)
    several = ratios(
        lambda rows: np.concatenate([mean_of(first)(rows), mean_of(second)(rows)]),
        mean_of(bottom),
        40,
    )
    assert several[0].at(0.05) == of(first, bottom).at(0.05)
    assert several[1].at(0.05) == of(second, bottom).at(0.05)


def test_a_quotient_of_what_is_not_a_mean_is_a_smooth_function():
    x, y = pair(0)
    (interval,) = ratios(correlation_of(x, y), mean_of(x), 40)
    assert not isinstance(interval, Ratio)
    assert interval.point == pytest.approx(np.corrcoef(x, y)[0, 1] / x.mean())
