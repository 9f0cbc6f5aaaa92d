"""Losses, metrics, regularizers, constraints and initializers of users: Keras's numbers, on any number of ranks."""

import json
from pathlib import Path

import numpy as np
import pytest

import distnet
from users_functions import results

FOLDER = Path(__file__).parents[1]
GOLDEN = json.loads((FOLDER / "golden" / "users_functions.json").read_text())


@pytest.fixture(scope="module")
def histories():
    return results(distnet)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_training_is_that_of_keras(name, histories):
    assert histories[name].keys() == GOLDEN[name].keys()
    for key, values in GOLDEN[name].items():
        np.testing.assert_allclose(histories[name][key], values, rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.slow
def test_three_ranks_give_what_one_gives(ranks, alone, tmp_path):
    program, made = FOLDER / "tools" / "users_functions.py", {}
    for n, runner in ((1, alone), (3, ranks(3))):
        runner.run(program, tmp_path / f"{n}.json").succeeded()
        made[n] = json.loads((tmp_path / f"{n}.json").read_text())
    for name, history in made[1].items():
        for key, values in history.items():
            np.testing.assert_allclose(made[3][name][key], values, rtol=1e-10, err_msg=f"{name}: {key}")
