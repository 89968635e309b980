"""What is put in place of activations, made concrete: values per row, at a column of the frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_circuits.engine.frame import Columns

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Put:
    """A value for one activation in every row of a batch.

    `kind` is z, q, k, v, pattern, mlp or resid; `index` the head (of k and v: the shared head);
    `column` [batch] where it stands; `value` [batch, d], for patterns [batch, column].
    """

    kind: str
    layer: int
    index: int | None
    column: Tensor
    value: Tensor


class Puts:
    """Puts of several variants, looked up by kind and layer."""

    def __init__(self, puts: Iterable[tuple[int, Put]] = ()) -> None:
        self._at: dict[tuple[str, int], list[tuple[int, Put]]] = {}
        for variant, put in puts:
            self._at.setdefault((put.kind, put.layer), []).append((variant, put))

    def at(self, kind: str, layer: int) -> list[tuple[int, Put]]:
        """Return the puts of a kind in a layer, each with its variant."""
        return self._at.get((kind, layer), [])

    def on(self, x: Tensor, kind: str, layer: int, columns: Columns, *, first: int = 0) -> Tensor:
        """Return x [variant, batch, slot, ...] with everything in place; x itself stays as it is.

        `first` is the variant that x begins with.
        """
        found = [(v - first, p) for v, p in self.at(kind, layer) if 0 <= v - first < len(x)]
        if not found:
            return x
        x = x.clone()
        for variant, put in found:
            rows, slot = _where(put, columns)
            value = put.value[rows].to(x.dtype)
            if put.index is None:
                x[variant, rows, slot] = value
            else:
                x[variant, rows, slot, put.index] = value
        return x

    def on_pattern(
        self, pattern: Tensor, layer: int, columns: Columns, width: int | None
    ) -> Tensor:
        """Return a pattern [b, k, v, s, g, t + s] with rows of attention in place.

        `width` is the number of cached columns, None if there is no cache.
        """
        found = self.at("pattern", layer)
        if not found:
            return pattern
        pattern = pattern.clone()
        group = pattern.shape[4]
        for variant, put in found:
            assert put.index is not None
            rows, slot = _where(put, columns)
            shared, query = divmod(put.index, group)
            row = _split_row(put.value.to(pattern.dtype), columns, width)
            pattern[rows, shared, variant, slot, query] = row[rows]
        return pattern


def _where(put: Put, columns: Columns) -> tuple[Tensor, Tensor]:
    """Return the rows in which the put's column is in hand, and its slot in each."""
    slot, present = columns.slot(put.column)
    rows = present.nonzero()[:, 0]
    return rows, slot[rows]


def _split_row(value: Tensor, columns: Columns, width: int | None) -> Tensor:
    """Return attention [batch, column] as attention to the cache, then to the slots."""
    import torch

    own = columns.of(value[..., None])[..., 0] * columns.valid
    if width is None:
        return own
    return torch.cat((value * ~columns.active(width), own), dim=1)


def numbered(groups: Iterable[Iterable[Put]]) -> Iterator[tuple[int, Put]]:
    """Yield every put with the number of its variant."""
    for variant, puts in enumerate(groups):
        for put in puts:
            yield variant, put
