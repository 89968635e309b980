"""One forward pass of one batch: token ids in, the activations asked for out, edits on the way."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.weights import ModelWeights
    from pytest_circuits.models.base import Model

HOOKS = {
    "z": "blocks.{layer}.attn.hook_z",
    "pattern": "blocks.{layer}.attn.hook_pattern",
    "resid_post": "blocks.{layer}.hook_resid_post",
    "resid_final": "ln_final.hook_in",
}

# A function from the layer's head outputs z [batch, pos, head_index, d_head] to edited ones.
Edit = Callable[["Tensor"], "Tensor"]

# A TransformerLens hook: it gets the activation and the hook point, and may return another value.
Hook = Callable[["Tensor", Any], "Tensor | None"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a distribution and what a forward pass over them left behind. Read-only.

    `acts` holds [batch, pos, ...] tensors (patterns: [batch, head_index, query, key]) and, for
    the site "logits", the logits at END, [batch, d_vocab]. Rows are right-padded: positions
    behind a row's END mean nothing.
    """

    prompts: Prompts
    index: tuple[int, ...]
    acts: dict[Site, Tensor]
    weights: ModelWeights
    device: str

    def act(self, site: Site) -> Tensor:
        """Return an activation that was asked for."""
        return self.acts[site]

    @cached_property
    def rows(self) -> Tensor:
        """0..batch-1, for picking one position per row."""
        return self._tensor(range(len(self.index)))

    @property
    def answers(self) -> Tensor:
        """Token ids of the answers, [batch]."""
        return self._tensor(self.prompts.answers[i] for i in self.index)

    @property
    def foils(self) -> Tensor:
        """Token ids of the foils, [batch]."""
        return self._tensor(self.prompts.foils[i] for i in self.index)

    def at(self, position: str) -> Tensor:
        """Return the token index of a named position in each row, [batch]."""
        known = self.prompts.at(position)
        return self._tensor(known[i] for i in self.index)

    def token_at(self, position: str) -> Tensor:
        """Return the token id standing at a named position in each row, [batch]."""
        known = self.prompts.at(position)
        return self._tensor(self.prompts.ids[i][known[i]] for i in self.index)

    def _tensor(self, values: Iterable[int]) -> Tensor:
        import torch

        return torch.tensor(list(values), dtype=torch.long, device=self.device)


def padded(ids: Sequence[Sequence[int]], device: str) -> Tensor:
    """Return token ids as [batch, longest], right-padded with 0.

    No mask is needed: under causal attention no position sees what stands behind it.
    """
    import torch

    width = max(map(len, ids))
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in ids], device=device)


def forward(
    model: Model,
    tokens: Tensor,
    ends: Tensor,
    sites: Iterable[Site],
    edits: dict[int, Edit] | None = None,
) -> dict[Site, Tensor]:
    """Run the model and return the activations at `sites` and the logits at END.

    `tokens` [batch, pos], `ends` [batch]; `edits` maps layers to functions that replace that
    layer's z. The unembedding is computed at END only, which nothing downstream can notice.
    """
    import torch

    acts: dict[Site, Tensor] = {}
    edited: set[Site] = set()
    rows = torch.arange(len(tokens), device=tokens.device)
    changes = {Site("z", layer): edit for layer, edit in (edits or {}).items()}
    kept = [site for site in sites if site.name in HOOKS]
    hooks = [(_hook_name(site), _editing(edit, edited, site)) for site, edit in changes.items()]
    hooks += [(_hook_name(site), _keeping(acts, site)) for site in kept]
    hooks.append(("unembed.hook_in", lambda x, hook: x[rows, ends][:, None]))
    with torch.no_grad():
        logits = model.bridge.run_with_hooks(tokens, fwd_hooks=hooks)
    if logits.shape[1] == 1:  # otherwise the unembedding's hook did not fire
        acts[Site("logits")] = logits[:, 0]
    _complain_of_missing({*sites, Site("logits")} - {Site("answers")}, acts)
    _complain_of_missing(changes, edited)
    return acts


def _hook_name(site: Site) -> str:
    return HOOKS[site.name].format(layer=site.layer)


def _editing(edit: Edit, edited: set[Site], site: Site) -> Hook:
    def change(value: Tensor, hook: Any) -> Tensor:
        edited.add(site)
        return edit(value)

    return change


def _keeping(acts: dict[Site, Tensor], site: Site) -> Hook:
    def keep(value: Tensor, hook: Any) -> None:
        acts[site] = value.detach()

    return keep


def _complain_of_missing(sites: Iterable[Site], fired: Container[Site]) -> None:
    missing = sorted(site for site in sites if site not in fired)
    if missing:
        raise ClaimNotEvaluable(
            f"the model ran, but its hooks never fired for {missing[0]}: this architecture does "
            "not expose that activation through TransformerBridge, so nothing was read or changed."
        )
