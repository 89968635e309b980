"""`--circuit-mutate` in a session: after the claims, the mutants. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from pytest_circuits.collection import CLAIM, ClaimItem
from pytest_circuits.errors import ClaimNotEvaluable, unknown_name
from pytest_circuits.options import runs_nothing
from pytest_circuits.report.mutants import account_lines
from pytest_circuits.report.summary import PROPERTY
from pytest_circuits.session import SESSION, ClaimSession, model_of

if TYPE_CHECKING:
    from pytest_circuits.models.base import Model
    from pytest_circuits.mutation.account import Account
    from pytest_circuits.mutation.mutants import Mutant
    from pytest_circuits.origin import Origin


def check_one_process(config: pytest.Config) -> None:
    """Refuse xdist: every worker would sabotage a model of its own, for a part of the claims."""
    if config.getoption("dist", "no") != "no":
        raise pytest.UsageError(
            "--circuit-mutate must have all claims in one process; got a session of several "
            "workers (xdist): run it with -n0"
        )


class Mutation:
    """Puts the claims of a session that hold to mutants of their models, suite by suite."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._items: list[pytest.Item] = []
        self._held: set[str] = set()
        self.accounts: list[Account] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the claims that were chosen."""
        self._items = [item for item in session.items if CLAIM in item.stash]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which of them hold on the model."""
        if (PROPERTY + "status", "holds") in report.user_properties:
            self._held.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Run the mutants after the claims, unless these were stopped before their end.

        Sabotage that nothing notices does not fail the session; a mutant that could not be made
        does, and so does a decoy that a claim noticed: nothing the model does had changed.
        """
        result = yield
        if self._held and not runs_nothing(self._config.option):
            self._run()
        for each in self.accounts:
            session.testsfailed += len(each.unmade) + len(each.falsely_noticed)
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the mutants of every suite, what noticed them, and what never failed."""
        if not self._items or runs_nothing(self._config.option):
            return
        terminalreporter.write_sep("=", "circuit mutants")
        if not self.accounts:
            terminalreporter.write_line(
                "no mutants were run: no claim held, or the session was stopped before its end"
            )
        for account in self.accounts:
            for line in account_lines(account):
                terminalreporter.write_line(line)

    def as_documents(self) -> list[dict[str, Any]]:
        """Return all accounts as builtins, for JSON."""
        return [each.as_dict() for each in self.accounts]

    def _run(self) -> None:
        patterns = self._session.settings.mutants
        known: dict[str, None] = {}
        for (suite, origin), claims in self._suites().items():
            model, mutants = self._prepared(origin, claims)
            known |= dict.fromkeys(map(str, mutants))
            chosen = [each for each in mutants if _is_chosen(each, patterns)]
            if chosen:
                self.accounts.append(self._account(suite, model, claims, chosen))
        for pattern in patterns:
            if not any(_matches(name, pattern) for name in known):
                raise pytest.UsageError(
                    f"--circuit-mutants: {unknown_name('mutant', pattern, known)}"
                )

    @property
    def _session(self) -> ClaimSession:
        return self._config.stash[SESSION]

    def _suites(self) -> dict[tuple[str, Origin], list[ClaimItem]]:
        """Return the claims by file and model, for those of which some claim holds."""
        found: dict[tuple[str, Origin], list[ClaimItem]] = {}
        for item in self._items:
            origin, each = model_of(item), item.stash[CLAIM]
            if origin is not None:
                found.setdefault((each.file, origin), []).append(each)
        return {
            key: claims
            for key, claims in found.items()
            if any(each.nodeid in self._held for each in claims)
        }

    def _prepared(
        self, origin: Origin, claims: Sequence[ClaimItem]
    ) -> tuple[Model, tuple[Mutant, ...]]:
        """Return the model once more, and all mutants that the claims give rise to."""
        from pytest_circuits.mutation.choice import mutants_of
        from pytest_circuits.mutation.sabotage import shared_heads

        try:
            model = self._session.models.model(origin)
            shared = shared_heads(model)
        except ClaimNotEvaluable as error:
            raise pytest.UsageError(f"--circuit-mutate: {error}") from None
        held = [each.claim for each in claims if each.nodeid in self._held]
        return model, mutants_of(held, layers=model.n_layers, heads=model.n_heads, shared=shared)

    def _account(
        self, suite: str, model: Model, claims: Sequence[ClaimItem], mutants: Sequence[Mutant]
    ) -> Account:
        from pytest_circuits.engine.memory import DEFAULT_MEMORY
        from pytest_circuits.mutation.survey import survey

        memory = self._session.settings.memory
        named = {each.nodeid.split("::", 1)[1]: each for each in claims}
        return survey(
            suite,
            model,
            {k: (each.claim, each.draw) for k, each in named.items() if each.nodeid in self._held},
            mutants,
            rules=claims[0].rules,
            left_out=[k for k, each in named.items() if each.nodeid not in self._held],
            memory=DEFAULT_MEMORY if memory is None else memory,
            notify=self._session.notify,
        )


def _is_chosen(mutant: Mutant, patterns: Sequence[str]) -> bool:
    return not patterns or any(_matches(str(mutant), each) for each in patterns)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name.lower(), f"*{pattern.lower()}*")
