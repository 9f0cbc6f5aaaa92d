"""Functions of ``keras.backend`` against Keras 2's numbers: of arrays, of tensors, of placeholders."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from backend_cases import CASES
from distnet import backend as K  # noqa: N812
from distnet import ops
from distnet.errors import AbsentError, ArgumentError
from distnet.ops.tensor import Tensor

OF_KERAS_2_3 = """
    abs all any arange argmax argmin backend batch_dot batch_flatten batch_get_value batch_normalization
    batch_set_value bias_add binary_crossentropy cast cast_to_floatx categorical_crossentropy clear_session clip
    concatenate constant conv1d conv2d conv2d_transpose conv3d conv3d_transpose cos count_params ctc_batch_cost
    ctc_decode ctc_label_dense_to_sparse cumprod cumsum depthwise_conv2d dot dropout dtype elu epsilon equal eval exp
    expand_dims eye flatten floatx foldl foldr function gather get_session get_uid get_value get_variable_shape
    gradients greater greater_equal hard_sigmoid identity image_data_format in_test_phase in_top_k in_train_phase
    int_shape is_keras_tensor is_placeholder is_sparse is_tensor is_variable l2_normalize learning_phase less
    less_equal local_conv1d local_conv2d log logsumexp manual_variable_initialization map_fn max maximum mean min
    minimum moving_average_update name_scope ndim normalize_batch_in_training not_equal one_hot ones ones_like
    permute_dimensions placeholder pool2d pool3d pow print_tensor prod random_binomial random_normal
    random_normal_variable random_uniform random_uniform_variable repeat repeat_elements reset_uids reshape
    resize_images resize_volumes reverse rnn round separable_conv1d separable_conv2d set_epsilon set_floatx
    set_image_data_format set_learning_phase set_session set_value shape sigmoid sign sin slice softmax softplus
    softsign sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std
    stop_gradient sum switch tanh temporal_padding tile to_dense transpose truncated_normal update update_add
    update_sub var variable zeros zeros_like
"""


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parents[1] / "golden" / "backend.npz") as held:
        return dict(held)


def test_every_name_of_keras_2_3_is_there():
    assert not [name for name in OF_KERAS_2_3.split() if not hasattr(K, name)]


@pytest.mark.parametrize("convert", [np.asarray, ops.convert_to_tensor, Tensor], ids=["arrays", "results", "tensors"])
@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_keras_2(name, convert, golden):
    call, *tensors = CASES[name]
    made = call(K, *map(convert, tensors))
    np.testing.assert_allclose(made, golden[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_placeholders_make_models_of_these_values(name, golden):
    call, *tensors = CASES[name]
    rows = len(tensors[0])
    inputs = [
        keras.Input(batch_shape=x.shape, dtype=x.dtype.name) if i == 0 or (x.ndim > 1 and len(x) == rows) else x
        for i, x in enumerate(tensors)
    ]
    made = call(K, *inputs)
    assert tuple(made.shape) == golden[name].shape
    fed = {i: x for i, x in enumerate(tensors) if K.is_keras_tensor(inputs[i])}
    if not K.is_keras_tensor(made) or made in inputs:
        return
    model = keras.Model([inputs[i] for i in fed], made)
    np.testing.assert_allclose(model(list(fed.values())), golden[name], rtol=1e-5, atol=1e-5)


def test_variables_are_updated_at_once():
    x = K.variable([1.0, 2.0])
    K.update_add(x, [1.0, 1.0])
    K.update_sub(x, [0.5, 0.0])
    K.moving_average_update(x, np.array([0.0, 0.0], "float32"), 0.5)
    np.testing.assert_array_equal(K.get_value(x), [0.75, 1.5])
    assert K.is_variable(x)
    assert K.get_value(K.random_uniform_variable((3,), 1.0, 2.0)).min() >= 1


def test_random_tensors_have_their_shapes_and_dtypes():
    assert K.random_normal((2, 3)).shape == (2, 3)
    assert K.random_uniform((2,), 0, 9, dtype="int32").dtype == "int32"
    assert set(np.unique(np.asarray(K.random_binomial((50,), 0.5)))) == {0.0, 1.0}
    assert K.dropout(np.ones((4, 4), "float32"), 0.5).dtype == "float32"


def test_gradients_are_those_of_a_tape():
    x = K.variable([2.0])
    with keras.GradientTape():
        loss = K.sum(K.square(x))
    np.testing.assert_array_equal(K.gradients(loss, [x])[0], [4.0])
    with pytest.raises(ArgumentError, match="GradientTape"):
        K.gradients(keras.Input((2,)), [x])


def test_a_printed_tensor_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        assert K.print_tensor(3.0, "x = ") == 3.0
    assert "x = 3.0" in caplog.text


def test_the_phase_is_that_of_the_layer_that_runs():
    class Phase(keras.layers.Layer):
        def call(self, inputs):
            return K.in_train_phase(inputs * 2, lambda: inputs)

    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(Phase()(x, training=True), 2 * x)
    np.testing.assert_array_equal(Phase()(x), x)


def test_what_is_tensorflows_is_refused_by_name():
    with pytest.raises(AbsentError, match="Input"):
        K.placeholder((2,))
    with pytest.raises(AbsentError, match=r"losses\.CTC"):
        K.ctc_batch_cost(1, 2, 3, 4)
