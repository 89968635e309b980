"""Full forward passes through TransformerBridge's hooks: for models the light cone does not know.

Knows head outputs knocked out or kept; everything else is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.batch import Batch
from pytest_circuits.engine.lightcone import Collected, Wanted
from pytest_circuits.engine.memory import shape_of
from pytest_circuits.engine.stage import Source
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import Ablation, Intervention, Reference
from pytest_circuits.nodes import Node
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Dataset, Prompts
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.weights import ModelWeights
    from pytest_circuits.models.base import Model

HOOKS = {
    "z": "blocks.{layer}.attn.hook_z",
    "pattern": "blocks.{layer}.attn.hook_pattern",
    "resid": "blocks.{layer}.hook_resid_pre",
    "resid_post": "blocks.{layer}.hook_resid_post",
    "resid_final": "ln_final.hook_in",
    "mlp": "blocks.{layer}.hook_mlp_out",
}

# A function from the layer's head outputs z [batch, column, head, d_head] to edited ones.
Edit = Callable[["Tensor"], "Tensor"]

# A TransformerLens hook: it gets the activation and the hook point, and may return another value.
Hook = Callable[["Tensor", Any], "Tensor | None"]


class FullForwards:
    """Executes one full forward per intervention; `reason` says why."""

    def __init__(self, model: Model, weights: ModelWeights, *, reason: str) -> None:
        self._model, self._weights = model, weights
        self.description = f"full forward passes ({reason})"
        self.cost = 0.0

    def prepare(self, width: int) -> None:
        """Nothing to prepare."""

    def check(self, under: Intervention) -> None:
        """Refuse interventions on anything but the outputs of heads."""
        if not isinstance(under, Ablation) or not _only_heads(under):
            raise ClaimNotEvaluable(
                f"[{under}] needs the light-cone engine, and this model runs by {self.description}."
            )

    def batch(self, prompts: Prompts, rows: Sequence[int], width: int) -> Batch:
        """Return rows of a distribution, right-padded, not yet run."""
        return Batch(prompts, tuple(rows), (0,) * len(rows), self._weights, self._model.device)

    def run(
        self, batch: Batch, wanted: Wanted, dataset: Dataset, collected: Collected
    ) -> Iterator[tuple[Intervention | None, Batch]]:
        """Yield the batch under every intervention wanted; None is none."""
        for under, sites in wanted.items():
            changes = self._edits(under, batch, dataset, collected)
            acts = self._forward(batch, sites, changes)
            yield under, batch.seen(acts.__getitem__)

    def _forward(
        self, batch: Batch, sites: Iterable[Site], changes: Mapping[int, Edit]
    ) -> dict[Site, Tensor]:
        import torch

        tokens = padded(batch.prompts, batch.index, batch.device)
        self.cost += tokens.numel()
        acts = forward(self._model, tokens, batch.at(END), sites, changes)
        both = torch.stack([batch.answers, batch.foils], dim=1)
        acts[Site("answers")] = acts[Site("logits")].gather(1, both)
        return acts

    def _edits(
        self, under: Intervention | None, batch: Batch, dataset: Dataset, collected: Collected
    ) -> dict[int, Edit]:
        if under is None:
            return {}
        assert isinstance(under, Ablation)
        source = self._source(under.reference, batch, dataset, collected)
        edits = {
            layer: self._edit(under, layer, batch, source)
            for layer in range(self._model.n_layers)
            if under.outside or any(node.head.layer == layer for node in _heads(under))
        }
        if under.given is None:
            return edits
        return _in_turn(self._edits(under.given, batch, dataset, collected), edits)

    def _source(
        self, reference: Reference, batch: Batch, dataset: Dataset, collected: Collected
    ) -> Source:
        import torch

        if reference.kind == "zero":
            width = max(map(len, batch.prompts.ids))
            return lambda site: torch.zeros(
                len(batch.index), *shape_of(self._model, site, width), device=batch.device
            )
        if reference.kind != "counterpart":
            return collected(reference, batch)
        assert reference.over is not None
        prompts = dataset.distribution(reference.over)
        other = self.batch(prompts, batch.index, 0)
        every = [Site("z", layer) for layer in range(self._model.n_layers)]
        return self._forward(other, every, {}).__getitem__

    def _edit(self, under: Ablation, layer: int, batch: Batch, source: Source) -> Edit:
        import torch

        value = source(Site("z", layer))
        named = torch.zeros(value.shape[:-1], dtype=torch.bool, device=batch.device)
        for node in _heads(under):
            if node.head.layer == layer:
                named[batch.rows, batch.at(node.at), node.head.index] = True
        mask = ~named if under.outside else named
        return lambda z: torch.where(mask[..., None], value.to(z.dtype), z)


def _heads(under: Ablation) -> list[Node]:
    return [node for node in under.nodes if isinstance(node, Node)]


def _only_heads(under: Ablation) -> bool:
    heads = len(_heads(under)) == len(under.nodes) and not under.mlps_outside
    return heads and (under.given is None or _only_heads(under.given))


def _in_turn(first: dict[int, Edit], then: dict[int, Edit]) -> dict[int, Edit]:
    """Return edits that are made one after the other."""

    def both(layer: int) -> Edit:
        edits = [each[layer] for each in (first, then) if layer in each]

        def edit(z: Tensor) -> Tensor:
            for one in edits:
                z = one(z)
            return z

        return edit

    return {layer: both(layer) for layer in {*first, *then}}


def padded(prompts: Prompts, rows: Sequence[int], device: str) -> Tensor:
    """Return token ids as [batch, longest of all prompts], right-padded with 0.

    No mask is needed: under causal attention no position sees what stands behind it.
    """
    import torch

    width = max(map(len, prompts.ids))
    ids = [prompts.ids[i] for i in rows]
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in ids], device=device)


def forward(
    model: Model,
    tokens: Tensor,
    ends: Tensor,
    sites: Iterable[Site],
    edits: Mapping[int, Edit] | None = None,
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
