"""Tiny random models of many architectures, beside what plain Hugging Face makes of them.

Two layers of four heads, all weights drawn at random, saved as a folder and loaded as any other.
The truth is the Hugging Face model, each prompt alone and unpadded; a head is knocked out there by
a torch hook that zeroes its columns of what the attention's output projection is given.
"""

import re
from dataclasses import dataclass, field, replace
from functools import partial
from math import nan

import torch
import transformers
from tiny import TWO_LENGTHS, save, word_tokenizer

from pytest_circuits import (
    END,
    S2,
    ClaimNotEvaluable,
    ModelNotAvailable,
    heads,
    load_model,
    logit_difference,
    measure,
    zero,
)
from pytest_circuits.engine.engine import Engine
from pytest_circuits.interventions import knock_out
from pytest_circuits.readings import Draw, Need, Run, Site

N, N_HEADS = 4, 4  # prompts, heads of a layer
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": N_HEADS,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
GROUPED = {"num_key_value_heads": 2}
WIDE = GROUPED | {"head_dim": 16}  # heads together wider than the stream
NEW_FALCON = {"new_decoder_architecture": True, "num_kv_heads": 2}
GEMMA4 = WIDE | {
    "global_head_dim": 32,
    "num_global_key_value_heads": 2,
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": 1000,
}
OLD = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
SEQ2SEQ = {
    f"{part}_{what}": size
    for part in ("encoder", "decoder")
    for what, size in {"layers": 2, "attention_heads": 4, "ffn_dim": 64}.items()
} | {"d_model": 32}
EXPERTS = GROUPED | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
LOCAL_EXPERTS = GROUPED | {"num_local_experts": 4, "num_experts_per_tok": 2}
LATENT = {
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "num_key_value_heads": 4,
}
UNKNOWN = "TransformerBridge cannot wrap .* Could not determine supported architecture"
NEW_FALCON_IS = "TransformerBridge cannot wrap .* expects split_sizes to sum"
NO_HEADS = "never fired"


@dataclass(frozen=True)
class Kind:
    """A class of transformers, and its config's sizes beside SIZES.

    `run` says how it is run: "cone", "full", or the words with which it is refused; `knock_out`
    with which words a head's knock-out is, "" if it is measured; `says` tells it from another
    with the same name.
    """

    name: str
    run: str
    sizes: dict = field(default_factory=dict)
    config: str = ""
    knock_out: str = ""
    says: str = ""

    @property
    def label(self):
        return f"{self.name} ({self.says})" if self.says else self.name


