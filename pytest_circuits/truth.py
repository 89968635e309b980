"""What Python would take for true or equal, whatever was measured: refused, with what to write."""

from __future__ import annotations

from dataclasses import fields
from reprlib import repr as in_short
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from pytest_circuits.claims import Status


class Described:
    """Base of frozen dataclasses that equal their like, and must not be compared with numbers.

    `measure == 3` is false and `estimate != 5` true of every model: no claim, no test.
    """

    said_instead: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__eq__ = Described.__eq__  # type: ignore[method-assign]  # dataclass() keeps an own one

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is type(self):
            return _compared(self) == _compared(other)
        if isinstance(other, str) or hasattr(type(other), "__float__"):
            raise TypeError(
                f"'{self}' has no `==` or `!=` with {in_short(other)}, which would come out the "
                f"same whatever is measured: {self.said_instead}"
            )
        return NotImplemented

    __hash__ = object.__hash__  # dataclass() makes the one that goes with `__eq__`


def _compared(value: Any) -> tuple[object, ...]:
    return tuple(getattr(value, each.name) for each in fields(value) if each.compare)


class NoTruth:
    """Base of what carries a result and is not itself true or false."""

    said_instead: ClassVar[str] = ""

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} has no truth value: {self.said_instead}")


class Word(str):
    """A status. Text in all else, but `assert verdict.status` would pass also when refuted."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"the status '{self}' is a word and has no truth value: write `assert verdict`, or "
            'compare it: verdict.status == "holds".'
        )


def word(status: Status) -> Status:
    """Return a status that is not taken for true."""
    found: Status = Word(status)  # type: ignore[assignment]
    return found
