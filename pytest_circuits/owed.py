"""Which claims owe a report, where the reports come in: here, or on the controller of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pytest_circuits.claim_files import is_claim_file, mentions_us
from pytest_circuits.report.summary import file_of


class Owed:
    """The items of a session that must come to something, and those known to be claims.

    A controller of workers collects nothing itself, and node ids do not tell which items are
    claims: the first claim of each file that reports does. Where there may be claims, every item
    owes a report. Claims have two node ids: the second is the one they are reported under.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._items: dict[str, str] = {}
        self._claims: dict[str, str] = {}
        self._told: set[str] = set()  # the files of these
        self.reported: set[str] = set()

    def claims(self, nodeids: Mapping[str, str]) -> None:
        """Take note of claims."""
        self._claims |= nodeids
        self._told.update(map(file_of, nodeids))

    def collected_by_worker(self, nodeids: Sequence[str]) -> None:
        """Take note of what a worker collected: all of it, if a file of it may have claims."""
        files = dict.fromkeys(map(file_of, nodeids))
        if any(map(self._may_hold_claims, files)):
            self._items |= {nodeid: nodeid for nodeid in nodeids}

    @property
    def selected(self) -> int:
        """How many claims were to run, as far as is known."""
        return len(self._claims)

    @property
    def lost(self) -> list[str]:
        """The items that came to nothing."""
        return sorted({*self._items, *self._claims} - self.reported)

    def claim_of(self, item: str) -> str | None:
        """Return the node id that a claim is reported under; None for what is none.

        In a file that might hold claims, and of which none reported, every item is taken for one.
        """
        if item in self._claims or item not in self._items:
            return self._claims.get(item)
        file = file_of(item)
        held = file not in self._told and self._may_hold_claims(file)
        return self._items[item] if held else None

    def _may_hold_claims(self, name: str) -> bool:
        path = self._config.rootpath / name
        return is_claim_file(path, self._config) or mentions_us(path)
