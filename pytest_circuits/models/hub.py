"""Hub names such as `gpt2` or `org/name@revision`: safetensors only, from the HF cache or network.

Whatever is found lies in a snapshot folder of the Hugging Face cache and is loaded like any other
local folder; no code of the repository is fetched or run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pytest_circuits.errors import CircuitUsageError, ModelNotAvailable, in_a_line, shown
from pytest_circuits.models.packaged import KNOWN
from pytest_circuits.models.quiet import quiet
from pytest_circuits.models.weights import INDEX, weight_files

# Weights, config and tokenizer at the top of the repository; neither code nor pickles.
_WANTED = ["*.json", "*.safetensors", "merges.txt", "vocab.txt", "*.model"]
_UNWANTED = ["*/*"]
_TIMEOUT_SECONDS = 5.0  # for asking the hub; a download takes what it takes


def fetch(spec: str, *, progress: bool) -> Path:
    """Return the snapshot folder of a hub model, from the local HF cache or else the network.

    `HF_HUB_OFFLINE`, `HF_HOME` and `HF_TOKEN` are respected. Raises ModelNotAvailable if it
    cannot be had, or has no safetensors.
    """
    name, revision = split_revision(spec)
    _check_name(spec, name)
    with quiet(), _bars(progress):
        folder = _local(name, revision) or _download(spec, name, revision)
    if not _weights_of(folder):
        raise ModelNotAvailable(
            f"hub model {spec!r} has no safetensors weights, and pickled weights are refused "
            "because loading a pickle can run any code. If you trust it, convert it into a folder "
            f'and name that: python -c "{_conversion(name, revision)}"'
        )
    return folder


def split_revision(spec: str) -> tuple[str, str | None]:
    """Return the name and the revision after `@`, None without one."""
    name, _, revision = spec.partition("@")
    return name, revision or None


def _check_name(spec: str, name: str) -> None:
    """Refuse what the hub does not take for a name, such as `a--b`."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise CircuitUsageError(
            f"model {shown(spec)} is neither a folder here nor a name of the hub: "
            f"{in_a_line(error)}. Known: {', '.join(KNOWN)}"
        ) from error


def _weights_of(folder: Path) -> list[Path]:
    """Return the weight files of a snapshot; of a damaged index that, which is refused later."""
    try:
        return weight_files(folder)
    except (OSError, ValueError):
        return [folder / INDEX]


def _local(name: str, revision: str | None) -> Path | None:
    """Return the cached snapshot if its weights are complete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except Exception as error:  # as in _download: no common family
        raise ModelNotAvailable(
            f"model {name!r} cannot be looked up in the Hugging Face cache: {in_a_line(error)}"
        ) from error
    files = _weights_of(folder)
    return folder if files and all(file.is_file() for file in files) else None


def _download(spec: str, name: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    try:
        # snapshot_download asks the same without a timeout: a silent network would hang it.
        HfApi().model_info(name, revision=revision, timeout=_TIMEOUT_SECONDS)
        folder = snapshot_download(
            name, revision=revision, allow_patterns=_WANTED, ignore_patterns=_UNWANTED
        )
    except Exception as error:
        # The errors of the HTTP library are no common family, and the library changes: any
        # failure to fetch means that the model is not available.
        raise ModelNotAvailable(
            f"model {spec!r} is not available: no folder of that name, not in the Hugging Face "
            f"cache, and fetching it from the hub failed ({in_a_line(error)}). "
            f"With network, run: hf download {_arguments(name, revision)}; or give a local folder. "
            f"Without network: {', '.join(KNOWN)}"
        ) from error
    return Path(folder)


def _conversion(name: str, revision: str | None) -> str:
    at = f", revision={revision!r}" if revision else ""
    return (
        "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; "
        f"[kind.from_pretrained({name!r}{at}).save_pretrained('./converted') for kind in (M, T)]"
    )


def _arguments(name: str, revision: str | None) -> str:
    return f"{name} --revision {revision}" if revision else name


@contextlib.contextmanager
def _bars(progress: bool) -> Iterator[None]:
    """Show download bars on stderr only if `progress`."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled as disabled
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    before = disabled()
    if not progress:
        disable_progress_bars()
    try:
        yield
    finally:
        if not progress and not before:
            enable_progress_bars()
