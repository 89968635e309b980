"""Loading a model runs no other program: a library that would install packages is refused."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def confined() -> Iterator[None]:
    """Let nothing that this thread calls start a process, as `pip install` would be one.

    TransformerLens installs torchvision into the user's environment when it boots a multimodal
    checkpoint without it, and goes on where it cannot. Other threads are left alone.
    """
    allowed, mine = subprocess.Popen, threading.get_ident()

    class Confined(allowed):  # type: ignore[valid-type, misc]
        def __init__(self, args: Any, *others: Any, **options: Any) -> None:
            if threading.get_ident() == mine:
                raise PermissionError(f"loading a model may not run programs; refused: {args}")
            super().__init__(args, *others, **options)

    subprocess.Popen = Confined  # type: ignore[misc]
    try:
        yield
    finally:
        subprocess.Popen = allowed  # type: ignore[misc]
