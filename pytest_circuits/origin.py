"""Where the model of a claim comes from: its name, and all that has a say in loading it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.fixtures import FixtureDef

LOADER = "circuit_load_model"


@dataclass(frozen=True)
class Origin:
    """A model's spec, and who loads it: the hooks and fixtures of the folder that asks for it.

    The same spec may be a model in one folder, and another model in the next.
    """

    spec: str
    loaders: tuple[Hashable, ...]

    def __str__(self) -> str:
        return self.spec


def origin_of(item: pytest.Item, spec: str) -> Origin:
    """Return the origin of the model that a spec stands for where an item is."""
    hooks = item.ihook.pytest_circuits_load_model.get_hookimpls()
    return Origin(spec, (*hooks, *dict.fromkeys(_needed(LOADER, _fixtures(item)))))


def overridden_at(item: pytest.Item) -> str:
    """Return the folder whose `circuit_load_model` fixture an item gets; empty: the plugin's."""
    defined = _fixtures(item).get(LOADER, ())
    return defined[-1].baseid or "." if len(defined) > 1 else ""


def _fixtures(item: pytest.Item) -> Mapping[str, Sequence[FixtureDef[object]]]:
    """Return all definitions of each fixture that an item may use, the one it gets last."""
    info = getattr(item, "_fixtureinfo", None)  # other kinds of items have no fixtures
    return info.name2fixturedefs if info is not None else {}


def _needed(
    name: str, fixtures: Mapping[str, Sequence[FixtureDef[object]]], above: int = 1
) -> Iterator[FixtureDef[object]]:
    """Return what a fixture is made of: its definition, and those of all that it asks for.

    One that asks for its own name gets the definition that it overrides.
    """
    defined = fixtures.get(name, ())
    if len(defined) < above:
        return
    chosen = defined[-above]
    yield chosen
    for each in chosen.argnames:
        yield from _needed(each, fixtures, above + 1 if each == name else 1)
