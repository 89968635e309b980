"""The slow truth: one prompt at a time through the Hugging Face model, edits by plain torch hooks.

Shares nothing with the engine: no TransformerLens, no batches, no padding, no sharing of passes;
every formula is written out once more, as plainly as possible.
"""

from dataclasses import dataclass
from statistics import fmean

import torch
from transformers import AutoModelForCausalLM


@dataclass
class Trace:
    """What one forward pass of one prompt leaves behind."""

    logits: torch.Tensor  # [pos, d_vocab]
    pattern: list  # per layer [head, query, key]
    resid: list  # per layer the stream before the block, then the one before the final norm
    z: list  # per layer [pos, head, d_head]


class Oracle:
    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32
        ).eval()
        config = self.model.config
        self.n_heads, self.n_layers = config.num_attention_heads, config.num_hidden_layers
        self.d_head = getattr(config, "head_dim", None) or config.hidden_size // self.n_heads
        self.kv_heads = getattr(config, "num_key_value_heads", self.n_heads) or self.n_heads

    @property
    def gpt2(self):
        return self.model.config.model_type == "gpt2"

    @property
    def blocks(self):
        return self.model.transformer.h if self.gpt2 else self.model.model.layers

    @property
    def final_norm(self):
        return self.model.transformer.ln_f if self.gpt2 else self.model.model.norm

    def out_projection(self, layer):
        block = self.blocks[layer]
        return block.attn.c_proj if self.gpt2 else block.self_attn.o_proj

    def w_o(self, layer, head):
        """[d_head, d_model]"""
        rows = slice(head * self.d_head, (head + 1) * self.d_head)
        weight = self.out_projection(layer).weight
        return weight[rows] if self.gpt2 else weight[:, rows].T

    def value(self, layer, head, normed):
        """[d_model] -> [d_head]: what the head's V makes of a normed residual stream."""
        if self.gpt2:
            attn = self.blocks[layer].attn.c_attn
            width = self.n_heads * self.d_head
            columns = slice(2 * width + head * self.d_head, 2 * width + (head + 1) * self.d_head)
            return normed @ attn.weight[:, columns] + attn.bias[columns]
        shared = head // (self.n_heads // self.kv_heads)
        rows = slice(shared * self.d_head, (shared + 1) * self.d_head)
        return self.blocks[layer].self_attn.v_proj.weight[rows] @ normed

    def input_norm(self, layer):
        return self.blocks[layer].ln_1 if self.gpt2 else self.blocks[layer].input_layernorm

    @torch.no_grad()
    def run(self, ids, edit=None):
        """Run one prompt; `edit(layer, z)` with z [pos, head, d_head] returns the z to use."""
        seen, handles = {}, []
        for layer in range(self.n_layers):
            hook = self._hook(layer, seen, edit)
            handles.append(self.out_projection(layer).register_forward_pre_hook(hook))
        handles.append(
            self.final_norm.register_forward_pre_hook(lambda m, args: seen.update(end=args[0][0]))
        )
        try:
            out = self.model(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
        finally:
            for handle in handles:
                handle.remove()
        return Trace(
            logits=out.logits[0],
            pattern=[each[0] for each in out.attentions],
            resid=[each[0] for each in out.hidden_states[:-1]] + [seen["end"]],
            z=[seen[layer] for layer in range(self.n_layers)],
        )

    def _hook(self, layer, seen, edit):
        def hook(module, args):
            z = args[0][0].reshape(-1, self.n_heads, self.d_head).clone()
            if edit is not None:
                z = edit(layer, z)
            seen[layer] = z
            return (z.reshape(1, -1, self.n_heads * self.d_head),)

        return hook

    def frozen_logit(self, write, residual, token):
        """What `write` adds to a logit, the final norm's scale held at that of `residual`."""
        norm = self.final_norm
        if self.gpt2:
            scale = (residual.var(unbiased=False) + norm.eps).sqrt()
            normed = (write - write.mean()) / scale * norm.weight
        else:
            scale = (residual.pow(2).mean() + norm.variance_epsilon).sqrt()
            normed = write / scale * norm.weight
        return float(normed @ self.model.lm_head.weight[token])

    @torch.no_grad()
    def direct_logit(self, trace, layer, head, end, token):
        write = trace.z[layer][end, head] @ self.w_o(layer, head)
        return self.frozen_logit(write, trace.resid[-1][end], token)

    @torch.no_grad()
    def copy_rank(self, trace, layer, head, at, token, *, negative, first_block):
        residual = trace.resid[1] if first_block else trace.resid[layer]
        value = self.value(layer, head, self.input_norm(layer)(residual[at]))
        logits = self.model.lm_head(self.final_norm(value @ self.w_o(layer, head)))
        logits = -logits if negative else logits
        return sum(float(other) >= float(logits[token]) for other in logits) - 1


def difference(trace, prompts, i):
    """logit[answer] - logit[foil] at END of row i."""
    row = trace.logits[prompts.positions["END"][i]]
    return float(row[prompts.answers[i]] - row[prompts.foils[i]])


def template_means(oracle, prompts):
    """Mean z [pos, head, d_head] per group and layer, by looping over prompts."""
    members = {}
    for i, group in enumerate(prompts.groups):
        members.setdefault(group, []).append(oracle.run(prompts.ids[i]).z)
    return {
        group: [torch.stack([z[layer] for z in rows]).mean(0) for layer in range(oracle.n_layers)]
        for group, rows in members.items()
    }


def knocked_out(oracle, prompts, i, nodes, replacement, *, outside=False):
    """The trace of row i with z replaced at `nodes`, {(layer, head, position name)}, or outside."""
    where = {(layer, head, prompts.positions[at][i]) for layer, head, at in nodes}

    def edit(layer, z):
        for pos in range(z.shape[0]):
            for head in range(z.shape[1]):
                if ((layer, head, pos) in where) != outside:
                    z[pos, head] = replacement[layer][pos, head]
        return z

    return oracle.run(prompts.ids[i], edit)


def mean_over(values):
    return fmean(values)
