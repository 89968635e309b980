"""Clocks: one that stands still while what all claims share is computed, and the yardstick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter, process_time

import pytest
import torch

from pytest_circuits.engine import stage
from pytest_circuits.engine.anatomy import Anatomy
from pytest_circuits.engine.engine import Engine
from pytest_circuits.engine.frame import Frame
from pytest_circuits.engine.world import World


def seconds() -> float:
    """Return a clock's seconds: of the CPU with one thread, whatever else runs; else of the wall.

    On a machine that others use, one thread and its own seconds are what can be compared.
    """
    return process_time() if torch.get_num_threads() == 1 else perf_counter()


class BesideCaches:
    """Seconds, those left out in which prompts are drawn, the model is checked, caches are made.

    What is left is what a measure costs beyond the caches: planning, interventions, reading,
    statistics. A cache is the full pass over one distribution that every claim about it shares.
    """

    __name__ = "beside_caches"

    def __init__(self) -> None:
        self._paused = 0.0
        self._inside = False
        self.caches: list[float] = []
        self.cached_tokens = 0

    def __call__(self) -> float:
        return seconds() - self._paused

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Have the engine stop this clock; `caches` are what each cache takes from here on.

        `cached_tokens` are the tokens that have gone through the model for caches.
        """
        self.caches.clear()
        self.cached_tokens = 0
        patch.setattr(stage, "full_world", self._counted(stage.full_world))
        patch.setattr(Engine, "dataset", self._paused_in(Engine.dataset))
        patch.setattr(Anatomy, "__init__", self._paused_in(Anatomy.__init__))
        patch.setattr(Anatomy, "prepare", self._paused_in(Anatomy.prepare))

    def _counted(self, full_world: Callable[..., World]) -> Callable[..., World]:
        @wraps(full_world)
        def counted(anatomy: Anatomy, frame: Frame, *args: object) -> World:
            self.cached_tokens += frame.tokens.numel()
            with self._pause(self.caches):
                return full_world(anatomy, frame, *args)

        return counted

    def _paused_in(self, function: Callable[..., object]) -> Callable[..., object]:
        @wraps(function)
        def paused(*args: object, **options: object) -> object:
            with self._pause():
                return function(*args, **options)

        return paused

    @contextmanager
    def _pause(self, spans: list[float] | None = None) -> Iterator[None]:
        if self._inside:  # what is paused already
            yield
            return
        start, self._inside = seconds(), True
        try:
            yield
        finally:
            took, self._inside = seconds() - start, False
            self._paused += took
            if spans is not None:
                spans.append(took)


BESIDE_CACHES = BesideCaches()
"""The clock of the benchmarks: pytest-benchmark wants it when they are collected."""


class Plain:
    """The unit: a plain forward of TransformerLens's own bridge, timed each time it is called."""

    def __init__(self, bridge: Callable[[torch.Tensor], torch.Tensor], tokens: torch.Tensor):
        self._bridge, self._tokens = bridge, tokens
        self.seconds: list[float] = []

    def __call__(self) -> None:
        start = seconds()
        with torch.no_grad():
            self._bridge(self._tokens)
        self.seconds.append(seconds() - start)
