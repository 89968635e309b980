"""What heads write towards the logits directly: attribution, and how it goes with attention."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.arguments import check_name, several
from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.interventions import Intervention
from pytest_circuits.measures.of_heads import HeadMeasure
from pytest_circuits.nodes import Head, Node, Role, check_role
from pytest_circuits.readings import Draw, OfHead, Read, Site
from pytest_circuits.tasks.positions import END, IO, S1, S2

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array

RESID = Site("resid_final")


@dataclass(frozen=True)
class DirectLogits(OfHead):
    """The head's direct contribution to the answer's and the foil's logit at END."""

    def sites(self) -> tuple[Site, ...]:
        """Read the head's output, the final residual stream, and the two logits."""
        return (Site("z", self.head.layer), RESID, Site("answers"))

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 4]: contribution to the answer's logit and to the foil's, and these."""
        import torch

        written = written_logits(batch, self.head, batch.answer_directions)
        return torch.cat([written, batch.act(Site("answers")).to(written.dtype)], dim=1)


@dataclass(frozen=True)
class AttentionAndLogits(OfHead):
    """Per name: attention from END to where it stands, and the logit written for it directly."""

    names: tuple[tuple[str, ...], ...]

    def sites(self) -> tuple[Site, ...]:
        """Read pattern, head output and the final residual stream."""
        return (Site("pattern", self.head.layer), Site("z", self.head.layer), RESID)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 2 * names]: the attention to each name, then the logit of each."""
        import torch

        pattern = batch.act(Site("pattern", self.head.layer))[:, self.head.index]
        row = pattern[batch.rows, batch.at(END)]
        looked = [sum(row[batch.rows, batch.at(p)] for p in name) for name in self.names]
        tokens = torch.stack([batch.token_at(name[0]) for name in self.names], dim=1)
        written = written_logits(batch, self.head, batch.directions(tokens))
        return torch.cat([torch.stack(looked, dim=1), written], dim=1)  # type: ignore[arg-type]


def written_scale(numbers: Iterable[Array]) -> float:
    """Return the largest difference of two logits, written or in all, read by `DirectLogits`."""
    pairs = (each[:, k] - each[:, k + 1] for each in numbers for k in (0, 2))
    return max(float(abs(pair).max()) for pair in pairs)


def written_logits(batch: Batch, head: Head, directions: Tensor) -> Tensor:
    """Return [batch, k]: what a head adds at END to the logits of which these are directions."""
    import torch

    z = batch.act(Site("z", head.layer))[batch.rows, batch.at(END), head.index]
    write = batch.weights.head_write(z, head)
    return torch.bmm(directions, write[:, :, None])[..., 0]


@dataclass(frozen=True, kw_only=True)
class DirectLogitAttribution(HeadMeasure):
    """See `direct_logit_attribution`."""

    unit: ClassVar[str] = "logits"

    def reading(self, node: Node) -> DirectLogits:
        """Read the head's direct logits."""
        return DirectLogits(node.head)

    def columns(self, numbers: Array) -> Array:
        """Return answer minus foil."""
        return numbers[:, :1] - numbers[:, 1:2]

    def scale(self, read: Read, draw: Draw) -> float:
        """Return the largest logit difference, or part of it that a head writes, of a prompt."""
        return written_scale(read(need) for need in self.needs(draw))

    def __str__(self) -> str:
        return f"direct logit attribution of {self.whose()}{self.circumstances()}"


@dataclass(frozen=True, kw_only=True)
class AttentionLogitCorrelation(HeadMeasure):
    """See `attention_logit_correlation`."""

    unit: ClassVar[str] = "correlation"
    per_prompt: ClassVar[bool] = False
    names: tuple[tuple[str, ...], ...]

    def reading(self, node: Node) -> AttentionAndLogits:
        """Read attention and written logit per name."""
        return AttentionAndLogits(node.head, self.names)

    def bounds(self) -> tuple[float, float]:
        """Return -1 and 1 for a head."""
        return self._bounds(-1.0, 1.0)

    def columns(self, numbers: Array) -> Array:
        """Return the per-prompt means over names of x, y, xx, yy, xy."""
        import numpy as np

        x, y = np.split(numbers, 2, axis=1)
        return np.stack([v.mean(axis=1) for v in (x, y, x * x, y * y, x * y)], axis=1)

    def statistic(self, means: Array) -> Array:
        """Return Pearson's r from the moments; not a number where either side is constant."""
        import numpy as np

        x, y, xx, yy, xy = np.moveaxis(means, -1, 0)
        spread = np.sqrt(np.clip(xx - x * x, 0, None) * np.clip(yy - y * y, 0, None))
        correlation: Array = (xy - x * y) / np.where(spread > 0, spread, np.nan)
        return correlation

    def __str__(self) -> str:
        return (
            f"correlation of attention to a name with the logit written for it, {self.whose()}"
            f"{self.circumstances()}"
        )


def direct_logit_attribution(
    role: Role, *, on: str | None = None, under: Intervention | None = None
) -> DirectLogitAttribution:
    """Measure what each head adds directly to logit[answer] - logit[foil] at END.

    z W_O through the final norm, its scale frozen at its value in the run, times the two
    unembedding columns. Unit logits, any sign; z has the head's value bias in it (see the method of
    the report), all other biases belong to no head. Source: Elhage et al. 2021; Wang et al. 2022,
    section 3.1 uses it beside path patching. It is a *direct* effect: what later components make
    of the head's output is not in it.
    """
    check_role("role", role)
    if role.at != END:
        raise CircuitUsageError(
            f"`role`: direct logit attribution is read at END, but {role} acts at {role.at}."
        )
    return DirectLogitAttribution(role=role, on=on, under=under)


def attention_logit_correlation(
    role: Role,
    *,
    names: tuple[tuple[str, ...], ...] = ((IO,), (S1, S2)),
    on: str | None = None,
    under: Intervention | None = None,
) -> AttentionLogitCorrelation:
    """Measure Pearson's r between attention to a name and the logit a head writes for that name.

    One point per prompt and name: x the attention from END summed over the positions where the
    name stands (`names`, a tuple of positions per name), y the head's direct contribution to the
    logit of that name (final norm frozen). -1 to 1. Source: Wang et al. 2022, section 3.1,
    figure 3 (rho > 0.81). The interval keeps the points of one prompt together.
    """
    check_role("role", role)
    if role.at != END:
        raise CircuitUsageError(f"`role`: read at END, but {role} acts at {role.at}.")
    return AttentionLogitCorrelation(role=role, names=_names(names), on=on, under=under)


def _names(given: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Return the positions of each name; refuse fewer than two names, and none or no positions."""
    names = tuple(
        several("names", each, "positions") for each in several("names", given, "names' positions")
    )
    for position in (position for name in names for position in name):
        check_name("names", position, "IO")
    if len(names) < 2 or not all(names):
        raise CircuitUsageError(
            "`names` must be two names or more, each with the positions where it stands, such as "
            f"(('IO',), ('S1', 'S2')); got {shown(given)}."
        )
    return names
