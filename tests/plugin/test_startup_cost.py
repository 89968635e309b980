"""What the plugin adds to every pytest session: a small share of what importing pytest costs."""

import json
import statistics
import subprocess
import sys

# Of the time that importing pytest takes (an eighth of a second or more), by the same clock in the
# same process: milliseconds would be a test of the machine, and of who else is on it.
LIMIT = 0.2

# CPU time, because other processes may be using the machine. Importing is measured after pytest
# and its own plugins are there, as in any session; hooks as the difference of whole sessions.
SCRIPT = """
import gc, io, json, sys, time
from contextlib import redirect_stdout
started = time.process_time()
import pytest
pytest.main(["--version", "-p", "no:cacheprovider"])  # its own plugins are imported here
whole = time.process_time() - started

def session(*args):
    gc.collect()
    started = time.process_time()
    with redirect_stdout(io.StringIO()):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "test_it.py", *args])
    assert code == 0
    return time.process_time() - started

session()
started = time.process_time()
import pytest_circuits.plugin
import pytest_circuits.reporter
imported = time.process_time() - started
session("-p", "pytest_circuits.plugin")
pairs = [(session("-p", "pytest_circuits.plugin"), session()) for _ in range(10)]
hooks = min(pair[0] for pair in pairs) - min(pair[1] for pair in pairs)
print(json.dumps([1000 * whole, 1000 * imported, 1000 * hooks, "torch" in sys.modules]))
"""


def measure_once(folder):
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "", "HOME": str(folder)}
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, env=env, capture_output=True, check=True
    ).stdout
    return json.loads(out.splitlines()[-1])


def test_startup_cost(tmp_path, record_testsuite_property):
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    runs = [measure_once(tmp_path) for _ in range(3)]
    assert not any(torch for *_, torch in runs)
    whole, imported, hooks = (statistics.median(run[i] for run in runs) for i in range(3))
    record_testsuite_property("startup_ms", round(imported + hooks, 2))
    print(f"pytest {whole:.1f} ms, importing {imported:.1f} ms, hooks {hooks:.1f} ms")
    assert imported + max(0.0, hooks) <= LIMIT * whole
