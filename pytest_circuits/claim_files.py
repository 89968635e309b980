"""Which files are looked at for claims, and a word about those that might have been meant."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib.util import find_spec
from os.path import abspath
from pathlib import Path

import pytest

ANY_DEPTH = "**/"

SILENT = pytest.StashKey[set[Path]]()

IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^#\n]*)"
    r"|import[ \t]+(?P<modules>[^#\n]+))",
    re.MULTILINE,
)


class ClaimFile(pytest.Module):
    """A module that is looked at for claims; says so if it has none."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Return what pytest finds in any module; warn of a file that only looks like claims."""
        found = list(super().collect())
        if not found and getattr(self.obj, "__test__", True) and not self._is_imported():
            self.warn(
                pytest.PytestCollectionWarning(
                    f"no claims in {self.nodeid}: claims are public variables of a file, or in a "
                    "list, tuple or dict that is one. If it is there for others to import, let "
                    "its name start with _."
                )
            )
        return found

    def _is_imported(self) -> bool:
        """Return whether a file beside or below this one imports it: then it is a helper."""
        others = (each for each in self.path.parent.rglob("*.py") if each != self.path)
        root = self.config.rootpath
        return any(self.path in imported_files(each, _text(each), root) for each in others)


def is_claim_file(path: Path, config: pytest.Config) -> bool:
    """Return whether a file is one for claims: by its name, and because it speaks of them."""
    if path.suffix != ".py" or _is_helper(path):
        return False
    globs = config.getini("circuit_files")
    if not any(matches(path, each, config.rootpath) for each in globs):
        return False
    return speaks_of_us(path, config.rootpath, config.stash.setdefault(SILENT, set()))


def is_test_file(path: Path, config: pytest.Config) -> bool:
    """Return whether pytest collects a file by itself: by its own rule for `python_files`."""
    return any(_is_python_file(path, each) for each in config.getini("python_files"))


def matches(path: Path, pattern: str, root: Path) -> bool:
    """Return whether a file matches a glob; `**/` is any folder below the root of the tests."""
    direct = path.match(pattern.replace(ANY_DEPTH, ""))
    if direct or ANY_DEPTH not in pattern or not path.is_relative_to(root):
        return direct
    below = f"/{path.relative_to(root).as_posix()}"
    return fnmatch(below, f"*/{pattern.replace(ANY_DEPTH, '')}")  # where * is also any folder


def speaks_of_us(path: Path, root: Path, silent: set[Path]) -> bool:
    """Return whether a file mentions pytest_circuits, or a file that it imports does.

    What others installed is not followed any further. `silent` remembers files that do not, so
    that each file of a project that has nothing to do with us is read once.
    """
    left, seen = [path], set(silent)
    while left:
        each = left.pop()
        if each in seen:
            continue
        seen.add(each)
        text = _text(each)
        if "pytest_circuits" in text:
            return True
        if each == path or (each.is_relative_to(root) and "site-packages" not in each.parts):
            left += imported_files(each, text, root)
    silent |= seen
    return False


def mentions_us(path: Path) -> bool:
    """Return whether a file mentions pytest_circuits by itself."""
    return "pytest_circuits" in _text(path)


def _is_helper(path: Path) -> bool:
    return path.name == "conftest.py" or path.name.startswith("_")


def _is_python_file(path: Path, pattern: str) -> bool:
    return fnmatch(path.as_posix(), f"*/{pattern}") if "/" in pattern else path.match(pattern)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def imported_files(path: Path, text: str, root: Path) -> Iterator[Path]:
    """Yield the files that a file imports, as far as names tell; nothing is imported for it."""
    for level, dotted in _imports(text):
        parts = dotted.split(".") if dotted else []
        for base in _bases(path, level, parts, root) if parts else []:
            whole = base.joinpath(*parts)
            module, package = base.joinpath(*parts[:-1], f"{parts[-1]}.py"), whole / "__init__.py"
            yield from (each for each in (module, package) if each.is_file())


def _imports(text: str) -> Iterator[tuple[int, str]]:
    """Yield the names that are imported: how many dots lead, and the rest."""
    for match in IMPORT.finditer(text):
        if match["modules"] is not None:
            yield from ((0, each.split(" as ")[0].strip()) for each in match["modules"].split(","))
            continue
        module = match["module"].lstrip(".")
        level = len(match["module"]) - len(module)
        yield level, module
        for name in match["names"].strip("()").split(","):
            first = name.split("#")[0].split()
            if first and first[0].isidentifier():
                yield level, f"{module}.{first[0]}".strip(".")


def _bases(path: Path, level: int, parts: list[str], root: Path) -> Iterable[Path]:
    """Return the folders in which to look for a name: as Python would, and around the file."""
    parents = path.parents
    if level:
        return parents[level - 1 : level]
    if parts[0] in sys.stdlib_module_names:
        return []
    around = [each for each in parents if each == path.parent or each.is_relative_to(root)]
    return [*around, *_installed(parts[0])]


def _installed(name: str) -> list[Path]:
    """Return the folders that Python would find a top-level module in."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError, AttributeError):  # e.g. a module without a spec
        return []
    if spec is None:
        return []
    found = [*(spec.submodule_search_locations or []), *([spec.origin] if spec.origin else [])]
    return [Path(each).parent for each in found if not each.endswith("__init__.py")]


class PassedOver:
    """Files that speak of claims in folders named on the command line, and are not collected."""

    def __init__(self, config: pytest.Config) -> None:
        given = (arg.split("::")[0] for arg in config.getoption("file_or_dir", None) or ())
        paths = [Path(abspath(config.invocation_params.dir / each)) for each in given]
        self._root = config.rootpath
        self._folders = [each for each in paths if each.is_dir()]
        self._files: list[Path] = []

    def note(self, path: Path) -> None:
        """Take note of a file that nobody collects, if it is in such a folder and mentions us."""
        named = any(path.is_relative_to(each) for each in self._folders)
        if named and path.suffix == ".py" and not _is_helper(path):
            self._files += [path] if mentions_us(path) else []

    def check(self) -> None:
        """Raise UsageError if there are such files, for when nothing else was collected."""
        if self._files:
            folders = ", ".join(map(self._named, self._folders))
            raise pytest.UsageError(
                f"nothing was collected from {folders}, though {self._named(self._files[0])} "
                f"mentions pytest_circuits: {self._instead(self._files[0])}"
            )

    def lines(self) -> list[str]:
        """Return a line for each such file that seems to declare claims."""
        return [
            f"circuits: {self._named(each)} seems to declare claims and is not collected: "
            f"{self._instead(each)}"
            for each in self._files
            if seems_to_declare(_text(each))
        ]

    def _instead(self, path: Path) -> str:
        return (
            "claims are looked for in folders named circuits and in test files. Name the file, "
            f"pytest {self._named(path)}, or its place in the ini option circuit_files."
        )

    def _named(self, path: Path) -> str:
        return (
            path.relative_to(self._root).as_posix()
            if path.is_relative_to(self._root)
            else str(path)
        )


def seems_to_declare(text: str) -> bool:
    """Return whether a file assigns comparisons to public names, outside functions and classes."""
    import ast

    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return True  # pytest would say what is wrong with it
    for each in body:
        targets = each.targets if isinstance(each, ast.Assign) else []
        targets = [each.target] if isinstance(each, ast.AnnAssign) else targets
        public = [t for t in targets if isinstance(t, ast.Name) and not t.id.startswith("_")]
        if public and any(isinstance(node, ast.Compare) for node in ast.walk(each)):
            return True
    return False


PASSED_OVER = pytest.StashKey[PassedOver]()
