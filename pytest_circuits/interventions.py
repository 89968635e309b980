"""Interventions as data: what is replaced, by what, from which distribution. No torch.

A `label` is words for reports: two interventions that differ in nothing else are the same run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pytest_circuits.arguments import check_label, check_made_by, check_name, several
from pytest_circuits.errors import CircuitUsageError, shown
from pytest_circuits.nodes import (
    Activation,
    Activations,
    Circuit,
    Edge,
    Inputs,
    Kind,
    Logits,
    Node,
    Receiver,
    Role,
    check_role,
)
from pytest_circuits.tasks.positions import END

MLPs = Literal["live", "frozen"]


@dataclass(frozen=True)
class Reference:
    """What a replaced activation is replaced by.

    `mean`: its mean over the distribution `over`, per template and token position (the paper's
    choice, Wang et al. 2022, section 2). `zero`: zeros. `resample`: its value on another
    prompt of `over` with the same template, drawn at random. `counterpart`: its value on the
    prompt of `over` in the same row, as in activation patching.
    """

    kind: Literal["mean", "zero", "resample", "counterpart"]
    over: str | None = None

    def __str__(self) -> str:
        words = {
            "mean": f"mean over {self.over} per template and position",
            "zero": "zero",
            "resample": f"resampled from {self.over}",
            "counterpart": f"its value on the {self.over} counterpart",
        }
        return words[self.kind]


@dataclass(frozen=True)
class Ablation:
    """Activations replaced by a reference: those in `nodes`, or (`outside`) all but those.

    With `outside`, every head's output is replaced at every token position, named or not, except
    the nodes'; MLPs are kept and see what the ablated heads write, unless `mlps_outside`: then
    every MLP that is not among the nodes is replaced too. `given` is an ablation that holds
    already: this one is made in the world it leaves.
    """

    nodes: frozenset[Node | Activation]
    reference: Reference
    outside: bool = False
    label: str = field(default="", compare=False)
    mlps_outside: bool = False
    given: Ablation | None = None

    def __str__(self) -> str:
        what = self.label or ", ".join(sorted(map(str, self.nodes)))
        if self.outside:
            mlps = "MLPs too" if self.mlps_outside else "MLPs kept"
            text = f"everything outside {what} -> {self.reference}, {mlps}"
        elif self.reference.kind == "counterpart":
            text = f"patched: {what} -> {self.reference}"
        else:
            text = f"knocked out: {what} -> {self.reference}"
        return text + (f"; given {self.given}" if self.given else "")


@dataclass(frozen=True)
class PathPatch:
    """The path from senders to receivers replaced: the receivers read other senders, nothing else.

    Steps of Wang et al. 2022, section 3.1: all heads are frozen to their values, except the
    senders, which take the `reference`; what the receivers then read is put into a run in which
    everything else is live. No `receivers` means the logits. Between senders and receivers MLPs
    are `live` (recomputed, the paper's choice) or `frozen`.
    """

    senders: frozenset[Node]
    receivers: frozenset[Receiver]
    reference: Reference
    mlps: MLPs = "live"
    label: str = field(default="", compare=False)
    given: Ablation | None = None

    def __str__(self) -> str:
        senders = ", ".join(sorted(map(str, self.senders)))
        what = (
            self.label or f"{senders} -> {', '.join(sorted(map(str, self.receivers))) or 'logits'}"
        )
        text = f"path patched: {what}, senders -> {self.reference}, MLPs {self.mlps}"
        return text + (f"; given {self.given}" if self.given else "")


@dataclass(frozen=True)
class EdgeCircuit:
    """Only the edges are live: each receiver reads its senders' live outputs, all else reference.

    Every head's output is its `reference`, at every position; a receiver named by an edge reads,
    in place of the reference, the live outputs of the senders of its edges, and so do the
    logits. A head named by no receiver for one of its channels reads the reference there. MLPs
    are live on each receiver's own input. With all edges between the nodes of a circuit and to
    the logits this is `keep_only` of that circuit.
    """

    edges: frozenset[Edge]
    reference: Reference
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        what = self.label or f"{len(self.edges)} edges"
        return f"only {what} live, every other edge -> {self.reference}, MLPs live"


@dataclass(frozen=True)
class Scrub:
    """Every output on the edges comes from another prompt, one that agrees on what it carries.

    The logits of a prompt read, for each sender of an edge to them, its output on a variation of
    that prompt which keeps what the sender `keeps` (`Task.varied`; "-position" disagrees on the
    position for certain). There the sender's own inputs are replaced likewise: a channel reads
    its senders' outputs on variations of *that* prompt, and so on. All other heads' outputs, at
    every position, are the `reference`; a channel without an edge reads nothing else. Embeddings
    are those of the prompt in which the reader stands, MLPs live on each reader's own input. An
    output moves from a named position to the same *named* position, where the orders differ.

    Senders that keep the same features for the same reader share the prompt drawn.
    """

    edges: frozenset[Edge]
    keeps: tuple[tuple[Node, tuple[str, ...]], ...]
    reference: Reference
    label: str = field(default="", compare=False)

    def senders(self, receiver: Receiver | None) -> tuple[Node, ...]:
        """Return whom a receiver reads (None: whom the logits read), sorted."""
        return tuple(sorted(edge.sender for edge in self.edges if edge.receiver == receiver))

    def kept(self, sender: Node) -> frozenset[str]:
        """Return the features that a sender's prompt shares with its reader's, for `varied`."""
        return frozenset(dict(self.keeps)[sender])

    def __str__(self) -> str:
        what = self.label or f"{len(self.edges)} edges"
        return f"causally scrubbed: {what}, every other edge -> {self.reference}, MLPs live"


Intervention = Ablation | PathPatch | EdgeCircuit | Scrub


def mean(over: str) -> Reference:
    """Replace by the mean over the distribution `over`, per template and position.

    `over` must be a distribution in which the task is absent (such as ABC): a mean over the
    task's own prompts still carries what they have in common, and is refused at evaluation.

    The mean is over as many prompts of a template as the claim has: over one prompt, it is that
    prompt's value, a resample. IOI's 16 templates come in turn, so take 32 prompts or more.
    """
    return Reference("mean", _distribution(over))


def zero() -> Reference:
    """Replace by zeros. Cheap, but takes the model far from its usual activations.

    A head's output is zero without its value bias, too, which is in it where the model has one.
    """
    return Reference("zero")


def resample(over: str) -> Reference:
    """Replace by the value on a random prompt of `over` with the same template (seeded)."""
    return Reference("resample", _distribution(over))


def counterpart(over: str) -> Reference:
    """Replace by the value on the prompt of `over` in the same row: activation patching.

    `over` may carry the task: patching from FLIP asks what the two prompts differ in. The value
    put in place at a token of the prompt is that at the *same token index* of the counterpart,
    whatever that is there called: FLIP exchanges IO and S1, so that at S1 comes what stood at its
    IO. Where both agree on the position (S2, END), it is the same position.
    """
    return Reference("counterpart", _distribution(over))


def knock_out(
    what: Role | Circuit | Activations, *, to: Reference, given: Ablation | None = None
) -> Ablation:
    """Replace the outputs of a role's (or circuit's) heads at their positions by `to`.

    `what` may also be made by `queries`, `keys`, `values`, `patterns`, `mlps` or `residual`.
    `given` is an ablation that holds already, such as `keep_only(circuit, ...)`.
    """
    return Ablation(_nodes(what), _reference(to), label=str(what), given=_given(given))


def patch(
    what: Role | Circuit | Activations, *, over: str, given: Ablation | None = None
) -> Ablation:
    """Replace by the value on the counterpart prompt in `over`: activation patching."""
    return knock_out(what, to=counterpart(over), given=given)


def keep_only(what: Role | Circuit, *, to: Reference) -> Ablation:
    """Replace every head's output at every position by `to`, except `what`.

    MLPs are kept, unless `what` is a circuit that names its MLPs: then the others are replaced.
    """
    nodes = _nodes(what)
    if not isinstance(what, Role | Circuit):
        raise CircuitUsageError(f"`what` must be a role or a circuit; got {shown(what)}.")
    mlps_outside = isinstance(what, Circuit) and what.mlps is not None
    return Ablation(nodes, _reference(to), outside=True, label=str(what), mlps_outside=mlps_outside)


def path_patch(
    senders: Role,
    *receivers: Inputs | Logits,
    to: Reference,
    mlps: MLPs = "live",
    given: Ablation | None = None,
) -> PathPatch:
    """Replace what `receivers` (`role.q`, `role.k`, `role.v`, or LOGITS) read of `senders`.

    A path that is nothing by construction is refused: one into a layer that is not above any
    sender's; and, as all heads in between are frozen, one from another position than that of the
    query or of the logits (END) in which it ends. Keys and values are read from all positions.
    Nor may `given` replace what the path would change: the receiving head's output; for paths
    into queries and keys its attention pattern; for paths into queries the query.
    """
    check_role("senders", senders)
    ends = _receivers(receivers)
    if not isinstance(mlps, str) or mlps not in ("live", "frozen"):
        raise CircuitUsageError(f"`mlps` must be 'live' or 'frozen'; got {shown(mlps)}.")
    _check_order(senders, ends)
    for receiver in receivers:
        _check_reached(senders, receiver)
    _check_open(ends, _given(given))
    label = f"{senders} -> {' and '.join(map(str, receivers))}"
    return PathPatch(frozenset(senders.nodes), ends, _reference(to), mlps, label, given)


def keep_edges(*edges: Iterable[Edge], to: Reference, name: str = "") -> EdgeCircuit:
    """Keep only these edges live; each argument is a tuple made by `edges(...)`."""
    flat = flat_edges(edges)
    check_label("name", name)
    return EdgeCircuit(flat, _reference(to), name)


def flat_edges(groups: Iterable[Iterable[Edge]]) -> frozenset[Edge]:
    """Return all edges of several tuples made by `edges`; refuse anything else."""
    flat = [edge for group in groups for edge in several("edges", group, "edges")]
    if not flat or not all(isinstance(edge, Edge) for edge in flat):
        raise CircuitUsageError(
            f"`edges`: give one or more tuples made by edges(...); got {shown(flat)}."
        )
    return frozenset(flat)


def _receivers(receivers: tuple[Inputs | Logits, ...]) -> frozenset[Receiver]:
    if not receivers or not all(isinstance(each, Inputs | Logits) for each in receivers):
        raise CircuitUsageError(
            f"`receivers` must be role.q, role.k, role.v or LOGITS, one or more; "
            f"got {shown(receivers)}."
        )
    if len(receivers) > 1 and any(isinstance(each, Logits) for each in receivers):
        raise CircuitUsageError("`receivers`: the logits are a receiver of their own.")
    return frozenset(end for each in receivers for end in each.receivers)


def _check_order(senders: Role, receivers: frozenset[Receiver]) -> None:
    first = min(head.layer for head in senders.heads)
    for end in sorted(receivers):
        if end.node.head.layer <= first:
            raise CircuitUsageError(
                f"`receivers`: no path leads from {senders} to {end}: every sender lies in its "
                "layer or above it."
            )


def _check_reached(senders: Role, receiver: Inputs | Logits) -> None:
    """Refuse a path from one position to another: frozen heads carry nothing there."""
    if isinstance(receiver, Inputs) and receiver.channel != "q":
        return  # keys and values are read from every position
    at = END if isinstance(receiver, Logits) else receiver.role.at
    if senders.at != at:
        raise CircuitUsageError(
            f"`senders`: no path leads from {senders.at} to {receiver} at {at}: all heads in "
            f"between are frozen. Follow the path step by step, with role.k or role.v of the heads "
            f"that read {senders.at} as the receivers."
        )


def _check_open(receivers: frozenset[Receiver], given: Ablation | None) -> None:
    """Refuse ends that can change nothing, because what comes of them is replaced already."""
    for end in sorted(receivers):
        for node in _passed(end):
            if given is not None and _replaces(given, node):
                raise CircuitUsageError(
                    f"`given`: nothing leads on from {end}: {node} is replaced [{given}]."
                )


def _passed(end: Receiver) -> tuple[Node | Activation, ...]:
    """Return all through which what a head reads there must pass, one after the other."""
    kinds: dict[str, tuple[Kind, ...]] = {"q": ("q", "pattern"), "k": ("pattern",), "v": ()}
    head, at = end.node.head, end.node.at
    inner = (Activation(kind, head.layer, head.index, at) for kind in kinds[end.channel])
    return (*inner, end.node)


def _replaces(given: Ablation, node: Node | Activation) -> bool:
    if given.outside:
        return isinstance(node, Node) and node not in given.nodes
    return node in given.nodes


def check_parts(what: object) -> None:
    """Refuse what names no parts of a model."""
    makers = "heads(...), circuit(...), or by queries, keys, values, patterns, mlps or residual"
    check_made_by("what", what, Role | Circuit | Activations, makers)


def _nodes(what: Role | Circuit | Activations) -> frozenset[Node | Activation]:
    check_parts(what)
    mlps = what.mlps if isinstance(what, Circuit) else None
    return frozenset((*what.nodes, *(mlps or ())))


def _given(given: Ablation | None) -> Ablation | None:
    if given is not None and not isinstance(given, Ablation):
        raise CircuitUsageError(
            f"`given` must be knock_out(...) or keep_only(...); got {shown(given)}."
        )
    if given is not None and given.given is not None:
        raise CircuitUsageError("`given`: one ablation inside another is as deep as it goes.")
    return given


def _reference(to: Reference) -> Reference:
    if not isinstance(to, Reference):
        raise CircuitUsageError(
            "`to` must be a reference: mean(over=ABC), zero(), resample(over=ABC) or "
            f"counterpart(over=ABC); got {shown(to)}."
        )
    return to


def _distribution(over: str) -> str:
    check_name("over", over, "ABC")
    return over
