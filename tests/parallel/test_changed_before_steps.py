"""What callbacks change, the code of a step reads on every rank as it does alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "changed_before_steps.py"


def test_every_rank_reads_what_callbacks_changed(ranks, tmp_path):
    ranks(2).run(PROGRAM, tmp_path, timeout=100).succeeded()
    of_ranks = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(tmp_path.iterdir())]
    assert len(of_ranks) == 2
    for seen in of_ranks:
        assert set(seen["together"]) == set(seen["alone"])
        for kind, expected in seen["alone"].items():
            assert seen["together"][kind] == pytest.approx(expected, rel=1e-10), kind
        assert "__main__.scale: a callback changed it" in seen["refused"]
        assert "cannot be sent to the other ranks" in seen["refused"]
    assert len({tuple(values) for values in of_ranks[0]["alone"].values()}) > 5  # the changes matter
