"""A ``fit`` that goes on with the steps of the one before trains as one that makes them anew."""

import copy
import pickle

import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.callbacks import LambdaCallback
from distnet.layers.engine.walks import Walks
from distnet.training import kept_steps

RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 5)), np.eye(3)[RNG.integers(0, 3, 24)]
FITS = 3


def network():
    model = distnet.Sequential([layers.Input((5,)), layers.Dense(6, "relu"), layers.Dropout(0.3), layers.Dense(3)])
    model.add(layers.Softmax())
    model.compile("adam", distnet.losses.CategoricalCrossentropy(), metrics=["accuracy"])
    return model


def failing_fit(model):
    failing = LambdaCallback(on_train_batch_end=lambda batch, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, verbose=0, callbacks=[failing])


def fit_of_shared_layers(model):
    other = distnet.Sequential([*model.layers, layers.Dense(2)])
    other.compile("sgd", "mse")
    other.fit(X, np.ones((24, 2)), verbose=0)


SAME = {
    "nothing": lambda model: None,
    "weights": lambda model: model.set_weights([w / 2 for w in model.get_weights()]),
    "learning rate": lambda model: setattr(model.optimizer, "learning_rate", 0.05),
    "bias taken away": lambda model: setattr(model.layers[0], "bias", None),
    "evaluation": lambda model: model.evaluate(X, Y, verbose=0),
}
OTHER = {
    "trainable": lambda model: setattr(model.layers[0], "trainable", not model.layers[0].trainable),
    "argument": lambda model: setattr(model.layers[1], "rate", 0.6),
    "seed": lambda model: setattr(model.training_state, "seed", 77),
    "frozen weight": lambda model: setattr(model.layers[0].bias, "trainable", False),
    "metric of a layer": lambda model: setattr(model.layers[0], "mine", distnet.metrics.Mean(name="of the layer")),
    "activity": lambda model: setattr(model.layers[0], "activity_regularizer", distnet.regularizers.L2(0.1)),
    "loss": lambda model: setattr(model.loss, "label_smoothing", 0.3),
    "compile": lambda model: model.compile("sgd", "mse", metrics=["accuracy"]),
    "optimizer": lambda model: setattr(model, "optimizer", distnet.optimizers.SGD(0.1)),
    "metric": lambda model: setattr(model, "mine", distnet.metrics.Mean(name="mine")),
    "single steps": lambda model: model.train_on_batch(X, Y),
    "shared layers": fit_of_shared_layers,
    "copy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "failure": failing_fit,
}


@pytest.fixture
def made(monkeypatch):
    """Counts the steps that are made."""
    counted, steps = [], kept_steps.training_steps
    monkeypatch.setattr(kept_steps, "training_steps", lambda *args: (counted.append(args), steps(*args))[1])
    return counted


def results(change, keeps):
    distnet.utils.clear_session()
    distnet.utils.set_random_seed(1)
    model, values = network(), []
    for _ in range(FITS):
        history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history
        values += [history["loss"], history["accuracy"], model.evaluate(X, Y, verbose=0)]
        changed = change(model)
        model = changed if isinstance(changed, distnet.Model) else model
        if not keeps:
            model.fit_steps = model._objective = None
            model.walks = Walks()
    return [*values, *model.get_weights()]


@pytest.mark.parametrize("name", [*SAME, *OTHER])
def test_what_changes_between_two_fits_counts(name, made):
    change = {**SAME, **OTHER}[name]
    kept = results(change, True)
    assert (len(made) == 1) == (name in SAME)
    for a, b in zip(kept, results(change, False), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "name",
    ["frozen weight", "argument", "metric of a layer", "activity", "loss", "metric", "bias taken away", "seed"],
)
def test_what_changes_between_two_single_steps_counts(name):
    def steps(run_eagerly):
        distnet.utils.clear_session()
        distnet.utils.set_random_seed(1)
        model = network()
        model.compile("sgd", distnet.losses.CategoricalCrossentropy(), run_eagerly=run_eagerly)
        logs = [model.train_on_batch(X, Y)]
        {**SAME, **OTHER}[name](model)
        logs += [model.train_on_batch(X, Y, return_dict=True) for _ in range(2)]
        assert ("mine" in logs[-1]) == (name == "metric")
        return logs, model.get_weights()

    (logs, weights), (eager_logs, eager_weights) = steps(False), steps(True)
    assert logs == eager_logs
    for planned, eager in zip(weights, eager_weights, strict=True):
        np.testing.assert_array_equal(planned, eager)
