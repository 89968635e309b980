"""Full forward passes, one per intervention: for models the light cone does not know.

Knows what can be replaced where TransformerBridge has a hook; paths, edges and what no hook
reaches are refused with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_circuits.engine.batch import Act, Batch
from pytest_circuits.engine.hooked import Edit, forward, padded
from pytest_circuits.engine.lightcone import Collected, Wanted
from pytest_circuits.engine.memory import is_out_of_memory
from pytest_circuits.engine.reads import reads
from pytest_circuits.engine.sentences import in_a_sentence
from pytest_circuits.engine.stage import Source, site_of
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import Ablation, Intervention, Reference
from pytest_circuits.nodes import Activation, Node
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Dataset, Prompts, Task
from pytest_circuits.tasks.positions import END

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.weights import ModelWeights
    from pytest_circuits.models.base import Model


class FullForwards:
    """Executes one full forward per intervention; `reason` says why."""

    def __init__(self, model: Model, weights: ModelWeights, *, reason: str) -> None:
        self._model, self._weights = model, weights
        self._felt: dict[Site, bool] = {}
        self.description = f"full forward passes ({reason})"
        self.cost = 0.0

    def prepare(self, width: int) -> None:
        """Nothing to prepare."""

    def check(self, under: Intervention) -> None:
        """Refuse interventions that hooks do not make."""
        if not isinstance(under, Ablation):
            raise ClaimNotEvaluable(
                f"[{under}] needs the light-cone engine, and this model runs by {self.description}."
            )
        with _running(under):
            for _, site in reads(under, self._model.n_layers):
                self._check_felt(site)

    def batch(self, prompts: Prompts, rows: Sequence[int], width: int) -> Batch:
        """Return rows of a distribution, right-padded, not yet run."""
        return Batch(prompts, tuple(rows), (0,) * len(rows), self._weights, self._model.device)

    def run(
        self, batch: Batch, wanted: Wanted, task: Task, dataset: Dataset, collected: Collected
    ) -> Iterator[tuple[Intervention | None, Batch]]:
        """Yield the batch under every intervention wanted; None is none.

        Where a run fails for a reason of its own, the others go on.
        """
        for under, sites in wanted.items():
            try:
                with _running(under):
                    edits = self._edits(under, batch, dataset, collected)
                    act: Act = self._forward(batch, sites, edits)
            except ClaimNotEvaluable as error:
                act = _refusing(error)
            yield under, batch.seen(act)

    def _forward(self, batch: Batch, sites: Iterable[Site], edits: Mapping[Site, Edit]) -> Act:
        import torch

        tokens = padded(batch.prompts, batch.index, batch.device)
        self.cost += tokens.numel()
        acts = forward(self._model, tokens, batch.at(END), sites, edits)
        both = torch.stack([batch.answers, batch.foils], dim=1)
        acts[Site("answers")] = acts[Site("logits")].gather(1, both)
        return acts.__getitem__

    def _edits(
        self, under: Intervention | None, batch: Batch, dataset: Dataset, collected: Collected
    ) -> dict[Site, Edit]:
        if under is None:
            return {}
        assert isinstance(under, Ablation)
        alone = replace(under, given=None)
        sites = {site for _, site in reads(alone, self._model.n_layers)}
        source = self._source(under.reference, sites, batch, dataset, collected)
        edits = {site: self._edit(under, site, batch, source(site)) for site in sites}
        return _in_turn(self._edits(under.given, batch, dataset, collected), edits)

    def _source(
        self,
        reference: Reference,
        sites: Iterable[Site],
        batch: Batch,
        dataset: Dataset,
        collected: Collected,
    ) -> Source:
        import torch

        if reference.kind == "zero":
            nothing = torch.zeros((), device=batch.device)  # of any shape: layers may differ in it
            return lambda site: nothing
        if reference.kind != "counterpart":
            return collected(reference, batch)
        assert reference.over is not None
        prompts = dataset.distribution(reference.over)
        return self._forward(self.batch(prompts, batch.index, 0), sites, {})

    def _check_felt(self, site: Site) -> None:
        """Refuse to replace what the model does not take from the hook that shows it.

        Some architectures attend inside the Hugging Face module: their hooks show copies.
        """
        if site not in self._felt:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TransformerBridge warns of discarded edits
                self._felt[site] = self._feels(site)
        if not self._felt[site]:
            raise ClaimNotEvaluable(
                f"replacing {site} through TransformerBridge's hook moves no logit of "
                f"{self._model.spec}: in this architecture the hook shows a copy. "
                f"The model runs by {self.description}."
            )

    def _feels(self, site: Site) -> bool:
        import torch

        # Ids 0..7 exist in every vocabulary; an edit must be felt whatever the tokens are.
        count = min(8, int(self._model.bridge.cfg.d_vocab))
        tokens = torch.arange(count, device=self._model.device)[None]
        ends = torch.tensor([count - 1], device=self._model.device)

        def noise(x: Tensor) -> Tensor:
            generator = torch.Generator().manual_seed(0)
            return x + torch.rand(x.shape, generator=generator).to(x)

        plain, edited = (
            forward(self._model, tokens, ends, (), edits)[Site("logits")]
            for edits in ({}, {site: noise})
        )
        return not torch.equal(plain, edited)

    def _edit(self, under: Ablation, site: Site, batch: Batch, value: Tensor) -> Edit:
        """Return the edit that puts the reference's value at the nodes, or everywhere else."""
        import torch

        nodes = [each for each in under.nodes if site_of(each, self._model.n_layers) == site]

        def edit(x: Tensor) -> Tensor:
            named = torch.zeros(x.shape[:-1], dtype=torch.bool, device=x.device)
            for node in nodes:
                named[self._where(node, batch, x)] = True
            mask = ~named if under.outside else named
            return torch.where(mask[..., None], value.to(x.dtype), x)

        return edit

    def _where(self, node: Node | Activation, batch: Batch, x: Tensor) -> tuple[Tensor | int, ...]:
        """Return where a node stands in its activation, the last dimension left out."""
        rows, column, head = batch.rows, batch.at(node.at), node.head
        if head is None:
            return rows, column
        if isinstance(node, Node) or node.kind == "q":
            return rows, column, head.index
        if node.kind == "pattern":
            return rows, head.index, column
        return rows, column, head.index * x.shape[2] // self._model.n_heads


def _in_turn(first: Mapping[Site, Edit], then: Mapping[Site, Edit]) -> dict[Site, Edit]:
    """Return edits that are made one after the other."""
    both = {site: _composed(first[site], then[site]) for site in first if site in then}
    return {**first, **then, **both}


def _composed(first: Edit, then: Edit) -> Edit:
    return lambda x: then(first(x))


def _running(under: Intervention | None) -> AbstractContextManager[None]:
    """Turn whatever a model's own code raises into one sentence, but that memory ran out."""
    what = "the model cannot be run" + (f" under [{under}]" if under else "")
    return in_a_sentence(what, but=is_out_of_memory)


def _refusing(error: ClaimNotEvaluable) -> Act:
    def act(site: Site) -> Tensor:
        raise error

    return act
