"""Where heads look: attention from a named position to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pytest_circuits.arguments import check_name
from pytest_circuits.interventions import Intervention
from pytest_circuits.measures.of_heads import HeadMeasure
from pytest_circuits.nodes import Node, Role
from pytest_circuits.readings import OfHead, Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch


@dataclass(frozen=True)
class AttentionTo(OfHead):
    """The attention probability of one head from a query position to a key position."""

    query: str
    key: str

    def sites(self) -> tuple[Site, ...]:
        """Read the pattern of the head's layer."""
        return (Site("pattern", self.head.layer),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 1]."""
        pattern = batch.act(Site("pattern", self.head.layer))[:, self.head.index]
        return pattern[batch.rows, batch.at(self.query), batch.at(self.key), None]


@dataclass(frozen=True, kw_only=True)
class Attention(HeadMeasure):
    """See `attention`."""

    unit: ClassVar[str] = "attention"
    key: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("to", self.key, "IO")

    def reading(self, node: Node) -> AttentionTo:
        """Read the pattern from the role's position to the key position."""
        return AttentionTo(node.head, node.at, self.key)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1 for a head."""
        return self._bounds(0.0, 1.0)

    def __str__(self) -> str:
        return (
            f"attention of {self.whose()} from {self.role.at} to {self.key}{self.circumstances()}"
        )


def attention(
    role: Role, *, to: str, on: str | None = None, under: Intervention | None = None
) -> Attention:
    """Measure the mean attention probability from the role's position to the position `to`.

    0 to 1 per head (a `sum` over heads can exceed 1). Source: Wang et al. 2022, section 3 (name
    movers END -> IO 0.59, S-inhibition heads END -> S2 0.51). Attention shows where a head looks,
    not that what it reads there matters.
    """
    return Attention(role=role, key=to, on=on, under=under)
