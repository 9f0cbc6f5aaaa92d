"""Loops and branches on placeholders: models compute with them what the functions give for arrays."""

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import AbsentError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5, 3)).astype("float32")


def by_time(x):
    return ops.transpose(x, (1, 0, 2))


CASES = {
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: ops.ones((3,)), lambda: ops.zeros((3,))) + x,
    "switch": lambda x: ops.switch(ops.cast(ops.sum(x) > 0, "int32"), [lambda a: a * 2.0, lambda a: a - 1.0], x),
    "while_loop": lambda x: ops.while_loop(lambda i, a: ops.sum(a * a) < 500, lambda i, a: (i + 1, a * 1.5), (0, x))[1],
    "at_most": lambda x: ops.while_loop(lambda a: True, lambda a: a * 1.5, x, maximum_iterations=3),
    "fori_loop": lambda x: ops.fori_loop(0, 3, lambda i, a: a * 2.0 + i, x),
    "scan": lambda x: ops.scan(lambda c, e: (c + e, c * e), ops.zeros_like(x[:, 0]), by_time(x))[0],
    "scan_of_dict": lambda x: ops.scan(
        lambda c, e: ({"sum": c["sum"] + e}, None), {"sum": ops.zeros_like(x[:, 0])}, by_time(x)
    )[0]["sum"],
    "map": lambda x: ops.map(lambda pair: pair[0] - ops.sum(pair[1]), (x, x * 2.0)),
    "vectorized_map": lambda x: ops.vectorized_map(lambda e: ops.tanh(e) * ops.sum(e), x),
    "associative_scan": lambda x: ops.associative_scan(lambda a, b: a + b, x, axis=1),
}


def model_of(function):
    entry = keras.Input((5, 3))
    return keras.Model(entry, function(entry))


@pytest.mark.parametrize("function", CASES.values(), ids=CASES)
def test_a_model_computes_what_the_function_does(function):
    expected, made = function(X), model_of(function).predict(X, verbose=0)
    for one, other in zip(*([y] if not isinstance(y, list | tuple) else y for y in (made, expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_shapes_are_known_and_operations_are_no_layers():
    model = model_of(CASES["scan"])
    assert model.output_shape == (None, 3)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer"]


def test_training_goes_through_them_and_clones_compute_the_same():
    entry = keras.Input((5, 3))
    hidden = keras.layers.Dense(3, activation="tanh")(entry)
    model = keras.Model(entry, keras.layers.Dense(1)(CASES["scan"](hidden)))
    model.compile("sgd", "mse")
    loss = model.fit(X, X[:, 0, :1], epochs=10, verbose=0).history["loss"]
    assert loss[-1] < loss[0]
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_gradient_of_its_own_is_that_of_the_model():
    @ops.custom_gradient
    def clipped(x):
        return x * 100.0, lambda upstream: ops.clip(upstream, -1e-3, 1e-3)

    entry = keras.Input((5, 3))
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(entry, clipped(dense(entry)))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(X, X[:, :, :1], batch_size=6, epochs=1, verbose=0)
    assert 0 < np.abs(dense.kernel.numpy() - 1).max() <= 1e-3 * np.abs(X).sum(axis=(0, 1)).max()


def test_no_file_holds_them(tmp_path):
    with pytest.raises(AbsentError, match="Scan of placeholders calls Python functions, which no file holds"):
        model_of(CASES["scan"]).save(tmp_path / "model.keras")


def test_what_a_function_cannot_use_or_return_is_said():
    entry = keras.Input((3,))
    with pytest.raises(ShapeError, match="uses placeholders that it is not handed"):
        ops.cond(ops.sum(entry) > 0, lambda: entry, lambda: -entry)
    made = ops.switch(ops.cast(ops.sum(entry) > 0, "int32"), [lambda a: a, lambda a: a[:, :1]], entry)
    model = keras.Model(entry, made)
    assert model.predict(np.ones((2, 3)), verbose=0).shape == (2, 1)
    with pytest.raises(ShapeError, match=r"expected a result of shape \(None, 1\) in every case, received"):
        model.predict(-np.ones((2, 3)), verbose=0)
