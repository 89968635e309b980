"""The pytest plugin: hooks, options, fixtures. No measurement, and nothing heavy is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_circuits import hookspec
from pytest_circuits.claim_files import (
    PASSED_OVER,
    ClaimFile,
    PassedOver,
    is_claim_file,
    is_test_file,
    mentions_us,
)
from pytest_circuits.collection import CLAIM, items_of, model_labels
from pytest_circuits.errors import reason_of
from pytest_circuits.options import add_options, read_settings
from pytest_circuits.origin import origin_of
from pytest_circuits.report.summary import counted
from pytest_circuits.session import SESSION, ClaimSession, Loader, load, model_of

SHOWN = pytest.StashKey[tuple[str, list[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the --circuit-* options."""
    add_options(parser)


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Remove the report of an earlier run, before any option can be found to be wrong."""
    from pytest_circuits.reporter import forget_last_report

    forget_last_report(early_config)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks others may implement."""
    pluginmanager.add_hookspecs(hookspec)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options once; register the marker and the reporter."""
    config.addinivalue_line("markers", "circuit: a claim about a circuit (set by pytest-circuits)")
    config.stash[SESSION] = ClaimSession(read_settings(config), _progress(config))
    config.stash[PASSED_OVER] = PassedOver(config)
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
    """Collect claim files, `circuits/**/*.py`, that pytest does not collect by itself."""
    config = parent.config
    if parent.session.isinitpath(file_path) or is_test_file(file_path, config):
        return None
    if not is_claim_file(file_path, config):
        config.stash[PASSED_OVER].note(file_path)
        return None
    module: pytest.Module = ClaimFile.from_parent(parent, path=file_path)
    return module


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Let a claim file that pytest collects by itself be one all the same."""
    named = parent.session.isinitpath(module_path) and mentions_us(module_path)
    if not (named or is_claim_file(module_path, parent.config)):
        return None
    module: pytest.Module = ClaimFile.from_parent(parent, path=module_path)
    return module


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Make items of a module's claims; names with a leading underscore are left alone."""
    if "pytest_circuits.claims" not in sys.modules or name.startswith("_"):
        return None
    session = collector.config.stash[SESSION]
    items = items_of(collector, name, obj, session.settings)
    session.collect(items)
    return items or None


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that returns a claim or a verdict instead of asserting it."""
    if CLAIM in item.stash or "pytest_circuits.claims" not in sys.modules:
        return (yield)
    from pytest_circuits.returned import refused

    with refused(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Send recorded statuses as plain text: xdist carries builtins only, and loses the report."""
    data = yield
    truth = sys.modules.get("pytest_circuits.truth")
    if data is not None and truth is not None and "user_properties" in data:
        data["user_properties"] = [
            (name, str(value) if isinstance(value, truth.Word) else value)
            for name, value in data["user_properties"]
        ]
    return data


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Put claims on the same model next to each other, so that each model is loaded once."""
    if not (items or session.testsfailed or config.getoption("doctestmodules", False)):
        config.stash[PASSED_OVER].check()
    places = [i for i, item in enumerate(items) if CLAIM in item.stash]
    claims = [items[i] for i in places]
    model = {item: model_of(item) for item in claims}
    order = list(dict.fromkeys(model.values()))
    claims.sort(key=lambda item: order.index(model[item]))
    for place, item in zip(places, claims, strict=True):
        items[place] = item


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the claims of the session about each other before the first one runs."""
    session.config.stash[SESSION].expect(session.items)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run test functions that ask for `circuit_model` once per --circuit-model."""
    models = metafunc.config.stash[SESSION].settings.models
    if "circuit_model" in metafunc.fixturenames and models:
        origins = [origin_of(metafunc.definition, spec) for spec in models]
        ids = model_labels(models)
        metafunc.parametrize("circuit_model", origins, indirect=True, scope="session", ids=ids)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember which item runs: a model is loaded as the conftests of its folder want."""
    session = item.config.stash[SESSION]
    session.running = item
    try:
        return (yield)
    finally:
        session.running = None


@pytest.fixture(scope="session")
def circuit_load_model(pytestconfig: pytest.Config) -> Loader:
    """Return the function that loads a model from its spec. Override it to load models your way."""
    session = pytestconfig.stash[SESSION]

    def by_hooks(spec: str) -> Any:
        item = session.running
        return load(pytestconfig.hook if item is None else item.ihook, session.settings, spec)

    return by_hooks


@pytest.fixture(scope="session")
def circuit_model(request: pytest.FixtureRequest, circuit_load_model: Loader) -> Any:
    """Return the model named by --circuit-model, for test functions that measure by themselves."""
    from pytest_circuits.errors import CircuitUsageError, ClaimNotEvaluable

    if not hasattr(request, "param"):
        pytest.fail("the fixture `circuit_model` needs --circuit-model SPEC", pytrace=False)
    try:
        return circuit_load_model(request.param.spec)
    except (ClaimNotEvaluable, CircuitUsageError) as error:
        return _give_up(request.config, error)


@pytest.fixture
def circuit_verdict(request: pytest.FixtureRequest, circuit_load_model: Loader) -> Any:
    """Return the verdict on the claim of this item; what cannot be evaluated is an error."""
    from pytest_circuits.report.summary import as_properties, to_json

    session, item = request.config.stash[SESSION], request.node
    session.tell(item)
    found = session.verdict_or_reason(item, circuit_load_model)
    item.user_properties.append(("circuit_passes", to_json(session.models.new_passes())))
    if not isinstance(found, Exception):
        item.user_properties += as_properties(found.as_dict())
        return found
    item.user_properties.append(("circuit_reason", reason_of(found)))
    return _give_up(request.config, found)


def _give_up(config: pytest.Config, reason: Exception) -> NoReturn:
    """Make what was to be evaluated an error, or skip it where the user asked for that.

    What is not ours, a mistake in the engine or in somebody's hook, keeps its traceback.
    """
    from pytest_circuits.errors import OURS, ModelNotAvailable

    if not isinstance(reason, OURS):
        raise reason
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


def pytest_report_collectionfinish(
    config: pytest.Config, items: Sequence[pytest.Item]
) -> list[str]:
    """Say what will be evaluated, if there are claims, and which file might have been meant."""
    return [*_what_is_evaluated(config, items), *config.stash[PASSED_OVER].lines()]


def _what_is_evaluated(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    claims = [item.stash[CLAIM] for item in items if CLAIM in item.stash]
    if not claims:
        return []
    specs = ", ".join(dict.fromkeys(each.spec or "no model" for each in claims))
    settings, number = config.stash[SESSION].settings, counted(len(claims), "claim")
    return [f"circuits: {number} on {specs}; {settings.dtype} on {settings.device}"]
