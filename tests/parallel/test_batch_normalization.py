"""Batch normalization over any number of ranks is that over one: to 1e-12, in training to 1e-10."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "batch_normalization.py"


@pytest.fixture(scope="module")
def result(ranks, tmp_path_factory):
    folder, known = tmp_path_factory.mktemp("results"), {}

    def of(n):
        if n not in known:
            ranks(n).run(PROGRAM, folder / f"{n}.npz").succeeded()
            with np.load(folder / f"{n}.npz") as found:
                known[n] = dict(found)
        return known[n]

    return of


@pytest.mark.parametrize("n", [2, 3])
def test_uneven_and_empty_shards_give_outputs_gradients_and_moving_statistics_of_one_rank(result, n):
    found, expected = result(n), result(1)
    assert list(found) == list(expected)
    for key, value in expected.items():
        tolerance = 1e-10 if key.startswith("trained") else 1e-12
        np.testing.assert_allclose(found[key], value, rtol=tolerance, atol=tolerance, err_msg=key)
