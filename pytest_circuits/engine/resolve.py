"""From an intervention as data to a variant on a batch: what is put where, what is computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_circuits.engine.frame import Columns
from pytest_circuits.engine.stage import Stage
from pytest_circuits.engine.sweep import Live, MLPs, Variant
from pytest_circuits.engine.world import World
from pytest_circuits.interventions import Ablation, PathPatch
from pytest_circuits.nodes import Activation, Node
from pytest_circuits.tasks.positions import END


@dataclass(frozen=True, eq=False)
class Placed:
    """A variant, the world it is made in, and the columns it can change."""

    variant: Variant
    world: World
    columns: Columns

    @property
    def group(self) -> tuple[object, ...]:
        """What variants must share to be swept together."""
        closed = self.variant.live is None
        return (id(self.world), id(self.columns), closed, self.variant.mlps)


def ablated(under: Ablation, stage: Stage, *, wide: bool = False) -> Placed:
    """Return the variant of an ablation, over all later columns too if `wide`."""
    if under.outside:
        return _opened(under, stage, wide)
    variant = Variant(puts=stage.puts(under.nodes, under.reference))
    return in_world(under.given, _positions(under.nodes), stage, variant, wide=wide)


def in_world(
    given: Ablation | None,
    positions: Iterable[str],
    stage: Stage,
    made: Variant,
    *,
    wide: bool = False,
) -> Placed:
    """Return a variant in the world of `given`, everything live there computed anew."""
    world = stage.world(given)
    positions = set(positions)
    if given is None or not given.outside:
        open_ = Variant(puts=made.puts, rereads=made.rereads, kept=stage.kept(given))
        return Placed(open_, world, stage.suffix(positions))
    live = [node for node in given.nodes if layer_of(node) >= made.first[0]]
    reached = positions | {node.at for node in live if _comes_after(node.at, positions, stage)}
    closed = Variant(
        puts=made.puts,
        rereads=made.rereads,
        live=_live(live, stage),
        mlps="some" if given.mlps_outside else "live",
    )
    return Placed(closed, world, _columns(reached, stage, wide))


def senders(under: PathPatch, stage: Stage, *, wide: bool = False) -> Placed:
    """Return the variant of a path patch's first half: all heads frozen, senders replaced."""
    world = stage.world(under.given)
    mlps: MLPs = under.mlps
    live: tuple[Live, ...] = ()
    if under.given and under.given.mlps_outside and mlps == "live":
        nodes = [node for node in under.given.nodes if not isinstance(node, Node)]
        mlps, live = "some", _live(nodes, stage)
    frozen = Variant(
        puts=stage.puts(under.senders, under.reference),
        kept=stage.kept(under.given),
        live=live,
        mlps=mlps,
    )
    return Placed(frozen, world, _columns(_positions(under.senders), stage, wide))


def _columns(positions: Iterable[str], stage: Stage, wide: bool) -> Columns:
    """Return these columns, or (who attends to what) all from the first of them on."""
    return stage.suffix(positions) if wide else stage.columns(positions)


def _opened(under: Ablation, stage: Stage, wide: bool) -> Placed:
    """Return the variant that opens a circuit in the world where every head is closed."""
    ground = stage.closed(under.reference, mlps=under.mlps_outside)
    opened = Variant(
        live=_live(under.nodes, stage),
        fresh=True,
        mlps="some" if under.mlps_outside else "live",
    )
    positions = _positions(under.nodes) or {END}
    return Placed(opened, stage.world(ground), _columns(positions, stage, wide))


def _comes_after(position: str, positions: Iterable[str], stage: Stage) -> bool:
    """Return whether a position can see one of some others, in any row."""
    return any(bool((stage.column(position) >= stage.column(at)).any()) for at in positions)


def _live(nodes: Iterable[Node | Activation], stage: Stage) -> tuple[Live, ...]:
    return tuple(
        Live(
            layer_of(node),
            node.head.index if isinstance(node, Node) else None,
            stage.column(node.at),
        )
        for node in nodes
        if isinstance(node, Node) or node.kind == "mlp"
    )


def layer_of(node: Node | Activation) -> int:
    """Return the layer of a node."""
    return node.head.layer if isinstance(node, Node) else node.layer


def _positions(nodes: Iterable[Node | Activation]) -> set[str]:
    return {node.at for node in nodes}
