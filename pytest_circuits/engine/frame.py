"""Prompts of a batch side by side, right-aligned: their last tokens share the last column.

Right-aligned, a suffix of every prompt is a slice of columns, whatever the prompts' lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Frame:
    """Token ids [batch, column] and where each row begins; `shift` [batch] columns are padding."""

    tokens: Tensor
    shift: Tensor

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.tokens.shape[1])

    @cached_property
    def positions(self) -> Tensor:
        """Token positions, [batch, column]; 0 where a row has not begun."""
        return (self._columns - self.shift[:, None]).clamp_min(0)

    @cached_property
    def real(self) -> Tensor:
        """Whether a column holds a token of the row, [batch, column]."""
        return self._columns >= self.shift[:, None]

    @property
    def _columns(self) -> Tensor:
        import torch

        return torch.arange(self.width, device=self.tokens.device)[None]


def framed(ids: Sequence[Sequence[int]], width: int, device: str) -> Frame:
    """Return the frame of some rows of token ids, `width` columns wide."""
    import torch

    rows = [[*[0] * (width - len(row)), *row] for row in ids]
    shift = [width - len(row) for row in ids]
    return Frame(
        torch.tensor(rows, dtype=torch.long, device=device),
        torch.tensor(shift, dtype=torch.long, device=device),
    )


@dataclass(frozen=True, eq=False)
class Columns:
    """Some columns of every row: `index` [batch, slot], `valid` where a slot is in use."""

    index: Tensor
    valid: Tensor

    @property
    def slots(self) -> int:
        """Number of slots."""
        return int(self.index.shape[1])

    def of(self, tensor: Tensor) -> Tensor:
        """Return [batch, slot, ...] of a tensor [batch, column, ...]."""
        return tensor[self._rows[:, None], self.index]

    def slot(self, column: Tensor) -> tuple[Tensor, Tensor]:
        """Return the slot of a column [batch] in each row, and whether the row has one."""
        hit = (self.index == column[:, None]) & self.valid
        return hit.long().argmax(dim=1), hit.any(dim=1)

    def active(self, width: int) -> Tensor:
        """Return [batch, column]: whether a column is among these."""
        import torch

        mask = torch.zeros(len(self.index), width, dtype=torch.bool, device=self.index.device)
        rows = self._rows[:, None].expand_as(self.index)[self.valid]
        mask[rows, self.index[self.valid]] = True
        return mask

    @property
    def _rows(self) -> Tensor:
        import torch

        return torch.arange(len(self.index), device=self.index.device)


def suffix(frame: Frame, start: Tensor) -> Columns:
    """Return the last columns of every row, at least from `start` [batch] on."""
    import torch

    first = int(start.min())
    index = torch.arange(first, frame.width, device=frame.tokens.device)
    index = index[None].expand(len(frame.tokens), -1)
    return Columns(index, frame.real[:, first:])


def named(columns: Sequence[Tensor]) -> Columns:
    """Return these columns [batch] each; a column that comes twice in a row counts once."""
    import torch

    index = torch.stack(list(columns), dim=1)
    same = index[:, :, None] == index[:, None, :]
    repeated = torch.tril(same, diagonal=-1).any(dim=2)
    return Columns(index, ~repeated)
