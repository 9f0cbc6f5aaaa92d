"""Functions that Keras 1 and 2 had by other names or as other kinds of things."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from distnet.engine.training import slice_X

import distnet as keras
from distnet import initializations, layers, losses, optimizers
from distnet.errors import AbsentError


@pytest.mark.parametrize("name", ["adadelta", "adagrad", "adam", "adamax", "nadam", "rmsprop", "sgd"])
def test_optimizers_have_their_names_of_keras_2(name):
    made = getattr(optimizers, name)(0.25)
    assert type(made) is type(optimizers.get(name))
    assert float(made.learning_rate) == 0.25


def test_optimizers_are_in_tensorflow_s_modules():
    from distnet.optimizers import adam_v2, gradient_descent_v2

    assert adam_v2.Adam is optimizers.Adam
    assert gradient_descent_v2.SGD is optimizers.SGD


def test_initializers_of_keras_1_give_the_values_for_a_shape():
    keras.utils.set_random_seed(1)
    values = initializations.normal((200, 50), scale=0.01, name="W")
    assert (values.shape, values.dtype) == ((200, 50), np.float32)
    assert np.std(values) == pytest.approx(0.01, rel=0.05)
    assert np.abs(initializations.uniform((200, 50), scale=0.3)).max() == pytest.approx(0.3, rel=0.01)
    np.testing.assert_array_equal(initializations.identity((2, 2), scale=3), [[3, 0], [0, 3]])
    np.testing.assert_array_equal([*initializations.one((2,)), *initializations.zero((2,))], [1, 1, 0, 0])
    square = initializations.orthogonal((4, 4))
    np.testing.assert_allclose(square @ square.T, 1.1**2 * np.eye(4), atol=1e-6)


@pytest.mark.parametrize(
    "init",
    [
        initializations.normal,
        lambda shape: initializations.normal(shape, scale=0.01),
        lambda shape, name=None: initializations.normal(shape, scale=0.01, name=name),
        lambda shape, dtype=None: np.ones(shape, dtype),
        lambda shape, **kwargs: np.ones(shape, kwargs["dtype"]),
    ],
)
def test_layers_start_from_functions_of_a_shape(init):
    layer = layers.Dense(3, kernel_initializer=init)
    layer(np.ones((2, 4)))
    assert np.any(layer.get_weights()[0])


def test_slices_of_arrays():
    x, y = np.arange(6), np.arange(12).reshape(6, 2)
    np.testing.assert_array_equal(slice_X(x, 2, 4), [2, 3])
    first, second = slice_X([x, y], 4)
    np.testing.assert_array_equal(first, [4, 5])
    np.testing.assert_array_equal(second, [[8, 9], [10, 11]])
    np.testing.assert_array_equal(slice_X(x, [5, 0]), [5, 0])


def test_loss_functions_are_pickled_and_copied_by_name():
    loss = losses.mean_squared_error
    assert pickle.loads(pickle.dumps(loss)) is copy.deepcopy(loss) is loss
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("adam", loss=loss, metrics=["mae", losses.log_cosh])
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(np.eye(2), verbose=0), model.predict(np.eye(2), verbose=0))


@pytest.mark.parametrize(
    "kind", [optimizers.Adam, optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta, optimizers.Nadam]
)
def test_epsilon_of_none_is_the_backends(kind):
    """As Keras 2's documentation writes it: ``Adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=None, decay=0.0)``."""
    made = kind(learning_rate=0.1, epsilon=None)
    assert made.epsilon == keras.config.epsilon()
    assert kind.from_config({**made.get_config(), "epsilon": None}).epsilon == keras.config.epsilon()


def test_class_numbers_by_the_names_of_keras_1_and_2():
    expected = [[1, 0, 0], [0, 1, 0]]
    with pytest.warns(UserWarning, match="num_classes"):
        assert keras.utils.to_categorical([0, 1], nb_classes=3).tolist() == expected
    with pytest.warns(UserWarning, match="'?x'?"):
        assert keras.utils.np_utils.to_categorical(y=[0, 1], num_classes=3).tolist() == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "utils.numerical_utils.to_categorical",
        "utils.tf_utils.__name__",
        "utils.visualize_util.plot",
        "engine.topology.Layer",
        "engine.training.Model",
        "engine.base_layer.Layer",
    ],
)
def test_modules_of_older_kerases_need_no_import_of_their_own(path):
    """In a process of its own, for another test's import would let it pass."""
    code = f"import distnet as keras; print(keras.{path})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_activations_have_their_names():
    assert layers.Dense(2, activation="relu").activation.__name__ == "relu"
    assert layers.LSTM(2).recurrent_activation.__name__ == "sigmoid"
    assert keras.activations.get(None).__name__ == "linear"
    assert keras.activations.get("leaky_relu").__name__ == "leaky_relu"


def test_placeholders_tell_their_shape_as_tensorflows_tensors():
    x = keras.Input((3, 4))
    assert x.get_shape().as_list() == [None, 3, 4]
    assert x._keras_shape == (None, 3, 4)
    assert x.shape.rank == x.shape.ndims == 3


def test_yaml_says_why_it_is_not_there():
    with pytest.raises(AbsentError, match="to_json"):
        keras.Sequential([keras.Input((2,)), layers.Dense(1)]).to_yaml()
