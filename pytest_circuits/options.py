"""Options of the plugin: each a flag and an ini value, read once into builtins."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_circuits.arguments import LARGEST, LONGEST_PATH
from pytest_circuits.errors import cut, is_text, printable, shown
from pytest_circuits.models.base import DTYPES
from pytest_circuits.rules import CORRECTIONS, MOST_PROMPTS, Correction, too_many

ALL = "all"
_SIZE = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(KB|MB|GB|TB)"
DIGITS = len(str(LARGEST))  # from so many on a number is too large
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

IDLE = (
    *("collectonly", "setuponly", "setupplan", "help", "version", "markers", "showfixtures"),
    *("show_fixtures_per_test", "cacheshow", "circuit_dry_run"),
)


def runs_nothing(options: object) -> bool:
    """Return whether a session was asked for something else than to run its items."""
    return any(getattr(options, each, False) for each in IDLE)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the session was asked for; None where the suite (or the library) decides."""

    models: tuple[str, ...]
    prompts: int | None
    seed: int | None
    device: str
    dtype: str
    cache_dir: str | None
    memory: int | None
    json: str | None
    missing_model: str
    mutate: bool
    mutants: tuple[str, ...]
    card: bool
    dry_run: bool
    correction: Correction | None = None
    first: int | None = None  # 0: no look before the last

    def as_flags(self) -> str:
        """Return the flags, but for the model, that make a rerun draw and load the same."""
        flags: dict[str, object] = {"prompts": self.prompts, "seed": self.seed}
        flags |= {"correction": self.correction, "first": self._first_as_given}
        flags |= {"device": self.device} if self.device != "cpu" else {}
        flags |= {"dtype": self.dtype} if self.dtype != "float32" else {}
        return " ".join(f"--circuit-{k} {v}" for k, v in flags.items() if v is not None)

    @property
    def _first_as_given(self) -> str | None:
        return None if self.first is None else str(self.first or ALL)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option as a flag and as an ini value of the same name."""
    group = parser.getgroup("circuits", "claims about circuits")
    for name, metavar, text in _OPTIONS:
        kind = _INI_TYPES.get(name, "string")
        flag, dest = f"--circuit-{name.replace('_', '-')}", f"circuit_{name}"
        if kind == "bool":
            group.addoption(flag, dest=dest, action="store_true", default=None, help=text)
        else:
            action = "append" if kind == "linelist" else "store"
            group.addoption(flag, dest=dest, action=action, metavar=metavar, help=text)
        parser.addini(f"circuit_{name}", help=text, type=kind, default=None)  # type: ignore[arg-type]
    parser.addini(
        "circuit_files",
        "globs of claim files; collected if they, or what they import, mention pytest_circuits",
        type="linelist",
        default=["circuits/**/*.py"],
    )


_INI_TYPES = {
    "model": "linelist",
    "prompts": "int",
    "seed": "int",
    "mutate": "bool",
    "card": "bool",
    "dry_run": "bool",
    "mutants": "linelist",
}

_OPTIONS = (
    (
        "model",
        "SPEC",
        "model to evaluate claims on instead of the suite's own; repeatable; a folder with `=`, "
        "--circuit-model=runs/step100: after a space pytest may take it for the root of the tests",
    ),
    ("prompts", "N", "prompts per claim instead of the suite's own number"),
    ("seed", "N", "seed of the prompts instead of the suite's own"),
    ("correction", "|".join(CORRECTIONS), "how a suite's claims share the error allowed: holm"),
    ("first", "N|all", "prompts of the first look; undecided claims look at more, up to all: 32"),
    ("device", "DEVICE", "torch device, cpu by default"),
    ("dtype", "DTYPE", f"dtype of the weights: {', '.join(DTYPES)} (float32 by default)"),
    (
        "cache_dir",
        "DIR",
        "where packaged models are unpacked to, the user's cache by default; write it with `=`",
    ),
    ("memory", "SIZE", "bound on the activations kept at once, e.g. 500MB or 2GB"),
    ("json", "PATH", "write every verdict with its numbers and method to PATH"),
    (
        "missing_model",
        "error|skip",
        "what a claim is whose model is not available: error (default)",
    ),
    ("card", "", "print which kinds of evidence the claims of each suite give, and which not"),
    ("dry_run", "", "say what claims would cost, from a pilot on few prompts; evaluate none"),
    ("mutate", "", "then sabotage the model in known ways, and say which claims notice"),
    ("mutants", "PATTERN", "with --circuit-mutate: only mutants whose name matches; repeatable"),
)


def read_settings(config: pytest.Config) -> Settings:
    """Return the settings of a session; raise `pytest.UsageError` for values that break a rule."""
    _check_globs(_ini(config, "circuit_files") or ())
    return Settings(
        models=_models(_value(config, "model") or ()),
        prompts=_whole(config, "prompts", least=2),
        seed=_whole(config, "seed", least=0),
        device=_device(_value(config, "device") or "cpu"),
        dtype=_choice("dtype", _value(config, "dtype") or "float32", DTYPES),
        cache_dir=_cache_dir(_value(config, "cache_dir")),
        memory=_memory(_value(config, "memory")),
        json=_file(_value(config, "json")),
        missing_model=_choice(
            "missing-model", _value(config, "missing_model") or "error", ("error", "skip")
        ),
        card=bool(_value(config, "card")),
        dry_run=bool(_value(config, "dry_run")),
        mutate=bool(_value(config, "mutate")),
        mutants=_patterns(_value(config, "mutants") or (), _value(config, "mutate")),
        correction=_correction(_value(config, "correction")),
        first=_first(config),
    )


def _value(config: pytest.Config, name: str) -> Any:
    given = config.getoption(f"circuit_{name}")
    if given is not None:
        return given
    return _ini(config, f"circuit_{name}")


def _ini(config: pytest.Config, name: str) -> Any:
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:  # the last from pytest 9.2 on
        said = cut(printable(str(error)), LONGEST_PATH)
        raise pytest.UsageError(f"configuration option {name}: {said}") from error


def _check_globs(globs: Iterable[str]) -> None:
    if not all(each.strip() for each in globs):
        raise pytest.UsageError(
            "circuit_files must be globs such as circuits/*.py; got an empty one"
        )


def _models(specs: Iterable[str]) -> tuple[str, ...]:
    models = tuple(spec.strip() for spec in specs)
    if not all(models):
        raise pytest.UsageError("--circuit-model must name a model; got an empty name")
    for spec in models:
        _check_plain("model", spec)
    return models


def _check_plain(name: str, value: str) -> None:
    """Refuse what would reach the terminal, or the system, as anything but plain text."""
    if not is_text(value) or len(value) > LONGEST_PATH:
        raise pytest.UsageError(
            f"--circuit-{name} must be plain text without control characters, of at most "
            f"{LONGEST_PATH:,}; got {shown(value)}"
        )


def _patterns(given: Iterable[str], mutate: bool | None) -> tuple[str, ...]:
    patterns = tuple(each.strip() for each in given)
    for each in patterns:
        _check_plain("mutants", each)
    if not all(patterns):
        raise pytest.UsageError("--circuit-mutants must be part of a mutant's name; got nothing")
    if patterns and not mutate:
        raise pytest.UsageError(
            f"--circuit-mutants must come with --circuit-mutate; got {shown(patterns[0])} alone"
        )
    return patterns


def _file(value: str | None) -> str | None:
    """Return an absolute path: a test may change the working directory before it is written."""
    if not value:
        return None
    _check_plain("json", value)
    path = Path(value).absolute()
    if os.path.isdir(path):
        raise pytest.UsageError(f"--circuit-json must be a file; {shown(value)} is a directory")
    return str(path)


def _cache_dir(value: str | None) -> str | None:
    if not value:
        return None
    _check_plain("cache-dir", value)
    path = os.path.expanduser(value)
    if path.startswith("~") or (os.path.exists(path) and not os.path.isdir(path)):
        raise pytest.UsageError(
            f"--circuit-cache-dir must be a folder, there already or not; got {shown(value)}"
        )
    return value


def _whole(config: pytest.Config, name: str, *, least: int) -> int | None:
    value = _value(config, name)
    if value in (None, ""):
        return None
    if isinstance(value, int) and abs(value) > LARGEST:
        value = "9" * DIGITS  # from a file; Python does not even write numbers that are too long
    if not re.fullmatch(r"[0-9]+", str(value)) or int(str(value)[:DIGITS]) < least:
        raise pytest.UsageError(
            f"--circuit-{name} must be a whole number of at least {least}; got {shown(value)}"
        )
    if len(str(value)) >= DIGITS:
        raise pytest.UsageError(f"--circuit-{name} must be at most {LARGEST:,}; got more")
    if name != "seed" and int(value) > MOST_PROMPTS:
        raise pytest.UsageError(f"--circuit-{name} {too_many(int(value))}")
    return int(value)


def _choice(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise pytest.UsageError(
            f"--circuit-{name} must be one of {', '.join(known)}; got {shown(value)}"
        )
    return value


def _correction(value: str | None) -> Correction | None:
    if not value:
        return None
    _choice("correction", value, CORRECTIONS)
    return next(each for each in CORRECTIONS if each == value)


def _first(config: pytest.Config) -> int | None:
    return 0 if _value(config, "first") == ALL else _whole(config, "first", least=2)


def _device(value: str) -> str:
    if not re.fullmatch(r"(cpu|cuda|mps|xpu)(:[0-9]{1,3})?", value):
        raise pytest.UsageError(
            "--circuit-device must be cpu, mps, cuda, xpu, or one of several such as cuda:1; "
            f"got {shown(value)}"
        )
    return value


def _memory(value: str | None) -> int | None:
    if not value:
        return None
    match = re.fullmatch(_SIZE, value.strip().upper())
    if match is None:
        raise pytest.UsageError(
            f"--circuit-memory must be a size such as 500MB or 2GB; got {shown(value)}"
        )
    return int(float(match[1]) * UNITS[match[2]])
