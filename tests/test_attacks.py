"""The attacks of benchmarks/attacks, a few of each: `make attacks` makes hundreds."""

import sys

import pytest

from benchmarks.attacks import damage, kills


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_killed_sessions_leave_a_whole_report_or_none():
    tally = kills.attack(4)
    assert not tally.wrong
    assert sum(tally.left.values()) == 4


def test_a_torn_report_and_one_of_yesterday_would_be_noticed(tmp_path):
    tally = kills.Tally()
    whole = {"x.py::a": "holds"}
    claim = {"nodeid": "x.py::a", "status": "refuted"}
    of_others = f'{{"complete": true, "collected": 1, "claims": [{claim}]}}'.replace("'", '"')
    for text in ('{"complete": tr', kills.YESTERDAY, of_others):
        (tmp_path / "out.json").write_text(text)
        kills.judge(tmp_path, "SIGKILL", whole, tally)
    torn, yesterday, *other = tally.wrong
    assert "torn" in torn
    assert "yesterday" in yesterday
    assert any("other verdicts" in each for each in other)


@pytest.mark.slow
def test_a_damaged_model_is_built_again():
    mended, wrong = damage.attack(6)
    assert not wrong
    assert mended.total() == 6
