"""A whole model taken apart: embedding, blocks, final norm, unembedding, and proof that it fits.

What is taken apart here is put together differently by every intervention, so it must be exact:
`Anatomy.prepare` recomputes a forward pass from the parts, and its second half by the way that
interventions take, over the keys and values of the first, and compares both with the model's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.blocks import Block, Meter, Rotation, Unsupported
from pytest_circuits.engine.frame import Columns, Frame, framed, suffix
from pytest_circuits.engine.norms import fused
from pytest_circuits.engine.onednn import by_onednn

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.world import World
    from pytest_circuits.models.base import Model

_CHECKED_TOKENS = 24  # at least; longer where prompts are longer
_TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}


@dataclass(frozen=True, eq=False)
class Rotations:
    """Cosines and sines per layer, [token position, dimensions]; layers may share them."""

    tables: tuple[tuple[Tensor, Tensor], ...]

    def at(self, layer: int, positions: Tensor) -> Rotation | None:
        """Return the rotation at token positions [batch, column], None without rotary positions."""
        if not self.tables:
            return None
        cos, sin = self.tables[layer]
        return Rotation(cos[positions], sin[positions])


class Anatomy:
    """The parts of a model; raises `Unsupported` if they are not put together in a known way."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._bridge = model.bridge
        cfg = self._bridge.cfg
        if (getattr(cfg, "output_logits_soft_cap", 0) or 0) > 0:
            raise Unsupported("logits are capped")
        self.meter = Meter()
        self.blocks = tuple(Block(self._bridge, at, self.meter) for at in range(model.n_layers))
        self.final_norm = fused(_inner(self._bridge.ln_final))
        self._unembed = _inner(self._bridge.unembed)
        self._to_logits = by_onednn(self._unembed)
        self._rotations = Rotations(())
        self._width = 0
        self.error = 0.0

    def prepare(self, width: int) -> None:
        """Make sure of prompts of `width` tokens: rotations known, and everything checked."""
        if width <= self._width:
            return
        context = int(getattr(self._bridge.cfg, "n_ctx", 0) or _CHECKED_TOKENS)
        width = max(width, min(_CHECKED_TOKENS, context))
        self._rotations = _rotations(self._bridge, self._sample(width))
        self._width = width
        error = self._difference(width)
        if not error <= _TOLERANCE[self.model.dtype]:
            raise Unsupported(
                f"recomputed from its parts, its logits differ by {error:.1e} relative"
            )
        self.error = max(self.error, error)

    def embedded(self, frame: Frame) -> Tensor:
        """Return the residual stream before the first block, [batch, column, d_model]."""
        stream: Tensor = _inner(self._bridge.embed)(frame.tokens)
        if hasattr(self._bridge, "pos_embed"):
            stream = stream + _inner(self._bridge.pos_embed)(frame.positions)
        return stream

    @property
    def writes_linearly(self) -> bool:
        """Whether every head adds z W_O to the stream, whatever the other heads do."""
        return all(block.writes_linearly for block in self.blocks)

    @property
    def cost_of_a_token(self) -> int:
        """Multiplications by weights that take one token through all blocks."""
        return sum(block.cost_of_a_token for block in self.blocks)

    def shape(self, kind: str, width: int) -> tuple[int, ...]:
        """Return the shape of an activation of a row, the batch dimension left out."""
        block, d_model = self.blocks[0], int(self._bridge.cfg.d_model)
        if kind == "pattern":
            return (block.heads, width, width)
        if kind in ("z", "q"):
            return (width, block.heads, block.d_head)
        return (width, block.shared_heads, block.d_head) if kind in ("k", "v") else (width, d_model)

    def rotation(self, layer: int, frame: Frame, columns: Columns | None = None) -> Rotation | None:
        """Return a layer's rotation at some columns of a frame, or at all."""
        positions = frame.positions if columns is None else columns.of(frame.positions)
        return self._rotations.at(layer, positions)

    def logits(self, stream: Tensor) -> Tensor:
        """Return all logits of a final residual stream [..., d_model]."""
        logits: Tensor = self._to_logits(self.final_norm(stream))
        return logits

    def logits_of(self, stream: Tensor, tokens: Tensor) -> Tensor:
        """Return [..., batch, k]: the logits of `tokens` [batch, k], the stream [..., batch, d]."""
        import torch

        rows = self._unembed.weight[tokens]
        logits = torch.einsum("...bd,bkd->...bk", self.final_norm(stream), rows)
        bias = getattr(self._unembed, "bias", None)
        return logits if bias is None else logits + bias[tokens]

    def _sample(self, width: int) -> Tensor:
        """Return arbitrary token ids [1, width]: the parts must fit whatever the tokens are."""
        import torch

        generator = torch.Generator().manual_seed(0)
        top = int(self._bridge.cfg.d_vocab)
        return torch.randint(0, top, (1, width), generator=generator).to(self.model.device)

    def _difference(self, width: int) -> float:
        """Return how far recomputed logits are from the model's, by a full pass or by a suffix."""
        import torch

        from pytest_circuits.engine.world import full_world

        tokens = self._sample(width)
        # Shifted by one column, as a shorter prompt in a batch is.
        frame = framed(tokens.tolist(), width + 1, self.model.device)
        with torch.no_grad():
            truth = self._bridge(tokens)[0]
            world = full_world(self, frame)
            end = self._suffix_again(world, width // 2)
            both = [(world.stream[-1][0, 1:], truth), (end, truth[-len(end) :])]
            found = [_relative(self.logits(stream), true) for stream, true in both]
        return float(torch.stack(found).max())  # which is not a number if one of them is not

    def _suffix_again(self, world: World, count: int) -> Tensor:
        """Return the final stream [column, d_model] of the last columns, computed a second time.

        An intervention puts the world's own embeddings in place there, and should change nothing.
        """
        import torch

        from pytest_circuits.engine.puts import Put
        from pytest_circuits.engine.sweep import Variant, sweep

        width = world.frame.width
        own = tuple(
            Put("resid", 0, None, torch.full_like(world.frame.shift, at), world.stream[0][:, at])
            for at in range(width - count, width)
        )
        columns = suffix(world.frame, own[0].column)
        return sweep(world, columns, [Variant(puts=own)], ()).final[0, 0]


def _rotations(bridge: Any, tokens: Tensor) -> Rotations:
    """Read the cosines and sines off a forward pass, whatever scheme makes them."""
    import torch

    layers = range(int(bridge.cfg.n_layers))
    if not any(f"blocks.{at}.attn.hook_cos" in bridge.hook_dict for at in layers):
        return Rotations(())
    seen: dict[str, Tensor] = {}
    hooks = [
        (f"blocks.{at}.attn.hook_{name}", lambda x, hook, key=f"{at}.{name}": seen.update({key: x}))
        for at in layers
        for name in ("cos", "sin")
    ]
    with torch.no_grad():
        bridge.run_with_hooks(tokens, fwd_hooks=hooks)
    if not seen:
        return Rotations(())
    try:
        return Rotations(tuple((seen[f"{at}.cos"][0], seen[f"{at}.sin"][0]) for at in layers))
    except KeyError as error:
        raise Unsupported(
            f"some layers have rotary positions and some have none: {error}"
        ) from None


def _relative(got: Tensor, truth: Tensor) -> Tensor:
    relative: Tensor = (got.float() - truth.float()).norm() / truth.float().norm()
    return relative


def _inner(part: Any) -> Any:
    return getattr(part, "original_component", part)
