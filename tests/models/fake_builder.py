"""Run as a process: prepare a fake cached folder slowly, counting every build in a log file.

Arguments: cache folder, log file, seconds per build, and a name if it is not to be "fake".
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from pathlib import Path

from pytest_circuits.models.cache import CachedFolder
from pytest_circuits.models.quiet import Announcer


def main(root: Path, log: Path, seconds: float, name: str = "fake") -> None:
    def build(folder: Path, say) -> None:
        with log.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        header = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
        content = struct.pack("<Q", len(header)) + header + name[:4].encode()
        (folder / "model.safetensors").write_bytes(content)
        time.sleep(seconds)
        (folder / "config.json").write_text("{}")

    made_from = {"model": name, "source": "0" * 64}
    cached = CachedFolder(root=root, name=name, made_from=made_from, build=build)
    cached.ensure(Announcer(True))
    print(cached.verified_fingerprint())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
