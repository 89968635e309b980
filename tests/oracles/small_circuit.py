"""A row of prompts, a circuit of four roles, and what "the same" means."""

import torch

from pytest_circuits.nodes import circuit, heads
from pytest_circuits.tasks.positions import END, S2

ROW = 1

EARLY = heads("0.1", "0.2", at=S2)
MIDDLE = heads("1.0", "1.3", at=S2)
LATE = heads("2.0", "2.3", at=END)
LAST = heads("1.1", "1.2", at=END)
WHOLE = circuit(EARLY, MIDDLE, LAST, LATE)


def same(a, b):
    return torch.allclose(a, b, rtol=1e-5, atol=1e-5)


def changed(run, plain, pos=-1):
    """How far the logits at a position moved."""
    return float((run.logits[pos] - plain.logits[pos]).abs().max())


def end_logits(truth, under=None, distribution="IOI"):
    return truth.run(ROW, under, distribution).logits[-1]
