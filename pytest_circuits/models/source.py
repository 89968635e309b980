"""What a spec names: a packaged model in the cache, a local folder, or a hub name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pytest_circuits.arguments import LONGEST_PATH
from pytest_circuits.errors import CircuitUsageError, in_a_line, is_text, shown, unknown_name
from pytest_circuits.models.cache import VARIABLE, CachedFolder, cache_root
from pytest_circuits.models.fingerprint import fingerprint_folder
from pytest_circuits.models.folder import check_folder
from pytest_circuits.models.hub import fetch, split_revision
from pytest_circuits.models.packaged import KNOWN, packaged
from pytest_circuits.models.quiet import Announcer

_FOLDER_STARTS = (".", "~", "/", "\\")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")
_TYPO_CUTOFF = 0.75  # similarity from which a bare name is taken for a misspelt known one


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a model lies: `folder`, and for packaged models what makes it (`cached`)."""

    spec: str
    folder: Path
    provenance: str
    cached: CachedFolder | None = None

    def fingerprint(self) -> str | None:
        """Return the model's fingerprint, None if a packaged model must first be (re)built."""
        if self.cached is not None:
            return self.cached.verified_fingerprint()
        return fingerprint_folder(self.folder)


def find_source(spec: str | Path, *, cache_dir: str | Path | None, progress: bool) -> Source:
    """Return where the model of `spec` lies; a hub model is fetched, a folder is checked.

    A known name comes first, then an existing directory, then what looks like a path, then the
    hub. Raises as `load_model` does.
    """
    name = str(spec)
    where = _path("spec", spec)
    if recipe := packaged(name):
        cached = CachedFolder(
            root=_cache_root(cache_dir),
            name=recipe.name,
            made_from=recipe.made_from,
            build=_writing(recipe.build),
        )
        return Source(spec=name, folder=cached.path, provenance=recipe.provenance, cached=cached)
    if isinstance(spec, Path) or is_folder(name):
        folder = where.absolute()
        check_folder(folder)
        return Source(spec=name, folder=folder, provenance=f"local folder {folder}")
    _check_spelling(name)
    return _hub_source(name, progress=progress)


def is_folder(spec: str) -> bool:
    """Return whether a spec is a path: an existing directory, or no possible hub name."""
    if spec.startswith(_FOLDER_STARTS) or os.path.isdir(os.path.expanduser(spec)):
        return True
    has_separator = "/" in spec or os.sep in spec
    return has_separator and not _HUB_NAME.fullmatch(spec)


def _path(argument: str, given: object) -> Path:
    """Return a path, `~` replaced; refuse what can be no path on any machine."""
    if not isinstance(given, str | Path):
        raise CircuitUsageError(f"`{argument}` must be a name or a path; got {shown(given)}.")
    text = str(given)
    if len(text) > LONGEST_PATH or not is_text(text):
        raise CircuitUsageError(
            f"`{argument}` must be at most {LONGEST_PATH:,} characters of plain text; "
            f"got {shown(text)}."
        )
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # a user whom the system does not know
        raise CircuitUsageError(f"`{argument}`: {shown(text)}: {error}") from error


def _cache_root(cache_dir: str | Path | None) -> Path:
    """Return the folder that packaged models are kept in; refuse what can be none."""
    chosen = cache_dir or os.environ.get(VARIABLE)
    if chosen:
        _path("cache_dir" if cache_dir else VARIABLE, chosen)
    return cache_root(cache_dir)


Build = Callable[[Path, Announcer], None]


def _writing(build: Build) -> Build:
    """Return the function that writes a model, so that a full disk is an OSError to all.

    The libraries that write the files have exceptions of their own, for what the system says.
    """

    def written(folder: Path, say: Announcer) -> None:
        try:
            build(folder, say)
        except OSError:
            raise
        except Exception as error:
            if "os error" not in str(error):  # Rust's words for it
                raise
            raise OSError(in_a_line(error)) from error

    return written


def _check_spelling(spec: str) -> None:
    """Raise CircuitUsageError if `spec` is a misspelt known name or can name nothing."""
    close = get_close_matches(spec.lower(), KNOWN, n=1, cutoff=_TYPO_CUTOFF)
    if close or not _HUB_NAME.fullmatch(spec):
        raise CircuitUsageError(
            unknown_name("model", spec, KNOWN)
            + " Or a local Hugging Face folder (./runs/step100), or a hub name (gpt2, org/name)."
        )


def _hub_source(spec: str, *, progress: bool) -> Source:
    folder = fetch(spec, progress=progress)
    check_folder(folder)
    name, _ = split_revision(spec)
    return Source(spec=spec, folder=folder, provenance=f"hub model {name}, commit {folder.name}")
