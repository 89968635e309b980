"""Hooks that somebody left on a model: what is measured would be the model and they together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

_LIBRARIES = frozenset(
    {"transformers", "transformer_lens", "accelerate"}
)  # their own change nothing
_NAMED = 5  # hooks that a message names

WAY_OUT = (
    "What they do is in no weight and in no fingerprint. Take them off first: "
    "bridge.reset_hooks(including_permanent=True) for those on hook points, "
    "handle.remove() for those of torch; and leave `with bridge.hooks(...)`."
)


def hooks_left(model: Any) -> str:
    """Return in words which hooks are on a bridge or a Hugging Face model, "" if none are.

    Forward hooks count, permanent or not, on hook points, on modules and on all modules, and a
    `forward` that was replaced on one module. Those of TransformerBridge and transformers
    themselves do not count, nor do hooks of the gradient. One that only looks is not told from
    one that changes what it sees: it might at the next prompt.
    """
    found = list(dict.fromkeys(_found(model)))
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def modules_of(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield every module of a bridge, or of a Hugging Face model, once, with its name."""
    seen: set[int] = set()
    for part in (model, getattr(model, "original_model", None)):
        for name, module in part.named_modules() if part is not None else ():
            if id(module) not in seen:
                seen.add(id(module))
                yield name.replace("._original_component", "") or "the model", module


def _found(model: Any) -> Iterator[str]:
    from torch.nn.modules import module as torch_module

    for kind in ("_global_forward_hooks", "_global_forward_pre_hooks"):
        yield from _foreign("all modules", getattr(torch_module, kind, {}).values())
    for name, module in modules_of(model):
        handles = getattr(module, "fwd_hooks", ())  # a hook point of TransformerLens
        point = getattr(module, "name", None) or name
        yield from _foreign(point, [each.user_hook for each in handles])
        yield from _foreign(name, module._forward_hooks.values())
        yield from _foreign(name, module._forward_pre_hooks.values())
        replaced = module.__dict__.get("forward")
        if replaced is not None:
            yield from (f"{each} in place of forward" for each in _foreign(name, [replaced]))


def _foreign(where: str, hooks: Any) -> Iterator[str]:
    for hook in map(_inner, hooks):
        if str(getattr(hook, "__module__", "")).split(".")[0] not in _LIBRARIES:
            yield f"{where} ({getattr(hook, '__name__', type(hook).__name__)})"


def _inner(hook: Callable[..., Any]) -> Callable[..., Any]:
    return _inner(hook.func) if isinstance(hook, partial) else hook
