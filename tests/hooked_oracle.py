"""The Hugging Face model with every activation readable and replaceable, by plain torch hooks.

One prompt at a time, as in `oracle`; nothing of the engine, no TransformerLens. The formulas of
attention are the model's own: none is written out here, but for z = weights times values where
the weights themselves are replaced.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from oracle import Oracle

EVERYWHERE = ...


@dataclass(frozen=True)
class Put:
    """Replace `activation[where]` of a kind and layer by a value, on the way through the model.

    Shapes: z and q [pos, head, d_head], k and v [pos, kv_head, d_head] (as projected: no norm,
    no rotation yet), pattern [head, query, key], mlp and resid [pos, d_model]. `mlp` is what is
    added to the residual stream, `resid` the stream before the block; that before the final norm
    is resid of layer n_layers.
    """

    kind: str
    layer: int
    where: Any
    value: torch.Tensor


@dataclass
class Run:
    """What one pass of one prompt leaves behind; per kind a list over layers, after any `Put`."""

    logits: torch.Tensor = None
    z: dict = field(default_factory=dict)
    q: dict = field(default_factory=dict)
    k: dict = field(default_factory=dict)
    v: dict = field(default_factory=dict)
    pattern: dict = field(default_factory=dict)
    mlp: dict = field(default_factory=dict)
    resid: dict = field(default_factory=dict)
    # z as attention made it, from whatever q, k, v and pattern were put, before z was replaced.
    attended: dict = field(default_factory=dict)

    def at(self, kind, layer):
        """The activation of a kind and layer."""
        return getattr(self, kind)[layer]


class HookedOracle(Oracle):
    """Runs prompts with a list of `Put`, applied in order: of two at one place the later holds."""

    @property
    def group(self):
        """How many query heads share a key and value head."""
        return self.n_heads // self.kv_heads

    def attention_of(self, layer):
        return self.blocks[layer].attn if self.gpt2 else self.blocks[layer].self_attn

    def mlp_end(self, layer):
        """The module whose output is added to the residual stream."""
        block = self.blocks[layer]
        return getattr(block, "post_feedforward_layernorm", block.mlp)

    @torch.no_grad()
    def run(self, ids, puts=()):
        run = Run()
        handles = [
            hook
            for layer in range(self.n_layers)
            for hook in (
                *self._stream_hooks(run, puts, layer),
                *self._projection_hooks(run, puts, layer),
                self._head_hook(run, puts, layer),
            )
        ]
        handles.append(self._before(self.final_norm, run, puts, self.n_layers))
        try:
            out = self.model(torch.tensor([ids]), output_attentions=True)
        finally:
            for handle in handles:
                handle.remove()
        for layer, pattern in enumerate(out.attentions):
            _site(run, puts, "pattern", layer, pattern[0])
        run.logits = out.logits[0]
        self._check(run, puts)
        return run

    def _stream_hooks(self, run, puts, layer):
        def mlp(module, args, out):
            return _site(run, puts, "mlp", layer, out[0])[None]

        yield self._before(self.blocks[layer], run, puts, layer)
        yield self.mlp_end(layer).register_forward_hook(mlp)

    def _before(self, module, run, puts, layer):
        def resid(module, args):
            return (_site(run, puts, "resid", layer, args[0][0])[None], *args[1:])

        return module.register_forward_pre_hook(resid)

    def _projection_hooks(self, run, puts, layer):
        def projected(kinds):
            def hook(module, args, out):
                parts = out[0].chunk(len(kinds), dim=-1)
                put = [
                    self._projection(run, puts, kind, part, layer)
                    for kind, part in zip(kinds, parts, strict=True)
                ]
                return torch.cat(put, dim=-1)[None]

            return hook

        attention = self.attention_of(layer)
        if self.gpt2:
            yield attention.c_attn.register_forward_hook(projected("qkv"))
            return
        for kind in "qkv":
            module = getattr(attention, f"{kind}_proj")
            yield module.register_forward_hook(projected(kind))

    def _projection(self, run, puts, kind, x, layer):
        by_head = x.reshape(len(x), -1, self.d_head)
        return _site(run, puts, kind, layer, by_head).reshape(x.shape)

    def _head_hook(self, run, puts, layer):
        def hook(module, args):
            z = args[0][0].reshape(-1, self.n_heads, self.d_head).clone()
            for put in _puts(puts, "pattern", layer):
                head, pos = put.where
                z[pos, head] = put.value @ run.v[layer][:, head // self.group]
            run.attended[layer] = z
            return (_site(run, puts, "z", layer, z).reshape(args[0].shape),)

        return self.out_projection(layer).register_forward_pre_hook(hook)

    def _check(self, run, puts):
        """Every hook fired and every `Put` was put somewhere."""
        layers = set(range(self.n_layers))
        for kind in ("z", "q", "k", "v", "pattern", "mlp", "attended"):
            assert set(getattr(run, kind)) == layers, kind
        assert set(run.resid) == {*layers, self.n_layers}
        assert all(put.layer in getattr(run, put.kind) for put in puts)


def _puts(puts, kind, layer):
    return [put for put in puts if (put.kind, put.layer) == (kind, layer)]


def _site(run, puts, kind, layer, x):
    """Replace what is to be replaced of an activation, remember the result, return it."""
    x = x.clone()
    for put in _puts(puts, kind, layer):
        x[put.where] = put.value
    getattr(run, kind)[layer] = x
    return x
