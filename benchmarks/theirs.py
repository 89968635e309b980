"""The same questions put to TransformerLens's own functions, on the same prompts."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas
import torch
from rows import HEADS, LAYERS, MODEL, TOKENS, draw
from transformer_lens import patching
from transformer_lens.tools.analysis.direct_logit_attribution import direct_logit_attribution

from pytest_circuits import ABC, load_model
from pytest_circuits.engine.hooked import padded
from pytest_circuits.models.base import Model
from pytest_circuits.tasks.base import Prompts

HEADS_OF_ALL = tuple((layer, index) for layer in range(LAYERS) for index in range(HEADS))
PATCHED = ((2, 4), (12, 4), (20, 0), (21, 3), (23, 0), (23, 3))
SENDER = (LAYERS - 2, 0)
EDGES = HEADS  # from the sender to Q of every head of the last layer


Pairs = tuple[tuple[int, int], ...]


class Theirs:
    """TransformerLens on the prompts of the rows; every function runs without gradients."""

    def __init__(self, model: Model) -> None:
        self.bridge: Any = model.bridge
        dataset = draw().task.draw(model.tokenizer, draw().n, draw().seed)
        self.tokens = _tokens(dataset.distribution("IOI"))
        self._counterparts = _tokens(dataset.distribution(ABC))
        own = dataset.distribution("IOI")
        self._answers, self._foils = torch.tensor(own.answers), torch.tensor(own.foils)

    @cached_property
    def logits(self) -> torch.Tensor:
        """The logits at END."""
        return self.forward()[:, -1:].clone()

    @property
    def before(self) -> torch.Tensor:
        """The mean logit difference with nothing patched."""
        return self.difference(self.logits).mean()

    @property
    def largest(self) -> torch.Tensor:
        """The largest logit, which says how finely a difference of logits is resolved."""
        return self.logits.abs().max()

    def forward(self) -> torch.Tensor:
        """Run the plain forward."""
        with torch.no_grad():
            return self.bridge(self.tokens)

    def difference(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logit difference per prompt; END is the last token of each."""
        last = logits[:, -1]
        rows = torch.arange(len(last))
        return last[rows, self._answers] - last[rows, self._foils]

    def cache_all(self) -> Any:
        """Cache every activation of the folded bridge, as attribution needs it."""
        with torch.no_grad():
            return self.folded.run_with_cache(self.tokens)[1]

    def attribution(self, cache: Any) -> torch.Tensor:
        """Attribute the logit difference to each head, [heads], given the cache."""
        with torch.no_grad():
            found = direct_logit_attribution(
                self.folded,
                answer_tokens=self._answers,
                incorrect_tokens=self._foils,
                unit="head",
                cache=cache,
            )
        return found.attribution[: len(HEADS_OF_ALL)].mean(dim=1)

    def cache_z(self) -> tuple[Any, Any]:
        """Cache the heads' outputs on the prompts and on their counterparts."""
        return self._z(self.tokens), self._z(self._counterparts)

    def patches(self, caches: tuple[Any, Any], sample: Pairs = PATCHED) -> torch.Tensor:
        """Patch each head's output at END from the counterpart: the logit difference, [heads]."""
        rows = [(layer, TOKENS - 1, index) for layer, index in sample]
        with torch.no_grad():
            return patching.generic_activation_patch(
                self.bridge,
                self.tokens,
                caches[1],
                self.difference,
                patching.layer_pos_head_vector_patch_setter,
                "z",
                index_df=pandas.DataFrame(rows, columns=["layer", "pos", "head_index"]),
                reduce="mean",
            )

    def edges(self, caches: tuple[Any, Any]) -> torch.Tensor:
        """Patch the edges from one sender to Q of each head above: the logit difference."""
        with torch.no_grad():
            found = patching.get_act_patch_direct_path(
                self.bridge,
                self.tokens,
                caches[1],
                caches[0],
                lambda logits: self.difference(logits).mean(),
                *SENDER,
                "q",
                verbose=False,
            )
        return found[SENDER[0] + 1 :].flatten()

    @cached_property
    def folded(self) -> Any:
        """A bridge of its own with weights folded and centred, which attribution asks for."""
        bridge = load_model(MODEL, progress=False).bridge
        bridge.enable_compatibility_mode()
        return bridge

    def _z(self, tokens: torch.Tensor) -> Any:
        with torch.no_grad():
            return self.bridge.run_with_cache(
                tokens, names_filter=lambda name: name.endswith(("attn.hook_z", "attn.o.hook_in"))
            )[1]


def _tokens(prompts: Prompts) -> torch.Tensor:
    assert {len(ids) for ids in prompts.ids} == {TOKENS}
    return padded(prompts, range(len(prompts)), "cpu")
