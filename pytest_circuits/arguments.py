"""What arguments may be: each check raises CircuitUsageError with argument and rule.

They are made where an argument is written, so that a mistake is told at its line and not by every
claim that is evaluated beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytest_circuits.errors import CircuitUsageError, is_text, shown, unknown_name

LONGEST_NAME, LONGEST_TEXT = 200, 10_000  # characters
LONGEST_PATH = 4096  # characters, which is what systems take
LARGEST = 10**18  # of whole numbers: any library takes so many bits


def problem_with_name(value: object) -> str:
    """Return which rule a name breaks, empty if none: it is shown in tables, on one line."""
    if not isinstance(value, str) or not value:
        return "must be a string, not empty"
    if len(value) > LONGEST_NAME:
        return f"must have at most {LONGEST_NAME} characters"
    return "" if is_text(value) else "must be plain text without control characters"


def check_name(argument: str, value: object, example: str = "") -> None:
    """Refuse what is no name of a position, a distribution, a role or a feature."""
    if problem := problem_with_name(value):
        like = f", such as {example}" if example else ""
        raise CircuitUsageError(f"`{argument}` {problem}{like}; got {shown(value)}.")


def check_label(argument: str, value: object) -> None:
    """Refuse what is no name, unless it is empty."""
    if not isinstance(value, str) or value:
        check_name(argument, value)


def check_text(argument: str, value: object) -> None:
    """Refuse what is no text of bounded length; it may be empty, and have line breaks and tabs."""
    if not isinstance(value, str):
        raise CircuitUsageError(f"`{argument}` must be a string; got {shown(value)}.")
    if len(value) > LONGEST_TEXT:
        raise CircuitUsageError(
            f"`{argument}` must have at most {LONGEST_TEXT:,} characters; got {len(value):,}."
        )
    if not is_text(value.replace("\n", " ").replace("\t", " ")):
        raise CircuitUsageError(
            f"`{argument}` must be plain text without control characters; got {shown(value)}."
        )


def check_whole(name: str, number: object, least: int, most: int = LARGEST) -> None:
    """Refuse an argument that is not a whole number of at least `least`."""
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number:
        raise CircuitUsageError(
            f"`{name}` must be a whole number of at least {least}; got {shown(number)}."
        )
    if number > most:
        raise CircuitUsageError(f"`{name}` must be at most {most:,}; got {shown(number)}.")


def check_choice(argument: str, value: object, kind: str, known: Sequence[str]) -> None:
    """Refuse what is none of the known words."""
    if not isinstance(value, str) or value not in known:
        raise CircuitUsageError(f"`{argument}`: {unknown_name(kind, value, known)}")


def check_made_by(argument: str, value: object, kind: Any, makers: str) -> None:
    """Refuse what was not made by the functions of the package that make such values."""
    if not isinstance(value, kind):
        raise CircuitUsageError(f"`{argument}` must be made by {makers}; got {shown(value)}.")


def several(argument: str, value: object, what: str) -> tuple[Any, ...]:
    """Return the members of a list, tuple or the like; refuse a string, and what has none."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise CircuitUsageError(f"`{argument}` must be several {what}; got {shown(value)}.")
    return tuple(value)


def is_number(value: object) -> bool:
    """Return whether a value is a finite number that a float can hold; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -1e300 < value < 1e300  # false of what is not a number, too
