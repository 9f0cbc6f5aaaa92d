"""What walks through layers told is asked again once anything has changed that it depends on."""

import copy
import pickle

import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.layers.engine.walks import Walks
from distnet.metrics import Mean
from distnet.models.keras_steps import own_metrics
from distnet.variables import Variable


def held(thing):
    """A dict in a list of a layer's: it changes in place."""
    return [{"first": thing}]


def add_to_list(model):
    model.layers[0].things[0]["second"] = Mean(name="second")


def exchange_in_list(model):
    model.layers[0].things[0]["first"] = Mean(name="other")


def build_more(model):
    """Some classes append to their list of variables, which is an attribute that is not set anew."""
    model.layers[0]._variables.append(Variable("extra", "extra", np.zeros(2)))


def exchange_layers(model):
    model.pop()
    model.add(layers.Dense(2, name="another", activity_regularizer="l2"))


CHANGES = {
    "nothing": lambda model: None,
    "metric of the model": lambda model: setattr(model, "mine", Mean(name="mine")),
    "metric of a layer within": lambda model: setattr(model.layers[1].layers[0], "mine", Mean(name="within")),
    "metric without a name": lambda model: delattr(model.layers[0], "metric"),
    "None in the place of a metric": lambda model: setattr(model.layers[0], "metric", None),
    "entry of a dict": add_to_list,
    "other entry": exchange_in_list,
    "emptied list": lambda model: model.layers[0].things.clear(),
    "weight": build_more,
    "layer": exchange_layers,
    "activation with weights": lambda model: setattr(model.layers[0], "activation", layers.PReLU()),
    "activity": lambda model: setattr(model.layers[1].layers[0], "activity_regularizer", distnet.regularizers.L1(0.1)),
    "name": lambda model: setattr(model.layers[-1], "name", "renamed"),
    "form of activation": lambda model: setattr(model.layers[-1], "activation", "softmax"),
}


def network():
    within = distnet.Sequential([layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(3, name="b")])
    model = distnet.Sequential([layers.Input((5,)), layers.Dense(4), within, layers.Dense(2, "sigmoid", name="end")])
    model.layers[0].metric, model.layers[0].things = Mean(name="metric"), held(Mean(name="first"))
    model.compile("sgd", "mse")
    return model


def every_layer(layer):
    return [part for _, inner in layer.inner_layers() for part in (inner, *every_layer(inner))]


def told(model):
    """What ``fit`` asks of a model, as walks tell it now."""
    return {
        "metrics": [metric.name for metric in own_metrics(model)],
        "layers": every_layer(model),
        "variables": list(map(id, model.variables)),
        "penalty": model.has_penalty,
        "activations": model.final_activations,
        "names": model.output_names,
    }


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name):
    model = network()
    before = model.walks.once(model, "all", lambda: told(model))
    assert model.walks.once(model, "all", lambda: 1 / 0) is before, "nothing has changed"
    CHANGES[name](model)
    now = told(model)
    assert (now == before) == (name == "nothing")
    assert model.walks.once(model, "all", lambda: told(model)) == now
    assert model.walks.once(model, "all", lambda: 1 / 0) == now


def test_copies_ask_anew():
    model = network()
    model.walks.once(model, "all", lambda: told(model))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), distnet.models.clone_model(model)):
        assert other.walks.once(other, "all", lambda: "its own") == "its own"


def test_a_class_of_the_users_is_asked_each_time():
    class Own(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    model, answers = distnet.Sequential([layers.Input((5,)), Own(), layers.Dense(2)]), iter(range(2))
    assert [model.walks.once(model, "all", lambda: next(answers)) for _ in range(2)] == [0, 1]


def test_training_and_evaluating_leave_what_was_told():
    model, x, y = network(), np.ones((6, 5)), np.ones((6, 2))
    model.fit(x, y, verbose=0)
    kept = model.walks.once(model, "all", lambda: told(model))
    model.fit(x, y, verbose=0, epochs=2, validation_data=(x, y))
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.train_on_batch(x, y)
    assert model.walks.once(model, "all", lambda: 1 / 0) is kept


def test_penalties_of_calls_by_hand_are_forgotten_in_all_layers():
    model = network()
    every = every_layer(model)
    for layer in every:
        layer.activity_penalties.append(1.0)
    Walks().forget_penalties(model)
    assert not any(layer.activity_penalties for layer in every)
