"""A circuit against random ones of its shape: is it sufficient and necessary beyond chance?"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, fields, replace
from math import ceil, comb, log, log1p, prod
from typing import TYPE_CHECKING, ClassVar, Literal

from pytest_circuits.arguments import check_whole
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import Reference
from pytest_circuits.measures.base import Measure
from pytest_circuits.measures.behaviour import LogitDifference, logit_difference
from pytest_circuits.measures.composed import MOST_DRAWN, TIE, Search
from pytest_circuits.measures.removal import check_circuit, circuit_without, model_without
from pytest_circuits.nodes import Circuit, Head, Node
from pytest_circuits.readings import Draw, Need, Read, Site, Weights
from pytest_circuits.rules import check_prompts

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.batch import Batch
    from pytest_circuits.readings import Array
    from pytest_circuits.statistics.intervals import Interval

Test = Literal["sufficiency", "necessity"]


def sufficiency_p(
    what: Circuit, *, to: Reference, count: int = 99, seed: int = 0, prompts: int = 32
) -> Measure:
    """Measure which share of random circuits of the same shape does the task as well.

    #{F(R) >= F(C)} / count over `count` random circuits R drawn with `seed`, F the mean logit
    difference with everything outside the circuit replaced by `to`; scores within 1e-4 logits
    count as equal, against the circuit. R has, in every layer and at every position, as many
    heads as C, others wherever the layer has enough of them; where it has not, the fewest possible
    are C's own, which makes the test weaker, and the label says how many. MLPs as in C. From 0 to
    1; for a circuit that was itself drawn at random, a p-value.

    The interval is over *circuits* (Clopper and Pearson, from how many of `count` did as well):
    "<= 0.1" holds if another 1 in 10 is ruled out at the claim's level. So it takes circuits:
    if none of them does as well, 36 for "<= 0.1" alone at 5 %, 79 among 100 claims under Holm;
    with too few the claim is not evaluable, and says how many it needs. More prompts do not
    help: all is measured on as many as the claim has, `prompts` at most, because it costs
    1 + count runs, and it is about these prompts; a mean is then taken over few prompts too, the
    same for every circuit.

    Source: Shi et al. 2024 (arXiv 2410.13032), sufficiency test. A small share shows that the
    circuit beats chance, not that it is faithful: random circuits of a large model do nothing,
    and a single head may beat them. Read it beside `faithfulness`, and beside the circuit's size.
    """
    return _against_random("sufficiency", what, to, count, seed, prompts)


def necessity_p(
    what: Circuit, *, to: Reference, count: int = 99, seed: int = 0, prompts: int = 32
) -> Measure:
    """Measure which share of random circuits of the same shape hurts as much when removed.

    #{F(M\\R) <= F(M\\C)} / count, where the circuit's nodes, or those of the random circuit R,
    are replaced by `to` in the otherwise whole model; all else as in `sufficiency_p`. Source: Shi
    et al. 2024 (arXiv 2410.13032), partial necessity. A small share does not show that every node
    is needed (see `minimality`), nor that nothing else is.
    """
    return _against_random("necessity", what, to, count, seed, prompts)


@dataclass(frozen=True)
class HeadsPerLayer:
    """How many heads a layer of the model has: the same number for every prompt."""

    def heads(self) -> tuple[Head, ...]:
        """Read no head."""
        return ()

    def sites(self) -> tuple[Site, ...]:
        """Read the head outputs of the first layer, for their shape."""
        return (Site("z", 0),)

    def numbers(self, batch: Batch) -> Tensor:
        """Return [batch, 1]."""
        z = batch.act(Site("z", 0))
        return z.new_full((len(z), 1), z.shape[2])


@dataclass(frozen=True, kw_only=True)
class AgainstRandom(Search):
    """See `sufficiency_p` and `necessity_p`: the random circuits wait for the model's shape."""

    unit: ClassVar[str] = "share of random circuits"
    looks_once: ClassVar[bool] = True
    test: Test
    what: Circuit
    to: Reference
    count: int
    seed: int
    prompts: int

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the number of heads per layer, and the circuit's own score."""
        on = _fewer(draw, self.prompts)
        shape = Need(logit_difference().run(on), HeadsPerLayer())
        return (shape, *self._score(self.what).needs(on))

    def refined(self, read: Read, draw: Draw) -> Measure:
        """Draw the random circuits."""
        per_layer = int(read(self.needs(draw)[0])[0, 0])
        drawn = matched(self.what, per_layer, self.count, self.seed)
        return RandomRank(
            words=str(self),
            label=_shared(self.what, per_layer),
            test=self.test,
            own=self._score(self.what),
            random=tuple(map(self._score, drawn)),
            prompts=self.prompts,
        )

    def too_small(self, threshold: float, level: float) -> str:
        """Return how many circuits it takes to show a share of at most `threshold`, if more."""
        needed = _needed(threshold, level)
        if self.count >= needed:
            return ""
        return (
            f"`count`: {self.count} random circuits cannot show a share of at most {threshold:g} "
            f"at the level this claim is decided at, {level:.2g}, even if none of them does as "
            f"well: {needed} are needed."
        )

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1."""
        return 0.0, 1.0

    def _score(self, circuit: Circuit) -> LogitDifference:
        if self.test == "sufficiency":
            return circuit_without(circuit, None, self.to)
        return model_without(circuit, self.to)

    def circuit(self) -> Circuit:
        """Return the circuit that is compared."""
        return self.what

    def hollow(self) -> Measure:
        """Return the p-value of no circuit at all, among the same random circuits."""
        return HollowAgainstRandom(**{each.name: getattr(self, each.name) for each in fields(self)})

    def __str__(self) -> str:
        return (
            f"share as good in {self.test} as {self.what}, of {self.count} random circuits of its "
            f"shape (seed {self.seed}) [{self.to}]"
        )


@dataclass(frozen=True, kw_only=True)
class HollowAgainstRandom(AgainstRandom):
    """No circuit against random ones of a circuit's shape: all is replaced, or nothing removed."""

    def refined(self, read: Read, draw: Draw) -> Measure:
        """Put the score of nothing in the place of the circuit's own."""
        found = super().refined(read, draw)
        assert isinstance(found, RandomRank)  # that is what it draws
        none = self._score(self.what).hollow() if self.test == "sufficiency" else logit_difference()
        assert isinstance(none, LogitDifference)
        return replace(found, own=none)


