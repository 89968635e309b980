"""What the weights alone say: a head's write, its logits through the final norm, its OV copy.

Nothing here assumes an architecture: the final norm's form and the rule "the residual stream
grows by the sum of z W_O" are checked on the model in hand, and refused where they do not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.hooked import forward
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.nodes import Head
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model

_UNITS = 4  # of rounding: a product's error is that of a few of its terms


@dataclass(frozen=True)
class FinalNorm:
    """A norm of the form gain * (x - centre) / scale(x) + bias; `gain` is [d_model]."""

    gain: Any
    centred: bool
    eps: float

    def frozen(self, write: Tensor, residual: Tensor) -> Tensor:
        """Return what `write` adds to the norm's output if its scale stays that of `residual`."""
        gained: Tensor = self._centre(write) / self.scale(residual) * self.gain
        return gained

    def directions(self, rows: Tensor, residual: Tensor) -> Tensor:
        """Return d [batch, k, d_model] with write . d = frozen(write) . row, for `rows` like d."""
        return self._centre(rows * self.gain) / self.scale(residual)[:, None]

    def scale(self, residual: Tensor) -> Tensor:
        """Return what the norm divides a residual stream by, [..., d_model] -> [..., 1]."""
        scale: Tensor = self._centre(residual).pow(2).mean(-1, keepdim=True).add(self.eps).sqrt()
        return scale

    def _centre(self, x: Tensor) -> Tensor:
        return x - x.mean(-1, keepdim=True) if self.centred else x


