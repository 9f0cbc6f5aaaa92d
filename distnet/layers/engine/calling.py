"""Calls on arrays: the arrays and their masks, checked, and what the layer gives."""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.context import ForwardContext, Turn, Workspaces
from distnet.results import as_result, mask_of
from distnet.types import Array, Shape


def call_on_arrays(layer: AbstractLayer, tensors: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A layer's outputs for arrays, with their masks; each call's random numbers have addresses of their own.

    Args:
        layer: is built for them where it is not yet.
        tensors: what ``bind`` made of the call's arguments; a result of another call brings its mask.
        options: likewise.
    """
    if layer.row_rank is not None and np.ndim(tensors[0]) == layer.row_rank:
        batch = call_on_arrays(layer, [np.asarray(tensor)[np.newaxis] for tensor in tensors], options)
        return as_result(np.asarray(batch)[0], None)
    arrays = as_inputs(layer, tensors)
    shapes = [layer.shape_to_build(a.shape) for a in arrays]
    layer.build_once(shapes if len(arrays) > 1 else shapes[0])
    own = [mask_of(tensor) for tensor in tensors]
    given = options.get("mask", own)
    if not layer.passes_given_masks:
        given = [a if b is None else b for a, b in itertools.zip_longest(own, given)]
    mask, passed = (
        as_masks(layer, masks[0] if isinstance(masks, list) and len(arrays) == 1 else masks, arrays)
        for masks in (given, given if layer.passes_given_masks else own)
    )
    ctx = ForwardContext(
        options.get("training"), addresses.job_seed(), 0, 0, len(arrays[0]), Workspaces(), mask=mask, options=options,
        turn=Turn(),
    )  # fmt: skip
    x = arrays[0] if len(arrays) == 1 else arrays
    y, saved = layer.forward(x, ctx)
    masks = layer.mask_after(x, passed, saved)
    parts = y if isinstance(y, list) else [y]
    _keep_penalties(layer, parts, ctx)
    each = masks if isinstance(masks, list) else [masks] * len(parts)
    return layer.as_given([as_result(part.copy(), mask) for part, mask in zip(parts, each, strict=True)])


def forget_penalties(layers: Iterable[AbstractLayer]) -> None:
    """Forget what the activities of calls by hand cost, in these layers and those within."""
    for layer in layers:
        layer.activity_penalties.clear()
        forget_penalties(inner for _, inner in layer.inner_layers())


def _keep_penalties(layer: AbstractLayer, parts: Sequence[Array], ctx: ForwardContext) -> None:
    """Keep on each layer what the activities of this call cost, as Keras does until the next call by hand."""
    forget_penalties([layer])
    regularizer, rows = layer.activity_regularizer, ctx.global_rows
    if regularizer is not None and rows:
        layer.activity_penalties += [regularizer.value(part) * layer.activity_scale(rows) for part in parts]
    for inner, penalty in ctx.turn.penalties if ctx.turn else ():
        inner.activity_penalties.append(penalty)


def as_inputs(layer: AbstractLayer, tensors: Sequence[Any]) -> list[Array]:
    """The arrays that ``forward`` gets: in the layer's dtype, unless it takes integers or strings as they are.

    Raises:
        ArgumentError, ShapeError: what is no array of numbers, or arrays of different numbers of rows.
    """
    arrays = [_as_input(layer, i, tensor) for i, tensor in enumerate(tensors)]
    if len({len(a) for a in arrays}) > 1:
        shapes = [a.shape for a in arrays]
        raise ShapeError(f"{layer.name}: expected inputs of equally many rows, received {shapes}.")
    keeps = "iuO" if layer.takes_integers else "O"
    return [a if a.dtype.kind in keeps else a.astype(layer.dtype, order="C") for a in arrays]


def _as_input(layer: AbstractLayer, number: int, tensor: Any) -> Array:
    as_strings = getattr(layer, "as_strings", None)  # of models, some of whose inputs may be strings
    strings = None if as_strings is None else as_strings(number, tensor)
    return layer.as_declared(number, _as_array(layer.name, tensor)) if strings is None else strings


def as_masks(layer: AbstractLayer, given: Any, inputs: Sequence[Array]) -> Any:
    """The mask of one input, or a list of one for each of several; None where there is none.

    Raises:
        ShapeError: a mask that is not of the shape of its input's first axes.
    """
    each = [given] if len(inputs) == 1 or not isinstance(given, list | tuple) else list(given)
    masks = [None if mask is None else _as_mask(layer, mask, x) for mask, x in zip(each, inputs, strict=False)]
    return masks[0] if len(inputs) == 1 else [*masks, *[None] * (len(inputs) - len(masks))]


def ranked(where: str, shape: Shape, expected: Shape) -> Shape:
    """``shape`` with a last axis of 1 added or removed, if that gives the rank that a model expects.

    Raises:
        ShapeError: it does not.

    Source: ``keras.Functional._adjust_input_rank``.
    """
    if len(shape) == len(expected):
        return shape
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        return shape[:-1]
    if len(shape) == len(expected) - 1 and expected[-1] == 1:
        return (*shape, 1)
    raise ShapeError(f"{where}: expected rows of shape {expected[1:]}, received {shape[1:]}.")


def _as_array(where: str, tensor: Any) -> Array:
    try:
        array = np.asarray(tensor)
    except ValueError as error:
        raise ShapeError(f"{where}: expected an array, received rows of different lengths: {error}.") from None
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{where}: expected a placeholder or an array of numbers, received {reprlib.repr(tensor)}.")
    if array.ndim == 0:
        raise ShapeError(f"{where}: expected an array whose first axis is the batch, received {tensor!r}.")
    return array


def _as_mask(layer: AbstractLayer, given: Any, x: Array) -> Array:
    mask, axes = np.asarray(given), layer.masked_axes(x.shape)
    if mask.dtype.kind not in "biuf" or not mask.ndim or mask.shape != axes[: mask.ndim]:
        raise ShapeError(
            f"{layer.name}: expected a mask of the shape of the input's first axes, {axes}, received {mask.shape} of "
            f"{mask.dtype}."
        )
    return mask.astype(bool)
