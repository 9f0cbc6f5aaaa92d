"""What Keras draws for images, handed to the layers here: they make of it what Keras makes."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import layers

ARRAYS, CASES = packed.load(Path(__file__).parents[2] / "golden" / "image_changes.npz")
SINGLE = 2e-3
"""How far values from 0 to 255 may be off: Keras computes some in single precision, whatever the dtype."""


def filled(value):
    """A structure with arrays instead of their names."""
    if isinstance(value, dict) and value.keys() == {"array", "dtype"}:
        return ARRAYS[value["array"]].astype(value["dtype"])
    if isinstance(value, dict):
        return {key: filled(part) for key, part in value.items()}
    return [filled(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layer']}-{case['options']}")
def test_it_makes_of_what_keras_draws_what_keras_makes(case, dtype):
    layer = getattr(layers, case["layer"])(**case["options"], dtype=dtype)
    data, drawn, expected = (filled(case[key]) for key in ("data", "drawn", "made"))
    for part, wanted in expected.items():
        made = np.asarray(getattr(layer, f"transform_{part}")(data[part], drawn, training=True))
        span = np.ptp(data[part].astype(np.float64))
        tolerance = 1 if wanted.dtype == np.uint8 else SINGLE * span / 255
        np.testing.assert_allclose(made.astype(np.float64), wanted, rtol=0, atol=tolerance)
        assert made.shape == wanted.shape
        assert (made.dtype == np.uint8) == (wanted.dtype == np.uint8)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layer']}-{case['options']}")
def test_it_draws_what_keras_draws_by_the_same_names_and_shapes(case):
    layer, data = getattr(layers, case["layer"])(**case["options"]), filled(case["data"])
    drawn, wanted = layer.get_random_transformation(data["images"]), filled(case["drawn"])
    if not isinstance(wanted, dict):
        assert np.shape(drawn) == np.shape(wanted)
        return
    assert drawn.keys() == wanted.keys()
    for key, value in drawn.items():
        full = np.broadcast_shapes(np.shape(value), np.shape(wanted[key]))
        assert full == np.shape(wanted[key]), key
