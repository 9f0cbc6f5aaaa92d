"""The functions of Keras's backend module that scripts call."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import backend as K  # noqa: N812
from distnet.errors import ArgumentError


def test_the_learning_rate_is_read_and_set_as_in_keras_2():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    assert K.get_value(model.optimizer.lr) == 0.1
    K.set_value(model.optimizer.lr, K.get_value(model.optimizer.lr) * 0.5)
    assert K.get_value(model.optimizer.learning_rate) == 0.05


def test_weights_are_read_and_set():
    layer = keras.layers.Dense(1, use_bias=False)
    keras.Sequential([keras.Input((2,)), layer])
    K.batch_set_value([(layer.kernel, [[1.0], [2.0]])])
    assert K.batch_get_value([layer.kernel])[0].tolist() == [[1.0], [2.0]]
    assert K.get_value(3) == 3
    with pytest.raises(ArgumentError, match="expected a weight"):
        K.set_value(np.zeros(2), 1)


def test_a_cleared_session_counts_names_from_the_beginning():
    K.clear_session()
    assert [keras.layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    K.clear_session()
    assert keras.layers.Dense(1).name == "dense"


def test_the_settings_are_those_of_config():
    assert (K.backend(), K.image_data_format(), K.epsilon()) == ("numpy", "channels_last", keras.config.epsilon())
    assert K.cast_to_floatx([1, 2]).dtype == K.floatx()


def test_dtypes_are_promoted_as_in_keras():
    assert K.result_type() == K.result_type(None) == "float32"
    assert K.result_type("int64", "float16") == "float16"
    assert K.result_type("int8", "uint8") == "int16"
    assert K.result_type("uint8", int) == "uint8"
    assert K.result_type("bool", int) == "int32"
    assert K.result_type("int32", float) == "float32"
    assert K.result_type(np.int32, "float64") == "float64"
    with pytest.raises(ArgumentError, match="received 'bfloat16'"):
        K.result_type("bfloat16")


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "float32"), ("float32", "float32"), (np.float32, "float32"), (np.dtype("int8"), "int8"), (bool, "bool"),
        (int, "int32"), ("int", "int32"), (float, "float32"), (str, "string"), (complex, "complex64"),
        ("bfloat16", "bfloat16"),
    ],
)  # fmt: skip
def test_a_dtype_has_its_name_in_keras_however_it_is_given(dtype, name):
    """As ``keras.backend.standardize_dtype`` on JAX."""
    assert K.standardize_dtype(dtype) == keras.utils.standardize_dtype(dtype) == name


@pytest.mark.parametrize("dtype", ["float", "object", list, [1]])
def test_what_keras_has_no_dtype_for_is_refused(dtype):
    with pytest.raises(ArgumentError, match="dtype: expected one of"):
        K.standardize_dtype(dtype)
