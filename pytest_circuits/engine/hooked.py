"""One full forward pass through TransformerBridge's hooks, activations read and replaced on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model
    from pytest_circuits.tasks.base import Prompts

HOOKS = {
    "z": "blocks.{layer}.attn.hook_z",
    "q": "blocks.{layer}.attn.hook_q",
    "k": "blocks.{layer}.attn.hook_k",
    "v": "blocks.{layer}.attn.hook_v",
    "pattern": "blocks.{layer}.attn.hook_pattern",
    "mlp": "blocks.{layer}.hook_mlp_out",
    "resid": "blocks.{layer}.hook_resid_pre",
    "resid_post": "blocks.{layer}.hook_resid_post",
    "resid_final": "ln_final.hook_in",
}

# A function from an activation [batch, ...] to what stands in its place.
Edit = Callable[["Tensor"], "Tensor"]

# A TransformerLens hook: it gets the activation and the hook point, and may return another value.
Hook = Callable[["Tensor", Any], "Tensor | None"]


class Acts(dict[Site, "Tensor"]):
    """The activations of a pass; asking for one whose hook never fired raises."""

    def __missing__(self, site: Site) -> Tensor:
        raise _never_fired(site)


def forward(
    model: Model,
    tokens: Tensor,
    ends: Tensor,
    sites: Iterable[Site],
    edits: Mapping[Site, Edit] | None = None,
) -> Acts:
    """Run the model and return the activations at `sites` and the logits at END.

    `tokens` [batch, pos], `ends` [batch]; activations are seen after their edit. The unembedding
    is computed at END only, which nothing downstream can notice. An edit that was not made raises.
    """
    import torch

    acts, edited = Acts(), set[Site]()
    rows = torch.arange(len(tokens), device=tokens.device)
    changes = edits or {}
    hooks = [(site, _editing(edit, edited, site)) for site, edit in changes.items()]
    hooks += [(site, _keeping(acts, site)) for site in sites if site.name in HOOKS]
    there = [(_name(site), hook) for site, hook in hooks if _name(site) in model.bridge.hook_dict]
    there.append(("unembed.hook_in", lambda x, hook: x[rows, ends][:, None]))
    with torch.no_grad():
        logits = model.bridge.run_with_hooks(tokens, fwd_hooks=there)
    if logits.shape[1] == 1:  # otherwise the unembedding's hook did not fire
        acts[Site("logits")] = logits[:, 0]
    for site in sorted(set(changes) - edited):
        raise _never_fired(site)
    return acts


def padded(prompts: Prompts, rows: Sequence[int], device: str) -> Tensor:
    """Return token ids as [batch, longest of all prompts], right-padded with 0.

    No mask is needed: under causal attention no position sees what stands behind it.
    """
    import torch

    width = max(map(len, prompts.ids))
    ids = [prompts.ids[i] for i in rows]
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in ids], device=device)


def _name(site: Site) -> str:
    return HOOKS[site.name].format(layer=site.layer)


def _editing(edit: Edit, edited: set[Site], site: Site) -> Hook:
    def change(value: Tensor, hook: Any) -> Tensor:
        edited.add(site)
        return edit(value)

    return change


def _keeping(acts: Acts, site: Site) -> Hook:
    def keep(value: Tensor, hook: Any) -> None:
        acts[site] = value.detach()

    return keep


def _never_fired(site: Site) -> ClaimNotEvaluable:
    return ClaimNotEvaluable(
        f"the model ran, but its hooks never fired for {site}: this architecture does not expose "
        "that activation through TransformerBridge, so nothing was read or changed."
    )
