"""What goes wrong with one claim is that claim's; what was decided is kept, whatever interrupts."""

import pytest

# A measure that does what a mistake in somebody's code does.
BROKEN = """
from dataclasses import dataclass
from pytest_circuits.measures.base import Measure

@dataclass(frozen=True)
class Broken(Measure):
    where: str

    def needs(self, draw):
        if self.where == "needs":
            raise TypeError("no such needs")
        return attention(heads("0.1", at=END), to=IO).needs(draw)

    def value(self, read, draw, weights):
        raise KeyError("no such value")

    def __str__(self):
        return "broken"

broken = Broken({where!r}) >= 0.5
a = look <= 0.99
z = look <= 0.98
"""


@pytest.mark.parametrize(
    ("where", "said"), [("needs", "TypeError: no such needs"), ("value", "KeyError: 'no such")]
)
def test_an_exception_is_of_the_claim_that_raised_it(where, said, claims, run, provider):
    claims(BROKEN.format(where=where))
    result = run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [f"*def {where}(*", f"broken *{said}*error", "z *holds", "a *holds"]
    )
    assert provider.asked == ["tiny"]


RUINOUS = """
import pytest
import pytest_circuits.engine.engine as engine

real = engine.Engine._run

def ruined(self, draw, distribution, runs, rows):
    heads = [str(h) for each in runs.values() for reading in each for h in reading.heads()]
    if "0.0" in heads:
        raise RuntimeError("could not create a primitive")
    return real(self, draw, distribution, runs, rows)

@pytest.fixture(scope="session", autouse=True)
def ruin():
    engine.Engine._run = ruined
    yield
    engine.Engine._run = real
"""


def test_a_pass_that_breaks_on_one_claim_is_made_again_without_it(claims, run, pytester):
    claims('a = look <= 0.99\nb = attention(heads("0.0", at=END), to=IO) <= 0.99\nc = look <= 0.98')
    pytester.makeconftest(RUINOUS)
    result = run()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["b *RuntimeError: could not create a primitive*error"])


@pytest.mark.parametrize("kind", ["hook", "fixture"])
def test_an_exception_in_a_loader_is_said_once_tried(kind, claims, pytester):
    claims("a = look <= 0.99\nb = look <= 0.99")
    loader = {
        "hook": "def pytest_circuits_load_model(spec):\n    return load(spec)",
        "fixture": "import pytest\n@pytest.fixture\ndef circuit_load_model():\n    return load",
    }
    pytester.makeconftest(
        "def load(spec):\n    print('ONE' + ' TRY')\n    raise KeyError('no such checkpoint')\n"
        + loader[kind]
    )
    result = pytester.runpytest_inprocess("-s")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*def load(spec):*",
            "not evaluable: tiny could not be loaded: KeyError: 'no such checkpoint' (*",
            "a *KeyError: 'no such checkpoint'*error",
            "b *could not be loaded: KeyError: *error",
        ]
    )
    assert result.stdout.str().count("ONE TRY") == 1


CUT = """
import pytest
import pytest_circuits.engine.engine as engine

real = engine.Engine._run
STARTS = []

def cut(self, draw, distribution, runs, rows):
    STARTS.append(1)
    found = real(self, draw, distribution, runs, rows)
    if len(STARTS) == 1:
        pytest.fail("Timeout (>1.0s) from pytest-timeout", pytrace=False)
    return found

@pytest.fixture(scope="session", autouse=True)
def starts():
    engine.Engine._run = cut
    yield
    engine.Engine._run = real
    print("RUNS:", len(STARTS))
"""


def test_what_was_cut_is_gone_on_with(claims, run, pytester, provider):
    """As pytest-timeout does it: `fail`, out of a signal's handler, wherever the item is."""
    claims("a = look <= 0.99\nb = look <= 0.98\nc = look <= 0.97")
    pytester.makeconftest(CUT)
    result = run("-s")
    result.assert_outcomes(passed=2, errors=1)
    assert provider.asked == ["tiny"]
    result.stdout.fnmatch_lines(["*RUNS: 1"])  # the numbers were read, only the verdict was not


def test_no_claim_is_charged_with_what_all_share(claims, canned, pytester):
    claims("a = look >= 0.3\nb = look >= 0.2")
    conftest = pytester.path / "conftest.py"
    slow = conftest.read_text().replace("def load(spec):", "def load(spec):\n    time.sleep(2)")
    conftest.write_text("import time\n" + slow)
    result = canned("--timeout=1")
    assert result.returncode == 0, result.stdout
