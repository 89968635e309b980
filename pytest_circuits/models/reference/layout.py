"""The residual stream of `reference-ioi`: named spaces, and what the embeddings put into them.

The residual stream is read in *logical* coordinates, split into the spaces below. A logical
coordinate is one column of a fixed orthonormal basis whose columns all sum to zero, so that the
centering of LayerNorm changes nothing; a large constant (`CONST_SIZE`) keeps the scale of LayerNorm
within 0.2 % of a known value, so that a normed stream is the stream itself up to that error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_circuits.models.reference.codes import CODE_WIDTH, N_CODES, sign_code

if TYPE_CHECKING:
    from torch import Tensor

N_LAYERS = 8
N_HEADS = 4
D_HEAD = 76
D_MODEL = N_HEADS * D_HEAD
N_POSITIONS = 128

CONST_SIZE = 64.0
LOGITS_PER_UNIT = 10.0
OTHER_WORD_BIAS = -6.0

# The MLP of this layer writes SINK at position 0, so that LayerNorm shrinks all that stands there
# by SINK_SHRINK: the first token becomes a resting place of attention whose own identity hardly
# counts, as the first token of trained models is.
SINK_LAYER = 1
SINK_SHRINK = 1 / 8
SINK_SIZE = CONST_SIZE * math.sqrt(1 / SINK_SHRINK**2 - 1)

# Space -> width. Written by the embeddings: CONST (always `CONST_SIZE`), FIRST (1 at position 0),
# NAME (1 at a name), TOKEN (code of the token), POSITION (code of the position, zero at position 0,
# so that a pointer read there is empty), BEFORE (code of the position before). Written by an MLP:
# SINK. Written by heads: PREVIOUS (code of the token before), DUPLICATE (about 1 where the token
# occurred before), POINTER (code of the position where it did), NOT_AT and NOT_TOKEN (what name
# movers must avoid: positions, a token), OUTPUT (what is unembedded), UNREAD (nothing reads it).
SPACES: Mapping[str, int] = MappingProxyType(
    {
        "CONST": 1,
        "FIRST": 1,
        "SINK": 1,
        "NAME": 1,
        "TOKEN": CODE_WIDTH,
        "POSITION": CODE_WIDTH,
        "BEFORE": CODE_WIDTH,
        "PREVIOUS": CODE_WIDTH,
        "DUPLICATE": 1,
        "POINTER": CODE_WIDTH,
        "NOT_AT": CODE_WIDTH,
        "NOT_TOKEN": CODE_WIDTH,
        "OUTPUT": CODE_WIDTH,
        "UNREAD": CODE_WIDTH,
    }
)


_LARGE = ("CONST", "SINK")

BOS_TOKEN = "<|bos|>"
UNKNOWN_TOKEN = "<unk>"
SPECIAL_TOKENS = (UNKNOWN_TOKEN, BOS_TOKEN)

# Sequences of random tokens, on which head scores are measured, need tokens to draw from.
MIN_TOKENS = 600
MIN_FILLER = 100


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words the model knows, each one token; `names` are the possible answers."""

    names: tuple[str, ...]
    others: tuple[str, ...]

    def tokens(self) -> tuple[str, ...]:
        """Return all tokens in id order: specials, other words, names, filler up to 600."""
        words = dict.fromkeys((*SPECIAL_TOKENS, *sorted(set(self.others) - set(self.names))))
        words.update(dict.fromkeys(sorted(set(self.names))))
        n_filler = max(MIN_FILLER, MIN_TOKENS - len(words))
        words.update(dict.fromkeys(f"filler{i}" for i in range(n_filler)))
        if len(words) > N_CODES:
            raise ValueError(f"the vocabulary has {len(words)} tokens, more than {N_CODES} codes")
        return tuple(words)


def space_columns(name: str) -> slice:
    """Return the logical coordinates of a space."""
    start = 0
    for space, width in SPACES.items():
        if space == name:
            return slice(start, start + width)
        start += width
    raise KeyError(name)


