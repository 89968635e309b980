"""Numerical derivatives against formulas."""

import numpy as np
import pytest
from statistic_values import correlation_of, mean_of, ratio_of, variance_of

from pytest_circuits.statistics.influence import curves, expand, steps

RNG = np.random.default_rng(0)
X, Y = RNG.gamma(3, size=(2, 40))


def standardised(numbers):
    return (numbers - numbers.mean()) / numbers.std()


def test_a_mean_is_moved_by_what_lies_beside_it():
    found = expand(mean_of(X), 40)
    assert found.points == pytest.approx([X.mean()])
    assert found.influence[0] == pytest.approx(X - X.mean(), abs=1e-9)
    assert found.errors == pytest.approx([X.std(ddof=1) / np.sqrt(40)])
    assert found.bias == pytest.approx([0], abs=1e-9)
    assert found.straight.all()


def test_a_ratio_has_the_influence_of_the_delta_method():
    found = expand(ratio_of(Y, X), 40)
    ratio = Y.mean() / X.mean()
    assert found.influence[0] == pytest.approx((Y - ratio * X) / X.mean(), rel=1e-4, abs=1e-6)
    assert not found.straight.any()


def test_a_correlation_has_its_textbook_influence():
    # Devlin, Gnanadesikan and Kettenring 1975: z_x z_y - r (z_x^2 + z_y^2) / 2.
    found = expand(correlation_of(X, Y), 40)
    x, y, r = standardised(X), standardised(Y), np.corrcoef(X, Y)[0, 1]
    assert found.points == pytest.approx([r])
    assert found.influence[0] == pytest.approx(x * y - r * (x**2 + y**2) / 2, rel=1e-4, abs=1e-5)


def test_a_variance_is_too_small_by_one_nth():
    found = expand(variance_of(X), 40)
    assert found.bias == pytest.approx([-X.var() / 40], rel=1e-4)


def test_a_constant_has_no_error():
    assert expand(mean_of(np.full(40, 0.1)), 40).errors == 0


def test_a_jump_has_no_error():
    found = expand(lambda rows: (mean_of(X)(rows) > 0).astype(float), 40)
    assert (found.points, found.errors) == (1, 0)


def test_many_parts_are_those_of_each():
    both = lambda rows: np.concatenate([ratio_of(Y, X)(rows), mean_of(X)(rows)])  # noqa: E731
    found, alone = expand(both, 40), expand(ratio_of(Y, X), 40)
    assert found.influence[0] == pytest.approx(alone.influence[0])
    assert curves(both, found)[0] == pytest.approx(curves(ratio_of(Y, X), alone)[0])
    along = X.mean() + np.array(steps()) * X.std(ddof=1) / np.sqrt(40)
    assert curves(both, found)[1] == pytest.approx(along)


def test_a_curved_part_follows_the_value_under_its_weights():
    found = expand(ratio_of(Y, X), 40)
    direction = found.influence[0] / found.influence[0].std()
    weights = 1 + 2.0 * direction / np.sqrt(39)
    (along,) = curves(ratio_of(Y, X), found)
    assert along[steps().index(2.0)] == pytest.approx((weights @ Y) / (weights @ X))


@pytest.mark.parametrize("n", [2, 5000])
def test_few_and_many_prompts(n):
    numbers = np.random.default_rng(1).normal(size=n)
    found = expand(mean_of(numbers), n)
    assert found.influence[0] == pytest.approx(numbers - numbers.mean(), abs=1e-7)
    assert found.straight.all()
