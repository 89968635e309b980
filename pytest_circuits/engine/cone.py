"""All interventions on a batch: placed, grouped, and swept through the layers together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_circuits.engine.edges import edge_circuit
from pytest_circuits.engine.frozen import frozen
from pytest_circuits.engine.outcome import Outcome, outcomes
from pytest_circuits.engine.paths import received, receiver_sites
from pytest_circuits.engine.resolve import Placed, ablated, senders
from pytest_circuits.engine.scrubs import scrubbed
from pytest_circuits.engine.stage import Stage
from pytest_circuits.engine.sweep import sweep
from pytest_circuits.interventions import Ablation, EdgeCircuit, Intervention, PathPatch, Scrub
from pytest_circuits.readings import Site

_AT_ONCE = 512  # interventions whose replacement values are held together
_FROM_FINAL = ("answers", "logits", "resid_final")

Task = tuple[Intervention, Placed, frozenset[Site]]


def intervene(
    stage: Stage, wanted: Mapping[Intervention, frozenset[Site]], *, memory: int
) -> Iterator[tuple[Intervention, Outcome]]:
    """Yield the outcome of every intervention; `wanted` says which sites will be read of each.

    `memory` (bytes) bounds what one sweep works on.
    """
    every = list(wanted)
    for start in range(0, len(every), _AT_ONCE):
        yield from _some(
            stage, {each: wanted[each] for each in every[start : start + _AT_ONCE]}, memory
        )


def _some(
    stage: Stage, wanted: Mapping[Intervention, frozenset[Site]], memory: int
) -> Iterator[tuple[Intervention, Outcome]]:
    patches = [each for each in wanted if isinstance(each, PathPatch)]
    wide = {each: any(site.name == "pattern" for site in sites) for each, sites in wanted.items()}
    direct = [
        (each, senders(each, stage, wide=wide[each]), wanted[each])
        for each in patches
        if not each.receivers
    ]
    halves = [
        (each, senders(each, stage), frozenset(receiver_sites(each)))
        for each in patches
        if each.receivers
    ]
    tasks: list[Task] = [
        (each, ablated(each, stage, wide=wide[each]), wanted[each])
        for each in wanted
        if isinstance(each, Ablation)
    ]
    for under, brought in _swept(stage, halves, memory, to_the_end=False):
        assert isinstance(under, PathPatch)
        tasks.append((under, received(under, brought, wide=wide[under]), wanted[under]))
    yield from _swept(stage, [*direct, *tasks], memory, to_the_end=True)
    for each in wanted:
        if isinstance(each, EdgeCircuit):
            yield each, edge_circuit(each, stage)
        elif isinstance(each, Scrub):
            yield each, scrubbed(each, stage)


def _swept(
    stage: Stage, tasks: Iterable[Task], memory: int, *, to_the_end: bool
) -> Iterator[tuple[Intervention, Outcome]]:
    """Sweep what can go together: to the logits, or as far as there is something to read."""
    groups: dict[tuple[object, ...], list[Task]] = defaultdict(list)
    for under, placed, sites in tasks:
        inner = frozenset(site for site in sites if site.name not in _FROM_FINAL)
        groups[(*placed.group, inner)].append((under, placed, inner))
    for group in groups.values():
        for part in _parts(group, stage, memory):
            yield from _sweep(stage, part, to_the_end=to_the_end)


def _sweep(
    stage: Stage, tasks: Sequence[Task], *, to_the_end: bool
) -> Iterator[tuple[Intervention, Outcome]]:
    _, first, sites = tasks[0]
    variants = [placed.variant for _, placed, _ in tasks]
    still = first.variant.live == () and first.variant.mlps == "frozen"
    simple = all(site.name == "resid" for site in sites) and not any(
        put.kind in ("resid", "mlp") for put in first.variant.kept
    )
    if still and simple:
        swept = frozen(first.world, first.columns, variants, sites)
    else:
        swept = sweep(first.world, first.columns, variants, sites, to_the_end=to_the_end)
    for number, outcome in outcomes(stage, first.world, swept):
        yield tasks[number][0], outcome


def _parts(tasks: list[Task], stage: Stage, memory: int) -> Iterator[Sequence[Task]]:
    """Cut a group so that a sweep fits the memory; variants that start late stay together."""
    tasks = sorted(tasks, key=lambda task: task[1].variant.first)
    _, placed, sites = tasks[0]
    count = max(1, memory // _bytes_of_variant(stage, placed, len(sites)))
    for start in range(0, len(tasks), count):
        yield tasks[start : start + count]


def _bytes_of_variant(stage: Stage, placed: Placed, sites: int) -> int:
    block = stage.anatomy.blocks[0]
    width, slots = stage.frame.width, placed.columns.slots
    d_model = int(placed.world.stream[0].shape[-1])
    token = (6 + sites) * d_model + 5 * block.heads * block.d_head
    attention = 4 * block.heads * (width + slots)
    return 4 * len(stage.frame.tokens) * slots * (token + attention)
