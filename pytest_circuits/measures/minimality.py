"""Minimality: every node of a circuit matters to it, at least where its stand-ins are removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_circuits.arguments import check_choice, check_made_by
from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.composed import (
    TIE,
    Listed,
    Search,
    largest,
    point,
    search_draw,
)
from pytest_circuits.measures.removal import (
    check_circuit,
    check_inside,
    circuit_without,
    classes,
    nodes_of,
)
from pytest_circuits.nodes import Activation, Circuit, Node, Role, check_role
from pytest_circuits.readings import Draw, Need, Read
from pytest_circuits.rules import check_prompts

Witnesses = Literal["classes", "class pairs"]
Nodes = frozenset[Node | Activation]


def minimality(
    what: Circuit, *, to: Reference, witnesses: Witnesses = "classes", search_prompts: int = 32
) -> Measure:
    """Measure, for each node v of a circuit, F(C\\K) - F(C\\(K+v)) for the best witness K.

    F is the mean logit difference, C\\K the circuit without K: K and everything outside C is
    replaced by `to`. Logits; a value per node, positive where v helps, negative where it works
    against the circuit. Near 0 means that no K was found with which v makes a difference, so that
    the circuit can do without it. A node that others stand in for (a backup) shows its part only
    once they are in K. K is chosen for each node among `witnesses`:

    - `classes`: nothing, the rest of the node's own class, each other class;
    - `class pairs`: also the rest of its own class together with each other class.

    Classes are the circuit's roles, and its MLPs if it names any. K is the one with which v makes
    the largest difference, up or down, on `search_prompts` other prompts (of another seed; of a
    `prompt_task`, rows that the claim does not use), and the value is measured on the claim's own,
    so that it is not picked from them. The label names the witness, and says "works against" where
    the search found that v does. Runs: one per node and witness for the search, 2 per node on the
    claim's prompts; the sentence says how many.

    Wang et al. 2022, section 4, whose measure this is, take the absolute value: negative name
    movers belong to their circuit. `abs(minimality(...)) >= 0.1` is that, and its labels still say
    who works against; without `abs`, a head that only does harm is not taken for one that matters.
    A large value does not show that the node does what its role says; a small one does not show
    that no witness exists, only that none of these is.
    """
    check_circuit(what, to)
    check_prompts(search_prompts, 0, name="search_prompts")
    check_choice("witnesses", witnesses, "witnesses", ("classes", "class pairs"))
    return Minimality(what=what, to=to, pairs=witnesses == "class pairs", prompts=search_prompts)


def minimality_of(
    node: Role, what: Circuit, *, to: Reference, without: Role | Circuit | None = None
) -> Measure:
    """Measure F(C\\K) - F(C\\(K+v)) for a witness K (`without`) that you name.

    v is a role of one head, or of several that are removed together; both are parts of the
    circuit `what`. Logits, positive where v helps, negative where it works against the circuit;
    2 runs, no search. `abs` of it is what Wang et al. 2022 take. See `minimality`.
    """
    check_circuit(what, to)
    check_role("node", node)
    if without is not None:
        check_made_by("without", without, Role | Circuit, "heads(...) or circuit(...)")
    witness = without.nodes if without is not None else ()
    check_inside("node", node.nodes, what)
    check_inside("without", witness, what)
    if set(witness) & set(node.nodes):
        raise CircuitUsageError(f"`without`: the witness must not contain {node} itself.")
    return _loss(what, frozenset(node.nodes), frozenset(witness), to)


@dataclass(frozen=True, kw_only=True)
class Minimality(Search):
    """See `minimality`."""

    unit: ClassVar[str] = "logits"
    what: Circuit
    to: Reference
    pairs: bool
    prompts: int

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read what every node gives with every witness, on the search's prompts."""
        on = search_draw(draw, self.prompts)
        tried = [loss for v in nodes_of(self.what) for _, loss in self._tried(v)]
        return tuple(dict.fromkeys(need for loss in tried for need in loss.needs(on)))

    def refined(self, read: Read, draw: Draw) -> Measure:
        """Return the measure with the best witness of each node."""
        on = search_draw(draw, self.prompts)

        def found(loss: Measure) -> float:
            return point(loss, read, on)

        parts = [
            (v, *largest(self._tried(v), lambda each: abs(found(each[1]))))
            for v in nodes_of(self.what)
        ]
        named = tuple(
            (f"{v} (K: {label}{_against(found(loss))})", loss) for v, label, loss in parts
        )
        return Listed(words=self, parts=named)

    def labels(self) -> tuple[str, ...]:
        """Return a label per node; that of the refined measure names the witness as well."""
        return tuple(map(str, nodes_of(self.what)))

    def bounds(self) -> tuple[float, float]:
        """Return the bounds of what any node makes of a difference."""
        _, loss = next(self._tried(nodes_of(self.what)[0]))
        return loss.bounds()

    def circuit(self) -> Circuit:
        """Return the circuit whose nodes are removed; without any, nothing is measured."""
        return self.what

    def _tried(self, v: Node | Activation) -> Iterator[tuple[str, Measure]]:
        """Return what a node makes of a difference with each witness, by the witness's name."""
        for label, witness in _witnesses(self.what, v, pairs=self.pairs):
            yield label, _loss(self.what, frozenset({v}), witness, self.to)

    def _runs(self) -> int:
        """Return how many different parts of the circuit the search removes."""
        tried = ((v, k) for v in nodes_of(self.what) for k in self._sets(v))
        return len({removed for v, k in tried for removed in (k, k | {v})})

    def _sets(self, v: Node | Activation) -> list[Nodes]:
        return [nodes for _, nodes in _witnesses(self.what, v, pairs=self.pairs)]

    def __str__(self) -> str:
        return (
            f"minimality F(C\\K) - F(C\\(K+v)) of each node v of {self.what}, K the best of "
            f"{'no class, a class, or two' if self.pairs else 'no class or a class'} on "
            f"{self.prompts} other prompts, {self._runs()} runs [{self.to}]"
        )


def _witnesses(what: Circuit, v: Node | Activation, *, pairs: bool) -> Iterator[tuple[str, Nodes]]:
    """Return the sets K that are tried for a node, by name."""
    sets: list[tuple[str, Nodes]] = [(each, frozenset(k.nodes)) for each, k in classes(what)]
    own = [(f"other {label}", nodes - {v}) for label, nodes in sets if nodes > {v}]
    others = [(label, nodes) for label, nodes in sets if v not in nodes]
    yield "nothing", frozenset()
    yield from own
    yield from others
    if pairs:
        yield from ((f"{a} and {b}", k | more) for a, k in own for b, more in others)


def _against(value: float) -> str:
    """Return what a label adds for a node without which the circuit does better."""
    return "; works against" if value < -TIE else ""


def _loss(what: Circuit, nodes: Nodes, witness: Nodes, to: Reference) -> Measure:
    before = Circuit.of(witness) if witness else None
    after = Circuit.of(witness | nodes)
    return circuit_without(what, before, to) - circuit_without(what, after, to)
