"""What one intervention left behind, laid over the world it was made in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pytest_circuits.readings import Site

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.engine.stage import Stage
    from pytest_circuits.engine.sweep import Swept
    from pytest_circuits.engine.world import World


@dataclass(frozen=True, eq=False)
class Outcome:
    """One variant of a sweep: `number` is where it lies in the sweep's tensors."""

    stage: Stage
    world: World
    swept: Swept
    number: int
    answers: Callable[[], Tensor]  # of all variants

    def act(self, site: Site) -> Tensor:
        """Return an activation as `Batch.act` does; what did not change is the world's."""
        if site.name == "answers":
            return self.answers()[self.number]
        if site.name == "logits":
            return self.world.anatomy.logits(_at_end(self)[0])
        if site.name == "resid_final":
            return self._laid(self.world.stream[-1], self.swept.final[self.number])
        kept = self.swept.kept.get(site)
        base = self.world.act(site)
        if kept is None or len(kept) <= self.number:
            return base
        if site.name == "pattern":
            return self._laid(base.transpose(1, 2), kept[self.number].transpose(1, 2)).transpose(
                1, 2
            )
        return self._laid(base, kept[self.number])

    def _laid(self, base: Tensor, value: Tensor) -> Tensor:
        columns, laid = self.swept.columns, base.clone()
        rows = columns.valid.nonzero()[:, 0]
        laid[rows, columns.index[columns.valid]] = value[columns.valid].to(base.dtype)
        return laid


def outcomes(stage: Stage, world: World, swept: Swept) -> Iterator[tuple[int, Outcome]]:
    """Yield each variant's outcome with its place among the variants that were given."""
    answers = cache(lambda: world.anatomy.logits_of(_ends(stage, world, swept), _answers(stage)))
    for number, given in enumerate(swept.order):
        yield given, Outcome(stage, world, swept, number, answers)


def plain(stage: Stage) -> Outcome:
    """Return the outcome of no intervention."""
    return untouched(stage, stage.world(None))


def untouched(stage: Stage, world: World) -> Outcome:
    """Return a world as it is."""
    from pytest_circuits.engine.sweep import Swept

    columns = stage.columns(["END"])
    swept = Swept(columns, (0,), columns.of(world.stream[-1])[None], {})
    return next(outcome for _, outcome in outcomes(stage, world, swept))


def _at_end(outcome: Outcome) -> Tensor:
    return _ends(outcome.stage, outcome.world, outcome.swept)[outcome.number][None]


def _ends(stage: Stage, world: World, swept: Swept) -> Tensor:
    """Return the final stream at END, [variant, batch, d_model]."""
    import torch

    slot, present = swept.columns.slot(stage.end)
    rows = torch.arange(len(slot), device=slot.device)
    here = swept.final[:, rows, slot]
    return torch.where(present[None, :, None], here, world.stream[-1][rows, stage.end])


def _answers(stage: Stage) -> Tensor:
    import torch

    return torch.stack([stage.batch.answers, stage.batch.foils], dim=1)
