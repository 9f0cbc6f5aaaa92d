"""TensorFlow's functions in texts of its Keras: they compute what they computed there, also when written again."""

import json
from pathlib import Path

import numpy as np

import distnet as keras


def test_texts_of_tensorflows_functions_compute_its_numbers():
    with np.load(Path(__file__).parents[1] / "golden" / "tensorflow_operations.npz") as held:
        golden = dict(held)
    x = [golden["x"], golden["y"]]
    for name, text in json.loads(str(golden["texts"])).items():
        model = keras.models.model_from_json(text)
        again = keras.models.model_from_json(model.to_json())
        for each in (model, again):
            np.testing.assert_allclose(each(x), golden[f"y {name}"], rtol=1e-5, atol=1e-5, err_msg=name)
