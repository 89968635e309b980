"""Intervals on numbers whose truth is known; no model."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_circuits import IOI, ClaimNotEvaluable
from pytest_circuits.estimates import percent, sample
from pytest_circuits.measures.base import Measure, weighted_means
from pytest_circuits.readings import Draw
from pytest_circuits.statistics.design import independent
from pytest_circuits.validity import check_denominators


@dataclass(frozen=True)
class Column(Measure):
    """The mean of a given column of numbers."""

    name: str
    kind: ClassVar[str] = "mean"

    def needs(self, draw):
        return (self.name,)

    def value(self, read, draw, weights):
        return weighted_means([read(self.name)[:, None]], weights)[..., 0]

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Share(Column):
    kind: ClassVar[str] = "share"


def sampled(measure, seed=0, **columns):
    data = {name: np.asarray(values, dtype=float) for name, values in columns.items()}
    return sample(measure, data.__getitem__, Draw(task=IOI(), n=2, seed=seed))


X, Y = Column("x"), Column("y")
columns = st.lists(st.floats(-100, 100), min_size=2, max_size=30)


@given(columns)
@example([0.0, 0.0, 0.0, 2e-158])  # the cube of its standard deviation is 0
def test_the_value_lies_in_its_interval(values):
    part = sampled(X, x=values).parts[0]
    assert part.value == pytest.approx(np.mean(values), abs=1e-9)
    slack = 1e-9 * (1 + abs(part.value))
    assert part.low - slack <= part.value <= part.high + slack


def test_intervals_of_smooth_quantities_are_not_random():
    values = np.random.default_rng(0).normal(size=30)
    assert sampled(X, seed=1, x=values).parts == sampled(X, x=values).parts


def test_the_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(size=400)
    part = sampled(X, x=values).parts[0]
    assert (part.high - part.low) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_a_difference_is_paired():
    rng = np.random.default_rng(2)
    hard = rng.normal(scale=10, size=50)
    part = sampled(X - Y, x=hard + 1, y=hard + rng.normal(scale=0.1, size=50)).parts[0]
    assert 0.9 < part.low < part.high < 1.1


def test_a_ratio_is_a_ratio_of_means():
    found = sampled(X / Y, x=[1, 2, 9], y=[2, 2.5, 1.5])
    assert found.parts[0].value == pytest.approx(12 / 6)
    # The ratio and what each prompt moves it by: (x - 2 y) / mean y. Not x / y, 6 for the last.
    assert found.by_prompt == (pytest.approx((0.5, 0.5, 5), rel=1e-3),)
    assert found.linearised


def test_a_ratio_to_zero_is_undefined_and_said_to_be():
    with pytest.raises(ClaimNotEvaluable, match="undefined on these prompts"):
        sampled(X / Y, x=[1, 2], y=[0, 0])


def test_a_ratio_that_may_be_to_zero_has_no_bounds_and_is_not_judged():
    data = {"x": np.array([1.0, 1, 1, 1]), "y": np.array([0.0, 0, 0, 1])}
    part = sampled(X / Y, **data).parts[0]
    assert part.high == math.inf
    draw = Draw(task=IOI(), n=4, seed=0)
    for measure in (X / Y, abs(X / Y), X / Y - X / X):
        with pytest.raises(ClaimNotEvaluable, match=r"its denominator, y, is .* not told from 0"):
            check_denominators(measure, data.__getitem__, draw, 0.05, independent(4))
    check_denominators(X - Y, data.__getitem__, draw, 0.05, independent(4))


def test_at_more_confidence_the_interval_is_wider_and_says_so():
    values = np.random.default_rng(0).normal(size=30)
    data = {"x": values}
    draw = Draw(task=IOI(), n=30, seed=0)
    wide = sample(X, data.__getitem__, draw, alpha=0.001)
    narrow = sample(X, data.__getitem__, draw)
    assert wide.parts[0].low < narrow.parts[0].low < narrow.parts[0].high < wide.parts[0].high
    assert wide.interval.startswith("99.9 % interval")
    assert narrow.interval == "95 % interval over prompts (Student's t, skewness corrected)"


def test_an_absolute_difference_is_of_means():
    assert sampled(abs(X - Y), x=[1, -1], y=[0, 0]).parts[0].value == 0


@given(st.integers(0, 200), st.integers(2, 200))
def test_a_share_has_an_interval_inside_0_and_1_even_at_the_ends(hits, n):
    hits = min(hits, n)
    part = sampled(Share("x"), x=[1] * hits + [0] * (n - hits)).parts[0]
    assert 0 <= part.low <= part.value <= part.high <= 1
    assert part.high - part.low > 0


def test_a_difference_of_shares_is_no_difference_of_means():
    x, y = [1] * 30 + [0] * 2, [1] * 28 + [0] * 4
    found = sampled(Share("x") - Share("y"), x=x, y=y)
    assert "difference of shares" in found.interval
    assert found.parts[0].low < 0 < found.parts[0].high


def test_the_absolute_value_of_what_may_be_0_begins_at_0():
    part = sampled(abs(X - Y), x=[1, -1, 2, 0.5], y=[0, 0, 1, 1]).parts[0]
    assert part.low == 0


@given(columns)
def test_prompts_contribute_their_own_values_to_a_mean(values):
    found = sampled(X, x=values)
    assert found.by_prompt == (tuple(values),)
    assert not found.linearised


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(1, 9)), min_size=2, max_size=20))
def test_whatever_is_measured_contributions_average_to_the_value(pairs):
    x, y = (list(column) for column in zip(*pairs, strict=True))
    for measure in (X / Y, abs(X - Y), X / Y - X, abs(X) / Y):
        found = sampled(measure, x=x, y=y)
        assert np.mean(found.by_prompt[0]) == pytest.approx(found.parts[0].value, abs=1e-6)


def test_percentages_show_two_digits_of_the_error():
    assert [percent(alpha) for alpha in (0.05, 0.025, 0.05 / 60, 1e-5, 0.5)] == (
        ["95", "97.5", "99.917", "99.999", "50"]
    )


def test_everything_that_comes_out_is_builtin():
    found = sampled(X - Y, x=[1, 2, 3], y=[0, 1, 1])
    part = found.parts[0]
    for value in (part.value, part.low, part.high, *found.by_prompt[0]):
        assert type(value) is float
    assert type(found.n) is int
