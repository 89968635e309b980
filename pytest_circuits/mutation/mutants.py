"""Ways to sabotage a model, as plain data: what is changed in its weights, and from which seed.

Of heads, which the claims that name them should notice; of the whole model, which any claim may
notice; and decoys, changes of weights that change nothing the model does, which none may notice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.nodes import Head

Scope = Literal["heads", "model", "decoy"]


@dataclass(frozen=True, kw_only=True)
class _OfHeads:
    """A sabotage of heads; `label` is what they are called in reports."""

    scope: ClassVar[Scope] = "heads"
    heads: tuple[Head, ...]
    label: str = ""

    @property
    def _who(self) -> str:
        return self.label or ", ".join(map(str, self.heads))


@dataclass(frozen=True, kw_only=True)
class KnockedOut(_OfHeads):
    """Heads that write nothing: their rows of W_O are zero. What they attend to stays."""

    kind: ClassVar[str] = "knocked out"

    def __str__(self) -> str:
        return f"{self._who} knocked out"


@dataclass(frozen=True, kw_only=True)
class ShuffledOV(_OfHeads):
    """Heads that write something else: the rows of each one's W_O change places.

    The dimensions of z reach W_O in another order, a random cycle drawn from `seed`. What the
    heads attend to stays; what they write keeps its size and loses its meaning.
    """

    kind: ClassVar[str] = "OV shuffled"
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

    kind: ClassVar[str] = "QK shuffled"
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

    kind: ClassVar[str] = "swapped"
    scope: ClassVar[Scope] = "heads"
    first: Head
    second: Head

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise CircuitUsageError(f"`second`: {self.first} cannot trade places with itself.")

    @property
    def heads(self) -> tuple[Head, Head]:
        """Both of them."""
        return self.first, self.second

    def __str__(self) -> str:
        return f"{self.first} and {self.second} swapped"


@dataclass(frozen=True, kw_only=True)
class Reinitialised:
    """A layer that was never trained: each matrix drawn anew, normal, mean 0, its own spread.

    Matrices: W_Q, W_K, W_V, W_O and those of the MLP. Biases and norms stay.
    """

    kind: ClassVar[str] = "re-initialised"
    scope: ClassVar[Scope] = "model"
    heads: ClassVar[tuple[Head, ...]] = ()
    layer: int
    seed: int = 0

    def __str__(self) -> str:
        return f"layer {self.layer} re-initialised"


@dataclass(frozen=True, kw_only=True)
class Noised:
    """Normal noise on every matrix of every layer, of `amount` times the matrix's own spread.

    Embedding, unembedding, biases and norms stay.
    """

    kind: ClassVar[str] = "noised"
    scope: ClassVar[Scope] = "model"
    heads: ClassVar[tuple[Head, ...]] = ()
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

    kind: ClassVar[str] = "quantised"
    scope: ClassVar[Scope] = "model"
    heads: ClassVar[tuple[Head, ...]] = ()
    bits: int

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int) or not 2 <= self.bits <= 8:
            raise CircuitUsageError(f"`bits` must be a whole number of 2 to 8; got {self.bits!r}.")

    def __str__(self) -> str:
        return f"weights quantised to {self.bits} bits"


@dataclass(frozen=True, kw_only=True)
class Turned(_OfHeads):
    """Decoy: heads whose values have another basis, W_V -> W_V R and W_O -> R^T W_O.

    R is a rotation of the head's dimensions drawn from `seed`; b_V turns along. What the heads
    write stays as it was, up to rounding. Heads that share values turn together, the whole group.
    """

    kind: ClassVar[str] = "values in another basis"
    scope: ClassVar[Scope] = "decoy"
    seed: int = 0

    def __str__(self) -> str:
        return f"{self._who}: values in another basis"


@dataclass(frozen=True, kw_only=True)
class Renumbered(Swapped):
    """Decoy: two heads of one layer (and group) that no claim names trade places."""

    kind: ClassVar[str] = "unnamed heads swapped"
    scope: ClassVar[Scope] = "decoy"

    def __str__(self) -> str:
        return f"{self.first} and {self.second}, which no claim names, swapped"


Mutant = (
    KnockedOut
    | ShuffledOV
    | ShuffledQK
    | Swapped
    | Reinitialised
    | Noised
    | Quantised
    | Turned
    | Renumbered
)


def as_dict(mutant: Mutant) -> dict[str, Any]:
    """Return a mutant as builtins that JSON knows: kind, scope, name, what it is made from."""
    named = {each.name: _plain(getattr(mutant, each.name)) for each in fields(mutant)}
    kind = {"kind": mutant.kind, "scope": mutant.scope, "name": str(mutant)}
    return {**kind, **named}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Head) else value
