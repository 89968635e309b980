"""What all tests share: pytester, which runs pytest inside pytest, and how hard to attack."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# `pytest tests/test_fuzz.py --hypothesis-profile=attack`: 10^5 inputs and more, over all parsers.
settings.register_profile(
    "attack",
    max_examples=4_500,
    deadline=None,
    derandomize=False,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def pytest_terminal_summary(terminalreporter):
    """Say how many inputs tests/test_fuzz.py made."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    counts = [count for name, count in properties if name == "attack_inputs"]
    if counts:
        terminalreporter.write_line(f"attacked with {sum(counts):,} inputs in {len(counts)} tests")
