"""The models that need no download: what each name builds in the cache, and from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_circuits.errors import CircuitUsageError
from pytest_circuits.models.fingerprint import hash_file, hash_json
from pytest_circuits.models.quiet import Announcer
from pytest_circuits.models.smollm2 import (
    PROVENANCE,
    cache_name,
    gguf_path,
    made_from,
    write_smollm2,
)

KNOWN = ("smollm2-135m", "reference-ioi")
_WITHOUT = "without="


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a packaged model is made: the cache folder's `name` changes with what it is made from.

    `made_from` says in full what that is, sources by their SHA-256; it goes into the manifest.
    """

    name: str
    made_from: dict[str, Any]
    provenance: str
    build: Callable[[Path, Announcer], None] = field(repr=False)


def packaged(spec: str) -> Recipe | None:
    """Return the recipe of a packaged model, None if `spec` names none.

    Raises ModelNotAvailable if the package it comes from is missing, CircuitUsageError for an
    option other than `reference-ioi:without=role,role`.
    """
    name, _, option = spec.partition(":")
    if name not in KNOWN:
        return None
    if name == "reference-ioi":
        return _reference(_left_out(spec, option))
    if option:
        raise CircuitUsageError(f"model {name!r} takes no option, got {spec!r}")
    gguf = gguf_path()
    sources = made_from(gguf)
    return Recipe(
        name=cache_name(sources),
        made_from={"model": spec, **sources},
        provenance=PROVENANCE,
        build=partial(write_smollm2, gguf),
    )


def _left_out(spec: str, option: str) -> frozenset[str]:
    """Return the roles after `without=`, separated by commas."""
    roles = frozenset(role.strip() for role in option.removeprefix(_WITHOUT).split(","))
    if not option:
        return frozenset()
    if not option.startswith(_WITHOUT) or "" in roles:
        raise CircuitUsageError(
            f"`{spec}`: the option of reference-ioi is `without=role,role`, for example "
            "reference-ioi:without=name mover,backup name mover"
        )
    return roles


def _reference(without: frozenset[str]) -> Recipe:
    suffix = f", without {', '.join(sorted(without))}" if without else ""
    key = hash_json([_source_hashes(), sorted(without)])
    return Recipe(
        name=f"reference-ioi-{key[:12]}",
        made_from={"model": f"reference-ioi{suffix}", "sha256": key},
        provenance=f"hand-built reference model of IOI{suffix}: weights set by construction",
        build=partial(_write_reference, without),
    )


def _write_reference(without: frozenset[str], folder: Path, say: Announcer) -> None:
    from pytest_circuits.models.reference.build import write_reference

    say("building reference-ioi, once")
    write_reference(folder, without=without)


def _source_hashes() -> list[str]:
    """Return the hashes of all that the reference is made from, so that a change is rebuilt."""
    package = Path(str(resources.files("pytest_circuits")))
    made_from = ("models/reference/*.py", "tasks/*.py", "tasks/words/*.txt")
    sources = [path for pattern in made_from for path in package.glob(pattern)]
    return [hash_file(path) for path in sorted(sources)]
