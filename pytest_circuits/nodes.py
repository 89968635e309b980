"""The vocabulary of circuits: heads, roles, their inputs, other activations, edges, circuits.

Plain data, no torch. Everything stands at a named position of the prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_circuits.arguments import check_label, check_made_by, check_name, check_whole
from pytest_circuits.errors import CircuitUsageError, shown

MOST_LAYERS = 10_000  # a number above it is no layer of any model

Pool = Literal["each", "mean", "sum"]
Channel = Literal["q", "k", "v"]
Kind = Literal["q", "k", "v", "pattern", "mlp", "resid"]


_HEAD = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


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
        match = re.fullmatch(_HEAD, name) if isinstance(name, str) else None
        if match is None:
            raise CircuitUsageError(
                f"`heads`: a head is a string 'layer.head' such as '9.6'; got {shown(name)}."
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


@dataclass(frozen=True, order=True)
class Activation:
    """An activation other than a head's output, at one named position; `k of 9.6@S2`, `MLP 3@END`.

    `q`: the query made at that position; `k`, `v`: key and value made *at* that position, which
    every later position reads, of the whole group of query heads that shares them; `pattern`: the
    row of attention weights from that position; `mlp`: what the MLP adds to the residual stream;
    `resid`: the residual stream before the layer's block (after the last, for layer = number of
    layers). `index` is the query head, None for `mlp` and `resid`.
    """

    kind: Kind
    layer: int
    index: int | None
    at: str

    @property
    def head(self) -> Head | None:
        """The head it belongs to, if it belongs to one."""
        return None if self.index is None else Head(self.layer, self.index)

    def __str__(self) -> str:
        if self.kind == "mlp":
            return f"MLP {self.layer}@{self.at}"
        if self.kind == "resid":
            return f"residual stream before {self.layer}@{self.at}"
        return f"{self.kind} of {self.head}@{self.at}"


@dataclass(frozen=True)
class Activations:
    """Activations that are replaced together; made by `queries`, `mlps`, ... ."""

    nodes: tuple[Activation, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.nodes))


@dataclass(frozen=True, order=True)
class Receiver:
    """What a path ends in: the queries, keys or values that a head reads from one position.

    For `q` its own query there; for `k` and `v` the keys and values of all positions *as this
    head sees them from there*: other heads of its group, and other positions, see the old ones.
    """

    node: Node
    channel: Channel

    def __str__(self) -> str:
        return f"{self.channel} of {self.node}"


@dataclass(frozen=True)
class Inputs:
    """One input of every head of a role: `role.q`, `role.k` or `role.v`."""

    role: Role
    channel: Channel

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """One receiver per head."""
        return tuple(Receiver(node, self.channel) for node in self.role.nodes)

    def __str__(self) -> str:
        words = {"q": "queries", "k": "keys", "v": "values"}
        return f"the {words[self.channel]} of {self.role}"


@dataclass(frozen=True)
class Logits:
    """The logits at END as the end of a path; use the constant `LOGITS`."""

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """No head: the path ends in the logits."""
        return ()

    def __str__(self) -> str:
        return "the logits"


LOGITS = Logits()
"""The logits at END, as the receiver of a path or an edge."""


@dataclass(frozen=True)
class Edge:
    """From a head's output to what another reads of it; `receiver` None stands for the logits.

    A head reads what lower layers wrote: an edge to a receiver in the sender's layer, or below it,
    raises `CircuitUsageError`, and so does one whose ends are no heads.
    """

    sender: Node
    receiver: Receiver | None

    def __post_init__(self) -> None:
        end = self.receiver
        into = end is None or (isinstance(end, Receiver) and isinstance(end.node, Node))
        if not (into and isinstance(self.sender, Node)):
            raise CircuitUsageError(
                "`Edge`: an edge is from a head's output to a head's input or the logits (None); "
                f"got {self.sender!r} and {end!r}."
            )
        if end is not None and not is_below(self.sender, end):
            raise CircuitUsageError(
                f"`Edge`: {self} leads nowhere: {end.node} lies in the sender's layer or below it."
            )

    def __str__(self) -> str:
        return f"{self.sender} -> {self.receiver or 'logits'}"


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
    def q(self) -> Inputs:
        """The queries of its heads, as receivers of paths."""
        return Inputs(self, "q")

    @property
    def k(self) -> Inputs:
        """The keys its heads read, as receivers of paths."""
        return Inputs(self, "k")

    @property
    def v(self) -> Inputs:
        """The values its heads read, as receivers of paths."""
        return Inputs(self, "v")

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The (head, position) pairs of the role."""
        return tuple(Node(head, self.at) for head in self.heads)

    def __str__(self) -> str:
        names = ", ".join(map(str, self.heads))
        return f"{self.name} ({names})" if self.name else names


