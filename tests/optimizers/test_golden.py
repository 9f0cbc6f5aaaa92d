"""Every optimizer, option and common argument against weights and slots of real Keras, step by step."""

import json
from pathlib import Path

import numpy as np
import pytest

from distnet import optimizers
from kernel_sets import KERNEL_SETS

GOLDEN = Path(__file__).parents[1] / "golden"
RECORD = json.loads((GOLDEN / "optimizers.json").read_text())
SHAPES = {name: tuple(shape) for name, shape in RECORD["shapes"].items()}
UNUSED = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
"""Keras 2 refuses some of these keys, whatever their values."""


@pytest.fixture(scope="module")
def arrays():
    with np.load(GOLDEN / "optimizers.npz") as file:
        return dict(file)


def not_negative(w):
    return np.maximum(w, 0)


@pytest.fixture
def trained(arrays, make_store, step, values):
    def train(label, dtype):
        """The optimizer and store after all steps, and the weights after each, as the golden array has them."""
        case = RECORD["cases"][label]
        constraints = {RECORD["constrained"]: not_negative} if case["constrained"] else None
        store = make_store(SHAPES, arrays["weights"], dtype, constraints)
        optimizer = optimizers.deserialize(case["optimizer"])
        optimizer.exclude_from_weight_decay(var_names=case["excluded"])
        rows = []
        for gradient in arrays["gradients"]:
            step(optimizer, store, gradient)
            rows.append(values(store.weights, store))
        optimizer.finalize_variable_values(store)
        rows.append(values(store.weights, store))
        return optimizer, store, rows

    return train


@pytest.mark.parametrize("kernels", KERNEL_SETS)
@pytest.mark.parametrize("label", RECORD["cases"])
def test_weights_and_slots_are_keras_s_after_every_step(label, kernels, trained, arrays, values, monkeypatch):
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    optimizer, store, rows = trained(label, np.float64)
    assert list(optimizer.slots) == RECORD["cases"][label]["slots"]
    rows += [values(slot, store) for slot in optimizer.slots.values()]
    # Keras takes the norm of Muon's matrices in float32, whatever their dtype.
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if label.startswith("Muon") else {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(rows, arrays[label], **tolerance)


@pytest.mark.parametrize("label", RECORD["cases"])
def test_float32_weights_stay_near_the_float64_ones(label, trained, arrays):
    _, store, rows = trained(label, np.float32)
    assert store.weights.dtype == np.float32
    np.testing.assert_allclose(rows, arrays[label][: len(rows)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("label", RECORD["cases"])
def test_configs_have_keras_s_order_and_values_and_only_the_keys_that_are_used(label):
    written_by_keras = RECORD["cases"][label]["optimizer"]
    optimizer = optimizers.deserialize(written_by_keras)
    config = optimizer.get_config()
    expected = dict(written_by_keras["config"])
    unused = {key: value for key, value in expected.items() if key not in config}
    assert unused.items() <= UNUSED.items()
    assert list(config.items()) == [item for item in expected.items() if item[0] not in unused]
    assert optimizers.serialize(optimizer)["class_name"] == written_by_keras["class_name"]
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert again.get_config() == config