KINDS = {
    kind.label: kind
    for kind in (
        Kind("LlamaForCausalLM", "cone", GROUPED),
        Kind("MistralForCausalLM", "cone", GROUPED),
        Kind("Ministral3ForCausalLM", "cone", GROUPED),
        Kind("Qwen2ForCausalLM", "cone", GROUPED),
        Kind("Qwen3ForCausalLM", "cone", WIDE),
        Kind("GemmaForCausalLM", "cone", WIDE),
        Kind("Gemma3ForCausalLM", "cone", WIDE, config="Gemma3TextConfig"),
        Kind("OlmoForCausalLM", "cone", GROUPED),
        Kind("Phi3ForCausalLM", "cone", GROUPED),
        Kind("StableLmForCausalLM", "cone", GROUPED),
        Kind("Starcoder2ForCausalLM", "cone", GROUPED),
        Kind("GraniteForCausalLM", "cone", GROUPED),
        Kind("NemotronForCausalLM", "cone", GROUPED),
        Kind("SmolLM3ForCausalLM", "cone", GROUPED),
        Kind("ApertusForCausalLM", "cone", GROUPED),
        Kind("ArceeForCausalLM", "cone", GROUPED),
        Kind("Jais2ForCausalLM", "cone", GROUPED),
        Kind("GPT2LMHeadModel", "cone", OLD),
        Kind("GPTBigCodeForCausalLM", "cone", OLD),
        Kind("Glm4MoeForCausalLM", "cone", EXPERTS | {"n_routed_experts": 4, "n_group": 1}),
        Kind("Lfm2ForCausalLM", "cone", GROUPED),
        Kind("OPTForCausalLM", "full", {"ffn_dim": 64, "word_embed_proj_dim": 32}),
        Kind("OpenAIGPTLMHeadModel", "full", OLD),
        Kind("Gemma2ForCausalLM", "full", WIDE),
        Kind("Gemma4ForCausalLM", "full", GEMMA4, "Gemma4TextConfig"),
        Kind("Llama4ForCausalLM", "full", WIDE | LOCAL_EXPERTS, "Llama4TextConfig"),
        Kind("MixtralForCausalLM", "full", LOCAL_EXPERTS),
        Kind("GraniteMoeForCausalLM", "full", LOCAL_EXPERTS),
        Kind("GptOssForCausalLM", "full", LOCAL_EXPERTS | WIDE),
        Kind("Qwen2MoeForCausalLM", "full", EXPERTS | {"shared_expert_intermediate_size": 16}),
        Kind("Qwen3MoeForCausalLM", "full", EXPERTS | WIDE),
        Kind("OlmoeForCausalLM", "full", EXPERTS),
        Kind("DeepseekV2ForCausalLM", "full", LATENT),
        Kind("DeepseekV3ForCausalLM", "full", LATENT),
        Kind("Olmo2ForCausalLM", "full", GROUPED),
        Kind("Olmo3ForCausalLM", "full", GROUPED),
        Kind("Exaone4ForCausalLM", "full", GROUPED),
        Kind("PhiForCausalLM", "full", GROUPED),
        Kind("CohereForCausalLM", "full", GROUPED),
        Kind("GlmForCausalLM", "full", WIDE),
        Kind("Ernie4_5ForCausalLM", "full", GROUPED),
        Kind("HunYuanDenseV1ForCausalLM", "full", WIDE),
        Kind("BitNetForCausalLM", "full", GROUPED),
        Kind("BloomForCausalLM", "full", {"n_layer": 2, "n_head": 4}),
        Kind("MptForCausalLM", "full", {"d_model": 32, "n_heads": 4, "n_layers": 2}),
        Kind("FalconForCausalLM", "full"),
        # Hugging Face's own two ways to attend, sdpa (its default) and eager, differ here.
        Kind("FalconForCausalLM", "% off", {"alibi": True}, says="ALiBi"),
        Kind("FalconForCausalLM", NEW_FALCON_IS, NEW_FALCON, says="new decoder"),
        Kind("FalconForCausalLM", "full", {"multi_query": False}, says="a key per head"),
        Kind(
            "GPTNeoForCausalLM",
            "full",
            {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]},
        ),
        Kind("GPTNeoXForCausalLM", "full"),
        Kind("GPTJForCausalLM", "full", OLD | {"rotary_dim": 4}),
        Kind("CodeGenForCausalLM", "full", OLD | {"rotary_dim": 4}),
        Kind(
            "XGLMForCausalLM",
            "full",
            {"d_model": 32, "ffn_dim": 64, "num_layers": 2, "attention_heads": 4},
        ),
        Kind("JetMoeForCausalLM", "full", LOCAL_EXPERTS, knock_out=NO_HEADS),
        Kind("MambaForCausalLM", "full", knock_out=NO_HEADS),
        Kind("RwkvForCausalLM", "full", {"attention_hidden_size": 32}, knock_out=NO_HEADS),
        Kind("BertLMHeadModel", "% off"),
        Kind("BertLMHeadModel", "full", {"is_decoder": True}, says="decoder"),
        Kind("T5ForConditionalGeneration", "cannot be read", {"d_model": 32, "num_heads": 4}),
        Kind("BartForCausalLM", "TransformerBridge cannot wrap", SEQ2SEQ),
        Kind("BioGptForCausalLM", UNKNOWN),
        Kind("PersimmonForCausalLM", UNKNOWN),
        Kind("PhimoeForCausalLM", UNKNOWN, LOCAL_EXPERTS),
    )
}


def saved(kind, folder):
    """Save a model of a kind, with a tokenizer of whole words, as a Hugging Face folder."""
    tokenizer = word_tokenizer()
    config = kind.config or re.sub("(For.*|LMHeadModel)$", "Config", kind.name)
    made = getattr(transformers, config)(**(SIZES | {"vocab_size": len(tokenizer)} | kind.sizes))
    return save(getattr(transformers, kind.name), made, tokenizer, folder)


