"""Distribution functions against tables, sums and symmetries."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_circuits.statistics.special import beta_cdf, root, student_quantile, student_tail

shares = st.floats(0.001, 0.999)
sizes = st.floats(0.1, 400)


@given(st.integers(1, 40), st.integers(1, 40), shares)
def test_beta_is_a_binomial_tail(hits, misses, share):
    # DLMF 8.17.5: P(X >= hits) for n = hits + misses - 1 trials.
    n = hits + misses - 1
    tail = sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(hits, n + 1))
    assert beta_cdf(share, hits, misses) == pytest.approx(tail, rel=1e-10)


@given(shares, sizes, sizes)
def test_beta_is_symmetric(x, a, b):
    assert beta_cdf(x, a, b) == pytest.approx(1 - beta_cdf(1 - x, b, a), abs=1e-11)


def test_beta_at_its_ends():
    assert beta_cdf(0, 2, 3) == 0
    assert beta_cdf(1, 2, 3) == 1
    assert beta_cdf(0.5, 0, 3) == 1
    assert beta_cdf(0.5, 3, 0) == 0


# Tables of Student's t, as in any textbook.
@pytest.mark.parametrize(
    ("tail", "df", "quantile"),
    [(0.025, 1, 12.7062), (0.025, 10, 2.22814), (0.005, 3, 5.84091), (0.0005, 30, 3.64596)],
)
def test_students_t_is_that_of_the_tables(tail, df, quantile):
    assert student_quantile(tail, df) == pytest.approx(quantile, abs=5e-5)
    assert student_tail(quantile, df) == pytest.approx(tail, rel=1e-4)


@given(st.floats(1e-9, 0.5), st.integers(1, 2000))
def test_a_quantile_has_its_tail(tail, df):
    assert student_tail(student_quantile(tail, df), df) == pytest.approx(tail, rel=1e-6)


def test_a_root_is_found_to_its_tolerance():
    assert root(lambda x: x**3 - 2, 0, 2) == pytest.approx(2 ** (1 / 3), abs=1e-11)
    assert abs(root(lambda x: x**3 - 2, 0, 2, 0.1) - 2 ** (1 / 3)) < 0.2
