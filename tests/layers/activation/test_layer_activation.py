"""Layers as activations of layers."""

import h5py
import numpy as np
import pytest

from distnet import Input, Sequential, layers, models, optimizers, utils
from distnet.activations import ACTIVATIONS, Softmax
from distnet.errors import ArgumentError, ShapeError

pytestmark = pytest.mark.slow

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


WITH_WEIGHTS = {
    "Dense": ((4,), lambda a: layers.Dense(3, activation=a), lambda: layers.PReLU("ones")),
    "Activation": ((4,), layers.Activation, lambda: layers.PReLU(alpha_initializer="ones")),
    "Activation of it": ((4,), lambda a: layers.Activation(layers.Activation(a)), layers.PReLU),
    "Conv2D": ((5, 5, 2), lambda a: layers.Conv2D(3, 2, activation=a), lambda: layers.PReLU(shared_axes=[1, 2])),
    "channels first": (
        (2, 5, 5),
        lambda a: layers.Conv2D(3, 2, activation=a, data_format="channels_first"),
        lambda: layers.PReLU(shared_axes=[2, 3]),
    ),
    "DepthwiseConv1D": ((5, 2), lambda a: layers.DepthwiseConv1D(2, activation=a), layers.PReLU),
    "SeparableConv1D": ((5, 2), lambda a: layers.SeparableConv1D(3, 2, activation=a), layers.PReLU),
    "Conv1DTranspose": ((5, 2), lambda a: layers.Conv1DTranspose(3, 2, activation=a), layers.PReLU),
    "LocallyConnected1D": ((5, 2), lambda a: layers.LocallyConnected1D(3, 2, activation=a), layers.PReLU),
    "state": ((4,), lambda a: layers.Dense(3, activation=a), layers.BatchNormalization),
    "penalty": ((4,), lambda a: layers.Dense(3, activation=a), lambda: layers.PReLU(activity_regularizer="l2")),
    "Dense of Dense": ((4,), lambda a: layers.Dense(3, activation=a), lambda: layers.Dense(3, activation="tanh")),
}


@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_a_layer_with_weights_trains_as_activation_as_it_does_behind(name, tmp_path):
    shape, host, layer = WITH_WEIGHTS[name]
    rng = np.random.default_rng(1)
    x = rng.normal(size=(7, *shape)).astype("float32")
    one = Sequential([Input(shape), host(layer())])
    two = Sequential([Input(shape), host("linear"), layer()])
    assert [w.shape for w in one.weights] == [w.shape for w in two.weights]
    two.set_weights(one.get_weights())
    target = rng.normal(size=(7, *one.output_shape[1:])).astype("float32")
    histories = []
    for model in (one, two):
        model.compile("adam", "mse")
        histories.append(model.fit(x, target, batch_size=3, epochs=7, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-6)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for file in ("m.keras", "m.h5"):
        one.save(tmp_path / file)
        again = models.load_model(tmp_path / file)
        np.testing.assert_array_equal(again.predict(x, verbose=0), one.predict(x, verbose=0))
    one.save_weights(tmp_path / "m.weights.h5")
    again = models.clone_model(one)
    again.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(again.predict(x, verbose=0), one.predict(x, verbose=0))


def test_twenty_steps_are_those_of_keras():
    x = np.sin(np.arange(20, dtype="float32")).reshape(5, 4)
    y = np.cos(np.arange(10, dtype="float32")).reshape(5, 2)
    slopes, state = layers.PReLU(), layers.BatchNormalization()
    model = Sequential([Input((4,)), layers.Dense(3, activation=slopes), layers.Dense(2, activation=state)])
    for i, variable in enumerate(model.weights):
        above = 1.5 if variable.name == "moving_variance" else 0.0
        variable.assign(above + np.sin(np.arange(variable.size) + i).reshape(variable.shape))
    model.compile(optimizers.SGD(0.25), "mse")
    losses = model.fit(x, y, batch_size=3, epochs=10, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses[::3], [1.3602942, 0.2747752, 0.1312109, 0.0438686], rtol=2e-5)  # Keras 3.15
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], [1.1382794, -0.7717397], rtol=1e-5)


