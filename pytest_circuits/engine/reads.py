"""What an intervention takes from elsewhere: references, and the sites it reads of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_circuits.engine.scrubs import asked
from pytest_circuits.engine.stage import site_of
from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.interventions import (
    Ablation,
    EdgeCircuit,
    Intervention,
    PathPatch,
    Reference,
    Scrub,
)
from pytest_circuits.nodes import Activation, Head, Node
from pytest_circuits.readings import Reading, Run, Site

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model
    from pytest_circuits.tasks.base import Dataset, Prompts


def reads(under: Intervention, layers: int) -> Iterator[tuple[Reference, Site]]:
    """Yield every site of every reference that an intervention reads, in a model of `layers`."""
    if isinstance(under, Ablation):
        if under.outside:
            yield from ((under.reference, Site("z", at)) for at in range(layers))
        if under.mlps_outside:
            yield from ((under.reference, Site("mlp", at)) for at in range(layers))
        yield from ((under.reference, site_of(node, layers)) for node in under.nodes)
    elif isinstance(under, PathPatch):
        yield from ((under.reference, Site("z", node.head.layer)) for node in under.senders)
    else:
        yield from ((under.reference, Site("z", at)) for at in range(layers))
    if isinstance(under, Ablation | PathPatch) and under.given is not None:
        yield from reads(under.given, layers)


def nodes_of(under: Intervention) -> Iterator[Node | Activation]:
    """Yield every node that an intervention names."""
    if isinstance(under, Ablation):
        yield from under.nodes
    elif isinstance(under, PathPatch):
        yield from under.senders
        yield from (end.node for end in under.receivers)
    else:
        for edge in under.edges:
            yield edge.sender
            if edge.receiver is not None:
                yield edge.receiver.node
    if isinstance(under, Ablation | PathPatch) and under.given is not None:
        yield from nodes_of(under.given)


def distributions(run: Run) -> tuple[str, ...]:
    """Return the distributions whose prompts a run takes through the model, its own first."""
    if not isinstance(run.under, Scrub):
        return (run.distribution,)
    return tuple(asked(run.under, run.distribution, run.draw.task.varied))


def check_nodes(under: Intervention, model: Model) -> None:
    """Refuse nodes that the model lacks, and keys or values of part of a group."""
    for node in nodes_of(under):
        if node.head is not None:
            check_head(node.head, model)
        elif isinstance(node, Activation):
            _check_layer(node, model)
    if isinstance(under, Ablation):
        _check_groups(under, model)


def check_head(head: Head, model: Model) -> None:
    """Refuse a head that the model lacks."""
    if head.layer >= model.n_layers or head.index >= model.n_heads:
        raise ClaimNotEvaluable(
            f"{model.spec} has no head {head}: it has layers 0 to {model.n_layers - 1} with heads "
            f"0 to {model.n_heads - 1} each. Is the suite meant for another model?"
        )


def check_positions(under: Intervention, prompts: Prompts, longest: int) -> None:
    """Refuse prompts that lack a named position, or are longer than those that were checked."""
    for node in nodes_of(under):
        prompts.at(node.at)
    length = max(map(len, prompts.ids))
    if length > longest:
        raise ClaimNotEvaluable(
            f"[{under}]: a prompt of {prompts.name} has {length} tokens, and the prompts that it "
            f"varies have at most {longest}."
        )


def check_reading(reading: Reading, under: Intervention | None) -> None:
    """Refuse to read what every receiver of an edge has its own of."""
    if not isinstance(under, EdgeCircuit | Scrub):
        return
    for site in reading.sites():
        if site.name not in ("z", "resid_final", "answers", "logits"):
            raise ClaimNotEvaluable(
                f"`under`: [{under}] has no one {site.name} of layer {site.layer}: each "
                "receiver reads a stream of its own. Read the logits, or what heads write to them."
            )


def check_reference(reference: Reference, dataset: Dataset, distribution: str) -> None:
    """Refuse a reference that leaks the task or does not align with the prompts it goes into."""
    over = reference.over
    if over is None:
        return
    source, target = dataset.distribution(over), dataset.distribution(distribution)
    if reference.kind != "counterpart" and over not in dataset.neutral:
        neutral = ", ".join(sorted(dataset.neutral)) or "none declared by this task"
        raise ClaimNotEvaluable(
            f"`{reference}`: the distribution {over} still carries the task, so replacing "
            "outputs by it hides the very effect that is to be removed (Wang et al. 2022, "
            f"section 2). Distributions without the task: {neutral}."
        )
    for row, (a, b) in enumerate(zip(source.ids, target.ids, strict=True)):
        if len(a) != len(b):
            raise ClaimNotEvaluable(
                f"`{reference}`: row {row} of {over} has {len(a)} tokens and of "
                f"{distribution} {len(b)}: the two do not align token for token."
            )


def _check_layer(node: Activation, model: Model) -> None:
    top = model.n_layers + (node.kind == "resid")
    if node.layer >= top:
        raise ClaimNotEvaluable(f"{model.spec} has no {node}: it has {model.n_layers} layers.")


def _check_groups(under: Ablation, model: Model) -> None:
    shared = int(getattr(model.bridge.cfg, "n_key_value_heads", None) or model.n_heads)
    size = model.n_heads // shared
    for node in under.nodes:
        if not isinstance(node, Activation) or node.kind not in ("k", "v") or size == 1:
            continue
        assert node.index is not None
        first = node.index // size * size
        group = [Head(node.layer, first + i) for i in range(size)]
        missing = [
            each
            for each in group
            if Activation(node.kind, each.layer, each.index, node.at) not in under.nodes
        ]
        if missing:
            raise ClaimNotEvaluable(_group_message(node, group))


def _group_message(node: Activation, group: list[Head]) -> str:
    word = {"k": "keys", "v": "values"}[node.kind]
    names = ", ".join(map(str, group))
    quoted = ", ".join(repr(str(each)) for each in group)
    path = f"path_patch(senders, heads('{node.head}', at=...).{node.kind}, to=...)"
    return (
        f"`{word}`: {node} is no activation of its own: in this model the group of query heads "
        f"{names} shares one {word[:-1]}, so replacing it changes what all of them read. Name all "
        f"of the group, {word}({quoted}, at={node.at!r}); or, for what this one head reads, end a "
        f"path in it: {path}, which computes its output alone with other {word}."
    )
