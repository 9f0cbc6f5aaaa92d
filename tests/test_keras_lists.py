"""Everything in Keras's own lists of names is there, or is refused with a reason."""

import importlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import distnet
from distnet import activations, losses, metrics, ops
from distnet.absent import Absent
from distnet.errors import AbsentError
from distnet.layers.engine.keras_members import REFUSED_MEMBERS

NOT_THERE = {"callbacks.OrbaxCheckpoint"}
"""Names of Keras that distnet refuses; each says why where it is called."""
BASES = {"Loss", "LossFunctionWrapper", "Metric", "metric"}
"""What Keras finds by name although nothing can be made of it."""


@pytest.fixture(scope="module")
def keras(keras_3):
    script = Path(__file__).parent / "tools" / "keras_lists.py"
    done = subprocess.run([keras_3, script], capture_output=True, text=True, timeout=240, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_every_public_name_of_keras_is_there_or_refused_with_a_reason(keras):
    from keras_lists import module_of

    missing = [
        f"{path}.{name}"
        for path, names in keras["names"].items()
        for name in names
        if isinstance(getattr(module_of(distnet, path), name), Absent)
    ]
    assert sorted(missing) == sorted(NOT_THERE)


def test_every_name_of_a_module_is_present_or_absent_with_a_reason(keras):
    for module, names in keras["whole"].items():
        here = importlib.import_module(f"distnet.{module}") if module else distnet
        assert [name for name in names if not hasattr(here, name)] == [], module


MACHINERY = {
    *(
        "add_variable",
        "add_weight",
        "add_loss",
        "add_metric",
        "metrics",
        "metrics_variables",
        "call_signature_parameters",
    ),
    *("compute_output_spec", "symbolic_call", "dtype_policy", "path", "load_own_variables", "save_own_variables"),
    "call_signature_parameters",
    *("supports_jit", "quantization_mode", "quantization_config", "lora_alpha", "lora_enabled", "lora_rank", "kernel"),
    *("aggregation", "overwrite_with_gradient", "synchronization", "set_weights", "stateless_apply", "count", "total"),
    *("stateless_reset_state", "stateless_result", "stateless_update_state", "fn", "variable_serialization_spec"),
    *("compute_loss_and_updates", "get_quantization_layer_structure", "operations", "predict_function"),
    *("test_function", "make_train_function", "make_test_function", "make_predict_function", "train_function"),
}
"""Attributes of Keras's objects that are part of its machinery, or that only layers with call have here."""


def test_objects_have_the_attributes_that_those_of_keras_have(keras):
    layers = distnet.layers
    ours = {
        "layer": layers.Dense(1), "own_layer": layers.Dense(1),
        "model": distnet.Sequential([distnet.Input((1,)), layers.Dense(1)]), "variable": distnet.Variable([1.0]),
        "optimizer": distnet.optimizers.SGD(), "metric": metrics.Mean(), "loss": losses.MeanSquaredError(),
    }  # fmt: skip
    for kind, names in keras["members"].items():
        assert [name for name in names if name not in dir(ours[kind]) and name not in MACHINERY] == [], kind
    for name in REFUSED_MEMBERS:
        with pytest.raises(AbsentError, match=rf"dense.*\.{name} is not in distnet: "):
            getattr(ours["layer"], name)()


def test_a_name_means_a_loss_function_where_it_does_in_keras(keras):
    for name, own_name in keras["loss_functions"].items():
        if f"losses.{own_name}" not in NOT_THERE:
            assert losses.get(name) is losses.deserialize(name) is getattr(losses, own_name)
    for name in set(keras["losses"]) - BASES:
        if f"losses.{name}" not in NOT_THERE:
            assert type(losses.get(name)) is type(losses.deserialize(name)) is getattr(losses, name)


def test_a_name_means_the_metric_that_it_does_in_keras(keras):
    from distnet.registry.configurable import required_arguments

    for name, cls in keras["metrics"].items():
        if name not in BASES:
            found = metrics.METRICS.find(name)
            assert found is getattr(metrics, cls)
            if not required_arguments(found):
                assert type(metrics.get(name)) is found


def test_a_loss_function_found_by_name_gives_keras_s_values(keras):
    from keras_lists import SHAPES, arrays

    for name, given in keras["called"].items():
        for shape, expected in zip(SHAPES, given, strict=True):
            if expected is not None:
                values = losses.get(name)(*arrays(shape, name))
                assert values.shape == np.shape(expected), (name, shape)
                np.testing.assert_allclose(values, expected, rtol=2e-5, atol=1e-6, err_msg=f"{name} {shape}")


def test_operations_have_the_defaults_of_keras_s_operations():
    x = np.array([-1.5, 0.25, 3.0])
    np.testing.assert_array_equal(ops.gelu(x), activations.gelu(x, approximate=True))
    assert ops.gelu(1.0) == pytest.approx(0.841192, abs=1e-6)  # Keras 3.15
    assert activations.gelu(1.0) == pytest.approx(0.8413447, abs=1e-6)


def test_arguments_by_position_have_keras_s_order(keras):
    from keras_lists import module_of, positions

    compared = 0
    for name, expected in keras["positions"].items():
        path, _, own_name = name.rpartition(".")
        own = positions(getattr(module_of(distnet, path), own_name, Absent))
        if expected is None or own is None:
            continue
        compared += 1
        assert own == expected[: len(own)] or own[: len(expected)] == expected, name
    assert compared > 330
