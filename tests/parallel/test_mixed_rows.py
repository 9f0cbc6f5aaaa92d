"""Operations that mix the rows of the batch: over any number of ranks as over one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).parent / "programs" / "mixed_rows.py"


def test_rows_are_mixed_over_all_ranks(ranks, alone):
    expected, numbers = (
        json.loads(start.run(PROGRAM).succeeded().stdout.splitlines()[0]) for start in (alone, ranks(3))
    )
    np.testing.assert_allclose(numbers, expected, rtol=1e-10)
