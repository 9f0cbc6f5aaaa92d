"""Keras 2's ``keras.backend``: settings, values of weights, shapes, and functions of arrays.

Functions of tensors work on arrays, on placeholders and within layers that users write, with gradients. TensorFlow's
sessions, graphs and devices are absent; using one says so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from distnet import naming
from distnet.absent import because, names_elsewhere
from distnet.backend import tensorflow_backend as tensorflow_backend
from distnet.backend.assigning import gradients as gradients
from distnet.backend.assigning import is_tensor as is_tensor
from distnet.backend.assigning import is_variable as is_variable
from distnet.backend.assigning import moving_average_update as moving_average_update
from distnet.backend.assigning import print_tensor as print_tensor
from distnet.backend.assigning import update as update
from distnet.backend.assigning import update_add as update_add
from distnet.backend.assigning import update_sub as update_sub
from distnet.backend.chance import dropout as dropout
from distnet.backend.chance import random_bernoulli as random_bernoulli
from distnet.backend.chance import random_binomial as random_binomial
from distnet.backend.chance import random_normal as random_normal
from distnet.backend.chance import random_normal_variable as random_normal_variable
from distnet.backend.chance import random_uniform as random_uniform
from distnet.backend.chance import random_uniform_variable as random_uniform_variable
from distnet.backend.chance import truncated_normal as truncated_normal
from distnet.backend.dtype_names import standardize_dtype as standardize_dtype
from distnet.backend.entrywise import argmax as argmax
from distnet.backend.entrywise import argmin as argmin
from distnet.backend.entrywise import batch_normalization as batch_normalization
from distnet.backend.entrywise import binary_crossentropy as binary_crossentropy
from distnet.backend.entrywise import categorical_crossentropy as categorical_crossentropy
from distnet.backend.entrywise import clip as clip
from distnet.backend.entrywise import cumprod as cumprod
from distnet.backend.entrywise import cumsum as cumsum
from distnet.backend.entrywise import elu as elu
from distnet.backend.entrywise import hard_sigmoid as hard_sigmoid
from distnet.backend.entrywise import in_top_k as in_top_k
from distnet.backend.entrywise import l2_normalize as l2_normalize
from distnet.backend.entrywise import normalize_batch_in_training as normalize_batch_in_training
from distnet.backend.entrywise import pow as pow
from distnet.backend.entrywise import relu as relu
from distnet.backend.entrywise import softmax as softmax
from distnet.backend.entrywise import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from distnet.backend.entrywise import sqrt as sqrt
from distnet.backend.function import LEARNING_PHASE, LearningPhase
from distnet.backend.function import Function as Function
from distnet.backend.function import function as function
from distnet.backend.multiplying import batch_dot as batch_dot
from distnet.backend.multiplying import bias_add as bias_add
from distnet.backend.multiplying import dot as dot
from distnet.backend.phases import in_test_phase as in_test_phase
from distnet.backend.phases import in_train_phase as in_train_phase
from distnet.backend.phases import switch as switch
from distnet.backend.promotion import result_type as result_type
from distnet.backend.shaped import arange as arange
from distnet.backend.shaped import batch_flatten as batch_flatten
from distnet.backend.shaped import concatenate as concatenate
from distnet.backend.shaped import expand_dims as expand_dims
from distnet.backend.shaped import eye as eye
from distnet.backend.shaped import flatten as flatten
from distnet.backend.shaped import gather as gather
from distnet.backend.shaped import get_variable_shape as get_variable_shape
from distnet.backend.shaped import identity as identity
from distnet.backend.shaped import one_hot as one_hot
from distnet.backend.shaped import ones as ones
from distnet.backend.shaped import ones_like as ones_like
from distnet.backend.shaped import permute_dimensions as permute_dimensions
from distnet.backend.shaped import repeat as repeat
from distnet.backend.shaped import repeat_elements as repeat_elements
from distnet.backend.shaped import reshape as reshape
from distnet.backend.shaped import reverse as reverse
from distnet.backend.shaped import slice as slice
from distnet.backend.shaped import squeeze as squeeze
from distnet.backend.shaped import stack as stack
from distnet.backend.shaped import tile as tile
from distnet.backend.shaped import to_dense as to_dense
from distnet.backend.shaped import zeros as zeros
from distnet.backend.shaped import zeros_like as zeros_like
from distnet.backend.sliding_windows import conv1d as conv1d
from distnet.backend.sliding_windows import conv2d as conv2d
from distnet.backend.sliding_windows import conv2d_transpose as conv2d_transpose
from distnet.backend.sliding_windows import conv3d as conv3d
from distnet.backend.sliding_windows import conv3d_transpose as conv3d_transpose
from distnet.backend.sliding_windows import depthwise_conv2d as depthwise_conv2d
from distnet.backend.sliding_windows import local_conv1d as local_conv1d
from distnet.backend.sliding_windows import local_conv2d as local_conv2d
from distnet.backend.sliding_windows import pool2d as pool2d
from distnet.backend.sliding_windows import pool3d as pool3d
from distnet.backend.sliding_windows import resize_images as resize_images
from distnet.backend.sliding_windows import resize_volumes as resize_volumes
from distnet.backend.sliding_windows import separable_conv1d as separable_conv1d
from distnet.backend.sliding_windows import separable_conv2d as separable_conv2d
from distnet.backend.sliding_windows import spatial_2d_padding as spatial_2d_padding
from distnet.backend.sliding_windows import spatial_3d_padding as spatial_3d_padding
from distnet.backend.sliding_windows import temporal_padding as temporal_padding
from distnet.backend.unrolled import foldl as foldl
from distnet.backend.unrolled import foldr as foldr
from distnet.backend.unrolled import map_fn as map_fn
from distnet.backend.unrolled import rnn as rnn
from distnet.config import epsilon as epsilon
from distnet.config import floatx as floatx
from distnet.config import image_data_format as image_data_format
from distnet.config import set_epsilon as set_epsilon
from distnet.config import set_floatx as set_floatx
from distnet.config import set_image_data_format as set_image_data_format
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.numbered_variables import numbered
from distnet.types import Shape
from distnet.variables import Variable

_SESSION = "it is TensorFlow's; distnet computes with NumPy. Leave it out: no session, graph or device need be set."
_GRAPH = "it is a node of TensorFlow's graphs that is fed later. Use Input(shape)."
_CTC = "use keras.losses.CTC for the loss, and NumPy on what the model predicts."

_uids: Counter[str] = Counter()


def backend() -> str:
    """``"numpy"``, which does the computing."""
    return "numpy"


def clear_session(free_memory: bool = True) -> None:
    """Count automatic names from the beginning again: the next ``Dense`` is ``dense``.

    Args:
        free_memory: ignored; memory is freed when nothing refers to it.

    Source: ``keras.backend.clear_session``.
    """
    naming.reset()


def get_value(x: Any) -> Any:
    """The value of a weight, of the optimizer's learning rate, or of a number.

    Source: ``keras.backend.get_value``.
    """
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    """Give a weight, or the optimizer's learning rate, another value.

    >>> from distnet.optimizers import SGD
    >>> optimizer = SGD(0.1)
    >>> set_value(optimizer.learning_rate, 0.05)
    >>> float(get_value(optimizer.lr))
    0.05

    Raises:
        ArgumentError: ``x`` is neither.

    Source: ``keras.backend.set_value``.
    """
    if not hasattr(x, "assign"):
        raise ArgumentError(f"set_value: expected a weight or the optimizer's learning rate, received {x!r}.")
    x.assign(value)


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """The values of several weights.

    Source: ``keras.backend.batch_get_value``.
    """
    return [get_value(x) for x in tensors]


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Set the values of several weights.

    Source: ``keras.backend.batch_set_value``.
    """
    for x, value in tuples:
        set_value(x, value)


