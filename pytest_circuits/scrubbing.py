"""Hypotheses that causal scrubbing tests: who reads whom, and what each output carries. No torch.

A hypothesis is data, as an intervention is; `scrub` makes the intervention that tests it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pytest_circuits.arguments import check_label, check_name, problem_with_name, several
from pytest_circuits.errors import CircuitUsageError, shown, unknown_name
from pytest_circuits.interventions import Reference, Scrub, flat_edges
from pytest_circuits.nodes import Edge, Node, Role, check_role
from pytest_circuits.tasks.base import CHANGED


@dataclass(frozen=True)
class Hypothesis:
    """Edges, and per role what of the prompt its output carries; made by `hypothesis`."""

    edges: frozenset[Edge]
    carries: tuple[tuple[Role, tuple[str, ...]], ...]
    name: str = ""

    def without(self, role: Role, *features: str) -> Hypothesis:
        """Return the hypothesis in which these features of what `role` carries are wrong.

        Its outputs are then computed on prompts that disagree with the reader's on `features`;
        without any, on all that the role is said to carry.
        """
        check_role("role", role)
        carried = self._carried(role)
        for each in features:
            check_name("features", each, "S")
            if each not in carried:
                raise CircuitUsageError(
                    f"`features`: {unknown_name(f'feature carried by {role}', each, carried)}"
                )
        changed = features or carried
        if not changed:
            raise CircuitUsageError(f"`role`: {role} carries nothing that could be wrong.")
        return replace(
            self,
            carries=tuple(
                (other, _changed(theirs, changed) if _same(other, role) else theirs)
                for other, theirs in self.carries
            ),
            name=f"{self} but {_and(changed)} of {role} changed",
        )

    def _carried(self, role: Role) -> tuple[str, ...]:
        for other, features in self.carries:
            if _same(other, role):
                return tuple(each for each in features if not each.startswith(CHANGED))
        known = "; ".join(str(other) for other, _ in self.carries)
        raise CircuitUsageError(f"`role`: {self} says nothing of {role}. It is about: {known}.")

    def __str__(self) -> str:
        said = (f"{role} carry {_and(features)}" for role, features in self.carries)
        return self.name or "; ".join(said)


def hypothesis(
    *edges: Iterable[Edge], carries: Mapping[Role, str | Iterable[str]], name: str = ""
) -> Hypothesis:
    """Return the hypothesis that a circuit has these edges and its outputs carry these features.

    Each of `edges` is a tuple made by `edges(...)`. `carries` says, for every role that sends, on
    which features of the prompt (`Task.features`; for IOI "position", "S", "IO") its output at its
    position depends: a feature, several, or () for none. Together they are exact: what is not
    named does not matter, and is drawn afresh when the hypothesis is scrubbed.
    """
    flat = flat_edges(edges)
    check_label("name", name)
    if not isinstance(carries, Mapping):
        raise CircuitUsageError(f"`carries` must map roles to features; got {shown(carries)}.")
    said = tuple((role, _features(role, listed)) for role, listed in carries.items())
    _check_senders(flat, [node for role, _ in said for node in role.nodes])
    return Hypothesis(flat, said, name)


def scrub(what: Hypothesis, *, to: Reference) -> Scrub:
    """Return the intervention that tests a hypothesis: all it calls irrelevant is drawn afresh."""
    if not isinstance(what, Hypothesis):
        raise CircuitUsageError(f"expected what hypothesis(...) makes; got {shown(what)}.")
    if not isinstance(to, Reference):
        raise CircuitUsageError(
            f"`to` must be a reference such as mean(over=ABC); got {shown(to)}."
        )
    keeps = ((node, features) for role, features in what.carries for node in role.nodes)
    return Scrub(what.edges, tuple(sorted(keeps)), to, str(what))


def _features(role: Role, listed: str | Iterable[str]) -> tuple[str, ...]:
    if not isinstance(role, Role):
        raise CircuitUsageError(f"`carries` maps roles made by heads(...); got {shown(role)}.")
    features = (listed,) if isinstance(listed, str) else several("carries", listed, "features")
    if any(problem_with_name(each) or each[0] == CHANGED for each in features):
        raise CircuitUsageError(
            "`carries`: names of features are strings, not empty and without a leading "
            f"{CHANGED!r}; got {shown(features)}."
        )
    return tuple(sorted(set(features)))


def _check_senders(edges: frozenset[Edge], declared: list[Node]) -> None:
    senders = {edge.sender for edge in edges}
    readers = {edge.receiver.node for edge in edges if edge.receiver}
    problems = {
        "is named by two roles": {node for node in declared if declared.count(node) > 1},
        "sends along an edge, so say what it carries": senders - set(declared),
        "sends along no edge": set(declared) - senders,
        # Layers only rise along edges, so that without such ends every edge leads to the logits.
        "reads along an edge, but no edge leads on from it": readers - senders,
    }
    found = [f"{min(nodes)} {rule}" for rule, nodes in problems.items() if nodes]
    if found:
        raise CircuitUsageError(f"`carries` and `edges` do not fit: {'; '.join(found)}.")


def _changed(features: tuple[str, ...], wrong: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(CHANGED + each if each in wrong else each for each in features))


def _same(one: Role, other: Role) -> bool:
    return set(one.nodes) == set(other.nodes)


def _and(features: Iterable[str]) -> str:
    return " and ".join(features) or "nothing"
