"""Print a table of architectures, tiny and random: how each runs, how far it is from Hugging Face.

python benchmarks/architectures.py [words in their names]; a minute and a half on one core. It is
what tests/engine/test_architectures.py holds to 1e-5 of the spread of the logits.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten

HEADER = """\
| class in transformers | how it runs | logits | knock-outs | they move | refused |
| --- | --- | ---: | ---: | ---: | --- |"""


def main(words):
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from architectures import KINDS, look

    print(HEADER, flush=True)
    for label, kind in KINDS.items():
        if words and not any(word in label for word in words):
            continue
        with TemporaryDirectory() as folder:
            print(row(label, look(kind, Path(folder) / "m")), flush=True)


def row(label, found):
    """The line of an architecture; a vertical bar would end a cell."""
    how = found.how.split("; ")[0]
    how = "light cone" if how.startswith("light cone") else how
    numbers = [found.plain, found.knocked_out, found.moved]
    cells = [label, how, *map(number, numbers), shorten(found.refused, 240, placeholder=" ...")]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def number(value):
    """A share of the spread of the logits; empty where nothing was compared."""
    return "" if value != value else f"{value:.1e}"


if __name__ == "__main__":
    main(sys.argv[1:])
