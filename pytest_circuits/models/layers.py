"""Layers that a config asks for, against those that the weights have, for a message."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

_NAME = "num_hidden_layers"
_NUMBERED = re.compile(r"(.*?)\.(\d+)\.")  # "model.layers.7.mlp..." -> "model.layers", "7"


def layers_in_words(config: Any, tensors: Iterable[str]) -> str:
    """Return a remark that compares both numbers, "" if they agree or cannot be told.

    `tensors` are the names in the weight files. A layer counts if any of its tensors is there.
    """
    asked = getattr(config, _NAME, None)
    found = defaultdict(set)
    for match in filter(None, map(_NUMBERED.match, tensors)):
        found[match[1]].add(match[2])
    counts = [len(each) for each in found.values()]
    if asked is None or not counts or asked in counts:
        return ""
    key = getattr(config, "attribute_map", {}).get(_NAME, _NAME)
    return f" ({key} of config.json is {asked}, and the weights have {max(counts)} layers)"
