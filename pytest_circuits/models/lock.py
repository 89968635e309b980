"""A lock between processes that disappears with its holder, however that one ends."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_circuits.models.quiet import Announcer

_POLL_SECONDS = 0.1


@contextlib.contextmanager
def exclusive(path: Path, say: Announcer) -> Iterator[None]:
    """Hold the lock file `path`; say so once when another process holds it and this one waits."""
    with path.open("a+b") as stream:
        if not _try_lock(stream.fileno()):
            say(f"waiting for another process that prepares this model (lock {path})")
            while not _try_lock(stream.fileno()):
                time.sleep(_POLL_SECONDS)
        # Closing the file releases the lock; the empty file stays, because removing it would
        # let a third process lock a new file of the same name beside a waiting one.
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