@dataclass(frozen=True)
class Circuit:
    """Roles that together are claimed to do a task; a node may belong to several roles.

    `mlps` None: the circuit says nothing about MLPs, they are kept whatever is removed.
    Otherwise the MLPs at named positions that belong to it; all others are outside.
    """

    roles: tuple[Role, ...]
    name: str = "circuit"
    mlps: tuple[Activation, ...] | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All (head, position) pairs, sorted, each once."""
        return tuple(sorted({node for role in self.roles for node in role.nodes}))

    @property
    def heads(self) -> tuple[Head, ...]:
        """All heads, sorted, each once."""
        return tuple(sorted({node.head for node in self.nodes}))

    @classmethod
    def of(cls, nodes: Iterable[Node | Activation], name: str = "") -> Circuit:
        """Return the circuit of these heads and MLPs, named by them unless `name` is given."""
        chosen = set(nodes)
        outputs = sorted(node for node in chosen if isinstance(node, Node))
        mlps = sorted(node for node in chosen if isinstance(node, Activation))
        at = dict.fromkeys(node.at for node in outputs)
        return cls(
            tuple(Role(tuple(n.head for n in outputs if n.at == each), each) for each in at),
            name or ", ".join(map(str, (*outputs, *mlps))) or "nothing",
            tuple(mlps) or None,
        )

    def without(self, *parts: Role | Circuit) -> Circuit:
        """Return the circuit that lacks the nodes of `parts`, its roles otherwise as they were."""
        for part in parts:
            check_made_by("without", part, Role | Circuit, "heads(...) or circuit(...)")
        removed = {node for part in parts for node in part.nodes}
        if removed - set(self.nodes):
            missing = ", ".join(sorted(map(str, removed - set(self.nodes))))
            raise CircuitUsageError(f"`without`: {self} has no {missing}.")
        left = (tuple(n.head for n in role.nodes if n not in removed) for role in self.roles)
        roles = (replace(role, heads=kept) for role, kept in zip(self.roles, left, strict=True))
        name = f"{self.name} without {' and '.join(map(str, parts))}"
        return replace(self, roles=tuple(role for role in roles if role.heads), name=name)

    def __str__(self) -> str:
        mlps = "" if self.mlps is None else f", {len(self.mlps)} MLPs"
        return f"{self.name} ({len(self.heads)} heads{mlps})"


def heads(*names: str, at: str, name: str = "") -> Role:
    """Return the role of the heads `names` ("9.6", ...) at the named position `at`.

    >>> print(heads("9.9", "9.6", at="END", name="name movers"))
    name movers (9.9, 9.6)
    """
    if not names:
        raise CircuitUsageError("`heads`: a role needs at least one head; got none.")
    parsed = tuple(Head.parse(each) for each in names)
    _refuse_repeats(parsed)
    check_name("at", at, "END")
    check_label("name", name)
    return Role(parsed, at, name)


def circuit(*roles: Role, name: str = "circuit", mlps: Activations | None = None) -> Circuit:
    """Return the circuit made of `roles`, and of the MLPs made by `mlps(...)` if given."""
    if not roles or not all(isinstance(role, Role) for role in roles):
        raise CircuitUsageError(
            f"`circuit` takes one or more roles made by heads(...); got {shown(roles)}."
        )
    check_label("name", name)
    if mlps is None:
        return Circuit(roles, name)
    if not isinstance(mlps, Activations) or any(node.kind != "mlp" for node in mlps.nodes):
        raise CircuitUsageError(f"`mlps` must be made by mlps(...); got {shown(mlps)}.")
    return Circuit(roles, name, mlps.nodes)


def queries(*names: str, at: str) -> Activations:
    """Return the queries that the heads `names` make at the position `at`."""
    return _of_heads("q", names, at)


def keys(*names: str, at: str) -> Activations:
    """Return the keys that the heads `names` make at the position `at`.

    Under grouped queries a key belongs to several query heads: name all of a group, or follow a
    path into one head's keys instead, with `role.k` as the receiver.
    """
    return _of_heads("k", names, at)


def values(*names: str, at: str) -> Activations:
    """Return the values that the heads `names` make at the position `at`; see `keys`."""
    return _of_heads("v", names, at)


def patterns(*names: str, at: str) -> Activations:
    """Return the attention of the heads `names` from the position `at` to all others."""
    return _of_heads("pattern", names, at)


def mlps(*layers: int, at: str) -> Activations:
    """Return what the MLPs of `layers` write at the position `at`."""
    check_name("at", at, "END")
    return Activations(tuple(Activation("mlp", _layer(each), None, at) for each in layers))


def residual(layer: int, *, at: str) -> Activations:
    """Return the residual stream before block `layer` at the position `at`.

    `layer` may be the number of layers: the stream that the final norm reads.
    """
    check_name("at", at, "END")
    return Activations((Activation("resid", _layer(layer), None, at),))


def is_below(sender: Node, receiver: Receiver) -> bool:
    """Return whether a head can be heard by what another reads: in a layer above its own."""
    return sender.head.layer < receiver.node.head.layer


def check_role(argument: str, value: object) -> None:
    """Refuse an argument that is no role."""
    check_made_by(argument, value, Role, "heads(...)")


def _of_heads(kind: Kind, names: tuple[str, ...], at: str) -> Activations:
    role = heads(*names, at=at)
    return Activations(tuple(Activation(kind, head.layer, head.index, at) for head in role.heads))


def _layer(layer: int) -> int:
    check_whole("layer", layer, 0, MOST_LAYERS)
    return layer


def _refuse_repeats(parsed: Iterable[Head]) -> None:
    seen: set[Head] = set()
    for head in parsed:
        if head in seen:
            raise CircuitUsageError(f"`heads`: {head} is named twice in one role.")
        seen.add(head)
