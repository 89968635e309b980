"""Hypothesis strategies: interventions of every sort on a model of a given shape."""

from dataclasses import dataclass, replace
from functools import partial

from hypothesis import strategies as st

from pytest_circuits.interventions import (
    Ablation,
    EdgeCircuit,
    PathPatch,
    counterpart,
    mean,
    resample,
    zero,
)
from pytest_circuits.nodes import Activation, Edge, Head, Node, Receiver
from pytest_circuits.tasks.ioi import ABC, FLIP
from pytest_circuits.tasks.positions import END, IO, S1, S1_NEXT, S2

references = st.sampled_from(
    [mean(ABC), zero(), resample(ABC), counterpart(ABC), counterpart(FLIP)]
)


@dataclass(frozen=True)
class Shape:
    """A model's layers and query heads, how many of these share keys, and what to draw from.

    `indices` and `at` are few, so that the parts of an intervention meet in the same places.
    """

    layers: int
    heads: int
    group: int
    indices: tuple[int, ...] = ()
    at: tuple[str, ...] = ()

    @property
    def focused(self):
        """The shape with two or three heads per layer and END with one or two other positions."""
        indices = st.lists(st.integers(0, self.heads - 1), min_size=2, max_size=3, unique=True).map(
            tuple
        )
        others = st.lists(
            st.sampled_from([S2, IO, S1, S1_NEXT]), min_size=1, max_size=2, unique=True
        )
        # END twice: what happens elsewhere is felt there only through later heads.
        at = others.map(lambda names: (END, END, *names))
        return st.builds(partial(replace, self), indices=indices, at=at)

    @property
    def position(self):
        return st.sampled_from(self.at)

    def head(self, *, above=0, below=None):
        layers = st.integers(above, self.layers - 1 if below is None else below)
        return st.builds(Head, layers, st.sampled_from(self.indices))

    def node(self, **limits):
        return st.builds(Node, self.head(**limits), self.position)

    def mlp(self):
        layers = st.integers(0, self.layers - 1)
        return st.builds(Activation, st.just("mlp"), layers, st.none(), self.position)


def _targets(shape):
    """One thing that can be replaced, as a tuple: a key or value takes its whole group along."""

    def of_group(kind, node):
        first = node.head.index // shape.group * shape.group
        indices = range(first, first + shape.group)
        return tuple(Activation(kind, node.head.layer, i, node.at) for i in indices)

    def of_head(kind, node):
        return (Activation(kind, node.head.layer, node.head.index, node.at),)

    layers = st.integers(0, shape.layers)
    resid = st.builds(Activation, st.just("resid"), layers, st.none(), shape.position)
    return st.one_of(
        st.tuples(shape.node()),
        st.builds(of_head, st.sampled_from(["q", "pattern"]), shape.node()),
        st.builds(of_group, st.sampled_from(["k", "v"]), shape.node()),
        st.tuples(shape.mlp()),
        st.tuples(resid),
    )


def _plain_ablations(shape):
    nodes = st.lists(_targets(shape), min_size=1, max_size=4)
    return st.builds(
        lambda groups, to: Ablation(frozenset(n for g in groups for n in g), to), nodes, references
    )


def _plain_circuits(shape):
    def circuit(heads, mlps, to):
        nodes = frozenset((*heads, *(mlps or ())))
        return Ablation(nodes, to, outside=True, mlps_outside=mlps is not None)

    return st.builds(
        circuit,
        st.lists(shape.node(), min_size=1, max_size=6),
        st.none() | st.lists(shape.mlp(), max_size=3),
        references,
    )


def ablations(shape):
    """One to four activations replaced."""
    return _plain_ablations(shape)


def circuits(shape):
    """Everything replaced but some heads, and but some MLPs or none of them."""
    return _plain_circuits(shape)


def _worlds(shape):
    return _plain_circuits(shape) | _plain_ablations(shape)


def ablations_given(shape):
    """One to four activations replaced in a world where others are already."""
    return st.builds(
        lambda under, given: replace(under, given=given), _plain_ablations(shape), _worlds(shape)
    )


def paths_to_logits(shape):
    """One to three senders, not all of which need be seen at END."""
    return st.builds(
        PathPatch,
        st.frozensets(shape.node(), min_size=1, max_size=3),
        st.just(frozenset()),
        references,
        st.sampled_from(["live", "frozen"]),
        given=st.none() | _worlds(shape),
    )


@st.composite
def paths_to_heads(draw, shape):
    """One to three senders, one to four inputs of later heads."""
    senders = draw(st.frozensets(shape.node(below=shape.layers - 2), min_size=1, max_size=3))
    first = min(node.head.layer for node in senders)
    receiver = st.builds(Receiver, shape.node(above=first + 1), st.sampled_from("qkv"))
    return PathPatch(
        senders,
        draw(st.frozensets(receiver, min_size=1, max_size=4)),
        draw(references),
        draw(st.sampled_from(["live", "frozen"])),
        given=draw(st.none() | _worlds(shape)),
    )


@st.composite
def edge_circuits(draw, shape):
    """Some of the edges between three to five nodes and to the logits."""
    nodes = draw(st.lists(shape.node(), min_size=3, max_size=5, unique=True))
    to_logits = [Edge(node, None) for node in nodes]
    between = [
        Edge(a, Receiver(b, channel))
        for a in nodes
        for b in nodes
        for channel in "qkv"
        if a.head.layer < b.head.layer
    ]
    kept = draw(st.frozensets(st.sampled_from(to_logits), min_size=1))
    if between:
        kept |= draw(st.frozensets(st.sampled_from(between), min_size=1, max_size=8))
    return EdgeCircuit(kept, draw(references))


SORTS = {
    "ablation": ablations,
    "ablation given": ablations_given,
    "circuit": circuits,
    "path to logits": paths_to_logits,
    "path to heads": paths_to_heads,
    "edges": edge_circuits,
}
