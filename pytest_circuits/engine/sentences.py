"""What a model's own code raises, in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_circuits.errors import ClaimNotEvaluable, in_a_line


@contextmanager
def in_a_sentence(
    what: str, *, but: Callable[[BaseException], bool] = lambda error: False
) -> Iterator[None]:
    """Raise ClaimNotEvaluable, `what` and why, for whatever is raised; not for what `but` takes."""
    try:
        yield
    except ClaimNotEvaluable:
        raise
    except Exception as error:
        if but(error):
            raise
        raise ClaimNotEvaluable(f"{what}: {in_a_line(error)}") from error
