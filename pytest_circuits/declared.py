"""Claims among the values of a module: those that are evaluated, and those that nobody would.

Looks into values without importing what claims are made of, and without asking for attributes.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import GeneratorType, MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_circuits.claims import Claim

# Not any mapping: one that reads from a file as it is asked would be read whole.
DICTS = (dict, MappingProxyType)
GROUPS = (list, tuple, *DICTS)
HEAPS = (set, frozenset, deque)
ITERATORS = (GeneratorType, map, filter, zip)
MARKS = (pytest.Mark, pytest.MarkDecorator)
PARAM = type(pytest.param())
PLAIN = frozenset({int, float, str, bool, bytes, complex, type(None)})

DEEPEST = 8  # lists in lists that claims have names in

# What these hold they hold for others: fixtures their parameters, verdicts their claims.
KEEPERS = {"builtins", "_pytest", "pytest", "pytest_circuits"}


class Misplaced(Exception):
    """A claim is where nobody would evaluate it; says where, and what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A claim to evaluate: its label among others under one name, and the marks given to it."""

    claim: Claim
    label: str = ""
    marks: Sequence[pytest.Mark | pytest.MarkDecorator] = ()


def declared(value: object, where: str) -> list[Declared]:
    """Return the claims that a variable stands for: itself, or those of a list, tuple or dict.

    `where` names the variable in what `Misplaced` says of claims anywhere else. A nested list's
    labels are joined; where labels do not tell claims apart, a number goes with each.
    """
    if is_claim(value) or type(value) is PARAM:
        return [_alone(value, where)] if _first_claim(value, where) else []
    if not issubclass(type(value), GROUPS):
        _refuse(value, where)
        return []
    found = list(_grouped(value, where, ()))
    labels = distinct([plain(each.label) for each in found], [each.label for each in found])
    return [
        Declared(claim=each.claim, label=label, marks=each.marks)
        for each, label in zip(found, labels, strict=True)
    ]


def is_claim(value: object) -> bool:
    """Return whether a value is a claim, without importing what claims are made of."""
    claims = sys.modules.get("pytest_circuits.claims")
    # By its type: asking a proxy for its class may be asking for too much.
    return claims is not None and issubclass(type(value), claims.Claim)


def is_iterator(value: object) -> bool:
    """Return whether claims may come out of a value that can be looked at only once."""
    return type(value) in ITERATORS or type(value).__module__ == "itertools"


def distinct(short: Sequence[str], whole: Sequence[str]) -> list[str]:
    """Return short labels if they tell all apart, else whole ones, each with its number."""
    if all(short) and len(set(short)) == len(short):
        return list(short)
    return [f"{plain(each)}-{i}".strip("-") for i, each in enumerate(whole)]


def plain(text: str) -> str:
    """Return text with everything replaced that node ids or shells might trip over."""
    return re.sub(r"[^A-Za-z0-9_.=,@-]+", "-", text).strip("-")


def _alone(value: Any, where: str, label: str = "") -> Declared:
    """Return what one claim is declared as, be it in a `pytest.param`."""
    if is_claim(value):
        return Declared(claim=value, label=label)
    if len(value.values) != 1 or not is_claim(value.values[0]):
        raise Misplaced(f"{where} is a pytest.param(...) that is not of one claim alone.")
    given = value.id if isinstance(value.id, str) else label
    return Declared(claim=value.values[0], label=plain(given), marks=tuple(value.marks))


def _grouped(group: Any, where: str, outer: tuple[object, ...]) -> Iterator[Declared]:
    """Yield the claims of a list, tuple or dict, and of those in it, but once of a circle."""
    for key, value in _entries(group):
        if type(key) in PLAIN and type(value) in PLAIN:
            continue
        here = f"{where}[{key}]"
        if is_claim(key):
            raise Misplaced(f"{where}: the claim '{key}' is a key of a dict. {_LISTED}")
        if is_claim(value) or (type(value) is PARAM and _first_claim(value, here)):
            yield _alone(value, here, str(key))
        elif not issubclass(type(value), GROUPS) or len(outer) == DEEPEST:
            _refuse(value, here)
        elif not any(value is each for each in (group, *outer)):
            for each in _grouped(value, here, (group, *outer)):
                yield Declared(claim=each.claim, label=f"{key}-{each.label}", marks=each.marks)


def _entries(group: Any) -> Iterable[tuple[object, object]]:
    if issubclass(type(group), dict):
        return dict.items(group)  # its own, whatever a subclass makes of it
    return group.items() if type(group) is MappingProxyType else enumerate(group)


def _refuse(value: Any, where: str) -> None:
    """Raise if there is a claim in a value that is no place for claims."""
    place = None if type(value) in PLAIN else _first_claim(value, where)
    if place is None:
        return
    if issubclass(type(value), MARKS):
        name = value.name
        raise Misplaced(
            f"{where} gives a claim to pytest.mark.{name}, which nobody evaluates: write "
            f"pytest.param(claim, marks=pytest.mark.{name}(...))."
        )
    if issubclass(type(value), GROUPS):
        deep = f"in more than {DEEPEST} lists in one another"
        raise Misplaced(f"{place} is a claim {deep}. {_LISTED}")
    if issubclass(type(value), HEAPS):
        kind = type(value).__name__
        raise Misplaced(f"{where} is a {kind} of claims, which have no names in it. {_LISTED}")
    if issubclass(type(value), type):
        what = "in a class"
    else:
        what = f"in an object ({type(value).__name__})"
    raise Misplaced(f"{place} is a claim {what}: {VARIABLES}")


_LISTED = "Write a list, tuple or dict of claims: its indices or keys are their names."
VARIABLES = (
    "claims are variables of a module, or in a list, tuple or dict that is one (a leading "
    "underscore keeps one from being collected)."
)


def _first_claim(value: object, where: str) -> str | None:
    """Return where the first claim is inside a value, looking at each thing once."""
    left, seen = [(where, value)], set()
    while left:
        place, each = left.pop()
        if is_claim(each):
            return place
        if id(each) not in seen:
            seen.add(id(each))
            left += reversed([*_parts(each, place)])
    return None


def _parts(value: Any, where: str) -> Iterator[tuple[str, object]]:
    """Yield what a value is made of, each with its place; what is private is left alone."""
    kind = type(value)
    if kind is PARAM:
        yield from ((where, each) for each in value.values)
    elif issubclass(kind, MARKS):
        if value.name != "parametrize":  # whose claims are what a test function is given
            yield from ((where, each) for each in (*value.args, *value.kwargs.values()))
    elif issubclass(kind, DICTS):
        yield from ((where, key) for key, _ in _entries(value))
        yield from _places(where, _entries(value))
    elif issubclass(kind, (list, tuple, *HEAPS)):
        yield from _places(where, enumerate(value))
    elif issubclass(kind, Enum):
        yield where, value._value_
    else:
        join = "::" if issubclass(kind, type) else "."
        for name, each in _attributes(value):
            if not name.startswith("_"):
                yield f"{where}{join}{name}", each


def _places(where: str, entries: Iterable[tuple[object, object]]) -> Iterator[tuple[str, object]]:
    return ((f"{where}[{key}]", each) for key, each in entries if type(each) not in PLAIN)


def _attributes(value: Any) -> Iterable[tuple[str, object]]:
    """Return the attributes of a class and its bases, or of an object that is nobody's keeper."""
    kind = type(value)
    if issubclass(kind, type):
        return [pair for each in value.__mro__ for pair in vars(each).items()]
    if kind.__module__.split(".")[0] in KEEPERS:
        return []
    names = getattr(kind, "__dataclass_fields__", ())  # of slots
    try:
        return list(object.__getattribute__(value, "__dict__").items())
    except AttributeError:
        return [(name, getattr(value, name, None)) for name in names]