def residual_basis() -> Tensor:
    """Return the basis [d_model, n_logical], float64: orthonormal columns, each summing to zero.

    The two large spaces have a pair of coordinates (+, -) each to themselves, so that their
    rounding errors reach no other space; all others are spread over the rest as cosines.
    """
    import torch

    n_logical, n_paired = sum(SPACES.values()), 2 * len(_LARGE)
    basis = torch.zeros(D_MODEL, n_logical, dtype=torch.float64)
    for number, name in enumerate(_LARGE):
        basis[2 * number, space_columns(name)] = math.sqrt(0.5)
        basis[2 * number + 1, space_columns(name)] = -math.sqrt(0.5)
    small = torch.ones(n_logical, dtype=torch.bool)
    for name in _LARGE:
        small[space_columns(name)] = False
    basis[n_paired:, small] = _cosines(D_MODEL - n_paired, int(small.sum()))
    return basis


def _cosines(n_rows: int, n_columns: int) -> Tensor:
    """Return [n_rows, n_columns] cosines of rising frequency, the constant one left out."""
    import torch

    place = torch.arange(n_rows, dtype=torch.float64) + 0.5
    frequency = torch.arange(1, n_columns + 1, dtype=torch.float64)
    waves = torch.cos(place[:, None] * frequency[None, :] * (math.pi / n_rows))
    return waves * math.sqrt(2 / n_rows)


def token_codes(n_tokens: int) -> Tensor:
    """Return the code of each token id, [n_tokens, CODE_WIDTH], float64."""
    import torch

    return torch.tensor([sign_code(index) for index in range(n_tokens)], dtype=torch.float64)


def token_embedding(vocabulary: Vocabulary) -> Tensor:
    """Return what each token writes, [n_tokens, n_logical]: its code, and whether it is a name."""
    import torch

    tokens = vocabulary.tokens()
    rows = torch.zeros(len(tokens), sum(SPACES.values()), dtype=torch.float64)
    rows[:, space_columns("TOKEN")] = token_codes(len(tokens))
    rows[:, space_columns("NAME")] = _is_name(vocabulary)[:, None]
    return rows


def position_embedding() -> Tensor:
    """Return what each position writes, [N_POSITIONS, n_logical]."""
    import torch

    codes = token_codes(N_POSITIONS)
    rows = torch.zeros(N_POSITIONS, sum(SPACES.values()), dtype=torch.float64)
    rows[:, space_columns("CONST")] = CONST_SIZE
    rows[0, space_columns("FIRST")] = 1.0
    rows[1:, space_columns("POSITION")] = codes[1:]
    rows[2:, space_columns("BEFORE")] = codes[1:-1]
    # Position 0 has no code to be found by: position 1 finds it by avoiding itself.
    rows[1, space_columns("BEFORE")] = -codes[1]
    return rows


def unembedding(vocabulary: Vocabulary) -> Tensor:
    """Return how each logit is read, [n_tokens, n_logical]: OUTPUT against the token's code.

    Words that are no names get `OTHER_WORD_BIAS` logits, read from the constant.
    """
    import torch

    n_tokens = len(vocabulary.tokens())
    rows = torch.zeros(n_tokens, sum(SPACES.values()), dtype=torch.float64)
    rows[:, space_columns("OUTPUT")] = LOGITS_PER_UNIT * token_codes(n_tokens)
    bias = (1 - _is_name(vocabulary)) * OTHER_WORD_BIAS / CONST_SIZE
    rows[:, space_columns("CONST")] = bias[:, None]
    return rows


def _is_name(vocabulary: Vocabulary) -> Tensor:
    """Return 1.0 for each token that is a name and 0.0 for each other, [n_tokens]."""
    import torch

    names = set(vocabulary.names)
    return torch.tensor([float(t in names) for t in vocabulary.tokens()], dtype=torch.float64)
