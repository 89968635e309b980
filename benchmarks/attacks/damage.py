"""Damage a cached model in every way that files are damaged: is anything torn taken for it?

    python -m benchmarks.attacks.damage 200

A packaged model lies in the cache, whole. Each time some of it is changed at random (bytes flipped,
files cut, emptied, removed, exchanged, added, replaced by links or folders, the manifest edited)
and the model is asked for again. What comes must be the model it was, byte for byte, built again
where it had to be; nothing else, and no traceback.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_circuits.models.cache import MANIFEST
from pytest_circuits.models.fingerprint import hash_file
from pytest_circuits.models.load import load_model
from pytest_circuits.models.source import find_source

SPEC = "reference-ioi"


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def grow(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randint(1, 64)))


def empty(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


def remove(path: Path, rng: random.Random) -> None:
    path.unlink()


def exchange(path: Path, rng: random.Random) -> None:
    other = rng.choice([each for each in path.parent.iterdir() if each != path])
    mine, its = path.read_bytes(), other.read_bytes()
    path.write_bytes(its)
    other.write_bytes(mine)


def into_folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


def into_link(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to(rng.choice(["nowhere", "/dev/null", path.name]))


def add(path: Path, rng: random.Random) -> None:
    path.with_name(rng.choice(["model-2.safetensors", "adapter_config.json", "x"])).write_text("{}")


def edit_manifest(path: Path, rng: random.Random) -> None:
    manifest = path.with_name(MANIFEST)
    content = json.loads(manifest.read_text())
    content[rng.choice(sorted(content))] = rng.choice([None, "", [], {}, 0, "0" * 64])
    manifest.write_text(json.dumps(content))


DAMAGES = (flip, cut, grow, empty, remove, exchange, into_folder, into_link, add, edit_manifest)


def attack(times: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Return how often each damage was mended, and what was taken for the model and is not."""
    rng, mended, wrong = random.Random(seed), Counter[str](), []
    with TemporaryDirectory() as name:
        root = Path(name)
        whole = load_model(SPEC, cache_dir=root, progress=False)
        folder = find_source(SPEC, cache_dir=root, progress=False).folder
        files = _hashes(folder)
        pristine = shutil.copytree(folder, root / "pristine")
        for _ in range(times):
            damage: Callable[[Path, random.Random], None] = rng.choice(DAMAGES)
            damage(rng.choice(sorted(folder.iterdir())), rng)
            changed = _hashes(folder) != files
            again = load_model(SPEC, cache_dir=root, progress=False)
            if again.fingerprint != whole.fingerprint or _hashes(folder) != files:
                wrong.append(f"{damage.__name__}: {again.provenance}")
                shutil.rmtree(folder)
                shutil.copytree(pristine, folder)
            mended[damage.__name__ + ("" if changed else ", which changed nothing")] += 1
    return mended, wrong


def _hashes(folder: Path) -> dict[str, str]:
    return {
        each.relative_to(folder).as_posix(): hash_file(each) if each.is_file() else "no file"
        for each in sorted(folder.rglob("*"))
    }


if __name__ == "__main__":
    mended, wrong = attack(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    for kind, count in sorted(mended.items()):
        print(f"{count:5}  {kind}: the model as it was")
    print(f"{len(wrong):5}  wrong", *wrong, sep="\n       ")
    sys.exit(bool(wrong))
