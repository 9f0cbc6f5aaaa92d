"""Whole models with the channels first: the numbers of the same models with the channels last."""

import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.layers.engine.context import ForwardContext, Workspaces

X = np.random.default_rng(0).standard_normal((12, 9, 8, 3)).astype("float32")
Y = np.random.default_rng(1).integers(0, 4, 12)


@pytest.fixture(autouse=True)
def _restored():
    yield
    keras.config.set_image_data_format("channels_last")


def network(is_first):
    """Layers with a format next to layers without one."""
    keras.utils.set_random_seed(4)
    axis = 1 if is_first else -1
    inputs = layers.Input((3, 9, 8) if is_first else (9, 8, 3))
    x = layers.ZeroPadding2D(((0, 1), (1, 0)))(inputs)
    x = layers.Conv2D(4, 3, activation="relu", activity_regularizer=keras.regularizers.L2(0.01))(x)
    y = layers.SeparableConv2D(4, 3, padding="same")(layers.Activation("tanh")(x))
    x = layers.Concatenate(axis=axis)([layers.Add()([x, y]), layers.SpatialDropout2D(0.3)(x)])
    x = layers.MaxPooling2D(2)(layers.BatchNormalization(axis=axis)(x))
    x = layers.UpSampling2D(2)(layers.Dropout(0.0)(x))
    x = layers.Conv2DTranspose(5, 2, activation="elu")(layers.Cropping2D(1)(x))
    x = layers.Concatenate()([layers.Flatten()(x), layers.GlobalAveragePooling2D()(x)])
    model = keras.Model(inputs, layers.Dense(4, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def context(mask=None):
    return ForwardContext(False, 0, 0, 0, len(X), Workspaces(), mask=mask)


def test_it_trains_to_what_channels_last_trains_to():
    last = network(is_first=False)
    expected = last.fit(X, Y, batch_size=4, epochs=3, verbose=0).history["loss"]
    keras.config.set_image_data_format("channels_first")
    first, x = network(is_first=True), np.moveaxis(X, -1, 1)
    assert [layer.data_format for layer in first.layers if isinstance(layer, layers.Conv2D)] == ["channels_first"]
    np.testing.assert_allclose(first.fit(x, Y, batch_size=4, epochs=3, verbose=0).history["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(first.predict(x, verbose=0), last.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_its_files_keep_the_format_whatever_the_setting_is(tmp_path, ending):
    keras.config.set_image_data_format("channels_first")
    model, x = network(is_first=True), np.moveaxis(X, -1, 1)
    model.save(tmp_path / f"model.{ending}")
    keras.config.set_image_data_format("channels_last")
    loaded = keras.models.load_model(tmp_path / f"model.{ending}")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.evaluate(x, Y, verbose=0) == model.evaluate(x, Y, verbose=0)


def test_files_keep_channels_last_whatever_the_setting_is(tmp_path):
    model = keras.Sequential([layers.Input((5, 2)), layers.ZeroPadding1D(2), layers.Cropping1D(1)])
    model.save(tmp_path / "model.h5")
    keras.config.set_image_data_format("channels_first")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    assert loaded.predict(np.ones((2, 5, 2)), verbose=0).shape == (2, 7, 2)


def test_layers_in_a_row_do_not_copy():
    layer = layers.Conv2D(2, 2, data_format="channels_first")
    layer.build_once((None, 3, 9, 8))
    y, _ = layer.forward(np.moveaxis(X, -1, 1), context())
    assert y.shape == (12, 2, 8, 7)
    assert np.moveaxis(y, 1, -1).flags.c_contiguous
    inputs = layers.Input((3, 9, 8))
    assert keras.Model(inputs, layer(inputs)).predict(np.moveaxis(X, -1, 1), verbose=0).flags.c_contiguous


def test_a_mask_counts_along_the_steps():
    x = np.arange(12.0).reshape(1, 3, 4)
    layer = layers.GlobalAveragePooling1D(data_format="channels_first", dtype="float64")
    pooled, _ = layer.forward(x, context(mask=np.array([[1, 1, 0, 0]], bool)))
    np.testing.assert_allclose(pooled, [[0.5, 4.5, 8.5]])
    with pytest.raises(keras.errors.ShapeError, match="mask"):
        layer.forward(x, context(mask=np.array([[1, 1, 0]], bool)))


@pytest.mark.parametrize(
    ("make", "row"),
    [
        (lambda layer: layers.TimeDistributed(layer), (2, 3, 4, 5)),
        (lambda layer: keras.Sequential([layers.Input((3, 4, 5)), layer]), (3, 4, 5)),
    ],
)
def test_layers_and_models_around_one_compute_alike(make, row):
    inner = layers.Conv2D(2, 2, activation="tanh", data_format="channels_first")
    x = np.random.default_rng(0).standard_normal((3, *row)).astype("float32")
    y = make(inner)(x)
    np.testing.assert_allclose(y.reshape(-1, 2, 3, 4), inner(x.reshape(-1, 3, 4, 5)), rtol=1e-6)


def test_an_input_of_too_few_axes_is_refused_in_the_format_of_the_layer():
    with pytest.raises(keras.errors.ShapeError, match=r"\(batch, channels, height, width\), received \(None, 3, 4\)"):
        layers.Conv2D(2, 2, data_format="channels_first")(layers.Input((3, 4)))
