"""Models with nested outputs, losses and metrics in files: ``tests/golden/structure_cases.py``."""

import numpy as np
import pytest

import distnet as keras
import structure_cases

COMPILED = {
    **structure_cases.COMPILED,
    "weights in a list": ("dict", {"loss": {"kp": "mse", "kq": "mae"}, "loss_weights": [0.3, 2.0]}),
    "weights in a dict": ("keys_against_names", {"loss": "mse", "loss_weights": {"zz": 0.3, "aa": 2.0}}),
    "weights of nested": (
        "dicts_in_dict",
        {"loss": {"b": "mse", "a": {"u": "mae", "t": "mse"}}, "loss_weights": [1.0, 2.0, 3.0]},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["model.keras", "model.h5"])
@pytest.mark.parametrize("name", COMPILED)
def test_a_loaded_model_measures_what_the_saved_one_did(tmp_path, name, path):
    form, options = COMPILED[name]
    model = structure_cases.model_of(keras, form)
    model.compile("sgd", **options)
    y = structure_cases.FORMS[form](structure_cases.P, structure_cases.Q, structure_cases.R)
    model.save(tmp_path / path)
    again = keras.models.load_model(tmp_path / path)
    found, expected = (m.evaluate(structure_cases.A, y, verbose=0, return_dict=True) for m in (again, model))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-6, err_msg=key)
