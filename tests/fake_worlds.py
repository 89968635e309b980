"""Models that are a formula of which nodes are live: what a measure must be follows from it."""

import numpy as np

from pytest_circuits import IOI, heads
from pytest_circuits.estimates import sample
from pytest_circuits.measures.baselines import HeadsPerLayer
from pytest_circuits.nodes import Circuit
from pytest_circuits.readings import Draw

DRAW = Draw(task=IOI(), n=6, seed=0)
HEADS_PER_LAYER = 4


class World:
    """Reads of a model that has `nodes` and whose logit difference is `score(live nodes)`.

    Prompts differ by a factor around 1, so that means are the score times their mean factor.
    """

    def __init__(self, nodes, score):
        self.nodes = frozenset(nodes)
        self.score = score
        self.asked = []

    def read(self, need):
        self.asked.append(need)
        if isinstance(need.reading, HeadsPerLayer):
            return np.full((need.run.draw.n, 1), float(HEADS_PER_LAYER))
        factors = 1 + np.linspace(-0.2, 0.2, need.run.draw.n)
        scores = self.score(self.live(need.run.under)) * factors
        return np.stack([scores, np.zeros_like(scores)], axis=1)

    def live(self, under):
        if under is None:
            return self.nodes
        left = self.live(under.given)
        return left & under.nodes if under.outside else left - under.nodes

    def searched(self, measure):
        while (refined := measure.refined(self.read, DRAW)) is not None:
            measure = refined
        return measure

    def values(self, measure):
        """Return the parts of a measure, searched if it searches, as label -> value."""
        parts = sample(self.searched(measure), self.read, DRAW).parts
        return {part.label: part.value for part in parts}


def additive(weights):
    """Return the world in which every node adds its weight, whatever else is live."""
    return World(weights, lambda live: float(sum(weights[node] for node in live)))


def of_names(*names, at="END"):
    """Return nodes by the names of their heads."""
    return heads(*names, at=at).nodes


def grouped(*groups):
    """Return the circuit with a role of each group of nodes at one position."""
    roles = [Circuit.of(nodes).roles[0] for nodes in groups]
    return Circuit(tuple(roles), "circuit")
