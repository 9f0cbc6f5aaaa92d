"""Layers as activations of layers."""

import numpy as np
import pytest

from distnet import Input, Sequential, layers, models
from distnet.activations import ACTIVATIONS, Softmax
from distnet.errors import ArgumentError

AS_LAYERS = {
    "leaky": lambda: layers.LeakyReLU(negative_slope=0.1),
    "elu": lambda: layers.ELU(0.5),
    "relu": lambda: layers.ReLU(max_value=0.5),
    "softmax": lambda: layers.Softmax(),
    "softmax over steps": lambda: layers.Softmax(axis=1),
    "tanh": lambda: layers.Activation("tanh"),
    "identity": lambda: layers.Identity(),
}
X = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


@pytest.mark.parametrize("name", AS_LAYERS)
@pytest.mark.parametrize(
    "host",
    [
        lambda activation: layers.Dense(3, activation=activation),
        lambda activation: layers.Conv1D(3, 2, activation=activation),
        lambda activation: layers.Activation(activation),
    ],
    ids=["Dense", "Conv1D", "Activation"],
)
def test_a_layer_as_activation_is_that_layer_behind(host, name, tmp_path):
    one = Sequential([Input((5, 4)), host(AS_LAYERS[name]())])
    two = Sequential([Input((5, 4)), host("linear"), AS_LAYERS[name]()])
    two.set_weights(one.get_weights())
    target = np.ones((3, *one.output_shape[1:]), np.float32)
    for model in (one, two):
        model.compile("sgd", "mse")
        model.fit(X, target, epochs=2, verbose=0)
    np.testing.assert_allclose(one.predict(X, verbose=0), two.predict(X, verbose=0), rtol=1e-6, atol=1e-7)
    for file in ("m.keras", "m.h5"):
        one.save(tmp_path / file)
        again = models.load_model(tmp_path / file)
        np.testing.assert_array_equal(again.predict(X, verbose=0), one.predict(X, verbose=0))


def test_a_layer_written_by_keras_is_read():
    keras_3 = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"name": "a", "negative_slope": 0.3}}
    keras_2 = {"class_name": "LeakyReLU", "config": {"name": "a", "trainable": True, "dtype": "float32", "alpha": 0.3}}
    for config in (keras_3, keras_2):
        np.testing.assert_allclose(ACTIVATIONS.get(config)([-1.0, 2.0]), [-0.3, 2.0], rtol=1e-6)


@pytest.mark.parametrize("layer", [layers.PReLU, layers.BatchNormalization, lambda: layers.Dropout(0.5)])
def test_a_layer_that_is_more_than_a_function_is_refused_with_the_remedy(layer):
    with pytest.raises(ArgumentError, match="Leave the activation out, and put this layer behind"):
        layers.Dense(2, activation=layer())


def test_softmax_goes_along_several_axes_or_all():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis, summed in (((1, 2), (1, 2)), ([1, 2], (1, 2)), (None, None), (1, 1)):
        np.testing.assert_allclose(Softmax(axis)(x).sum(axis=summed), 1.0, rtol=1e-12)
    again = ACTIVATIONS.get(Softmax((1, 2)).as_json())
    assert again == Softmax((1, 2))


@pytest.mark.parametrize("axis", ["1", 1.5, True, (), (1, "2")])
def test_a_softmax_axis_that_is_none_is_refused(axis):
    with pytest.raises(ArgumentError, match="axis"):
        Softmax(axis)
