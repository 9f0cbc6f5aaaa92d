"""A program that catches errors goes on: what follows gives what it gives alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "sweep.py"


@pytest.mark.slow
def test_a_sweep_with_failing_trials_gives_what_it_gives_alone(ranks, alone, tmp_path):
    folders = [tmp_path / name for name in ("three", "one")]
    for folder, job in zip(folders, (ranks(3), alone), strict=True):
        folder.mkdir()
        job.run(PROGRAM, folder, timeout=100).succeeded()
    [expected] = [json.loads(path.read_text(encoding="utf-8")) for path in folders[1].iterdir()]
    assert sum(isinstance(trial, str) for trial in expected) == 9
    for rank in range(3):
        met = json.loads((folders[0] / f"{rank}.json").read_text(encoding="utf-8"))
        for number, (here, there) in enumerate(zip(met, expected, strict=True)):
            if isinstance(there, str):
                assert re.sub(r"rank \d: ", "", here) == there, (rank, number)
            else:
                np.testing.assert_allclose(here, there, rtol=2e-5, err_msg=f"{rank} {number}")
