"""What a spec names: a packaged model in the cache, a local folder, or a hub name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .cache import CachedFolder, cache_root
from .quiet import Say
from .smollm2 import PROVENANCE, cache_name, gguf_path, write_smollm2


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a model lies: `folder`, and for packaged models how to make it (`cached`)."""

    spec: str
    folder: Path
    provenance: str
    cached: CachedFolder | None = None

    def is_intact(self) -> bool:
        """Return whether the folder can be used as it is; a user's folder is never rebuilt."""
        return self.cached is None or self.cached.is_intact()

    def ensure(self, say: Say) -> None:
        """Make a packaged model's folder if it is missing or damaged."""
        if self.cached is not None:
            self.cached.ensure(say)


def find_source(spec: str, *, cache_dir: str | Path | None, say: Say) -> Source:
    """Return where the model of `spec` lies, without reading it."""
    if spec == "smollm2-135m":
        return _smollm2(spec, cache_root(cache_dir))
    folder = Path(spec).expanduser()
    return Source(spec=spec, folder=folder, provenance=f"local folder {folder.resolve()}")


def _smollm2(spec: str, root: Path) -> Source:
    gguf = gguf_path()
    cached = CachedFolder(root=root, name=cache_name(gguf), build=partial(write_smollm2, gguf))
    return Source(spec=spec, folder=cached.path, provenance=PROVENANCE, cached=cached)
