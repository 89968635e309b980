"""JSON files of a model folder, read with a bound on their size and depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOST_BYTES = 128 << 20  # the largest tokenizers and indices in use have some 40 MB
DEEPEST = 64


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises OSError if it cannot be read, ValueError, with the file's name and the rule, if it is no
    JSON object of at most MOST_BYTES bytes, nested DEEPEST times.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no file")  # opening a pipe would wait for ever
    with path.open("rb") as stream:
        return parse_json(stream.read(MOST_BYTES + 1), path.name)


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Return the object that JSON bytes hold, as `read_json` does; `name` says whose."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name} is larger than {MOST_BYTES:,} bytes")
    try:
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from None
    except ValueError as error:  # no JSON, or a number of more digits than Python takes
        raise ValueError(f"{name} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"{name} holds {type(value).__name__}, expected an object")
    if is_deep(value, DEEPEST):
        raise ValueError(f"{name} is nested more than {DEEPEST} times")
    return value


def is_deep(value: object, most: int) -> bool:
    """Return whether lists and objects lie in one another more than `most` times."""
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, list | dict):
        return False
    return most == 0 or any(is_deep(each, most - 1) for each in inner)  # type: ignore[attr-defined]
