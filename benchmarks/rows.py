"""What is measured, as data: our rows with the targets they are to meet.

The prompts are IOI's, from the templates that make 16 tokens, so that no forward pass, ours or
TransformerLens's, spends anything on padding. Heads are all heads of the model, at END.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_circuits import (
    ABC,
    END,
    IOI,
    counterpart,
    direct_effect,
    direct_logit_attribution,
    heads,
    interchange_effect,
    path_effect,
)
from pytest_circuits.measures.base import Measure
from pytest_circuits.nodes import Role
from pytest_circuits.readings import Draw

MODEL, LAYERS, HEADS = "smollm2-135m", 30, 9
PROMPTS, TOKENS, SEED = 64, 16, 0
MEMORY_TARGET = 0.5e9  # bytes over the loaded model

TASK = IOI(
    templates=(
        "One morning, {A} and {B} met near the {PLACE}. {S} offered a {OBJECT} to",
        "As usual, {A} sat with {B} outside the {PLACE}. {S} passed a {OBJECT} to",
    )
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measure and the plain forwards it may take beyond the caches; None: for information."""

    measure: Measure
    target: float | None = None
    rounds: int = 3


def draw(prompts: int = PROMPTS) -> Draw:
    """Return the prompts."""
    return Draw(task=TASK, n=prompts, seed=SEED)


def below(layer: int) -> Role:
    """Return all heads below a layer, at END."""
    return heads(*(f"{at}.{index}" for at in range(layer) for index in range(HEADS)), at=END)


def some(count: int) -> Role:
    """Return so many heads at END, spread evenly over the model."""
    every, step = below(LAYERS).heads, LAYERS * HEADS // count
    return heads(*map(str, every[step // 2 :: step]), at=END)


def paths_to(receiver: str, mlps: str) -> Measure:
    """Return the effect of every sender on the queries of one head."""
    layer = int(receiver.split(".")[0])
    read = heads(receiver, at=END).q
    return path_effect(below(layer).each, read, to=TO_ABC, mlps=mlps)  # type: ignore[arg-type]


ALL = below(LAYERS)
TO_ABC = counterpart(over=ABC)

ROWS = {
    "direct logit attribution, 270 heads": Row(
        measure=direct_logit_attribution(ALL.each), target=0.05, rounds=5
    ),
    "patch each head's output, 270 heads": Row(
        measure=interchange_effect(ALL.each, over=ABC), target=8, rounds=2
    ),
    "path each head -> logits, MLPs frozen": Row(
        measure=direct_effect(ALL.each, to=TO_ABC, mlps="frozen"), target=0.1, rounds=5
    ),
    "path each head -> logits, MLPs live": Row(
        measure=direct_effect(ALL.each, to=TO_ABC), target=6, rounds=2
    ),
    "path 207 senders -> Q of 23.0, MLPs frozen": Row(
        measure=paths_to("23.0", "frozen"), target=3, rounds=2
    ),
    "path 207 senders -> Q of 23.0, MLPs live": Row(
        measure=paths_to("23.0", "live"), target=6, rounds=2
    ),
    "path 135 senders -> Q of 15.0, MLPs frozen": Row(
        measure=paths_to("15.0", "frozen"), target=3, rounds=1
    ),
    "path 135 senders -> Q of 15.0, MLPs live": Row(
        measure=paths_to("15.0", "live"), target=6, rounds=1
    ),
}
ATTRIBUTION, PATCH, *_ = ROWS
EDGE = "path 207 senders -> Q of 23.0, MLPs frozen"

PLAIN = "plain forward"
CACHE = "cache of one distribution"
COLD = "one claim, cold: logit difference"

GROWTH_HEADS = (9, 27, 90, 270)
GROWTH_PROMPTS = (16, 32, 64, 128)