def cast_to_floatx(x: Any) -> np.ndarray[Any, Any]:
    """An array of the dtype in which new models compute.

    Source: ``keras.backend.cast_to_floatx``.
    """
    return np.asarray(x, dtype=floatx())


def int_shape(x: Any) -> Shape | None:
    """The shape of a placeholder, a weight or an array as a tuple; None for unknown extents.

    >>> int_shape(np.zeros((2, 3)))
    (2, 3)

    Source: ``keras.backend.int_shape``.
    """
    return None if (shape := getattr(x, "shape", None)) is None else tuple(shape)


def ndim(x: Any) -> int:
    """The number of axes.

    Source: ``keras.backend.ndim``.
    """
    return len(x.shape if hasattr(x, "shape") else np.shape(x))


def dtype(x: Any) -> str:
    """The name of the dtype of a placeholder, a weight or an array.

    Source: ``keras.backend.dtype``.
    """
    return np.dtype(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).name


def is_keras_tensor(x: object) -> bool:
    """Whether ``x`` is a placeholder.

    Source: ``keras.backend.is_keras_tensor``.
    """
    return isinstance(x, KerasTensor)


is_placeholder = is_keras_tensor


def is_sparse(x: object) -> bool:
    """False: no placeholder is sparse.

    Source: ``keras.backend.is_sparse``.
    """
    return False