def test_keras_finds_the_shape_and_the_weights_where_it_looks_for_them(tmp_path):
    layer = layers.Dense(3, activation=layers.PReLU())
    Sequential([Input((4,)), layer]).save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert file["layers/dense/activation/vars/0"].shape == (3,)
        assert list(file["layers/dense/vars"]) == ["0", "1"]
    # Without it Keras 3.15 says that the layer was never built.
    assert layer.get_config()["activation"]["build_config"] == {"input_shape": [None, 3]}


def test_gradients_of_an_activation_with_weights_are_those_of_central_differences():
    slopes = layers.PReLU("ones", alpha_regularizer="l2", activity_regularizer="l2", dtype="float64")
    layer = layers.Conv2D(2, 2, activation=slopes, dtype="float64")
    errors = utils.check_gradients(layer, np.random.default_rng(0).normal(size=(3, 4, 4, 2)))
    assert "alpha" in "".join(errors)


def test_its_weights_follow_the_layers_own_and_freeze_with_them():
    layer = layers.Dense(3, activation=layers.PReLU())
    layer.build((None, 4))
    assert [w.path for w in layer.weights] == [
        f"{layer.name}/kernel",
        f"{layer.name}/bias",
        layer.activation.alpha.path,
    ]
    layer.trainable = False
    assert not layer.trainable_weights
    assert not layer.activation.trainable
    layer.trainable = True
    layer.activation.layer.trainable = False
    assert len(layer.trainable_weights) == 2


def test_a_layer_that_is_the_activation_of_two_has_its_weights_once_and_is_saved_for_both(tmp_path):
    shared = layers.PReLU("ones")
    model = Sequential([Input((4,)), layers.Dense(4, activation=shared), layers.Dense(4, activation=shared)])
    assert [w.shape for w in model.weights] == [(4, 4), (4,), (4,), (4, 4), (4,)]
    model.compile("sgd", "mse")
    model.fit(X[:, 0], X[:, 1], verbose=0)
    for file in ("m.keras", "m.h5"):
        model.save(tmp_path / file)
        again = models.load_model(tmp_path / file, compile=False)
        np.testing.assert_array_equal(again.predict(X[:, 0], verbose=0), model.predict(X[:, 0], verbose=0))
    model.save_weights(tmp_path / "m.weights.h5")
    model.load_weights(tmp_path / "m.weights.h5")
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    assert len(model.trainable_weights) == 2


def test_one_that_only_the_first_of_two_trains_is_trained():
    shared = layers.PReLU("ones")
    frozen = layers.Dense(4, activation=shared, trainable=False)
    model = Sequential([Input((4,)), layers.Dense(4, activation=shared), frozen])
    model.compile("sgd", "mse")
    model.fit(X[:, 0], X[:, 1], verbose=0)
    assert np.any(shared.alpha.numpy() != 1.0)
    np.testing.assert_array_equal(frozen.bias.numpy(), 0.0)


def test_another_size_that_the_activation_does_not_fit_is_refused():
    layer = layers.Conv2D(2, 2, activation=layers.PReLU())
    layer(np.ones((1, 5, 5, 2), np.float32))
    with pytest.raises(ShapeError, match="cannot take"):
        layer(np.ones((1, 6, 6, 2), np.float32))


@pytest.mark.parametrize("layer", [layers.PReLU, layers.BatchNormalization, lambda: layers.Dropout(0.5)])
@pytest.mark.parametrize("host", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_a_recurrent_layer_refuses_a_layer_that_is_more_than_a_function(host, layer):
    with pytest.raises(ArgumentError, match=r"activation: expected a function .*, received the layer \w+\. Use"):
        host(2, activation=layer())


def test_a_layer_that_changes_the_shape_is_refused_with_the_remedy():
    with pytest.raises(ArgumentError, match="Put it behind"):
        layers.Dense(2, activation=layers.Dense(3)).build((None, 4))


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
