"""A model in hand: the bridge, its tokenizer, and what identifies its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_circuits.models.held import Held

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(eq=False)
class Parity:
    """What a model was compared with the Hugging Face model at; its mutants share it.

    `config` is that of the Hugging Face model before TransformerBridge saw it (None: as it is
    now), `width` the longest prompt on which both were found to be the same; `unproven` says in
    words why they were not compared, if they could not be.
    """

    config: Any = None
    width: int = 0
    unproven: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A loaded model. Read-only: measures never change its weights.

    `bridge` is a `transformer_lens` TransformerBridge in eval mode without gradients;
    `fingerprint` a hash over weights, config and tokenizer (same weights in another folder, same
    fingerprint); `provenance` says where the weights come from and what was done to them; `weights`
    what they were when it was taken, to see that they still are (None: nobody looks).
    """

    spec: str
    bridge: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    fingerprint: str
    provenance: str
    device: str
    dtype: str
    parity: Parity = field(default_factory=Parity, repr=False)
    weights: Mapping[str, Held] | None = field(default=None, repr=False)

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return int(self.bridge.cfg.n_layers)

    @property
    def n_heads(self) -> int:
        """Query heads per block."""
        return int(self.bridge.cfg.n_heads)

    def __repr__(self) -> str:
        return f"<Model {self.describe()}>"

    def describe(self) -> str:
        """Return one line that identifies the model in a report."""
        return f"{self.spec} [{self.fingerprint[:12]}] {self.dtype} on {self.device}"
