"""Distribution functions that neither the standard library nor numpy has."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log, log1p

TINY = 1e-300
PRECISION = 1e-15
MOST_TERMS = 100_000  # about the square root of the larger parameter is needed


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), for a and b of at least 0.

    By its continued fraction (DLMF 8.17.22), to about 1e-13 relative also in the lower tail. With
    a = 0 the whole mass is at 0, with b = 0 at 1.
    """
    if x >= 1.0 or (a == 0 and b > 0):
        return 1.0
    if x <= 0.0 or b == 0:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 / (1 + d2 / (1 + ...)) from the top down (modified Lentz)."""
    value = ratio = 1.0
    inverse = 0.0
    for term in range(1, MOST_TERMS):
        d = _coefficient(term, x, a, b)
        inverse = 1.0 / (1.0 + d * inverse or TINY)
        ratio = 1.0 + d / ratio or TINY
        value *= ratio * inverse
        if abs(ratio * inverse - 1.0) < PRECISION:
            break
    return value


def _coefficient(term: int, x: float, a: float, b: float) -> float:
    m = term // 2
    if term % 2:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def student_tail(t: float, df: float) -> float:
    """Return P(T > t) for Student's t with `df` degrees of freedom."""
    beyond = 0.5 * beta_cdf(df / (df + t * t), df / 2, 0.5)
    return beyond if t >= 0 else 1.0 - beyond


@lru_cache(maxsize=4096)
def student_quantile(tail: float, df: float) -> float:
    """Return the t with P(T > t) = `tail`, for a tail of at most 1/2."""
    high = 1.0
    while student_tail(high, df) > tail:
        high *= 2.0
    return root(lambda t: tail - student_tail(t, df), 0.0, high)


def root(
    increasing: Callable[[float], float], low: float, high: float, tolerance: float = 1e-12
) -> float:
    """Return where an increasing function is 0 between `low` and `high`, by bisection.

    `tolerance` is relative to the larger of the two.
    """
    close = tolerance * max(abs(low), abs(high))
    while high - low > close:
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if increasing(middle) < 0:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2
