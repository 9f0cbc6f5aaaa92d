"""Data that are seen to be plain at once are what they are where each part is looked at."""

import numpy as np
import pytest

import distnet
from distnet import layers
from distnet.errors import DistnetError
from distnet.training import inputs

X, Y = np.ones((6, 4)), np.ones((6, 2))


def sequential(**compiled):
    model = distnet.Sequential([layers.Input((4,)), layers.Dense(2)])
    model.compile("sgd", **{"loss": "mse", **compiled})
    return model


def functional(form):
    start = layers.Input((4,), name="a")
    model = distnet.Model(form(start), form(layers.Dense(2, name="b")(start)))
    model.compile("sgd", "mse")
    return model


def of_strings():
    model = distnet.Sequential([layers.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a"])])
    model.compile("sgd", "mse")
    return model


MODELS = {
    "sequential": sequential,
    "without an input": lambda: distnet.Sequential([layers.Dense(2)]),
    "not compiled": lambda: distnet.Sequential([layers.Input((4,)), layers.Dense(2)]),
    "without a loss": lambda: sequential(loss=None),
    "list": lambda: functional(lambda tensor: [tensor]),
    "dict": lambda: functional(lambda tensor: {"a": tensor}),
    "scalars": lambda: distnet.Sequential([layers.Input(()), layers.Lambda(lambda x: x)]),
    "lengths": lambda: distnet.Sequential([layers.Input((None, 4)), layers.Dense(2)]),
    "strings": of_strings,
}
GIVEN = [
    (X, Y), (X, None), (X[:, :3], Y), (X[0], Y[0]), (X[:, :, None], Y), (X[:5], Y), (X[:0], Y[:0]), (X.astype(int), Y),
    (X, Y[:, 0]), (X, Y.astype(bool)), (X, Y.astype(object)), (X.astype("U1"), Y), (X * 1j, Y), ([X], [Y]), (X, [Y]),
    (X.tolist(), Y.tolist()), (X[0, 0], Y), (np.float64(1.0), None), (X, Y[0, 0]), ({"a": X}, {"b": Y}),
    (X, Y[:, None]), (np.ma.masked_array(X, X > 2), Y), (X[None], Y[None]), (X[:, 0], None),
]  # fmt: skip


def result(model, x, y):
    try:
        made = inputs.array_data(model, x, y)
    except DistnetError as error:
        return type(error), str(error).replace(model.name, "")
    return [(a.shape, a.dtype, a.tolist()) for a in (*made.x, *made.y)], made.weight


@pytest.mark.parametrize("name", MODELS)
def test_plain_data_are_as_other_data(name, monkeypatch):
    def results():
        distnet.utils.clear_session()
        model = MODELS[name]()
        return [result(model, *given) for given in GIVEN * 2]

    at_once = results()
    monkeypatch.setattr(inputs, "_plain_data", lambda *given: None)
    assert at_once == results()


def test_a_change_of_the_model_counts():
    model = sequential()
    assert inputs.array_data(model, X, Y).y[0] is Y
    model.pop()
    model.add(layers.Dense(5))
    model.compile("sgd", "mse")
    with pytest.raises(DistnetError, match="expected y_true of the shape"):
        model.fit(X, Y, verbose=0)
