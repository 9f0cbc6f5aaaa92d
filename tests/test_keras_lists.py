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

NOT_THERE = {
    *("callbacks.OrbaxCheckpoint", "callbacks.RemoteMonitor"),
    *("initializers.STFT", "initializers.STFTInitializer", "initializers.stft"),
}
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
