"""Networks predict and learn in float64 what they do in Keras on TensorFlow, their base frozen and not."""

from pathlib import Path

import numpy as np
import pytest

import distnet
from application_cases import numbers

GOLDEN = Path(__file__).parents[1] / "golden" / "application_numbers.npz"


def names():
    with np.load(GOLDEN) as file:
        return sorted({name.partition(":")[0] for name in file.files})


@pytest.fixture
def float32_again():
    yield
    distnet.config.set_floatx("float32")


@pytest.mark.slow
@pytest.mark.usefixtures("float32_again")
@pytest.mark.parametrize("name", names())
def test_a_network_predicts_and_learns_as_in_keras(name):
    with np.load(GOLDEN) as file:
        expected = {what.partition(": ")[2]: file[what] for what in file.files if what.startswith(f"{name}:")}
    for what, array in numbers(distnet, name, "float64").items():
        np.testing.assert_allclose(array, expected.pop(what), rtol=1e-9, atol=1e-10, err_msg=what)
    assert not expected
