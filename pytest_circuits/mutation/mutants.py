"""Ways to sabotage a model, as plain data: what is changed in its weights, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.nodes import Head


@dataclass(frozen=True, kw_only=True)
class _OfHeads:
    """A sabotage of heads; `label` is what they are called in reports."""

    heads: tuple[Head, ...]
    label: str = ""

    @property
    def _who(self) -> str:
        return self.label or ", ".join(map(str, self.heads))


@dataclass(frozen=True, kw_only=True)
class KnockedOut(_OfHeads):
    """Heads that write nothing: their rows of W_O are zero. What they attend to stays."""

    def __str__(self) -> str:
        return f"{self._who} knocked out"


@dataclass(frozen=True, kw_only=True)
class ShuffledOV(_OfHeads):
    """Heads that write something else: the rows of each one's W_O change places.

    The dimensions of z reach W_O in another order, a random cycle drawn from `seed`. What the
    heads attend to stays; what they write keeps its size and loses its meaning.
    """

    seed: int = 0

    def __str__(self) -> str:
        return f"{self._who}: OV shuffled"


@dataclass(frozen=True, kw_only=True)
class ShuffledQK(_OfHeads):
    """Heads that attend elsewhere: the columns of each one's W_Q, and its b_Q, change places.

    The dimensions of q meet those of k in another order, a random cycle drawn from `seed`; with
    rotary positions they are also turned by other angles. What is moved from where they attend,
    W_V W_O, stays.
    """

    seed: int = 0

    def __str__(self) -> str:
        return f"{self._who}: QK shuffled"


@dataclass(frozen=True, kw_only=True)
class Swapped:
    """Two heads that trade places: their parts of W_Q, W_K, W_V, W_O and of the biases.

    Within a layer this changes no output, only which head has which number: claims that name
    heads must notice, claims about behaviour cannot. Heads that share keys and values (grouped
    queries) trade W_Q and W_O, and only with heads of their own group: K and V of one query head
    do not exist.
    """

    first: Head
    second: Head

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise CircuitUsageError(f"`second`: {self.first} cannot trade places with itself.")

    def __str__(self) -> str:
        return f"{self.first} and {self.second} swapped"


@dataclass(frozen=True, kw_only=True)
class Reinitialised:
    """A layer that was never trained: each matrix drawn anew, normal, mean 0, its own spread.

    Matrices: W_Q, W_K, W_V, W_O and those of the MLP. Biases and norms stay.
    """

    layer: int
    seed: int = 0

    def __str__(self) -> str:
        return f"layer {self.layer} re-initialised"


@dataclass(frozen=True, kw_only=True)
class Noised:
    """Normal noise on every matrix of every layer, of `amount` times the matrix's own spread.

    Embedding, unembedding, biases and norms stay.
    """

    amount: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.amount < float("inf"):
            raise CircuitUsageError(f"`amount` must be finite and above 0; got {self.amount!r}.")

    def __str__(self) -> str:
        return f"weights noised by {self.amount:g}"


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """Every matrix of every layer rounded to `bits` bits: symmetric, one scale per output.

    The largest weight into an output is 2^(bits - 1) - 1 steps: 3 steps each way for 3 bits, one
    for 2. Embedding, unembedding, biases and norms stay.
    """

    bits: int

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 2 <= self.bits <= 8:
            raise CircuitUsageError(f"`bits` must be a whole number of 2 to 8; got {self.bits!r}.")

    def __str__(self) -> str:
        return f"weights quantised to {self.bits} bits"


Mutant = KnockedOut | ShuffledOV | ShuffledQK | Swapped | Reinitialised | Noised | Quantised


def as_dict(mutant: Mutant) -> dict[str, Any]:
    """Return a mutant as builtins that JSON knows: its kind, its name, what it is made from."""
    named = {each.name: _plain(getattr(mutant, each.name)) for each in fields(mutant)}
    return {"kind": type(mutant).__name__, "name": str(mutant), **named}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Head) else value
