"""The exceptions of the package: a claim is refuted, cannot be evaluated, or is badly written.

What they say is of bounded length and plain text, whatever was quoted: values are quoted by
`shown`, and the exceptions cut and escape what reaches them all the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST_QUOTE, LONGEST_MESSAGE = 200, 10_000  # characters
_NO_TEXT = frozenset({"Cc", "Cs"})  # control characters, halves of surrogate pairs


class _Said(Exception):
    """A message that can be printed anywhere: no longer than a page, no control characters."""

    def __init__(self, message: object = "") -> None:
        super().__init__(cut(printable(str(message)), LONGEST_MESSAGE))


class ClaimRefuted(AssertionError):
    """A claim was evaluated and does not hold (refuted or undecided)."""


class ClaimNotEvaluable(_Said, RuntimeError):
    """A claim could not be evaluated: neither a pass nor a failure, but an error."""


class UndefinedSoFar(ClaimNotEvaluable):
    """A value is undefined on the prompts seen; with more of them it may be defined."""


class ModelNotAvailable(ClaimNotEvaluable):
    """The weights a claim speaks about are not on this machine and could not be obtained."""


class CircuitUsageError(_Said, ValueError):
    """A claim, task, role or option is badly written; the message names the argument and rule."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return the message for an unknown `name`: what it is, the likely meant one, all known."""
    from difflib import get_close_matches  # only on the way to an error: it costs start-up time

    names = list(known)
    likely = isinstance(name, str) and len(name) <= LONGEST_QUOTE
    close = get_close_matches(str(name), names, n=1) if likely else []
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {kind} {shown(name)}.{hint} Known: {', '.join(names) or 'none'}."


def shown(value: object) -> str:
    """Return a value as it is quoted in a message: its `repr`, of bounded length and depth.

    A class is called one; a `repr` that raises, or a number too long to be written, is described
    instead.
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    from reprlib import Repr

    short = Repr()
    short.maxstring = short.maxother = LONGEST_QUOTE
    short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = 8
    short.maxlevel, short.maxlong = 4, 40
    try:
        return cut(short.repr(value), LONGEST_QUOTE)
    except ValueError:  # Python writes no whole number of more than some 4,300 digits
        return f"a {type(value).__name__} too long to be shown"


def cut(text: str, most: int) -> str:
    """Return text of at most about `most` characters: its beginning, its end, what is between."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} ... ({len(text) - 2 * half:,} characters) ... {text[-half:]}"


def printable(text: str) -> str:
    r"""Return text in which control characters but line breaks and tabs are written as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or is_text(c) else ascii(c)[1:-1] for c in text)


def is_text(text: str) -> bool:
    """Return whether a string has neither control characters nor halves of surrogate pairs."""
    return text.isprintable() or not any(unicodedata.category(c) in _NO_TEXT for c in text)


def in_a_line(error: BaseException) -> str:
    """Return an exception of other people's code as one short line: its kind and its message."""
    from textwrap import shorten  # as above

    said = shorten(cut(printable(str(error)), LONGEST_MESSAGE), LONGEST_QUOTE)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


OURS = (ClaimNotEvaluable, CircuitUsageError)
"""What says in a sentence why a claim was not evaluated; all else is a mistake in some code."""


def reason_of(error: Exception) -> str:
    """Return why a claim was not evaluated, for a report."""
    return str(error) if isinstance(error, OURS) else in_a_line(error)


# Tracebacks and reports should name the class where users import it from.
for _error in (ClaimRefuted, ClaimNotEvaluable, ModelNotAvailable, CircuitUsageError):
    _error.__module__ = "pytest_circuits"
