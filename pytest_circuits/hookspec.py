"""The hooks others may implement, in a conftest.py or a plugin of their own."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.hookspec(firstresult=True)
def pytest_circuits_load_model(spec: str) -> Any:
    """Return the model a claim's `spec` stands for, or None to leave it to the next.

    May return what `load_model` or `wrap_model` return. The first result wins; without one, the
    built-in loader is used. In a conftest.py::

        def pytest_circuits_load_model(spec):
            if spec == "my-model":
                from pytest_circuits import wrap_model
                return wrap_model(my_bridge, my_tokenizer, spec=spec)
    """
