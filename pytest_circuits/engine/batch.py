"""Some prompts of a distribution in one tensor, and how readings get at what was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.weights import ModelWeights

Act = Callable[[Site], "Tensor"]


def _nothing(site: Site) -> Tensor:
    raise KeyError(site)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a distribution and the activations of one run of them. Read-only.

    `act` returns the activation at a site: [batch, column, ...] (patterns [batch, head, query,
    key]; logits at END, [batch, d_vocab]; answers [batch, 2]). Rows are padded on either side:
    `shift` columns precede each row, and columns of no token mean nothing.
    """

    prompts: Prompts
    index: tuple[int, ...]
    shift: tuple[int, ...]
    weights: ModelWeights
    device: str
    act: Act = _nothing
    _columns: dict[str, Tensor] = field(default_factory=dict)

    def seen(self, act: Act) -> Batch:
        """Return the same rows with the activations of a run."""
        return replace(self, act=act)

    @cached_property
    def rows(self) -> Tensor:
        """0..batch-1, for picking one position per row."""
        return self._tensor(range(len(self.index)))

    @cached_property
    def answers(self) -> Tensor:
        """Token ids of the answers, [batch]."""
        return self._tensor(self.prompts.answers[i] for i in self.index)

    @cached_property
    def foils(self) -> Tensor:
        """Token ids of the foils, [batch]."""
        return self._tensor(self.prompts.foils[i] for i in self.index)

    @cached_property
    def answer_directions(self) -> Tensor:
        """The directions at END that answer's and foil's logits read, [batch, 2, d_model]."""
        import torch

        return self.directions(torch.stack([self.answers, self.foils], dim=1))

    def directions(self, tokens: Tensor) -> Tensor:
        """Return the directions at END that logits of `tokens` [batch, k] read, the norm frozen."""
        return self.weights.logit_directions(self._final_stream, tokens)

    @property
    def final_scale(self) -> Tensor:
        """What the final norm divides the stream at END by, [batch, 1]."""
        return self.weights.final_scale(self._final_stream)

    @property
    def _final_stream(self) -> Tensor:
        return self.act(Site("resid_final"))[self.rows, self.at("END")]

    def at(self, position: str) -> Tensor:
        """Return the column of a named position in each row, [batch]."""
        if position not in self._columns:
            known = self.prompts.at(position)
            self._columns[position] = self._tensor(
                known[i] + s for i, s in zip(self.index, self.shift, strict=True)
            )
        return self._columns[position]

    def token_at(self, position: str) -> Tensor:
        """Return the token id standing at a named position in each row, [batch]."""
        known = self.prompts.at(position)
        return self._tensor(self.prompts.ids[i][known[i]] for i in self.index)

    def _tensor(self, values: Iterable[int]) -> Tensor:
        import torch

        return torch.tensor(list(values), dtype=torch.long, device=self.device)
