"""The pytest plugin: hooks, options, fixtures. No measurement, and nothing heavy is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_circuits import hookspec
from pytest_circuits.collection import CLAIM, claim_items, is_claim, is_claim_file, model_labels
from pytest_circuits.options import add_options, read_settings
from pytest_circuits.report.summary import counted
from pytest_circuits.session import SESSION, ClaimSession, Loader, load

SHOWN = pytest.StashKey[tuple[str, list[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the --circuit-* options."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks others may implement."""
    pluginmanager.add_hookspecs(hookspec)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options once; register the marker and the reporter."""
    config.addinivalue_line("markers", "circuit: a claim about a circuit (set by pytest-circuits)")
    config.stash[SESSION] = ClaimSession(read_settings(config), _progress(config))
    if config.stash[SESSION].settings.mutate:
        from pytest_circuits.mutation.runner import Mutation, check_one_process

        check_one_process(config)
        config.pluginmanager.register(Mutation(config), "circuits-mutation")
    if config.stash[SESSION].settings.dry_run:
        from pytest_circuits.dry_run import DryRun, check_alone

        check_alone(config)
        config.pluginmanager.register(DryRun(config), "circuits-dry-run")
    if not hasattr(config, "workerinput"):
        from pytest_circuits.reporter import Reporter

        config.pluginmanager.register(Reporter(config), "circuits-reporter")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect claim files, `circuits/*.py`, that pytest does not collect by itself."""
    globs, python_files = (parent.config.getini(k) for k in ("circuit_files", "python_files"))
    explicit = parent.session.isinitpath(file_path)
    if explicit or not is_claim_file(file_path, globs, python_files=python_files):
        return None
    module: pytest.Module = pytest.Module.from_parent(parent, path=file_path)
    return module


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make items of a module's claims; names with a leading underscore are left alone."""
    if not is_claim(obj) or name.startswith("_"):
        return None
    if not isinstance(collector, pytest.Module):
        raise collector.CollectError(
            f"{collector.nodeid}::{name} is a claim in a class: claims are variables of a module "
            "(a leading underscore keeps one from being collected)."
        )
    session = collector.config.stash[SESSION]
    items = claim_items(collector, name, obj, session.settings)  # type: ignore[arg-type]
    session.collect(items)
    return items


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put claims on the same model next to each other, so that each model is loaded once."""
    places = [i for i, item in enumerate(items) if CLAIM in item.stash]
    claims = [items[i] for i in places]
    order = list(dict.fromkeys(item.stash[CLAIM].spec for item in claims))
    claims.sort(key=lambda item: order.index(item.stash[CLAIM].spec))
    for place, item in zip(places, claims, strict=True):
        items[place] = item


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the claims of the session about each other before the first one runs."""
    session.config.stash[SESSION].expect(session.items)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run test functions that ask for `circuit_model` once per --circuit-model."""
    models = metafunc.config.stash[SESSION].settings.models
    if "circuit_model" in metafunc.fixturenames and models:
        ids = model_labels(models)
        metafunc.parametrize("circuit_model", models, indirect=True, scope="session", ids=ids)


@pytest.fixture(scope="session")
def circuit_load_model(pytestconfig: pytest.Config) -> Loader:
    """Return the function that loads a model from its spec. Override it to load models your way."""
    settings = pytestconfig.stash[SESSION].settings
    return lambda spec: load(pytestconfig, settings, spec)


@pytest.fixture(scope="session")
def circuit_model(request: pytest.FixtureRequest, circuit_load_model: Loader) -> Any:
    """Return the model named by --circuit-model, for test functions that measure by themselves."""
    from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable

    if not hasattr(request, "param"):
        pytest.fail("the fixture `circuit_model` needs --circuit-model SPEC", pytrace=False)
    try:
        return circuit_load_model(request.param)
    except (ClaimNotEvaluable, CircuitUsageError) as error:
        return _give_up(request.config, error)


@pytest.fixture
def circuit_verdict(request: pytest.FixtureRequest, circuit_load_model: Loader) -> Any:
    """Return the verdict on the claim of this item; what cannot be evaluated is an error."""
    from pytest_circuits.report.summary import as_properties, to_json

    session, item = request.config.stash[SESSION], request.node
    found = session.verdict_or_reason(item, circuit_load_model)
    item.user_properties.append(("circuit_passes", to_json(session.new_passes())))
    if not isinstance(found, Exception):
        item.user_properties += as_properties(found.as_dict())
        return found
    item.user_properties.append(("circuit_reason", str(found)))
    return _give_up(request.config, found)


def _give_up(config: pytest.Config, reason: Exception) -> NoReturn:
    """Make what was to be evaluated an error, or skip it where the user asked for that."""
    from pytest_circuits.errors import ModelNotAvailable

    skips = config.stash[SESSION].settings.missing_model == "skip"
    if skips and isinstance(reason, ModelNotAvailable):
        pytest.skip(f"NOT EVALUATED: {reason}")
    pytest.fail(f"not evaluable: {reason}", pytrace=False)


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain `assert measure(...) >= threshold`."""
    verdicts = sys.modules.get("pytest_circuits.verdicts")
    if verdicts is None:
        return None
    verdict = verdicts.verdict_of_comparison(left, op, right)
    if verdict is None:
        return None
    from pytest_circuits.report.text import failure_text, short_text

    # pytest cuts explanations after a few lines; the whole text goes into a section of its own.
    short = short_text(verdict)
    config.stash[SHOWN] = (short[0], failure_text(verdict))
    return short


@pytest.hookimpl(wrapper=True, tryfirst=True)  # the outermost: it sees what xfail made of it
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Append the full failure text of a failed assertion about an estimate.

    What is expected to fail (xfail) is the verdict on a claim: a claim that is not evaluable
    stays an error.
    """
    report = yield
    raised = call.excinfo is not None and not call.excinfo.errisinstance(pytest.xfail.Exception)
    if CLAIM in item.stash and call.when == "setup" and raised and hasattr(report, "wasxfail"):
        report.outcome = "failed"
        del report.wasxfail
    first, lines = item.config.stash.get(SHOWN, ("", []))
    # The assertion explained last need not be the one that failed the test: it may be caught.
    if first and report.failed and first in report.longreprtext:
        report.sections.append(("circuit claim", "\n".join(lines)))
    item.config.stash[SHOWN] = ("", [])
    return report


def _progress(config: pytest.Config) -> Callable[[str], None]:
    """Return what shows the work going on: a line per step on a terminal, elsewhere nothing."""

    def show(message: str) -> None:
        terminal = config.pluginmanager.getplugin("terminalreporter")  # None on workers
        if terminal is None or not terminal.isatty or terminal.verbosity < 0:
            return
        capture = config.pluginmanager.getplugin("capturemanager")  # None with -p no:capture
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            terminal.ensure_newline()  # pytest then repeats the file it was at
            terminal.write_line(f"circuits: {message}")

    return show


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> str:
    """Say what will be evaluated, if there are claims."""
    claims = [item.stash[CLAIM] for item in items if CLAIM in item.stash]
    if not claims:
        return ""
    specs = ", ".join(dict.fromkeys(each.spec or "no model" for each in claims))
    settings, number = config.stash[SESSION].settings, counted(len(claims), "claim")
    return f"circuits: {number} on {specs}; {settings.dtype} on {settings.device}"
