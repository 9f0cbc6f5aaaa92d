"""The scripts of ``tests/golden/fit_cases.py``, whose module ``keras`` is distnet, against Keras's own numbers."""

from pathlib import Path

import numpy as np
import pytest

import distnet
import fit_cases
import packed

GOLDEN = Path(__file__).parents[1] / "golden"

EXPECTED, _ = packed.load(GOLDEN / "fit.npz")


@pytest.fixture(autouse=True)
def in_float64():
    distnet.config.set_floatx("float64")
    distnet.config.set_clip_crossentropy(True)  # as on JAX, which made the numbers: some outputs saturate
    yield
    distnet.config.set_clip_crossentropy(False)
    distnet.config.set_floatx("float32")


@pytest.mark.parametrize("case", fit_cases.CASES, ids=lambda case: case.__name__)
def test_the_script_gives_keras_numbers(case):
    prefix = f"{case.__name__}/"
    expected = {name.removeprefix(prefix): value for name, value in EXPECTED.items() if name.startswith(prefix)}
    found = case(distnet)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9, err_msg=name)
