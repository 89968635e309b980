"""Folders that are built once and kept: atomic, locked, checked against a manifest.

The manifest says of which model a folder is, so that one under the name of another, moved, linked
or copied there whole, is not taken for it.

A folder appears under its name only when it is complete (temporary folder, then rename), so a
process killed half-way leaves nothing that could be taken for a model. Two processes that start at
once build once: the second waits for the lock, which the system releases if its holder dies.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_circuits.errors import ModelNotAvailable
from pytest_circuits.models.fingerprint import FORMAT, fingerprint_folder, hash_file, hash_json
from pytest_circuits.models.lock import exclusive
from pytest_circuits.models.quiet import Announcer

MANIFEST = "pytest-circuits-manifest.json"
VARIABLE = "PYTEST_CIRCUITS_CACHE"


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Return the cache folder: the argument, else `PYTEST_CIRCUITS_CACHE`, else the user's."""
    chosen = cache_dir or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("pytest-circuits"))


@dataclass(frozen=True, kw_only=True)
class CachedFolder:
    """A folder `root/name` made by `build`, which fills the empty folder it is given.

    `made_from` identifies the model: which it is, and the SHA-256 of what it is made from.
    """

    root: Path
    name: str
    made_from: Mapping[str, Any]
    build: Callable[[Path, Announcer], None] = field(repr=False)

    @property
    def path(self) -> Path:
        """Where the complete folder lies, or will lie."""
        return self.root / self.name

    def verified_fingerprint(self) -> str | None:
        """Return the model's fingerprint if its manifest is this model's and every file as it says.

        Else None. All files are read and compared by SHA-256. The fingerprint is a function of
        exactly these bytes: the one computed when they were written holds, and is not computed
        again.
        """
        try:
            manifest = self._read_manifest()
            fingerprint = str(manifest["fingerprint"])
            sound = manifest == self._manifest(self.path, fingerprint)
            return fingerprint if sound else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def ensure(self, say: Announcer) -> None:
        """Build the folder if it is missing or damaged; wait for another process that builds it.

        Raises ModelNotAvailable if the cache folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with exclusive(self.root / f".{self.name}.lock", say):
                # Another process may have built it while this one waited for the lock.
                if self.verified_fingerprint() is None:
                    self._replace(say)
        except OSError as error:
            raise ModelNotAvailable(
                f"cannot write {self.name} to the cache folder {self.root}: {error}. "
                f"Set {VARIABLE} to a folder that can be written."
            ) from error

    def _replace(self, say: Announcer) -> None:
        """Build beside the final place and move there; only called while the lock is held."""
        for leftover in self.root.glob(f".{self.name}.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{self.name}.partial-", dir=self.root))
        try:
            if self.path.exists():
                say(f"the cached copy {self.path} is {self._fault()}; building it again")
            self.build(partial, say)
            self._write_manifest(partial)
            self._move_into_place(partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _move_into_place(self, partial: Path) -> None:
        if self.path.exists():
            # Renamed first: a half-removed folder must never stand under the final name.
            damaged = Path(tempfile.mkdtemp(prefix=f".{self.name}.partial-", dir=self.root))
            os.replace(self.path, damaged / "damaged")
            shutil.rmtree(damaged, ignore_errors=True)
        os.replace(partial, self.path)

    def _read_manifest(self) -> dict[str, Any]:
        found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        return dict(found)

    def _write_manifest(self, folder: Path) -> None:
        manifest = self._manifest(folder, fingerprint_folder(folder))
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")

    def _manifest(self, folder: Path, fingerprint: str) -> dict[str, Any]:
        """Return the manifest; its own checksum covers the fingerprint, which no file could."""
        body = {
            "format": FORMAT,
            "made_from": dict(self.made_from),
            "fingerprint": fingerprint,
            "files": _hashes(folder),
        }
        return {**body, "checksum": hash_json(body)}

    def _fault(self) -> str:
        """Return in words what is wrong with a folder that is not taken."""
        try:
            found = self._read_manifest()["made_from"]
            if found != self.made_from:
                return f"that of another model ({found['model']})"
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return "damaged or outdated"


def _hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in the folder except the manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}