def eval(x: Any) -> Any:
    """The value of a weight, or of an array.

    Source: ``keras.backend.eval``.
    """
    if isinstance(x, KerasTensor):
        raise ArgumentError(f"eval: {x.name} is a placeholder and has no value. Use model.predict on data.")
    return get_value(x)


def variable(value: Any, dtype: str | None = None, name: str | None = None, constraint: Any = None) -> Variable:
    """A variable outside any layer, whose value ``set_value`` changes.

    Source: ``keras.backend.variable``.
    """
    array = np.asarray(value, dtype or floatx())
    name = name or f"variable_{get_uid('variable')}"
    return numbered(Variable(name, name, array, trainable=False, constraint=constraint))


def constant(value: Any, dtype: str | None = None, shape: Shape | None = None, name: str | None = None) -> Any:
    """An array of this value.

    Source: ``keras.backend.constant``.
    """
    array = np.asarray(value, dtype or floatx())
    return array if shape is None else np.broadcast_to(array, shape).copy()  # type: ignore[arg-type]


def count_params(x: Any) -> int:
    """The number of entries of a weight or an array.

    Source: ``keras.backend.count_params``.
    """
    return int(np.prod(x.shape))


def get_uid(prefix: str = "") -> int:
    """The next number for this prefix, from 1.

    Source: ``keras.backend.get_uid``.
    """
    _uids[prefix] += 1
    return _uids[prefix]


def reset_uids() -> None:
    """Count automatic names from the beginning again.

    Source: ``keras.backend.reset_uids``.
    """
    _uids.clear()
    naming.reset()


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is a floating point type.

    Source: ``keras.backend.is_float_dtype``.
    """
    return bool(np.dtype(dtype).kind == "f")


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is an integer type.

    Source: ``keras.backend.is_int_dtype``.
    """
    return np.dtype(dtype).kind in "iu"


def image_dim_ordering() -> str:
    """``"tf"`` for channels last, ``"th"`` for channels first: Keras 1's names.

    Source: ``keras.backend.image_dim_ordering`` of Keras 1.
    """
    return {"channels_last": "tf", "channels_first": "th"}[image_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """``set_image_data_format`` by Keras 1's names, ``"tf"`` and ``"th"``.

    Source: ``keras.backend.set_image_dim_ordering`` of Keras 1.
    """
    set_image_data_format({"tf": "channels_last", "th": "channels_first"}.get(dim_ordering, dim_ordering))


def learning_phase() -> LearningPhase:
    """The last input of ``function``: 1 computes as in training, 0 as in inference. Its own value is 0.

    Source: ``keras.backend.learning_phase``.
    """
    return LEARNING_PHASE


def set_learning_phase(value: int) -> None:
    """Ignored with a warning: ``fit`` always trains and ``predict`` always infers.

    Source: ``keras.backend.set_learning_phase``.
    """
    warnings.warn(
        f"set_learning_phase({value}) has no effect: fit always trains, predict and evaluate never do. "
        "Freeze layers with trainable = False; call a model with training=True to have dropout in predictions.",
        stacklevel=2,
    )


__getattr__ = names_elsewhere(
    __name__,
    ["backend.names", "ops"],
    {
        **because(_SESSION, "get_session set_session tf manual_variable_initialization name_scope get_graph"),
        **because(_GRAPH, "placeholder"),
        **because(_CTC, "ctc_batch_cost ctc_decode ctc_label_dense_to_sparse"),
    },
)
