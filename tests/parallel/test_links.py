"""Two pretended machines: a slow and lossy link changes no result, and a link that is cut for good ends the job."""

from __future__ import annotations

import argparse

import pytest

from link_trials import SHARDS, cut, trained, trial
from pretended_link import Link
from pretended_machines import reason_not_to

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(reason_not_to()), reason=f"pretended machines: {reason_not_to()}"),
]
OPTIONS = argparse.Namespace(ranks=2, layers=2, units=80, steps=6, limit=3.0, verbose=True)
SLOW_AND_LOSSY = Link(delay_s=0.01, bits_per_s=1e8, loss=0.01)


@pytest.mark.parametrize("shards", [0, SHARDS])
def test_a_slow_and_lossy_link_changes_no_result(mpirun, alone, tmp_path, shards):
    expected = trained(alone, tmp_path / "one.npz", OPTIONS.layers, OPTIONS.units, shards, OPTIONS.steps)
    assert trial(OPTIONS, SLOW_AND_LOSSY, shards, expected, tmp_path) == ""


def test_a_link_that_is_cut_for_good_ends_both_sides(mpirun, tmp_path):
    assert cut(OPTIONS, tmp_path) == ""
