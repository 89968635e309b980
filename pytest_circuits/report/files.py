"""Reports on disk: one is there whole, or not at all, and never that of an earlier run."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever reads it, at any time, finds the last text or this one.

    Raises `OSError` if it cannot be written, and leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _umask() -> int:
    """Return what new files are not to allow: temporary ones are made for their owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
