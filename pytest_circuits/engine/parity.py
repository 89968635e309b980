"""Proof that full forwards are right: TransformerBridge against Hugging Face, on the same weights.

TransformerBridge rebuilds attention from a model's parts and may miss an option of its config;
prompts of unequal length are padded without a mask. Either moves logits in silence, so the model
is put together once more as Hugging Face does, from the same tensors, and asked prompt by prompt.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pytest_circuits.engine.hooked import forward
from pytest_circuits.engine.sentences import in_a_sentence
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.models.bridge import tensors_of
from pytest_circuits.models.quiet import quiet_transformers
from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model

# Of the spread of the logits. Both sides round, in the model's own dtype.
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-1, "float16": 2e-2}
# Of that, what two runs may differ by: elsewhere than on a CPU sums are made in any order, and on
# one some products are rounded as the memory lies.
_REPEATED, _REPEATED_ON_CPU = 0.1, 0.003


def check_parity(model: Model, width: int) -> None:
    """Refuse a model whose logits on prompts of up to `width` tokens are not Hugging Face's.

    Two prompts of random tokens, of `width` and of half as many: run together, padded, as claims
    run them, against each alone in the Hugging Face model. Done once for a model in hand and its
    mutants, again where prompts are longer. A bridge whose weights TransformerLens has processed
    is held against itself alone: see `_is_processed`. The bridge is run twice: see
    `check_repeated`. Raises ClaimNotEvaluable with the number.
    """
    if width <= model.parity.width:
        return
    processed = _is_processed(model)
    prompts = _prompts(model, width)
    there = f"{model.spec} on a prompt of {width} tokens"
    with in_a_sentence(f"Hugging Face itself cannot run {there}"):
        truth = (_one_by_one if processed else _by_hugging_face)(model, prompts)
    if not truth.isfinite().all():  # prompts that are read have their own check: see `Results`
        model.parity.unproven = "not compared with Hugging Face, whose logits are not finite"
        return
    with in_a_sentence(f"TransformerBridge cannot run {there}"):
        found, again = (_by_bridge(model, prompts) for _ in range(2))
    check_repeated(model, found, again)
    error = _difference(found, truth)
    if not error <= TOLERANCE[model.dtype]:
        raise ClaimNotEvaluable(
            f"TransformerBridge does not run {model.spec} as Hugging Face does: on prompts of "
            f"{' and '.join(str(len(each)) for each in prompts)} tokens its logits are "
            f"{100 * error:.3g} % off (allowed: {100 * TOLERANCE[model.dtype]:g} % of their "
            "spread), so that nothing measured on it would be about this model."
        )
    model.parity.width = width
    model.parity.unproven = (
        "compatibility mode, not compared with Hugging Face" if processed else ""
    )


def check_repeated(model: Model, one: Tensor, other: Tensor) -> None:
    """Refuse a model of which two runs on the same prompts gave different logits.

    They may differ by rounding: a tenth of `TOLERANCE`, on a CPU 0.3 % of it (3e-6 of the spread in
    float32). What first differs after more runs than two is not seen.
    """
    if not one.isfinite().all():
        return  # which is no proof of anything: refused against the truth
    error = _difference(one, other)
    share = _REPEATED_ON_CPU if model.device == "cpu" else _REPEATED
    allowed = share * TOLERANCE[model.dtype]
    if not error <= allowed:
        raise ClaimNotEvaluable(
            f"two runs of {model.spec} on the same prompts differ by {error:.3g} of the spread of "
            f"the logits (allowed on {model.device}: {allowed:g}): something in it draws at random "
            "or keeps count (dropout that model.eval() leaves on, noise, a state), so that "
            "nothing measured on it could be measured again. Turn that off."
        )


def _difference(found: Tensor, truth: Tensor) -> float:
    """Return the largest difference of logits, in spreads of the truth."""
    spread = float((truth - truth.mean(dim=-1, keepdim=True)).abs().max())
    return float((found - truth).abs().max()) / spread if spread else 0.0


def _is_processed(model: Model) -> bool:
    """Return whether TransformerLens has folded or centred the weights (compatibility mode).

    They are then no longer what the Hugging Face model would compute with.
    """
    return bool(getattr(model.bridge, "compatibility_mode", False))


def _prompts(model: Model, width: int) -> list[list[int]]:
    """Return two prompts of random tokens, none of them special."""
    rng = random.Random("parity")
    special = set(getattr(model.tokenizer, "all_special_ids", ()))
    top = int(model.bridge.cfg.d_vocab)
    plain = [token for token in range(min(top, 1000)) if token not in special] or [0]
    return [rng.choices(plain, k=size) for size in dict.fromkeys((width, max(1, width // 2)))]


def _one_by_one(model: Model, prompts: list[list[int]]) -> Tensor:
    """Return the same, each prompt alone in the bridge."""
    import torch

    return torch.cat([_by_bridge(model, [each]) for each in prompts])


def _by_bridge(model: Model, prompts: list[list[int]]) -> Tensor:
    """Return the logits at the end of each prompt, [prompts, d_vocab], all run together."""
    import torch

    width = len(prompts[0])
    rows = [[*each, *[0] * (width - len(each))] for each in prompts]
    ends = [len(each) - 1 for each in prompts]
    tokens, last = (torch.tensor(each, device=model.device) for each in (rows, ends))
    return forward(model, tokens, last, ())[Site("logits")].float().cpu()


def _by_hugging_face(model: Model, prompts: list[list[int]]) -> Tensor:
    """Return the same, each prompt alone."""
    import torch

    hf_model = _rebuilt(model)
    # Shortest first: a rotation that grows with the prompts it has seen does not shrink again.
    with torch.no_grad(), quiet_transformers():
        ends = [
            hf_model(torch.tensor([each], device=model.device), use_cache=False).logits[0, -1]
            for each in reversed(prompts)
        ]
    return torch.stack(ends[::-1]).float().cpu()


def _rebuilt(model: Model) -> Any:
    """Return the Hugging Face model that the bridge was made of, of the same tensors."""
    hf_model = getattr(model.bridge, "original_model", None)
    config = model.parity.config or getattr(hf_model, "config", None)
    if hf_model is None or config is None:
        raise ClaimNotEvaluable(
            f"{model.spec} is no bridge over a Hugging Face model, so that there is nothing to "
            "check it against: load it with load_model, or wrap the Hugging Face model itself."
        )
    with in_a_sentence(f"{model.spec} cannot be put together as Hugging Face does, to be checked"):
        return _put_together(type(hf_model), config, tensors_of(hf_model)).to(model.device)


def _put_together(kind: Any, config: Any, tensors: dict[str, Tensor]) -> Any:
    from transformers.initialization import no_init_weights

    with no_init_weights(), quiet_transformers():
        made = kind(config).eval()
    wanted = {name: tensors[name] for name in made.state_dict() if name in tensors}
    found = made.load_state_dict(wanted, strict=False, assign=True)
    if found.missing_keys:
        raise KeyError(f"no tensor {found.missing_keys[0]}")
    return made
