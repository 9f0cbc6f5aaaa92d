"""Functions that choose, move and join entries, and products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.layers.operations.functions import OF_NN, TWO, Differentiable, summed_to
from distnet.types import Array


def _item(x: Array, key: Any) -> Array:
    return np.asarray(x[tuple(key) if isinstance(key, list) else key])


def _of_item(dy: Array, y: Array, x: Array, key: Any) -> tuple[Array, None]:
    dx = np.zeros_like(x)
    np.add.at(dx, tuple(key) if isinstance(key, list) else key, dy)
    return dx, None


def _of_transpose(dy: Array, y: Array, x: Array, axes: Any) -> tuple[Array]:
    return (np.transpose(dy, None if axes is None else np.argsort(axes)),)


def _of_concatenate(dy: Array, y: Array, xs: Sequence[Array], axis: int) -> tuple[list[Array]]:
    return (np.split(dy, np.cumsum([np.shape(x)[axis] for x in xs])[:-1], axis=axis),)


def _of_stack(dy: Array, y: Array, xs: Sequence[Array], axis: int) -> tuple[list[Array]]:
    return ([np.take(dy, i, axis=axis) for i in range(len(xs))],)


def _split(x: Array, indices_or_sections: Any, axis: int) -> list[Array]:
    return np.split(x, indices_or_sections, axis=axis)


def _of_repeat(dy: Array, y: Array, x: Array, repeats: int, axis: int) -> tuple[Array]:
    axis %= x.ndim
    return (dy.reshape(*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]).sum(axis=axis + 1),)


def _of_matmul(dy: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """``(dy b^T, a^T dy)``; a vector counts as a row, or as a column."""
    if a.ndim == 1:
        return summed_to((dy[..., None, :] * b).sum(axis=-1), a.shape), dy[..., None, :] * a[:, None]
    if b.ndim == 1:
        return dy[..., None] * b, summed_to(dy[..., None] * a, b.shape)
    return np.matmul(dy, b.swapaxes(-1, -2)), np.matmul(a.swapaxes(-1, -2), dy)


def _of_einsum(dy: Array, y: Array, *operands: Array, subscripts: str) -> tuple[Array, ...]:
    """The gradient of each operand: the product of dy and the other operands, summed to its letters."""
    letters, made = subscripts.replace(" ", "").split("->")
    parts = letters.split(",")
    gradients = []
    for i, own in enumerate(parts):
        others = [part for j, part in enumerate(parts) if j != i]
        arrays = [operand for j, operand in enumerate(operands) if j != i]
        reached = "".join(c for c in own if c in made or any(c in part for part in others))
        gradient = np.einsum(f"{','.join([made, *others])}->{reached}", dy, *arrays)
        shape = [n if c in reached else 1 for c, n in zip(own, operands[i].shape, strict=True)]
        gradients.append(np.broadcast_to(gradient.reshape(shape), operands[i].shape))
    return tuple(gradients)


def _one_hot(x: Array, num_classes: int, axis: int, dtype: Any, sparse: bool) -> Array:
    hot = np.asarray(x)[..., None] == np.arange(num_classes)
    return np.moveaxis(hot.astype(dtype or "float32"), -1, axis)


SHAPING: dict[str, Differentiable] = {
    "GetItem": Differentiable(_item, _of_item, ("x", "key")),
    "Reshape": Differentiable(
        lambda x, newshape: x.reshape(newshape),
        lambda dy, y, x, newshape: (dy.reshape(x.shape),),
        options={"newshape": None},
    ),
    "Squeeze": Differentiable(
        lambda x, axis: np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis),
        lambda dy, y, x, axis: (dy.reshape(x.shape),),
        options={"axis": None},
    ),
    "ExpandDims": Differentiable(
        lambda x, axis: np.expand_dims(x, tuple(axis) if isinstance(axis, list) else axis),
        lambda dy, y, x, axis: (dy.reshape(x.shape),),
        options={"axis": None},
    ),
    "Transpose": Differentiable(np.transpose, _of_transpose, options={"axes": None}),
    "Swapaxes": Differentiable(
        np.swapaxes,
        lambda dy, y, x, axis1, axis2: (np.swapaxes(dy, axis1, axis2),),
        options={"axis1": None, "axis2": None},
    ),
    "Moveaxis": Differentiable(
        np.moveaxis,
        lambda dy, y, x, source, destination: (np.moveaxis(dy, destination, source),),
        options={"source": None, "destination": None},
    ),
    "Flip": Differentiable(np.flip, lambda dy, y, x, axis: (np.flip(dy, axis),), options={"axis": None}),
    "Roll": Differentiable(
        np.roll,
        lambda dy, y, x, shift, axis: (np.roll(dy, np.negative(shift), axis),),
        options={"shift": None, "axis": None},
    ),
    "Repeat": Differentiable(np.repeat, _of_repeat, options={"repeats": None, "axis": None}),
    "Concatenate": Differentiable(np.concatenate, _of_concatenate, ("xs",), {"axis": 0}),
    "Stack": Differentiable(np.stack, _of_stack, options={"axis": 0}),
    "Split": Differentiable(
        _split,
        lambda dy, y, x, indices_or_sections, axis: (np.concatenate(dy, axis=axis),),
        options={"indices_or_sections": None, "axis": 0},
    ),
    "Cumsum": Differentiable(
        lambda x, axis, dtype: np.cumsum(x, axis),
        lambda dy, y, x, axis, dtype: (np.flip(np.cumsum(np.flip(dy, axis), axis), axis),),
        options={"axis": None, "dtype": None},
    ),
    "OneHot": Differentiable(
        _one_hot, None, options={"num_classes": None, "axis": -1, "dtype": None, "sparse": False}, module=OF_NN
    ),
    "Matmul": Differentiable(np.matmul, _of_matmul, TWO),
    "Einsum": Differentiable(
        lambda *operands, subscripts: np.einsum(subscripts, *operands),
        _of_einsum,
        ("operands",),
        {"subscripts": None},
    ),
}
