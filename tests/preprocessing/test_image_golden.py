"""ImageDataGenerator against the numbers of Keras's own, ``tests/golden/images.npz``."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet.preprocessing.image import ImageDataGenerator

GOLDEN = Path(__file__).parents[1] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "images.npz")
CHANGES = [case for case in CASES if case["kind"] == "change"]
NORMALIZATIONS = [case for case in CASES if case["kind"] == "normalization"]


def label(case):
    return f"{case.get('x', '')}-{case['options']}-{case.get('change', '')}"


@pytest.mark.parametrize("case", CHANGES, ids=label)
def test_a_change_with_given_parameters(case):
    x = ARRAYS[case["x"]].astype(np.float32)
    before = x.copy()
    y = ImageDataGenerator(**case["options"]).apply_transform(x, case["change"])
    np.testing.assert_allclose(y, ARRAYS[case["y"]], rtol=0, atol=2e-4)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("case", NORMALIZATIONS, ids=label)
def test_statistics_and_what_they_make_of_images(case):
    batch = ARRAYS["batch"].astype(np.float32)
    generator = ImageDataGenerator(**case["options"])
    generator.fit(batch)
    for name, stored in case["statistics"].items():
        np.testing.assert_allclose(getattr(generator, name), ARRAYS[stored], rtol=2e-3, atol=2e-3 * 5)
        assert getattr(generator, name).shape == ARRAYS[stored].shape
    expected = ARRAYS[case["y"]]
    np.testing.assert_allclose(np.stack([generator.standardize(x.copy()) for x in batch]), expected, atol=1e-3)
    flowed = generator.flow(batch, batch_size=12, shuffle=False)[0]
    np.testing.assert_allclose(flowed, expected, atol=1e-3)
