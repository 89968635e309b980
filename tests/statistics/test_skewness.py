"""Skewness: what shows, and what it does to Student's t."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits.statistics.skewness import Skewness, l_skewness, skewness
from pytest_circuits.statistics.special import student_quantile

coefficients = st.floats(-1, 1)
quantiles = st.floats(-8, 8)
sides = st.sampled_from(["low", "high"])


@given(coefficients, quantiles, sides)
def test_there_and_back(c, y, side):
    skew = Skewness(c, c)
    assert skew.symmetric(skew.quantile(y, side), side) == pytest.approx(y, abs=1e-6)


@given(coefficients, quantiles, st.floats(0.01, 5), sides)
def test_a_larger_quantile_stays_larger(c, y, more, side):
    skew = Skewness(c, c)
    assert skew.quantile(y + more, side) > skew.quantile(y, side)


@given(st.floats(-30, 30), st.floats(0.01, 5), coefficients, sides)
def test_farther_away_is_never_less_sure(t, more, c, side):
    skew = Skewness(c, c)
    assert skew.symmetric(t + more, side) >= skew.symmetric(t, side)


def test_the_tails_of_skewed_numbers_err_no_more_than_they_say():
    # 20,000 suites of 64 exponential numbers, mean 1, at 99.9 %: 10 are expected to lie below, and
    # 20 are three standard errors more; without what a sample hides it is 25 and more.
    rng, below = np.random.default_rng(0), 0
    t = student_quantile(0.0005, 63)
    for numbers in rng.exponential(size=(20_000, 64)):
        high = numbers.mean() - skewness(numbers).quantile(-t, "high") * numbers.std() / sqrt(63)
        below += high < 1
    assert below <= 20


def test_hall_agrees_with_his_expansion():
    # To second order t = y - c (1 + 2 y^2) / 6: Hall 1992, section 3.
    c = 0.01
    assert Skewness(c, c).quantile(2.0, "low") == pytest.approx(2.0 - c * 9 / 6, abs=5e-4)


def test_l_skewness_of_known_distributions():
    rng = np.random.default_rng(0)
    assert l_skewness(np.arange(10.0)) == pytest.approx(0)
    assert l_skewness(rng.exponential(size=200_000)) == pytest.approx(1 / 3, abs=0.01)
    # By hand: of 0, 0, 1 the L-moments are 1/3, 1/3 and 1/3 (Hosking 1990, unbiased).
    assert l_skewness(np.array([0.0, 0.0, 1.0])) == pytest.approx(1)


def test_exponential_numbers_are_corrected_for_on_both_sides():
    skew = skewness(np.random.default_rng(0).exponential(size=2000))
    assert 0.9 * 2 < skew.low * np.sqrt(2000) <= skew.high * np.sqrt(2000) < 1.1 * 2


def test_what_few_numbers_hide_is_added_at_the_long_side():
    numbers = np.random.default_rng(0).exponential(size=50)
    moment = ((numbers - numbers.mean()) ** 3).mean() / numbers.std() ** 3
    skew = skewness(numbers)
    assert skew.high * np.sqrt(50) == pytest.approx(min(moment, 6 * l_skewness(numbers)) * 1.4)
    assert skew.low < skew.high


def test_the_other_way_round_it_is_the_other_way_round():
    numbers = np.random.default_rng(0).exponential(size=50)
    there, back = skewness(numbers), skewness(-numbers)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_one_outlier_among_symmetric_numbers_is_not_skewness():
    numbers = np.append(np.linspace(-1, 1, 200), 30.0)
    moment = ((numbers - numbers.mean()) ** 3).mean() / numbers.std() ** 3
    assert skewness(numbers).high * np.sqrt(201) < moment / 3


def test_what_does_not_show_shortens_nothing():
    skew = skewness(np.random.default_rng(1).normal(size=40))
    assert 0 in (skew.low, skew.high)


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [3.0, 3.0, 3.0, 3.0, 3.0], [-1.0, 0.0, 0.0, 1.0]])
def test_nothing_to_correct_for(numbers):
    assert skewness(np.array(numbers)) == Skewness(0.0, 0.0)
