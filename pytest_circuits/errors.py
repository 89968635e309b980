"""The exceptions of the package: a claim is refuted, cannot be evaluated, or is badly written."""

from __future__ import annotations

from collections.abc import Iterable


class ClaimRefuted(AssertionError):
    """A claim was evaluated and does not hold (refuted or undecided)."""


class ClaimNotEvaluable(RuntimeError):
    """A claim could not be evaluated: neither a pass nor a failure, but an error."""


class UndefinedSoFar(ClaimNotEvaluable):
    """A value is undefined on the prompts seen; with more of them it may be defined."""


class ModelNotAvailable(ClaimNotEvaluable):
    """The weights a claim speaks about are not on this machine and could not be obtained."""


class CircuitUsageError(ValueError):
    """A claim, task, role or option is badly written; the message names the argument and rule."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the message for an unknown `name`: what it is, the likely meant one, all known."""
    from difflib import get_close_matches  # only on the way to an error: it costs start-up time

    names = list(known)
    close = get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}."


def in_a_line(error: Exception) -> str:
    """Return an exception of other people's code as one short line: its kind and its message."""
    from textwrap import shorten  # as above

    return f"{type(error).__name__}: {shorten(str(error), 200)}"


OURS = (ClaimNotEvaluable, CircuitUsageError)
"""What says in a sentence why a claim was not evaluated; all else is a mistake in some code."""


def reason_of(error: Exception) -> str:
    """Return why a claim was not evaluated, for a report."""
    return str(error) if isinstance(error, OURS) else in_a_line(error)


# Tracebacks and reports should name the class where users import it from.
for _error in (ClaimRefuted, ClaimNotEvaluable, ModelNotAvailable, CircuitUsageError):
    _error.__module__ = "pytest_circuits"
