"""How many prompts go through the model at once, and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.readings import Site
from pytest_circuits.tasks.base import Prompts

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model

DEFAULT_MEMORY = 1 << 30  # bytes


def batch_size(
    model: Model, prompts: Prompts, sites: Iterable[Site], *, memory: int, held_rows: int
) -> int:
    """Return how many prompts fit the budget in bytes: what is kept, plus one block at work.

    `held_rows` are the rows of one layer's z that ablation references hold meanwhile.
    """
    longest = max(map(len, prompts.ids))
    need = bytes_per_prompt(model, longest, sites)
    held = held_rows * bytes_of_z(model, longest)
    if need + held > memory:
        raise ClaimNotEvaluable(
            f"`memory`: one prompt needs about {need / 1e6:.1f} MB of activations and ablation "
            f"references {held / 1e6:.1f} MB, the budget is {memory / 1e6:.1f} MB. Raise it with "
            "--circuit-memory."
        )
    return min(len(prompts), (memory - held) // need)


def bytes_per_prompt(model: Model, length: int, sites: Iterable[Site]) -> int:
    """Return the bytes one prompt of `length` tokens takes: kept activations and working space."""
    cfg = model.bridge.cfg
    width = 4 if model.dtype == "float32" else 2
    heads, model_width = model.n_heads, int(cfg.d_model)
    kept = sum(_site_numbers(site, length, heads, int(cfg.d_head), model_width) for site in sites)
    hidden = int(getattr(cfg, "d_mlp", None) or 4 * model_width)
    working = length * (3 * hidden + 8 * model_width) + 3 * heads * length**2
    logits = 2 * int(cfg.d_vocab) * 4  # at END only, and once more in float32
    return (kept + working) * width + logits


def bytes_of_z(model: Model, length: int) -> int:
    """Return the bytes of one layer's z on one prompt of `length` tokens, in float32."""
    return 4 * length * model.n_heads * int(model.bridge.cfg.d_head)


def _site_numbers(site: Site, length: int, heads: int, d_head: int, d_model: int) -> int:
    if site.name == "pattern":
        return heads * length**2
    if site.name == "z":
        return length * heads * d_head
    return 0 if site.name == "logits" else length * d_model


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
        words in text for words in ("out of memory", "can't allocate memory", "not enough memory")
    )
