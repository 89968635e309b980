"""Sign codes for tokens and positions: many nearly orthogonal unit vectors in few dimensions.

Gold's family: for a, b in the field GF(32), the vector with entry (-1)^Tr(a x + b x^3) at each x
in GF(32), divided by sqrt(32). The cosine of two different codes is 0 or +-1/4, and exactly 0 where
they share b (every 32 consecutive codes). Exact by construction: no seed, no chance overlap.
"""

from __future__ import annotations

from functools import cache

CODE_WIDTH = 32
N_CODES = CODE_WIDTH**2

# The primitive polynomial x^5 + x^2 + 1 that makes the integers 0..31 the field GF(32).
_POLYNOMIAL = 0b100101


def _multiply(left: int, right: int) -> int:
    """Return the product of two elements of GF(32), written as integers below 32."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & CODE_WIDTH:
            left ^= _POLYNOMIAL
        right >>= 1
    return product


def _trace(element: int) -> int:
    """Return the trace, 0 or 1, of an element of GF(32): the sum of its five conjugates."""
    total, conjugate = 0, element
    for _ in range(5):
        total ^= conjugate
        conjugate = _multiply(conjugate, conjugate)
    return total


@cache
def sign_code(index: int) -> tuple[float, ...]:
    """Return code number `index` (0 <= index < 1024): 32 entries +-1/sqrt(32), a unit vector."""
    if not 0 <= index < N_CODES:
        raise ValueError(f"`index` must be at least 0 and below {N_CODES}, got {index}")
    linear, cubic = index % CODE_WIDTH, index // CODE_WIDTH
    signs = []
    for x in range(CODE_WIDTH):
        cube = _multiply(x, _multiply(x, x))
        signs.append(1 - 2 * _trace(_multiply(linear, x) ^ _multiply(cubic, cube)))
    return tuple(sign / CODE_WIDTH**0.5 for sign in signs)
