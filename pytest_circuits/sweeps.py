"""One claim under several methods: other ablations, other seeds, other templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

from pytest_circuits.arguments import check_text, check_whole, several
from pytest_circuits.claims import Claim
from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable, shown
from pytest_circuits.interventions import Reference
from pytest_circuits.pieces import pieces
from pytest_circuits.readings import Draw


@dataclass(frozen=True)
class Sweep(Claim):
    """A claim that must hold under every method; made by `Claim.over`."""

    ablations: tuple[Reference, ...] = ()
    seeds: tuple[int, ...] = ()
    templates: tuple[tuple[str, ...], ...] = ()

    def ways(self, draw: Draw) -> tuple[tuple[str, Claim, Draw], ...]:
        """Return the claim and its prompts under each method, with the method in words."""
        plain = Claim(self.measure, self.relation, self.threshold, self.source)
        every = product(self.ablations or (None,), self.seeds or (None,), self._groups())
        return tuple(
            (_words(to, seed, group), _with_ablation(plain, to), _drawn(draw, seed, group))
            for to, seed, group in every
        )

    def __str__(self) -> str:
        over = {"ablations": self.ablations, "seeds": self.seeds, "template sets": self.templates}
        words = (f"{len(listed)} {name}" for name, listed in over.items() if listed)
        return f"{super().__str__()}, over {' x '.join(words)}"

    def _groups(self) -> Sequence[tuple[int, tuple[str, ...]] | None]:
        return list(enumerate(self.templates, start=1)) or [None]


def sweep(
    claim: Claim,
    *,
    ablations: Sequence[Reference],
    seeds: Sequence[int],
    templates: Sequence[Sequence[str]],
) -> Sweep:
    """See `Claim.over`."""
    groups = tuple(
        several("templates", group, "templates")
        for group in several("templates", templates, "sets of templates")
    )
    for template in (template for group in groups for template in group):
        check_text("templates", template)
    seeds = several("seeds", seeds, "seeds")
    for seed in seeds:
        check_whole("seeds", seed, 0)
    ablations = several("ablations", ablations, "references")
    _check_ablations(claim, ablations)
    if not (ablations or seeds or groups):
        raise CircuitUsageError("`over`: name `ablations`, `seeds` or `templates` to vary.")
    for name, listed in (("ablations", ablations), ("seeds", seeds), ("templates", groups)):
        if len(set(listed)) != len(listed):
            raise CircuitUsageError(
                f"`{name}`: the same method is listed twice; got {shown(listed)}."
            )
    return Sweep(
        claim.measure,
        claim.relation,
        claim.threshold,
        claim.source,
        ablations,
        seeds,
        groups,
    )


def _check_ablations(claim: Claim, ablations: Sequence[Reference]) -> None:
    """Refuse what is no ablation, and any where the claim makes none."""
    for each in ablations:
        if not isinstance(each, Reference) or each.kind == "counterpart":
            raise CircuitUsageError(
                f"`ablations` are mean(...), zero() or resample(...); got {shown(each)}."
            )
    if ablations and not set(_ablations_in(claim.measure)):
        raise CircuitUsageError(
            f"`ablations`: '{claim.measure}' replaces nothing by a mean, zero or resampled value."
        )


def _words(
    to: Reference | None, seed: int | None, group: tuple[int, tuple[str, ...]] | None
) -> str:
    said = (
        "" if to is None else str(to),
        "" if seed is None else f"seed {seed}",
        "" if group is None else f"template set {group[0]}",
    )
    return ", ".join(filter(None, said))


def _drawn(draw: Draw, seed: int | None, group: tuple[int, tuple[str, ...]] | None) -> Draw:
    if seed is not None:
        draw = replace(draw, seed=seed)
    if group is None:
        return draw
    if not is_dataclass(draw.task) or not hasattr(draw.task, "templates"):
        raise ClaimNotEvaluable(f"`templates`: the task {draw.task.name} has none to choose from.")
    return replace(draw, task=replace(draw.task, templates=group[1]))


def _with_ablation(claim: Claim, to: Reference | None) -> Claim:
    if to is None:
        return claim
    return replace(claim, measure=_substituted(claim.measure, to, set(_ablations_in(claim))))


def _ablations_in(value: object) -> Iterator[Reference]:
    """Yield every reference inside plain data, but for counterparts: they are no ablations."""
    for piece in pieces(value):
        if isinstance(piece, Reference) and piece.kind != "counterpart":
            yield piece


def _substituted(value: Any, to: Reference, old: set[Reference]) -> Any:
    """Return plain data with other references in it; what things are called stays."""
    changed = value
    if isinstance(value, Reference):
        changed = to if value in old else value
    elif isinstance(value, tuple | frozenset):
        changed = type(value)(_substituted(each, to, old) for each in value)
    elif is_dataclass(value) and not isinstance(value, type):
        new = {
            each.name: _substituted(getattr(value, each.name), to, old) for each in fields(value)
        }
        changed = replace(value, **new)
    return changed
