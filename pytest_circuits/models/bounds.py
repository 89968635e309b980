"""What a folder's files may ask for, told from their headers before anything is built of them.

A config of 600 bytes can ask for terabytes, a tokenizer can double its input with every step. The
weights are the measure: no model may be much larger than what its files hold.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_circuits.errors import shown
from pytest_circuits.models.weights import FLOATS, StoredTensor

# Tied or missing weights, which are told apart later, are at most another copy of what is there.
COPIES = 2
SPARE_NUMBERS, SPARE_MODULES, SPARE_BYTES = 1 << 20, 10_000, 256 << 20
MODULES_PER_TENSOR = 50  # dropouts, activations and containers hold no tensors
MOST_GROWTH = 100  # of a text by its normalizer: accents and ligatures come to some 18
MOST_EXTRA = 10_000  # special tokens that a tokenizer's settings ask for by number
_LAYERS = re.compile(r"(n|num)_(hidden_|decoder_|encoder_)?layers?|num_(local_)?experts")

_HEADS = re.compile(r"(n|num)_(attention_|key_value_|kv_)?heads?")
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")


class TooLarge(ValueError):
    """Files ask for more than they hold, or for what cannot be."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What weight files hold: tensors, numbers (those packed into others counted), bytes."""

    tensors: int
    numbers: int
    bytes: int
    whole: frozenset[str]

    @classmethod
    def of(cls, stored: Iterable[StoredTensor]) -> Contents:
        """Return the sums over tensors; `whole` are the names of those that are not floats."""
        found = list(stored)
        return cls(
            tensors=len(found),
            numbers=sum(each.numbers for each in found),
            bytes=sum(len(each.data) for each in found),
            whole=frozenset(each.name for each in found if each.dtype not in FLOATS),
        )

    def check_config(self, config: dict[str, Any]) -> None:
        """Raise TooLarge if a config has more layers or experts than there are numbers for.

        And if it has heads by a number that is none: that would be found out only when it runs.
        """
        for key, value in _entries(config):
            if not isinstance(value, int):
                continue
            if _HEADS.fullmatch(key) and value < 1:
                raise TooLarge(f"config.json has `{key}` {shown(value)}, it must be at least 1")
            if not _LAYERS.fullmatch(key):
                continue
            most = self.tensors if "layer" in key else self.numbers
            if value > most:
                raise TooLarge(
                    f"config.json has `{key}` {shown(value)}, the weights have {self.tensors:,} "
                    "tensors: is it the config of another model?"
                )

    def check_machine(self) -> None:
        """Raise TooLarge if the weights alone, as they lie in the files, exceed all memory."""
        if not hasattr(os, "sysconf"):  # Windows does not say it this way
            return
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if self.bytes > memory:
            raise TooLarge(
                f"its weights have {self.bytes / 1e9:.3g} GB, this machine {memory / 1e9:.3g} GB "
                "of memory"
            )

    @contextmanager
    def building(self) -> Iterator[None]:
        """Stop this thread from building a model that has much more in it than the files hold.

        A model is built without memory first, on torch's device "meta": what is registered there
        is counted, and nothing was allocated when it is too much.
        """
        from torch.nn.modules import module as torch_module

        count = _Count(contents=self, thread=threading.get_ident())
        hooks = (
            torch_module.register_module_module_registration_hook(count.module),
            torch_module.register_module_parameter_registration_hook(count.parameter),
            torch_module.register_module_buffer_registration_hook(count.buffer),
        )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


@dataclass(eq=False, kw_only=True)
class _Count:
    """What has been registered so far, of modules and on the device "meta"."""

    contents: Contents
    thread: int
    modules: int = 0
    numbers: int = 0
    buffers: int = 0

    def module(self, *registered: Any) -> None:
        self.modules += threading.get_ident() == self.thread
        self._check(
            "modules", self.modules, MODULES_PER_TENSOR * self.contents.tensors + SPARE_MODULES
        )

    def parameter(self, module: Any, name: str, tensor: Any) -> None:
        if self._counts(tensor):
            self.numbers += tensor.numel()
        self._check("numbers", self.numbers, COPIES * self.contents.numbers + SPARE_NUMBERS)

    def buffer(self, module: Any, name: str, tensor: Any) -> None:
        if self._counts(tensor):
            self.buffers += tensor.numel() * tensor.element_size()
        self._check("bytes of buffers", self.buffers, self.contents.bytes + SPARE_BYTES)

    def _counts(self, tensor: Any) -> bool:
        mine = threading.get_ident() == self.thread
        return mine and tensor is not None and bool(tensor.is_meta)

    def _check(self, what: str, found: int, most: int) -> None:
        if found > most:
            raise TooLarge(
                f"its config.json asks for {found:,} {what} or more, its weights have "
                f"{self.contents.numbers:,} numbers: is it the config of another model?"
            )


def check_tokenizer(tokenizer: dict[str, Any], settings: dict[str, Any]) -> None:
    """Raise TooLarge if a tokenizer could make a text much longer, or asks for many tokens."""
    growth = 1.0
    for each in _objects([tokenizer.get(step) for step in _STEPS]):
        growth *= _growth(each)
        if growth > MOST_GROWTH:
            raise TooLarge(f"its tokenizer.json can make a text {MOST_GROWTH} times as long")
    for key, value in _entries(settings):
        if key == "extra_ids" and isinstance(value, int) and value > MOST_EXTRA:
            raise TooLarge(f"its tokenizer asks for {shown(value)} `extra_ids`")


def _growth(step: dict[str, Any]) -> float:
    """Return by how much a step of a tokenizer can make a text longer, as far as that is said."""
    if step.get("type") == "Replace":
        pattern, content = step.get("pattern"), step.get("content")
        replaced = pattern.get("String") if isinstance(pattern, dict) else None
        least = len(replaced) if isinstance(replaced, str) else 1
        return max(1.0, len(str(content)) / max(1, least))
    if step.get("type") == "TemplateProcessing":
        return max(
            [1, *(len(step[k]) for k in ("single", "pair") if isinstance(step.get(k), list))]
        )
    return 1.0


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects inside JSON, the outer before the inner ones."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _objects(each)


def _entries(value: object) -> Iterator[tuple[str, Any]]:
    """Yield the keys of JSON objects with their values, those inside others too."""
    for each in _objects(value):
        yield from each.items()
