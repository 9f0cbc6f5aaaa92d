"""Normalization by statistics of the data: adapted as Keras adapts, and kept in files."""

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).standard_normal((23, 4, 3)).astype("float32") * [1, 5, 100] + [0, 1, 1e4]


def statistics(layer):
    return layer.adapt_mean.numpy(), layer.adapt_variance.numpy()


@pytest.mark.parametrize(("axis", "reduced"), [(-1, (0, 1)), ((1, 2), (0,)), (None, (0, 1, 2))])
def test_it_adapts_to_mean_and_variance(axis, reduced):
    layer = layers.Normalization(axis=axis)
    layer.adapt(X)
    mean, variance = statistics(layer)
    np.testing.assert_allclose(mean, X.mean(reduced), rtol=1e-6)
    np.testing.assert_allclose(variance, X.var(reduced), rtol=1e-6)
    wide = tuple(1 if i in reduced else n for i, n in enumerate(X.shape))
    expected = (X - X.mean(reduced).reshape(wide)) / X.std(reduced).reshape(wide)
    np.testing.assert_allclose(layer(X.astype("float32")), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "batches",
    [
        lambda: [X[:5], X[5:6], X[6:]],
        lambda: iter([X[:20], X[20:]]),
        lambda: ((x, None) for x in np.array_split(X, 4)),
        lambda: X.tolist(),
    ],
)
def test_batches_give_what_the_whole_gives(batches):
    layer, whole = layers.Normalization(), layers.Normalization()
    layer.adapt(batches())
    whole.adapt(X)
    for found, expected in zip(statistics(layer), statistics(whole), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_adapting_again_forgets_what_was_before():
    layer = layers.Normalization()
    layer.adapt(X * 7)
    layer.adapt(X)
    np.testing.assert_allclose(statistics(layer)[0], X.mean((0, 1)), rtol=1e-6)


def test_a_column_of_numbers_has_one_mean():
    layer = layers.Normalization(input_shape=(1,), axis=None)
    layer.adapt(np.array([1.0, 2.0, 3.0, 6.0]))
    np.testing.assert_allclose(layer(np.array([[3.0], [6.0]])), [[0.0], [3 / np.sqrt(3.5)]], rtol=1e-6)


def test_integers_are_taken_as_they_are():
    images = np.arange(24, dtype="uint16").reshape(2, 4, 3) * 1000
    layer = layers.Normalization()
    layer.adapt(images)
    np.testing.assert_allclose(layer(images).mean((0, 1)), 0, atol=1e-6)


def test_a_constant_feature_does_not_divide_by_zero():
    layer = layers.Normalization()
    layer.adapt(np.ones((4, 2)))
    np.testing.assert_array_equal(layer(np.ones((1, 2))), [[0, 0]])


def adapted_model():
    layer = layers.Normalization(name="norm")
    layer.adapt(X)
    return keras.Sequential([layers.Input((4, 3)), layer, layers.Flatten(), layers.Dense(2)])


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_files_keep_the_statistics(tmp_path, ending):
    model = adapted_model()
    model.compile("adam", "mse")
    model.fit(X, X[:, 0, :2], verbose=0)
    model.save(tmp_path / f"model.{ending}")
    loaded = keras.models.load_model(tmp_path / f"model.{ending}")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_files_have_an_integer_count_as_keras_has(tmp_path):
    model = adapted_model()
    model.save(tmp_path / "model.h5")
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        group = file["model_weights/norm"]
        assert [group[name].dtype.name for name in group.attrs["weight_names"]] == ["float32", "float32", "int32"]
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert file["layers/normalization/vars/2"].dtype == np.int32


@pytest.mark.parametrize(("axis", "shape"), [(-1, (1, 1, 3)), (None, (1, 1, 1)), ((1, 2), (1, 4, 3)), (1, (1, 4, 1))])
def test_the_statistics_in_use_are_attributes(axis, shape):
    x = np.random.default_rng(0).normal(size=(50, 4, 3))
    layer = layers.Normalization(axis=axis)
    assert layer.mean is None
    layer.adapt(x)
    reduced = tuple(i for i in range(3) if shape[i] == 1)
    np.testing.assert_allclose(layer.mean, x.mean(axis=reduced, keepdims=True), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(layer.variance, x.var(axis=reduced, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(layer(x) * layer.variance**0.5 + layer.mean, x, rtol=1e-4, atol=1e-5)
    assert layer.get_config()["mean"] is None
    layer.set_weights([np.full_like(w, 2) for w in layer.get_weights()])
    np.testing.assert_array_equal(layer.mean, np.full(shape, 2.0))


def test_statistics_that_were_given_are_attributes_of_the_input_s_rank():
    layer = layers.Normalization(mean=[1.0, 2, 3], variance=4.0 * np.ones(3))
    layer.build((None, 4, 3))
    np.testing.assert_array_equal(layer.mean, [[[1, 2, 3]]])
    assert layer.get_config()["mean"] == layer.input_mean == [1, 2, 3]
    assert layers.Normalization.from_config(layer.get_config()).input_variance == [4, 4, 4]


def test_statistics_that_are_assigned_are_in_use():
    layer = layers.Normalization()
    layer.build((None, 3))
    layer.adapt_mean.assign([1.0, 2.0, 3.0])
    layer.adapt_variance.assign([4.0, 4.0, 4.0])
    layer.finalize_state()
    np.testing.assert_allclose(layer(np.array([[3.0, 4.0, 5.0]], "float32")), [[1, 1, 1]])


def test_training_does_not_move_the_statistics():
    model = adapted_model()
    before = statistics(model.layers[0])
    model.compile("sgd", "mse")
    model.fit(X / 1e4, X[:, 0, :2] / 1e4, verbose=0)
    for a, b in zip(before, statistics(model.layers[0]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layers.Normalization(mean=1.0), ArgumentError, "mean and variance together"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), ArgumentError, "of one shape"),
        (lambda: layers.Normalization(axis=None, mean=[1.0], variance=[1.0]), ArgumentError, "at most as many axes"),
        (lambda: layers.Normalization(axis="last"), ArgumentError, "axis"),
        (lambda: layers.Normalization(mean=0.0, variance=1.0).adapt(X), ArgumentError, "Leave them out"),
        (lambda: layers.Normalization().adapt([]), ArgumentError, "received none"),
        (lambda: layers.Normalization().adapt(3), ArgumentError, "adapt: expected an array or batches"),
        (lambda: layers.Normalization().adapt(np.ones(3)), ShapeError, "other than the batch axis"),
        (lambda: layers.Normalization(mean=[1.0] * 4, variance=[1.0] * 4)(X), ShapeError, "expected inputs that fit"),
    ],
)
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