@dataclass(frozen=True, kw_only=True)
class RandomRank(Measure):
    """The share of random circuits at least as good; see `sufficiency_p`."""

    unit: ClassVar[str] = "share of random circuits"
    per_prompt: ClassVar[bool] = False
    looks_once: ClassVar[bool] = True
    words: str
    label: str
    test: Test
    own: LogitDifference
    random: tuple[LogitDifference, ...]
    prompts: int

    def needs(self, draw: Draw) -> tuple[Need, ...]:
        """Read the answer logits of the circuit and of every random one."""
        on = _fewer(draw, self.prompts)
        return tuple(need for each in (self.own, *self.random) for need in each.needs(on))

    def value(self, read: Read, draw: Draw, weights: Weights) -> Array:
        """Return as good / all, [1, draws]."""
        import numpy as np

        on = _fewer(draw, self.prompts)
        sign = 1 if self.test == "sufficiency" else -1
        own = sign * self.own.value(read, on, weights)
        others = sign * np.concatenate([each.value(read, on, weights) for each in self.random])
        share: Array = (others >= own - TIE).mean(axis=0, keepdims=True)
        return share

    def intervals(self, read: Read, draw: Draw) -> tuple[Interval, ...]:
        """Return the share's, over circuits: the prompts are those measured on."""
        import numpy as np

        from pytest_circuits.statistics.shares import Share

        share = float(self.value(read, draw, lambda n: np.ones((1, n)))[0, 0])
        drawn = len(self.random)
        return (Share(round(share * drawn), drawn, f"{drawn} random circuits"),)

    def bounds(self) -> tuple[float, float]:
        """Return 0 and 1."""
        return 0.0, 1.0

    def labels(self) -> tuple[str, ...]:
        """Return what makes this comparison weaker than one of disjoint circuits, if anything."""
        return (self.label,)

    def __str__(self) -> str:
        return self.words


def matched(what: Circuit, per_layer: int, count: int, seed: int) -> tuple[Circuit, ...]:
    """Return random circuits with as many heads per layer and position as `what`, others if any."""
    if not _distinct(what, per_layer) > 1:
        raise ClaimNotEvaluable(
            f"`what`: {what} leaves its layers no choice of {per_layer} heads: there is no random "
            "circuit of its shape to compare it with."
        )
    rng = random.Random(f"matched {seed}")
    return tuple(_matched(what, per_layer, rng) for _ in range(count))


def _matched(what: Circuit, per_layer: int, rng: random.Random) -> Circuit:
    nodes: list[Node] = []
    for (layer, at), own in _shape(what).items():
        others = [i for i in range(per_layer) if i not in own]
        few = max(len(own) - len(others), 0)
        drawn = rng.sample(others, len(own) - few) + rng.sample(sorted(own), few)
        nodes += (Node(Head(layer, index), at) for index in drawn)
    return replace(Circuit.of(nodes), mlps=what.mlps)


def _shape(what: Circuit) -> dict[tuple[int, str], set[int]]:
    """Return the indices of a circuit's heads by layer and position."""
    shape: dict[tuple[int, str], set[int]] = defaultdict(set)
    for node in what.nodes:
        shape[node.head.layer, node.at].add(node.head.index)
    return dict(shape)


def _distinct(what: Circuit, per_layer: int) -> int:
    """Return how many different circuits can be drawn: others first, its own to fill up."""
    sizes = ((len(own), per_layer - len(own)) for own in _shape(what).values())
    return prod(comb(n, n - others) if others < n else comb(others, n) for n, others in sizes)


def _shared(what: Circuit, per_layer: int) -> str:
    """Return in words how many nodes random circuits share with it for want of other heads."""
    shared = sum(max(2 * len(own) - per_layer, 0) for own in _shape(what).values())
    return f"(random circuits share {shared} of {len(what.nodes)} nodes)" if shared else ""


def _needed(threshold: float, level: float) -> int:
    """Return how many circuits, none as good, rule out a share above the threshold."""
    return ceil(log(level / 2) / log1p(-threshold)) if 0 < threshold < 1 else 1


def _fewer(draw: Draw, prompts: int) -> Draw:
    return Draw(task=draw.task, n=min(draw.n, prompts), seed=draw.seed)


def _against_random(
    test: Test, what: Circuit, to: Reference, count: int, seed: int, prompts: int
) -> Measure:
    check_circuit(what, to)
    check_whole("count", count, 1, MOST_DRAWN)
    check_prompts(prompts, seed)
    return AgainstRandom(test=test, what=what, to=to, count=count, seed=seed, prompts=prompts)
