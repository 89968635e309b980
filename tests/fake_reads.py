"""Measures fed with made-up answer logits, run by run: no model."""

from dataclasses import dataclass, field

import numpy as np

from pytest_circuits.readings import Draw

SIGNALS = ("position", "token")
TABLE = (
    ("TOY", (1, 1)),
    ("TURNED", (-1, 1)),
    ("SWAPPED", (1, -1)),
    ("BOTH", (-1, -1)),
    ("OTHER", (1, 0)),
    ("OTHER_TURNED", (-1, 0)),
)


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A task that says what measures ask of it, and draws nothing."""

    name: str = "TOY"
    signals: tuple = SIGNALS
    signal_table: tuple = TABLE


def draw_of(task=None, n=3):
    return Draw(task=task if task is not None else Toy(), n=n, seed=0)


@dataclass
class MadeUp:
    """A `read` that makes up answer logits for each new run, or returns those it was given."""

    seed: int = 0
    n: int = 3
    runs: dict = field(default_factory=dict)

    def __call__(self, need):
        if need.run not in self.runs:
            rng = np.random.default_rng([self.seed, len(self.runs)])
            self.runs[need.run] = rng.normal(size=(self.n, 2))
        return self.runs[need.run]


def equal(n):
    return np.ones((1, n))


def value(measure, read, draw=None):
    """Return the values by part under equal weights."""
    draw = draw if draw is not None else draw_of(n=read.n)
    return measure.value(read, draw, equal)[:, 0].tolist()
