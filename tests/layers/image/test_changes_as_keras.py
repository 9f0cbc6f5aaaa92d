"""What Keras draws for images, handed to the layers here: they make of it what Keras makes, and draw the like."""

from pathlib import Path

import numpy as np
import pytest

import distnet
import packed
from distnet import layers
from image_change_cases import CALLS, OF_BATCHES, ROWS, SHARES, drawn_often

GOLDEN = Path(__file__).parents[2] / "golden"
ARRAYS, CASES = packed.load(GOLDEN / "image_changes.npz")
LIMITS, DRAWS = packed.load(GOLDEN / "image_draws.npz")
SINGLE = 2e-3
"""How far values from 0 to 255 may be off: Keras computes some in single precision, whatever the dtype."""
SIGMAS = 4
"""How many standard deviations of the difference of two shares they may differ by."""


def filled(value, arrays=ARRAYS):
    """A structure with arrays instead of their names."""
    if isinstance(value, dict) and value.keys() == {"array", "dtype"}:
        return arrays[value["array"]].astype(value["dtype"])
    if isinstance(value, dict):
        return {key: filled(part, arrays) for key, part in value.items()}
    return [filled(part, arrays) for part in value] if isinstance(value, list) else value


def title(case):
    return f"{case['layer']}-{case['options']}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=title)
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


def check_form(drawn, wanted, name=""):
    """Fail unless what was drawn has Keras's names, and shapes that broadcast to Keras's."""
    if isinstance(wanted, dict):
        assert drawn.keys() == wanted.keys(), name
        for key, part in wanted.items():
            check_form(drawn[key], part, key)
    elif name == "chain_transforms":  # which changes are in a chain is drawn, too
        assert len(drawn) == len(wanted)
    elif isinstance(wanted, list) and any(isinstance(part, str | list | dict) for part in wanted):
        for one, part in zip(drawn, wanted, strict=True):
            check_form(one, part, name)
    elif isinstance(wanted, str):
        assert drawn == wanted, name
    else:
        assert np.broadcast_shapes(np.shape(drawn), np.shape(wanted)) == np.shape(wanted), name


@pytest.mark.parametrize("case", CASES, ids=title)
def test_it_draws_what_keras_draws_by_the_same_names_and_shapes(case):
    layer, data = getattr(layers, case["layer"])(**case["options"]), filled(case["data"])
    check_form(layer.get_random_transformation(data["images"]), filled(case["drawn"]))


@pytest.mark.parametrize("case", [case for case in DRAWS if case["limits"]], ids=title)
def test_what_it_draws_is_distributed_as_what_keras_draws(case):
    distnet.utils.set_random_seed(1)
    layer = getattr(layers, case["layer"])(**case["options"])
    numbers = drawn_often(layer, case["layer"], lambda layer, x: layer.get_random_transformation(x))
    far = SIGMAS * np.sqrt(2 * 0.25 / (CALLS if case["layer"] in OF_BATCHES else ROWS))
    for name, limits in filled(case["limits"], LIMITS).items():
        rounding = 1e-5 * (1 + np.abs(limits))
        each = np.sort(numbers[name])
        below = np.searchsorted(each, limits - rounding, "left") / len(each)
        upto = np.searchsorted(each, limits + rounding, "right") / len(each)
        assert (below - far <= SHARES).all(), (name, below)
        assert (upto + far >= SHARES).all(), (name, upto)
