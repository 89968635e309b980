"""The one loader: a spec in, a `Model` with its fingerprint out."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

from pytest_circuits.arguments import check_name
from pytest_circuits.errors import ModelNotAvailable, in_a_line
from pytest_circuits.models.base import Model, Parity
from pytest_circuits.models.bridge import boot, check_device, check_dtype, import_libraries
from pytest_circuits.models.folder import read_model, read_tokenizer
from pytest_circuits.models.held import held
from pytest_circuits.models.quiet import Announcer, paused_collector
from pytest_circuits.models.source import Source, find_source
from pytest_circuits.models.wrap import wrap_model as wrap_model


def load_model(
    spec: str | Path,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> Model:
    """Return the model that `spec` names, in eval mode, without gradients, with its fingerprint.

    `spec` is a packaged model (`smollm2-135m`, `reference-ioi`), a local Hugging Face folder, or a
    hub name (`gpt2`, `org/name@revision`). `cache_dir` is where packaged models are kept, else
    `PYTEST_CIRCUITS_CACHE`, else the user's cache folder. `progress` writes steps to stderr.
    Raises CircuitUsageError for an unknown name, `dtype` or `device`, and ModelNotAvailable if the
    model is not on this machine, is refused (pickled weights, remote code) or cannot be read.
    """
    check_name("device", device, "cpu")
    check_dtype(dtype)
    source = find_source(spec, cache_dir=cache_dir, progress=progress)
    # Hashing releases the interpreter lock: it runs beside the imports, which take longer.
    with ThreadPoolExecutor(1) as pool, paused_collector():
        hashing = pool.submit(source.fingerprint)
        import_libraries()
        check_device(device)
        if source.cached is not None and hashing.result() is None:
            source.cached.ensure(Announcer(progress))
            hashing = pool.submit(source.fingerprint)
        return _read(source, hashing, device=device, dtype=dtype)


def _read(source: Source, hashing: Future[str | None], *, device: str, dtype: str) -> Model:
    tokenizer = read_tokenizer(source.folder)
    hf_model = read_model(source.folder, device=device, dtype=dtype)
    parity = Parity(config=deepcopy(hf_model.config))
    bridge = boot(hf_model, tokenizer, name=str(source.folder))
    return Model(
        spec=source.spec,
        bridge=bridge,
        tokenizer=tokenizer,
        fingerprint=_result(hashing, source.folder),
        provenance=source.provenance,
        device=device,
        dtype=dtype,
        parity=parity,
        weights=held(bridge),
    )


def _result(hashing: Future[str | None], folder: Path) -> str:
    try:
        fingerprint = hashing.result()
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise ModelNotAvailable(
            f"the model in {folder} cannot be read: {in_a_line(error)}"
        ) from error
    if fingerprint is None:
        raise ModelNotAvailable(f"the model in {folder} was damaged while it was loaded")
    return fingerprint
