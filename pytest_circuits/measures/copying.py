"""What a head's OV circuit does with a name: copy it, or write against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import check_choice, check_name, check_whole
from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.measures.of_heads import HeadMeasure
from pytest_circuits.nodes import Node, Role, check_role
from pytest_circuits.readings import OfHead, Site
from pytest_circuits.tasks.positions import IO

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array

Input = Literal["first block", "own input"]


@dataclass(frozen=True)
class CopyRank(OfHead):
    """The rank (0 = top) of a name among the logits a head would write if it read only it."""

    name_at: str
    reads: Input
    negative: bool

    def site(self) -> Site:
        """Return the residual stream the head is given."""
        layer = 0 if self.reads == "first block" else self.head.layer - 1
        return Site("resid_post", layer)

    def sites(self) -> tuple[Site, ...]:
        """Read that residual stream."""
        return (self.site(),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 1]: how many other tokens' logits are as large (small, if negative).

        As large up to rounding, so that no processor's rounding decides a rank.
        """
        residual = batch.act(self.site())[batch.rows, batch.at(self.name_at)]
        logits, rounding = batch.weights.copied_logits(residual, self.head)
        signed = -logits if self.negative else logits
        own = signed.gather(1, batch.token_at(self.name_at)[:, None])
        # Ties count against the name: a head that writes nothing copies nothing.
        return ((signed >= own - rounding).sum(dim=1, keepdim=True) - 1).double()


@dataclass(frozen=True, kw_only=True)
class CopyScore(HeadMeasure):
    """See `copy_score` and `negative_copy_score`."""

    unit: ClassVar[str] = "share of names"
    top: int
    negative: bool
    name_at: str
    reads: Input

    @property
    def kind(self) -> Literal["mean", "share"]:  # type: ignore[override]
        """A share, unless it is summed over heads: a sum can exceed 1."""
        return "mean" if self.role.pool == "sum" else "share"

    def reading(self, node: Node) -> CopyRank:
        """Read the rank of the name under the head's OV circuit."""
        return CopyRank(node.head, self.name_at, self.reads, self.negative)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1 for a head."""
        return self._bounds(0.0, 1.0)

    def columns(self, numbers: Array) -> Array:
        """Return 1 where the name is among the top."""
        return (numbers < self.top).astype(float)

    def __str__(self) -> str:
        sign = "negative copy score" if self.negative else "copy score"
        return f"{sign} (top {self.top}, from {self.reads}) of {self.whose()}{self.circumstances()}"


def copy_score(
    role: Role, *, top: int = 5, name_at: str = IO, reads: Input = "first block"
) -> CopyScore:
    """Measure how often a head that attends only to a name writes that name into the top logits.

    Per prompt: the residual stream at the name (`name_at`) after the first block (`reads`; or the
    head's own input), through the head's own input norm, W_V and its bias, W_O, the final norm and
    the unembedding; a hit where the name's logit is among the `top` largest of the vocabulary.
    Share of prompts, 0 to 1, interval by Clopper and Pearson. Source: Wang et al. 2022, section 3.1
    (> 0.95 for name movers, < 0.20 for the average head). It does not show that the head attends
    to the right name, nor that it matters.
    """
    return _copy(role, top, name_at, reads, negative=False)


def negative_copy_score(
    role: Role, *, top: int = 5, name_at: str = IO, reads: Input = "first block"
) -> CopyScore:
    """Measure how often the name is among the `top` *smallest* logits; see `copy_score`.

    Source: Wang et al. 2022, section 3.1 (0.98 for negative name movers, 0.12 on average).
    """
    return _copy(role, top, name_at, reads, negative=True)


def _copy(role: Role, top: int, name_at: str, reads: Input, *, negative: bool) -> CopyScore:
    check_role("role", role)
    check_whole("top", top, 1)
    check_name("name_at", name_at, "IO")
    check_choice("reads", reads, "input", ("first block", "own input"))
    if reads == "own input" and any(head.layer == 0 for head in role.heads):
        raise CircuitUsageError("`reads`: heads of layer 0 have no earlier block to read from.")
    return CopyScore(role=role, top=top, negative=negative, name_at=name_at, reads=reads)
