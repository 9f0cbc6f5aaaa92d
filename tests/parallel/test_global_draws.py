"""Layers, losses, metrics and steps that draw from NumPy's and Python's global generators."""

from __future__ import annotations

import json
from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "draws_globally.py"


def test_draws_that_differ_on_ranks_are_named(ranks, tmp_path):
    ranks(2).run(PROGRAM, tmp_path, timeout=100).succeeded()
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1))
    for which, outcomes in first.items():
        for kind, outcome in outcomes.items():
            trains = kind == "no draws" or (which == "seeded" and kind != "beside a callback")
            if trains:
                assert outcome["trained"] == second[which][kind]["trained"], kind
            else:
                for text in (outcome["refused"], second[which][kind]["refused"]):
                    assert "the ranks do not compute the same thing" in text
                    assert "keras.random" in text
                    assert "np.random.seed(0)" in text
                    assert "distnet run" in text