class ModelWeights:
    """Linear maps of one model, computed in float32.

    `heads_add_up` says that it is known already that the stream grows by the sum of z W_O.
    """

    def __init__(self, model: Model, *, heads_add_up: bool = False) -> None:
        self._model = model
        self._heads_add_up = heads_add_up
        self._bridge = model.bridge

    def head_write(self, z: Tensor, head: Head) -> Tensor:
        """Return what a head adds to the residual stream, [batch, d_head] -> [batch, d_model]."""
        self._check_heads_add_up()
        write: Tensor = z.float() @ self._out_weights[head.layer][head.index].float()
        return write

    def logit_directions(self, residual: Tensor, tokens: Tensor) -> Tensor:
        """Return [batch, k, d_model]: what a write is multiplied by to give what it adds to logits.

        Those of `tokens` [batch, k], the final norm's scale that of `residual` [batch, d_model].
        """
        return self.final_norm.directions(self._unembedding[tokens].float(), residual.float())

    def final_scale(self, residual: Tensor) -> Tensor:
        """Return what the final norm divides `residual` [batch, d_model] by, [batch, 1]."""
        return self.final_norm.scale(residual.float())

    def copied_logits(self, residual: Tensor, head: Head) -> tuple[Tensor, Tensor]:
        """Return the logits, [batch, d_vocab], if the model's output were this head's OV alone.

        `residual` [batch, d_model] passes the head's input norm, W_V (the shared one under
        grouped queries), W_O, the final norm and the unembedding. Beside them, [batch, 1], how far
        rounding may move them: as far as if every number on the way is off in its last digits.
        Of a head that writes nothing to any logit they are rounding alone, other on each processor.
        """
        import torch

        with torch.no_grad():
            logits = self._copied(residual, head, lambda x: x)
            moved = self._copied(residual, head, _off_in_the_last_digits)
        return logits, (moved - logits).abs().amax(dim=1, keepdim=True)

    def _copied(self, residual: Tensor, head: Head, number: Callable[[Tensor], Tensor]) -> Tensor:
        block, attn = self._bridge.blocks[head.layer], self._attn(head)
        values = attn.W_V.shape[0]
        shared = head.index // (self._model.n_heads // values)
        value = number(block.ln1(residual[:, None])[:, 0]) @ attn.W_V[shared]
        if attn.b_V is not None:
            value = value + attn.b_V.reshape(values, -1)[shared]
        write = number(self.head_write(number(value), head).to(residual.dtype))
        logits: Tensor = number(self._bridge.ln_final(write[:, None])[:, 0]) @ self._bridge.W_U
        return logits.float()

    @property
    def output_words(self) -> str:
        """Whether z, a head's output, has a value bias in it: a folded one would be in b_O."""
        try:
            attention = (getattr(block, "attn", None) for block in self._bridge.blocks)
            biases = (getattr(each, "b_V", None) for each in attention)
            found = any(bias is not None and bool(bias.any()) for bias in biases)
        except (AttributeError, NotImplementedError):  # no blocks; values out of a latent
            return "whether head outputs have a value bias is not known"
        return "head outputs z with their value bias" if found else "no value bias in head outputs"

    @cached_property
    def _out_weights(self) -> tuple[Tensor, ...]:
        """W_O per layer, [head, d_head, d_model]."""
        return tuple(block.attn.W_O.detach() for block in self._bridge.blocks)

    @cached_property
    def _unembedding(self) -> Tensor:
        """The unembedding, [d_vocab, d_model]: what few tokens need of it lies together."""
        rows: Tensor = self._bridge.W_U.detach().T
        return rows

    @cached_property
    def final_norm(self) -> FinalNorm:
        """The final norm in closed form, chosen by what the module itself computes."""
        import torch

        module = self._bridge.ln_final.original_component
        sample = torch.randn(8, module.weight.shape[0], generator=torch.Generator().manual_seed(0))
        sample = sample.to(module.weight)
        bias = getattr(module, "bias", None)
        with torch.no_grad():
            truth = (module(sample) - (0 if bias is None else bias)).float()
        for norm in _candidates(module):
            if (
                _relative_error(norm.frozen(sample.float(), sample.float()), truth)
                < self._tolerance
            ):
                return norm
        raise ClaimNotEvaluable(
            f"the final norm {type(module).__name__} is neither a LayerNorm nor an RMSNorm: "
            "direct logit attribution is not defined for it here."
        )

    @cached_property
    def _head_sum_error(self) -> float:
        """How far the stream after a block is from its start + sum z W_O + b_O + MLP, relative."""
        import torch

        layers = range(self._model.n_layers)
        wanted = [Site("resid_post", at) for at in layers] + [Site("z", at) for at in layers]
        # Ids 0..7 exist in every vocabulary; the rule must hold whatever the tokens are.
        tokens = torch.arange(min(8, int(self._bridge.cfg.d_vocab)), device=self._model.device)[
            None
        ]
        kept: dict[str, Tensor] = {}
        hooks = [
            (f"blocks.{at}.hook_{name}", lambda x, hook, key=f"{at}.{name}": kept.update({key: x}))
            for at in layers
            for name in ("resid_pre", "mlp_out")
        ]
        with torch.no_grad(), self._bridge.hooks(fwd_hooks=hooks):
            ends = torch.tensor([tokens.shape[1] - 1], device=tokens.device)
            acts = forward(self._model, tokens, ends, wanted)
        return max(self._layer_error(at, acts, kept) for at in layers)

    def _layer_error(self, layer: int, acts: dict[Site, Tensor], kept: dict[str, Tensor]) -> float:
        import torch

        attn = self._attn(Head(layer, 0))
        with torch.no_grad():
            writes = torch.einsum("bthe,hed->btd", acts[Site("z", layer)], attn.W_O)
            if attn.b_O is not None:
                writes = writes + attn.b_O
        summed = kept[f"{layer}.resid_pre"] + writes + kept[f"{layer}.mlp_out"]
        return _relative_error(summed, acts[Site("resid_post", layer)])

    def _check_heads_add_up(self) -> None:
        if not self._heads_add_up and self._head_sum_error > self._tolerance:
            raise ClaimNotEvaluable(
                "in this architecture a head's write is not z W_O (the residual stream differs "
                f"from the sum of the heads' and the MLP's writes by {self._head_sum_error:.1%}, "
                "probably a norm after attention): direct attribution and copy scores "
                "are refused."
            )

    @property
    def _tolerance(self) -> float:
        return 1e-3 if self._model.dtype == "float32" else 5e-2

    def _attn(self, head: Head) -> Any:
        return self._bridge.blocks[head.layer].attn


def _off_in_the_last_digits(x: Tensor) -> Tensor:
    """Return numbers each of which is a few units of rounding larger or smaller, at random."""
    import torch

    signs = torch.randint(0, 2, x.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return x + _UNITS * torch.finfo(x.dtype).eps * signs.to(x) * x


def _candidates(module: Any) -> list[FinalNorm]:
    weight = module.weight.detach().float()
    eps = float(getattr(module, "eps", getattr(module, "variance_epsilon", 1e-6)))
    return [
        FinalNorm(gain, centred, eps)
        for gain in (weight, 1 + weight)  # Gemma stores gain - 1
        for centred in (False, True)
    ]


def _relative_error(got: Tensor, truth: Tensor) -> float:
    difference = (got.float() - truth.float()).norm()
    return float(difference / truth.float().norm().clamp_min(1e-12))
