"""Completeness: the circuit explains the model also where parts of both are removed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pytest_circuits.arguments import check_choice, check_whole
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.composed import (
    MOST_DRAWN,
    Listed,
    Search,
    largest,
    point,
    search_draw,
)
from pytest_circuits.measures.removal import (
    Removed,
    check_circuit,
    circuit_without,
    classes,
    model_without,
    nodes_of,
)
from pytest_circuits.nodes import Activation, Circuit, Node
from pytest_circuits.readings import Draw, Need, Read
from pytest_circuits.rules import check_prompts

Over = Literal["classes", "random", "greedy"]


def completeness(
    what: Circuit,
    *,
    to: Reference,
    over: Over = "classes",
    count: int = 10,
    seed: int = 0,
    steps: int = 5,
    search_prompts: int = 32,
) -> Measure:
    """Measure |F(C\\K) - F(M\\K)|, the circuit's incompleteness, a value for each K.

    F is the mean logit difference; K, a part of the circuit C, is replaced by `to` in the model M
    and in the circuit, where everything outside C is replaced as well. Logits, at least 0; 0
    means that the circuit explains the model also without K. What is missing from C shows where
    the model, without K, falls back on it. K is `over`:

    - `classes`: each role of the circuit (and its MLPs, if it names any), and nothing. One value
      each, named after the role; 2 runs each.
    - `random`: `count` random sets, every node with probability 1/2, drawn with `seed`; 2 runs
      each.
    - `greedy`: one set, made by adding, up to `steps` times, the node that raises the value
      most, until none does. The search looks at `search_prompts` other prompts (of another seed;
      of a `prompt_task`, rows that the claim does not use), so that the value on the claim's
      prompts is not picked from them (a mean is then taken over few prompts too); every step
      tries every node, in 2 runs each: at most 2 (1 + steps * nodes).

    Source: Wang et al. 2022, section 4 (classes, random sets, greedy search). A small value
    says nothing about sets that were not tried, and greedy search can miss the worst; a circuit
    that is the whole model is complete. The value is a difference of means: errors of single
    prompts may cancel. Never negative, it is to be compared with a tolerance in logits.
    """
    check_circuit(what, to)
    check_choice("over", over, "choice of K", ("classes", "random", "greedy"))
    if over == "greedy":
        check_whole("steps", steps, 1)
        check_prompts(search_prompts, seed, name="search_prompts")
        return GreedyCompleteness(what=what, to=to, steps=steps, prompts=search_prompts)
    if over == "random":
        check_whole("count", count, 1, MOST_DRAWN)
        check_whole("seed", seed, 0)
        return _listed(what, to, f"{count} random sets (seed {seed})", _random(what, count, seed))
    return _listed(what, to, "each class", (("nothing", None), *classes(what)))


@dataclass(frozen=True)
class Words:
    """What is measured, in words: `how` says which sets K are tried."""

    what: Circuit
    to: Reference
    how: str

    def __str__(self) -> str:
        return f"incompleteness |F(C\\K) - F(M\\K)| of {self.what}, K {self.how} [{self.to}]"


@dataclass(frozen=True, kw_only=True)
class GreedyCompleteness(Search):
    """See `completeness`; `found` is the K of the steps made so far."""

    unit: ClassVar[str] = "logits"
    what: Circuit
    to: Reference
    steps: int
    prompts: int
    found: tuple[Node | Activation, ...] = ()
    empty: bool = False

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read what K and every larger K by one node give, on the search's prompts."""
        on = search_draw(draw, self.prompts)
        gaps = (self._gap(self.found), *(self._gap(more) for more in self._larger()))
        return tuple(need for gap in gaps for need in gap.needs(on))

    def refined(self, read: Read, draw: Draw) -> Measure:
        """Add the worst node, or end: nothing is worse, or all steps were made."""
        on = search_draw(draw, self.prompts)
        worst = largest(
            (self.found, *self._larger()), lambda nodes: point(self._gap(nodes), read, on)
        )
        if worst == self.found:
            return self._end()
        further = replace(self, found=worst)
        return further if len(worst) < self.steps else further._end()

    def _larger(self) -> Iterator[tuple[Node | Activation, ...]]:
        return ((*self.found, v) for v in nodes_of(self.what) if v not in self.found)

    def _gap(self, nodes: tuple[Node | Activation, ...]) -> Measure:
        gap = _gap(self.what, Circuit.of(nodes) if nodes else None, self.to)
        hollow = gap.hollow() if self.empty else None
        return gap if hollow is None else hollow

    def bounds(self) -> tuple[float, float]:
        """Return those of what is measured for any K."""
        return self._gap(()).bounds()

    def circuit(self) -> Circuit:
        """Return the circuit whose parts are removed."""
        return self.what

    def hollow(self) -> Measure:
        """Return the same search, with F(C\\K) that of nothing at all."""
        return replace(self, empty=True)

    def _end(self) -> Measure:
        label = "greedy: " + (", ".join(map(str, self.found)) or "nothing")
        return Listed(words=self, parts=((label, self._gap(self.found)),))

    def labels(self) -> tuple[str, ...]:
        """Return one label, the same before anything was searched on any prompts."""
        return ("greedy",)

    def __str__(self) -> str:
        runs = 2 * sum(max(len(nodes_of(self.what)) - i, 0) for i in range(self.steps)) + 2
        how = (
            f"the worst found greedily in {self.steps} steps on {self.prompts} other prompts, "
            f"at most {runs} runs"
        )
        return str(Words(self.what, self.to, how))


def _gap(what: Circuit, removed: Removed, to: Reference) -> Measure:
    return abs(circuit_without(what, removed, to) - model_without(removed, to))


def _listed(
    what: Circuit, to: Reference, how: str, sets: tuple[tuple[str, Removed], ...]
) -> Measure:
    parts = tuple((label, _gap(what, removed, to)) for label, removed in sets)
    return Listed(words=Words(what, to, how), parts=parts)


def _random(what: Circuit, count: int, seed: int) -> tuple[tuple[str, Circuit], ...]:
    rng = random.Random(f"completeness {seed}")
    return tuple((f"random {i}", _half(what, rng)) for i in range(1, count + 1))


def _half(what: Circuit, rng: random.Random) -> Circuit:
    """Return every node with probability 1/2, drawn again if that is none."""
    while True:
        nodes = [node for node in nodes_of(what) if rng.random() < 0.5]
        if nodes:
            return Circuit.of(nodes)
