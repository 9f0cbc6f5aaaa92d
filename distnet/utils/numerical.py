"""Arrays of labels and features, prepared for training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from distnet import config
from distnet.arguments import as_numbers, check_integer, is_integer
from distnet.errors import ArgumentError, DataError
from distnet.old_names import takes_old_arguments
from distnet.types import Array, ArrayLike


@takes_old_arguments("to_categorical")
def to_categorical(x: ArrayLike, num_classes: int | None = None, dtype: npt.DTypeLike = "float64") -> Array:
    """One-hot rows of class numbers: 1 at the class, 0 elsewhere.

    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])

    Shapes:
        (...) or (..., 1) -> (..., num_classes)

    Args:
        x: whole numbers in [0, num_classes).
        num_classes: number of classes; by default the largest label plus 1.
        dtype: of the result.

    Raises:
        DataError: a label is not a whole number or is out of range, or there are no labels to infer the classes from.

    Source: ``keras.utils.to_categorical``; ``dtype`` is Keras 2's.
    """
    if num_classes is not None:
        check_integer("to_categorical: num_classes", num_classes, 1)
    labels = _whole_numbers(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes and not labels.size:
        raise DataError("to_categorical: expected labels, received none. Give num_classes to encode no rows.")
    classes = int(num_classes or labels.max() + 1)
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise DataError(
            f"to_categorical: expected labels in [0, {classes}), received {labels.min()} to {labels.max()}. "
            "Number the classes from 0, or raise num_classes."
        )
    categorical = np.zeros((labels.size, classes), dtype)
    categorical[np.arange(labels.size), labels.reshape(-1)] = 1
    return categorical.reshape(*labels.shape, classes)


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> Array:
    """``x / ||x||`` along an axis; zeros stay zeros.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)

    Shapes:
        any -> the same; of an array in its dtype, of lists in ``floatx``.

    Args:
        x: numbers.
        axis: axis along which the norm is taken.
        order: of the norm, 1 or more: 1 sums absolute values, 2 is Euclid's.

    Raises:
        ArgumentError: no numbers, no such axis, or an ``order`` that is not a whole number of at least 1.

    Source: ``keras.utils.normalize``.
    """
    check_integer("normalize: order", order, 1)
    is_array = isinstance(x, np.ndarray)
    x = as_numbers("normalize", x)
    if not is_array:  # which Keras makes a tensor of
        x = x.astype(config.floatx())
    if not is_integer(axis) or not -x.ndim <= axis < x.ndim:
        raise ArgumentError(f"normalize: axis: expected an axis of an array of shape {x.shape}, received {axis!r}.")
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return np.asarray(x / np.where(norm == 0, 1, norm))


def _whole_numbers(x: ArrayLike) -> npt.NDArray[np.int64]:
    values = np.asarray(x)
    if values.dtype.kind in "biu" or not values.size:
        return values.astype(np.int64)
    if values.dtype.kind != "f" or not np.array_equal(values, np.floor(values)) or not np.isfinite(values).all():
        raise DataError(
            f"to_categorical: expected whole numbers, received {values.dtype}: {values.reshape(-1)[:3].tolist()} ... "
            "Map the classes to 0, 1, 2 ... first, for example with numpy.unique(labels, return_inverse=True)."
        )
    return values.astype(np.int64)
