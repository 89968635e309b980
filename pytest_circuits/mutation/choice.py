"""Which mutants a suite is put to: those that sabotage what its claims are about, and decoys."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise

from pytest_circuits.mutation.mutants import (
    KnockedOut,
    Mutant,
    Noised,
    Quantised,
    Reinitialised,
    Renumbered,
    ShuffledOV,
    ShuffledQK,
    Swapped,
    Turned,
)
from pytest_circuits.nodes import Activation, Head, Role
from pytest_circuits.pieces import pieces

NOISE = (0.1, 0.5)
BITS = (3, 2)
LAYERS = 4


def mutants_of(
    claims: Iterable[object], *, layers: int, heads: int, shared: int, seed: int = 0
) -> tuple[Mutant, ...]:
    """Return the mutants for claims about a model of so many layers, heads and K/V heads.

    Each role that the claims' measures name is knocked out, and its OV and its QK are shuffled; a
    head of each trades places with one of the next role or, where heads share keys and values, with
    one of its group that is not in the role. Then come at most
    four layers, evenly spaced, two amounts of noise, and two numbers of bits; then decoys, which
    change nothing: each role's values in another basis, and in at most four layers two heads that
    no claim names, swapped. Roles are told apart by their heads, whatever position they are named
    at; a role without a name, all of whose heads are in roles with one, gets no mutants of its own.
    """
    claims = tuple(claims)
    roles = roles_of(claims)
    named = [(role.heads, label) for role, label in _labelled(roles)]
    return (
        *(KnockedOut(heads=h, label=label) for h, label in named),
        *(ShuffledOV(heads=h, label=label, seed=seed) for h, label in named),
        *(ShuffledQK(heads=h, label=label, seed=seed) for h, label in named),
        *_swaps(roles, heads=heads, group=heads // shared),
        *(Reinitialised(layer=layer, seed=seed) for layer in _spread(layers)),
        *(Noised(amount=amount, seed=seed) for amount in NOISE),
        *(Quantised(bits=bits) for bits in BITS),
        *(Turned(heads=h, label=label, seed=seed) for h, label in named),
        *_renumbered(named_heads(claims), (layers, heads, heads // shared), seed),
    )


def named_heads(claims: Iterable[object]) -> frozenset[Head]:
    """Return the heads that claims name, in a measure or in an intervention."""
    inside = [piece for claim in claims for piece in pieces(claim)]
    found = (each.head if isinstance(each, Activation) else each for each in inside)
    return frozenset(each for each in found if isinstance(each, Head))


def roles_of(claims: Iterable[object]) -> tuple[Role, ...]:
    """Return the roles that claims' measures name, in order, each set of heads once.

    Heads that occur in an intervention alone are in no role, and are not found.
    """
    found: dict[frozenset[Head], Role] = {}
    for role in _roles_in(tuple(claims)):
        known = found.setdefault(frozenset(role.heads), role)
        if role.name and not known.name:
            found[frozenset(role.heads)] = role
    in_named = {head for role in found.values() if role.name for head in role.heads}
    return tuple(role for role in found.values() if role.name or not {*role.heads} <= in_named)


def _roles_in(value: object) -> Iterator[Role]:
    if isinstance(value, Role):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _roles_in(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _roles_in(getattr(value, each.name))


def _labelled(roles: Sequence[Role]) -> Iterator[tuple[Role, str]]:
    """Yield roles with their names; with their heads too where an earlier one has the name."""
    seen: set[str] = set()
    for role in roles:
        yield role, str(role) if role.name in seen else role.name
        seen.add(role.name)


def _swaps(roles: Sequence[Role], *, heads: int, group: int) -> tuple[Swapped, ...]:
    """Return a swap per role; where heads share keys and values, with a head of the same group."""
    if group == 1:
        ends = [_across(one, two) for one, two in pairwise(roles)]
    else:
        ends = [_within_group(role, group) for role in roles]
    pairs = dict.fromkeys(tuple(sorted(pair)) for pair in ends if pair)
    return tuple(Swapped(first=first, second=second) for first, second in pairs)


def _across(one: Role, two: Role) -> tuple[Head, Head] | None:
    """Return the first head of one role, and the first of another that is not in the first."""
    return next(((one.heads[0], head) for head in two.heads if head not in one.heads), None)


def _within_group(role: Role, group: int) -> tuple[Head, Head] | None:
    """Return a head of a role and one that shares its keys and values and is not in the role."""
    for head in role.heads:
        start = head.index // group * group
        for index in range(start, start + group):
            if (other := Head(head.layer, index)) not in role.heads:
                return head, other
    return None


def _renumbered(
    named: frozenset[Head], shape: tuple[int, int, int], seed: int
) -> Iterator[Renumbered]:
    """Yield a swap in each of a few layers, beside named heads if two are unnamed there."""
    layers, heads, group = shape
    rng = random.Random(f"decoys {seed}")
    pairs = [pair for at in range(layers) if (pair := _unnamed(at, named, heads, group, rng))]
    beside = [pair for pair in pairs if pair[0].layer in {head.layer for head in named}] or pairs
    for at in _spread(len(beside)):
        yield Renumbered(first=beside[at][0], second=beside[at][1])


def _unnamed(
    layer: int, named: frozenset[Head], heads: int, group: int, rng: random.Random
) -> list[Head] | None:
    """Return two heads of a layer that no claim names, of one group where keys are shared."""
    size = heads if group == 1 else group
    groups = ([Head(layer, i) for i in range(at, at + size)] for at in range(0, heads, size))
    free = [[head for head in each if head not in named] for each in groups]
    several = [each for each in free if len(each) > 1]
    return sorted(rng.sample(rng.choice(several), 2)) if several else None


def _spread(layers: int) -> tuple[int, ...]:
    """Return at most LAYERS layers, the first and the last among them."""
    count = min(LAYERS, layers)
    return tuple(round(i * (layers - 1) / max(1, count - 1)) for i in range(count))