@dataclass(frozen=True)
class AllLogits:
    """A reading of every logit at END."""

    def heads(self):
        return ()

    def sites(self):
        return (Site("logits"),)

    def numbers(self, batch):
        return batch.act(Site("logits"))


@dataclass(frozen=True)
class KnockOut:
    """A head's output set to zero at a position."""

    layer: int
    head: int
    at: str

    @property
    def role(self):
        return heads(f"{self.layer}.{self.head}", at=self.at)


# One that END reads through the layer after it, and one that writes to END itself.
KNOCK_OUTS = (KnockOut(0, 1, S2), KnockOut(1, 2, END))


class HuggingFace:
    """The model as transformers loads and runs it, and torch hooks on its output projections."""

    # What attention is called, and what its output projection is.
    OUT = re.compile(r"(attn|attention)\.(o_proj|c_proj|out_proj|dense|output\.dense)$")

    def __init__(self, folder, prompts):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
        self.prompts = prompts
        parts = self.model.named_modules()
        self.projections = [part for name, part in parts if self.OUT.search(name)]

    def logits(self, out=None):
        """The logits at END, [prompts, tokens], one head knocked out or none."""
        rows = range(len(self.prompts))
        return torch.stack([self._row(row, out) for row in rows]).numpy()

    def _row(self, row, out):
        if out is not None:
            where = self.prompts.at(out.at)[row]
            without = partial(self._without, out.head, where)
            handle = self.projections[out.layer].register_forward_pre_hook(without)
        try:
            with torch.no_grad():
                return self.model(torch.tensor([self.prompts.ids[row]])).logits[0, -1]
        finally:
            if out is not None:
                handle.remove()

    def _without(self, head, where, module, args):
        z = args[0].clone()
        size = z.shape[-1] // N_HEADS
        z[:, where, head * size : (head + 1) * size] = 0
        return (z, *args[1:])


@dataclass(frozen=True, kw_only=True)
class Found:
    """How a model was run, and how far its logits at END were from Hugging Face's.

    `plain`, and `knocked_out` with a head set to zero, are the largest differences over prompts
    and tokens; `moved` is the largest that the less effective knock-out makes. All in units of
    `spread`, the furthest that a logit is from the mean of its prompt. `refused` has the sentence
    with which the model, or the knock-out, was refused.
    """

    how: str
    refused: str = ""
    spread: float = nan
    plain: float = nan
    knocked_out: float = nan
    moved: float = nan


def look(kind, folder):
    """Save a model, load it and return what was found, by the engine beside Hugging Face."""
    saved(kind, folder)
    try:
        # Some architectures insist on a class of tokenizer that cannot read this one's file.
        model = replace(load_model(folder, progress=False), tokenizer=word_tokenizer())
        how = measure(model, logit_difference(), task=TWO_LENGTHS, prompts=N).method.engine
    except (ModelNotAvailable, ClaimNotEvaluable) as error:
        return Found(how="refused", refused=_sentence(error, folder))
    engine, truth = (
        Engine(model),
        HuggingFace(folder, TWO_LENGTHS.draw(model.tokenizer, N, 0).prompts),
    )
    plain = truth.logits()
    spread = float(abs(plain - plain.mean(1, keepdims=True)).max())
    found = Found(how=how, spread=spread, plain=_off(_logits(engine), plain) / spread)
    try:
        got = [_logits(engine, knock_out(out.role, to=zero())) for out in KNOCK_OUTS]
    except ClaimNotEvaluable as error:
        return replace(found, refused=_sentence(error, folder))
    true = [truth.logits(out) for out in KNOCK_OUTS]
    off = max(_off(a, b) for a, b in zip(got, true, strict=True)) / spread
    return replace(found, knocked_out=off, moved=min(_off(each, plain) for each in true) / spread)


def _logits(engine, under=None):
    draw = Draw(task=TWO_LENGTHS, n=N, seed=0)
    return engine.numbers(Need(Run(draw=draw, distribution="IOI", under=under), AllLogits()))


def _off(got, truth):
    return float(abs(got - truth).max())


def _sentence(error, folder):
    return str(error).replace(str(folder), "the model")
