"""The vocabulary of circuits: heads, roles at named positions, circuits. Plain data, no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_circuits.errors import CircuitUsageError

Pool = Literal["each", "mean", "sum"]


@dataclass(frozen=True, order=True)
class Head:
    """One attention head; prints as `layer.head`, e.g. `9.6`."""

    layer: int
    index: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.index}"

    @classmethod
    def parse(cls, name: str) -> Head:
        """Return the head written `layer.head`; raise `CircuitUsageError` for anything else."""
        match = re.fullmatch(r"(\d+)\.(\d+)", name) if isinstance(name, str) else None
        if match is None:
            raise CircuitUsageError(
                f"`heads`: a head is a string 'layer.head' such as '9.6'; got {name!r}."
                + (" Quote it: 9.10 as a number is 9.1." if isinstance(name, float) else "")
            )
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, order=True)
class Node:
    """A head's output at one named position; prints as `9.6@END`."""

    head: Head
    at: str

    def __str__(self) -> str:
        return f"{self.head}@{self.at}"


@dataclass(frozen=True)
class Role:
    """Heads that do the same thing at the same named position.

    `pool` says how a value of several heads becomes the claim's value: `each` (the claim must
    hold for every head), the `mean` or the `sum` over the heads. It has no default: a measure of
    a role of several heads must be asked for as `role.each`, `role.mean` or `role.sum`.
    """

    heads: tuple[Head, ...]
    at: str
    name: str = ""
    pool: Pool | None = None

    @property
    def each(self) -> Role:
        """The role, every head on its own."""
        return replace(self, pool="each")

    @property
    def mean(self) -> Role:
        """The role, averaged over its heads."""
        return replace(self, pool="mean")

    @property
    def sum(self) -> Role:
        """The role, summed over its heads."""
        return replace(self, pool="sum")

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The (head, position) pairs of the role."""
        return tuple(Node(head, self.at) for head in self.heads)

    def __str__(self) -> str:
        names = ", ".join(map(str, self.heads))
        return f"{self.name} ({names})" if self.name else names


@dataclass(frozen=True)
class Circuit:
    """Roles that together are claimed to do a task; a node may belong to several roles."""

    roles: tuple[Role, ...]
    name: str = "circuit"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All (head, position) pairs, sorted, each once."""
        return tuple(sorted({node for role in self.roles for node in role.nodes}))

    @property
    def heads(self) -> tuple[Head, ...]:
        """All heads, sorted, each once."""
        return tuple(sorted({node.head for node in self.nodes}))

    def __str__(self) -> str:
        return f"{self.name} ({len(self.heads)} heads)"


def heads(*names: str, at: str, name: str = "") -> Role:
    """Return the role of the heads `names` ("9.6", ...) at the named position `at`.

    >>> print(heads("9.9", "9.6", at="END", name="name movers"))
    name movers (9.9, 9.6)
    """
    if not names:
        raise CircuitUsageError("`heads`: a role needs at least one head; got none.")
    parsed = tuple(Head.parse(each) for each in names)
    _refuse_repeats(parsed)
    if not isinstance(at, str) or not at:
        raise CircuitUsageError(f"`at` must be a named position such as END; got {at!r}.")
    return Role(parsed, at, name)


def circuit(*roles: Role, name: str = "circuit") -> Circuit:
    """Return the circuit made of `roles`."""
    if not roles or not all(isinstance(role, Role) for role in roles):
        raise CircuitUsageError(
            f"`circuit` takes one or more roles made by heads(...); got {roles!r}."
        )
    return Circuit(roles, name)


def _refuse_repeats(parsed: Iterable[Head]) -> None:
    seen: set[Head] = set()
    for head in parsed:
        if head in seen:
            raise CircuitUsageError(f"`heads`: {head} is named twice in one role.")
        seen.add(head)
