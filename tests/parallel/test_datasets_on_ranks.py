"""Datasets of files, windows and arrays: trained on three ranks as on one, each of which reads its own rows."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PROGRAM = Path(__file__).parent / "programs" / "trained_on_datasets.py"


@pytest.fixture(scope="module")
def jobs(ranks, alone, tmp_path_factory):
    """What one rank and three print."""
    folder = tmp_path_factory.mktemp("datasets")
    rng = np.random.default_rng(0)
    for number in range(22):
        place = folder / "pictures" / ("one" if number % 3 else "other")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256 - 100 * (number % 2), (6, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return [json.loads(start.run(PROGRAM, folder).succeeded().stdout.splitlines()[-1]) for start in (alone, ranks(3))]


def test_three_ranks_train_on_datasets_to_the_result_of_one(jobs):
    (expected, _), (numbers, _) = jobs
    assert len(expected) == 11
    for name, values in expected.items():
        assert np.isfinite(values).all(), name
        np.testing.assert_allclose(numbers[name], values, rtol=1e-10, atol=1e-12, err_msg=name)


def test_each_rank_makes_its_own_rows_only(jobs):
    (_, alone), (_, shared) = jobs
    # Both make a row or two to learn shapes by; three ranks do so thrice, and rows that a batch lacks for one of them.
    assert alone["rows"] >= 3 * 22
    assert shared["rows"] <= alone["rows"] + 40
    assert shared["for ever"] <= alone["for ever"] + 40
