"""A network on three ranks predicts and learns what it does on one, its base frozen and not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "application.py"


@pytest.mark.slow
def test_a_network_is_on_three_ranks_what_it_is_on_one(ranks, alone):
    one, three = (json.loads(start.run(PROGRAM).succeeded().stdout.splitlines()[-1]) for start in (alone, ranks(3)))
    for what in ("predicted", "frozen", "trained"):
        np.testing.assert_allclose(three[what], one[what], rtol=1e-10, err_msg=what)
    assert (one["rows"], three["rows"]) == (7, 3)  # each rank has its own rows alone
    assert (one["frozen back"], three["frozen back"]) == (0, 0)  # a frozen base costs no gradient
    assert one["trained back"] > 30
