"""Test functions that return a claim, a verdict or a number instead of asserting it: failures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from reprlib import repr as in_short
from typing import Any

import pytest

from pytest_circuits.truth import Described, NoTruth, Word


@contextmanager
def refused(item: pytest.Item) -> Iterator[None]:
    """Let the function of a test fail, for as long as this lasts, if it returns one of ours."""
    function = getattr(item, "obj", None)
    if not isinstance(item, pytest.Function) or inspect.iscoroutinefunction(function):
        yield  # what a coroutine returns is known to the plugin that runs it
        return
    item.obj = _refusing(item.obj, item.nodeid)
    try:
        yield
    finally:
        item.obj = function


def _refusing(function: Callable[..., Any], nodeid: str) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        found = function(*args, **kwargs)
        if _is_ours(found):
            pytest.fail(
                f"{nodeid} returned {in_short(found)}, which nobody evaluates: write `assert "
                "check(claim, model)` or `assert measure(model, ...) >= x`, or make the claim a "
                "variable of the module.",
                pytrace=False,
            )
        return found

    return run


def _is_ours(value: object) -> bool:
    """Return whether a value is one of ours, or a container that has one."""
    inside = list(value.values()) if isinstance(value, dict) else value
    each = [value, *(inside if isinstance(inside, list | tuple | set | frozenset) else ())]
    return any(isinstance(one, Described | NoTruth | Word) for one in each)
