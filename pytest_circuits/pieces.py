"""What plain data is made of: every value inside a claim, a measure, an intervention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass


def pieces(value: object) -> Iterator[object]:
    """Yield a value and everything inside it, dataclasses and collections of them."""
    yield value
    if isinstance(value, tuple | frozenset):
        for each in value:
            yield from pieces(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from pieces(getattr(value, field.name))
