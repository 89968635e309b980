"""How `reference-ioi` works, as a hypothesis that causal scrubbing can test; by construction."""

from pytest_circuits.nodes import LOGITS, heads
from pytest_circuits.scrubbing import hypothesis
from pytest_circuits.tasks.positions import END, S1_NEXT, S2
from pytest_circuits.wiring import edges

PREVIOUS = heads("0.3", "1.0", at=S1_NEXT, name="previous token heads")
DUPLICATE = heads("2.0", "3.2", at=S2, name="duplicate token heads")
INDUCTION = heads("2.3", "3.1", at=S2, name="induction heads")
INHIBITION = heads("4.3", "5.1", at=END, name="S-inhibition heads")
MOVERS = heads("6.0", "6.2", at=END, name="name movers")
BACKUPS = heads("7.0", "7.2", at=END, name="backup name movers")
NEGATIVE = heads("7.1", "7.3", at=END, name="negative name movers")

# S-inhibition heads find S2 by the flag, so that its writers act on keys as well as on values.
EDGES = (
    edges(PREVIOUS, INDUCTION.k),
    edges(DUPLICATE, INHIBITION.k),
    edges(DUPLICATE, INHIBITION.v),
    edges(INDUCTION, INHIBITION.k),
    edges(INDUCTION, INHIBITION.v),
    *(edges(INHIBITION, each.q) for each in (MOVERS, BACKUPS, NEGATIVE)),
    edges(MOVERS, BACKUPS.q),
    *(edges(each, LOGITS) for each in (MOVERS, BACKUPS, NEGATIVE)),
)

# Name movers and the like attend to S, too, a little; nobody's output depends on anything else.
CARRIES = {
    PREVIOUS: "S",
    DUPLICATE: "position",
    INDUCTION: "position",
    INHIBITION: ("position", "S"),
    MOVERS: ("IO", "S"),
    BACKUPS: ("IO", "S"),
    NEGATIVE: ("IO", "S"),
}


def says(name="as built", **others):
    """The hypothesis, or one that says something else of some roles: says(INHIBITION="IO")."""
    changed = {globals()[role]: features for role, features in others.items()}
    return hypothesis(*EDGES, carries={**CARRIES, **changed}, name=name)
