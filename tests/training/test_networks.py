"""A residual network, LSTMs over padding and a transformer, ten steps each, against Keras's own losses and outputs."""

from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import distnet
import network_cases
import packed

GOLDEN = Path(__file__).parents[1] / "golden"

EXPECTED, _ = packed.load(GOLDEN / "networks.npz")
NEAR = {"float32": 1e-4, "float64": 1e-7}


@pytest.fixture(params=NEAR)
def floatx(request):
    distnet.config.set_floatx(request.param)
    with threadpool_limits(1):  # beside other tests BLAS's threads wait for one another
        yield request.param
    distnet.config.set_floatx("float32")


@pytest.mark.slow
@pytest.mark.parametrize("case", network_cases.CASES, ids=lambda case: case.__name__)
def test_ten_steps_give_keras_losses(case, floatx):
    prefix = f"{floatx}/{case.__name__}/"
    expected = {name.removeprefix(prefix): value for name, value in EXPECTED.items() if name.startswith(prefix)}
    found = case(distnet)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=NEAR[floatx], atol=NEAR[floatx], err_msg=name)
