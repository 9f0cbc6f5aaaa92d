"""Layers that define ``call``, as Keras's guides write them: beside real Keras, on three ranks, in files."""

import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from frozen_layers import frozen
from own_layers import layers_of, models_of, trained

TOOLS = Path(__file__).parents[2] / "tools"
PROGRAM = Path(__file__).parent / "programs" / "own_layers_on_ranks.py"
OWN = layers_of(keras)
CASES = models_of(keras, OWN)
STEPS = 20
ENDINGS = ("keras", "h5", "weights.h5")


@pytest.fixture(scope="module")
def ours():
    """Our models, trained, with losses and predictions."""
    return {name: trained(keras, make, x, STEPS) for name, (make, x) in CASES.items()}


@pytest.fixture(scope="module")
def theirs(ours, tmp_path_factory, keras_3):
    """Keras's answers, and the folder of both sides' files."""
    folder = tmp_path_factory.mktemp("own layers")
    for name, (model, _, _) in ours.items():
        model.save(folder / f"ours {name}.keras")
        model.save(folder / f"ours {name}.h5")
        model.save_weights(folder / f"ours {name}.weights.h5")
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(TOOLS)}
    programs = map(str, (TOOLS / "without_xla.py", TOOLS / "own_layers_in_keras.py"))
    command = [keras_3, *programs, str(folder), str(STEPS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return pickle.loads((folder / "answers.pickle").read_bytes()), folder


@pytest.fixture
def in_float64():
    """Layers within others compute in the global dtype."""
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CASES)
def test_losses_predictions_and_weights_are_those_of_keras(ours, theirs, name):
    model, losses, y = ours[name]
    expected, y_of_keras, weights, paths, _ = theirs[0][name]
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(y, y_of_keras, rtol=1e-4, atol=1e-5)
    for own, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-5)
    assert len(paths) == len(model.weights)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", CASES)
def test_files_go_both_ways(ours, theirs, name, ending):
    answers, folder = theirs
    make, x = CASES[name]
    if name != "state":  # predicting changes it
        np.testing.assert_allclose(answers[name][4][ending], ours[name][2], rtol=1e-4, atol=1e-5)
    file = folder / f"keras {name}.{ending}"
    if ending == "weights.h5":
        model = make()
        if not model.built:
            model.build((None, 6))
        model.load_weights(file)
    else:
        model = keras.models.load_model(file, OWN, compile=False)
    for own, other in zip(model.get_weights(), answers[name][2], strict=True):
        np.testing.assert_array_equal(own, other)
    if name != "state":
        y = model.predict(x, verbose=0, batch_size=8)
        np.testing.assert_allclose(y, answers[name][1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_ranks_give_what_one_gives(ranks, alone, tmp_path):
    results = []
    for job, path in ((alone, tmp_path / "1"), (ranks(3), tmp_path / "3")):
        job.run(PROGRAM, str(path)).succeeded()
        results.append(pickle.loads(path.read_bytes()))
    for name, (losses, y, weights) in results[0].items():
        np.testing.assert_allclose(results[1][name][0], losses, rtol=1e-10, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(results[1][name][1], y, rtol=1e-10, atol=1e-12, err_msg=name)
        for own, other in zip(results[1][name][2], weights, strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", ["Blocks", "Shared", "Doubled", "OverTheBatch", "Penalized", "OfKeras2"])
def test_check_gradients_takes_them(name, in_float64):
    needed = {"Doubled": (3,), "OfKeras2": (3,)}.get(name, ())
    layer = OWN[name](*needed, dtype="float64")
    errors = keras.utils.check_gradients(layer, np.random.default_rng(1).normal(size=(4, 6)))
    assert max(errors.values()) < 1e-6
    assert len(errors) > (name != "OverTheBatch")


def test_the_constructor_is_the_configuration():
    class Power(keras.layers.Layer):
        def __init__(self, exponent, base=2.0):
            super().__init__()
            self.exponent, self.base = exponent, base

        def call(self, x):
            return x**self.exponent * self.base

    layer = Power(3, base=0.5)
    config = layer.get_config()
    assert (config["exponent"], config["base"], config["name"]) == (3, 0.5, layer.name)
    again = Power.from_config(config)
    assert again.name == layer.name
    assert float(again([[2.0]])[0, 0]) == 4.0


def test_metrics_updated_in_call_are_logged():
    class Endpoint(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
            self.accuracy = keras.metrics.BinaryAccuracy(name="accuracy")

        def call(self, targets, logits):
            self.add_loss(self.loss_fn(targets, logits))
            self.accuracy.update_state(targets, logits)
            return keras.activations.sigmoid(logits)

    inputs, targets = keras.Input((3,), name="inputs"), keras.Input((2,), name="targets")
    model = keras.Model([inputs, targets], Endpoint()(targets, keras.layers.Dense(2)(inputs)))
    model.compile("sgd")
    rng = np.random.default_rng(0)
    data = {"inputs": rng.normal(size=(10, 3)), "targets": (rng.random((10, 2)) > 0.5).astype("float32")}
    logs = model.fit(data, epochs=2, batch_size=4, verbose=0).history
    assert logs.keys() == {"loss", "accuracy"}
    assert 0 <= logs["accuracy"][1] <= 1
    assert logs["loss"][1] < logs["loss"][0]


def test_freezing_reaches_the_layers_within():
    layer = OWN["Convolutions"]()
    layer(keras.Input((6, 6, 2)))
    assert len(layer.trainable_weights) == 6
    layer.trainable = False
    assert not layer.norm.trainable
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 6


@pytest.mark.slow
def test_what_is_trained_of_frozen_layers_that_hold_layers_is_what_keras_trains(theirs):
    ours, expected = frozen(keras), pickle.loads((theirs[1] / "frozen.pickle").read_bytes())
    assert {case: flags for case, flags in ours.items() if flags != expected[case]} == {}
    assert ours.keys() == expected.keys()
    assert ours["cell", "by the constructor"] == [[False] * 3, [True] * 5]


def test_a_cell_that_the_flag_of_its_layer_does_not_reach_is_trained():
    model = keras.Sequential(
        [keras.Input((4, 3)), keras.layers.RNN(keras.layers.GRUCell(2), trainable=False), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 4, 3)), np.ones((4, 1)), verbose=0)
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_trial_leaves_no_trace():
    layer = OWN["ComputeSum"](4)
    layer(keras.Input((4,)))
    assert layer.total.numpy().tolist() == [0, 0, 0, 0]
    layer(np.ones((2, 4)))
    assert layer.total.numpy().tolist() == [2, 2, 2, 2]
