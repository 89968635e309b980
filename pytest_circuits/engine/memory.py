"""How many prompts go through the model at once, and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model

DEFAULT_MEMORY = 1 << 30  # bytes
SWEEP_SHARE = 8  # an eighth of the memory is for what interventions are worked out in
BATCH_SHARE = 4  # a quarter is enough for a batch, larger ones are no faster, ...
FEW = 16  # ... if it is of this many prompts: smaller ones are slower, and get more


@dataclass(frozen=True)
class Held:
    """Rows of a site, of prompts of so many tokens, that stay in memory beside a batch."""

    site: Site
    rows: int
    length: int


def batch_size(
    model: Model,
    prompts: Prompts,
    need: int,
    *,
    memory: int,
    held: Iterable[Held] = (),
) -> int:
    """Return how many prompts fit the budget in bytes.

    `need` are the bytes of one prompt, `held` what references hold meanwhile.
    """
    holding = sum(each.rows * 4 * prod(shape_of(model, each.site, each.length)) for each in held)
    free = memory - memory // SWEEP_SHARE - holding
    if need > free:
        raise ClaimNotEvaluable(
            f"`memory`: one prompt needs about {need / 1e6:.1f} MB of activations and ablation "
            f"references {holding / 1e6:.1f} MB, the budget is {memory / 1e6:.1f} MB, an eighth of "
            "it for working. Raise it with --circuit-memory."
        )
    return min(len(prompts), enough(need, memory), free // need)


def enough(need: int, memory: int) -> int:
    """Return how many prompts of so many bytes each are enough for a batch."""
    return max(FEW, memory // BATCH_SHARE // need)


def bytes_per_prompt(model: Model, length: int, sites: Iterable[Site], worlds: int) -> int:
    """Return the bytes one prompt of `length` tokens takes while it is in a batch.

    `worlds` are the runs whose activations are kept side by side, `sites` what else is kept.
    """
    cfg = model.bridge.cfg
    width = 4 if model.dtype == "float32" else 2
    kept = sum(prod(shape_of(model, site, length)) for site in sites if site.name == "pattern")
    per_layer = sum(
        prod(shape_of(model, Site(name, 0), length)) for name in ("resid", "z", "k", "v")
    )
    hidden = int(getattr(cfg, "d_mlp", None) or 4 * int(cfg.d_model))
    working = length * (3 * hidden + 8 * int(cfg.d_model)) + 3 * model.n_heads * length**2
    logits = 2 * int(cfg.d_vocab) * 4  # at END only, and once more in float32
    return (worlds * model.n_layers * per_layer + kept + working) * width + logits


def shape_of(model: Model, site: Site, length: int) -> tuple[int, ...]:
    """Return the shape of an activation of one prompt."""
    cfg = model.bridge.cfg
    if site.name == "pattern":
        return (model.n_heads, length, length)
    if site.name in ("z", "q"):
        return (length, model.n_heads, int(cfg.d_head))
    if site.name in ("k", "v"):
        shared = int(getattr(cfg, "n_key_value_heads", None) or model.n_heads)
        return (length, shared, int(cfg.d_head))
    return (length, int(cfg.d_model))


def in_batches(
    rows: Sequence[int],
    size: int,
    work: Callable[[Sequence[int]], None],
    notify: Callable[[str], None],
) -> int:
    """Call `work` on batches of rows; out of memory, halve the batch and go on.

    `work` must leave nothing behind when it fails. Returns the number of batches that were run.
    """
    start = done = 0
    while start < len(rows):
        try:
            work(rows[start : start + size])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise ClaimNotEvaluable(
                    "out of memory with a single prompt in the batch"
                ) from error
            size = max(1, min(size, len(rows)) // 2)
            notify(f"out of memory: going on with batches of {size}")
            continue
        start, done = start + size, done + 1
    return done


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception is torch's or Python's way to say that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        words in text
        for words in (
            "out of memory",
            "can't allocate memory",
            "not enough memory",
            "could not create a primitive",  # oneDNN's words for it
        )
    )
