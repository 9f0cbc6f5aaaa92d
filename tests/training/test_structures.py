"""The scripts of ``tests/golden/structure_cases.py``, run with distnet, against Keras's own numbers."""

from pathlib import Path

import numpy as np
import pytest

import distnet
import packed
import structure_cases

GOLDEN = Path(__file__).parents[1] / "golden"

EXPECTED, _ = packed.load(GOLDEN / "structures.npz")


@pytest.fixture(autouse=True)
def in_float64():
    distnet.config.set_floatx("float64")
    yield
    distnet.config.set_floatx("float32")


@pytest.mark.parametrize("case", structure_cases.CASES)
def test_nested_data_losses_and_metrics_give_keras_numbers(case):
    expected = {name: value for name, value in EXPECTED.items() if name.startswith(f"{case}/")}
    found = {case + name: value for name, value in structure_cases.CASES[case](distnet).items()}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-9, err_msg=name)
