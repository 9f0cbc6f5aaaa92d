"""Sample weights brought to the shape of the values that they weigh."""

from __future__ import annotations

import numpy as np

from distnet.errors import ShapeError
from distnet.types import Array, ArrayLike


def sample_weights(name: str, values: Array, sample_weight: ArrayLike) -> Array:
    """The weights with the leading axes of ``values``, in its dtype.

    Shapes:
        values (N, ...), weights (), (N,), (N, 1) or the leading part of the values' shape -> (), (N,), ...; an axis of
        1
        is broadcast.

    Args:
        name: name of the function, for messages.
        values: what is weighed; a scalar takes weights of any shape.
        sample_weight: weights, any sign.

    Raises:
        ShapeError: there is not one weight for each row.

    Source: Keras's ``reduce_weighted_values``, which would read (N,) beside (N, N) as weights of columns.
    """
    weight = np.asarray(sample_weight, dtype=values.dtype)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if values.ndim == 0 or weight.ndim == 0:
        return weight
    fits = weight.ndim <= values.ndim and all(
        w == v or w == 1 for w, v in zip(weight.shape, values.shape, strict=False)
    )
    if not fits:
        allowed = " or ".join(dict.fromkeys((f"({len(values)},)", str(values.shape))))
        raise ShapeError(
            f"{name}: expected sample weights of shape {allowed}, "
            f"received {np.shape(sample_weight)}. Give one weight for each row."
        )
    return weight


def every_weight(name: str, shape: tuple[int, ...], sample_weight: ArrayLike | None) -> Array:
    """A float64 weight for each of the values; 1 if no weights are given.

    Args:
        name: name of the function, for messages.
        shape: shape of the values.
        sample_weight: as in ``sample_weights``.

    Raises:
        ShapeError: there is not one weight for each row.
    """
    if sample_weight is None:
        return np.broadcast_to(np.float64(1.0), shape)
    weight = sample_weights(name, np.broadcast_to(np.float64(1.0), shape), sample_weight)
    return np.broadcast_to(over_values(weight, len(shape)) if weight.ndim else weight, shape)


def over_values(weight: Array, ndim: int) -> Array:
    """The weights with trailing axes of 1, so that they multiply values of ``ndim`` axes."""
    return weight.reshape(weight.shape + (1,) * (ndim - weight.ndim))
