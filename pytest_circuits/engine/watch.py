"""Before anything is measured: the model is still the one whose fingerprint it bears.

A model in memory can be edited after it was loaded or wrapped: its weights, training mode, hooks.
Every pass looks for that. Versions of torch tell of edits in place for nothing; edits through
`.data` do not count there, so that the bytes are read once per engine, and again where versions
moved. Not seen: an edit through `.data` while an evaluation runs, buffers that are not saved with
the model, and attributes that are no tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_circuits.errors import ClaimNotEvaluable
from pytest_circuits.models.held import differences, held, weights_of
from pytest_circuits.models.hooks import WAY_OUT, hooks_left, modules_of

if TYPE_CHECKING:
    from torch import Tensor

    from pytest_circuits.models.base import Model

_NAMED = 3  # changed weights that a message names


class Watch:
    """Looks at one model again and again; `check` raises ClaimNotEvaluable once it is another."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._versions: dict[str, tuple[int, int]] | None = None

    def check(self) -> None:
        """Raise if the model has hooks, is in training mode, or has other weights than it had."""
        self._check_hooks()
        self._check_mode()
        if self._model.weights is not None:
            self._check_weights()

    def _check_hooks(self) -> None:
        if found := hooks_left(self._model.bridge):
            raise ClaimNotEvaluable(
                f"{self._model.spec} has hooks that are not its own: {found}. {WAY_OUT}"
            )

    def _check_mode(self) -> None:
        modules = modules_of(self._model.bridge)
        if found := next((name for name, module in modules if module.training), None):
            raise ClaimNotEvaluable(
                f"{self._model.spec} is in training mode, {found} at least: dropout would make "
                "each run another. Put it back: model.bridge.eval()"
            )

    def _check_weights(self) -> None:
        weights = weights_of(self._model.bridge)
        versions = {name: (value.data_ptr(), _version(value)) for name, value in weights.items()}
        if versions == self._versions:
            return
        before = self._model.weights or {}
        if changed := differences(before, held(self._model.bridge)):
            more = ", ..." if len(changed) > _NAMED else ""
            raise ClaimNotEvaluable(
                f"{self._model.spec} is no longer the model whose fingerprint it bears: "
                f"{len(changed)} of its {len(before)} weights changed since it was loaded or "
                f"wrapped: {', '.join(changed[:_NAMED])}{more}. Load it again, or wrap what it is "
                "now: wrap_model(model.bridge, model.tokenizer)"
            )
        self._versions = versions


def _version(value: Tensor) -> int:
    """Return torch's count of edits in place; inference tensors have none, and take none."""
    return 0 if value.is_inference() else value._version
