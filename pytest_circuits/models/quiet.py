"""Silence around libraries that print, warn and draw progress bars while a model is loaded."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Announcer:
    """Writes step lines to stderr if `progress`; long steps may then draw progress bars there."""

    progress: bool

    def __call__(self, text: str) -> None:
        """Write one step."""
        if self.progress:
            print(f"pytest-circuits: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let no warning escape and nothing reach stdout; what is printed goes to stderr."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the garbage collector from walking modules that are all kept: a third less to import."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


@contextlib.contextmanager
def quiet_transformers(*, bars: bool = False) -> Iterator[None]:
    """Keep transformers silent, but for progress bars on stderr if `bars`; settings come back.

    What goes wrong is raised; the log lines and bars on stderr are all that is dropped.
    """
    from transformers.utils import logging as settings

    had_bars, level = settings.is_progress_bar_enabled(), settings.get_verbosity()
    root_level = logging.root.level
    _switch_bars(bars)
    settings.set_verbosity_error()
    stderr = sys.stderr if bars else io.StringIO()
    try:
        with contextlib.redirect_stderr(stderr), quiet():
            yield
    finally:
        _switch_bars(had_bars)
        settings.set_verbosity(level)
        logging.root.setLevel(root_level)


def _switch_bars(enabled: bool) -> None:
    from transformers.utils import logging as settings

    if enabled:
        settings.enable_progress_bar()
    else:
        settings.disable_progress_bar()
