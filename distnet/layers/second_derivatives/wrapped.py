"""Definitions of layers that hold others: each is computed again of what it saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from distnet import ops
from distnet.assignments import assignments_held
from distnet.errors import ArgumentError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.call_scope import CallScope, calling
from distnet.layers.engine.context import ForwardContext, Workspaces
from distnet.layers.engine.followed_node import computed_again
from distnet.layers.engine.inline import run
from distnet.layers.engine.recorded_call import Recorded, called_with
from distnet.layers.engine.structures import leaves
from distnet.layers.recurrent.cell_calls import state_widths
from distnet.layers.recurrent.rnn import RNN
from distnet.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from distnet.layers.second_derivatives.base import beside, defines
from distnet.layers.wrappers.base import Inner, WrapperRun
from distnet.layers.wrappers.bidirectional import Bidirectional
from distnet.layers.wrappers.spectral_normalization import SpectralNormalization
from distnet.layers.wrappers.time_distributed import TimeDistributed
from distnet.ops.primitive import local, of_rows
from distnet.ops.tensor import Rows, Tensor


def again(layer: Any, inputs: Sequence[Any], inner: Inner) -> list[Any]:
    """The outputs of a layer within, of which ``inner`` is what it left."""
    return _outputs(layer, inputs, replace(inner.ctx, workspaces=Workspaces()), inner.saved)


def _outputs(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: Any) -> list[Any]:
    scope = CallScope(ctx, ctx.training)
    if isinstance(saved, Recorded):
        masks = ctx.mask if isinstance(ctx.mask, list) else [ctx.mask]
        for tensor, mask in zip(inputs, masks, strict=False):
            tensor._keras_mask = None if mask is None else beside(tensor, mask)
        args, kwargs = called_with(inputs, ctx)
        with calling(scope), ctx.running(len(inputs[0].value)), assignments_held():
            return list(leaves(run(layer, args, kwargs, scope, is_penalized=False)))
    with calling(scope):
        if hasattr(layer, "on_tensors"):
            return list(layer.on_tensors(inputs, {"training": ctx.training}))
        return computed_again(layer, type(layer), inputs, ctx, saved)


@defines(StackedRNNCells)
def _stacked(layer: StackedRNNCells, inputs: Sequence[Any], ctx: ForwardContext, saved: WrapperRun) -> Any:
    y, *states = inputs
    made: list[Any] = []
    for cell, inner in zip(layer.cells, saved.inner, strict=True):
        count = len(state_widths(cell))
        y, *new = again(cell, [y, *states[:count]], inner)
        states, made = states[count:], [*made, *new]
    return [y, *made]


@defines(RNN)
def _run_over_time(layer: RNN, inputs: Sequence[Any], ctx: ForwardContext, saved: WrapperRun) -> Any:
    if layer.fast is not None:
        made = _outputs(layer.fast, inputs, ctx, saved.own[0])
        return made if layer.return_state else made[0]
    (x, *states), skipped = inputs, saved.own.skipped
    states = states or _first_states(layer, x, saved)
    outputs, count = [], x.shape[1]
    for t, inner in enumerate(saved.inner):
        y, *new = again(layer.cell, [x[:, count - 1 - t if layer.go_backwards else t], *states], inner)
        if skipped is not None:
            skips = beside(x, skipped[t])
            y = ops.where(skips, 0.0 if layer.zero_output_for_mask else states[layer.number_held], y)
            new = [ops.where(skips, old, part) for old, part in zip(states, new, strict=True)]
        states = new
        outputs.append(y)
    y = ops.stack(outputs, axis=1) if layer.return_sequences else outputs[-1]
    return [y, *states] if layer.return_state else y


def _first_states(layer: RNN, x: Any, saved: WrapperRun) -> list[Any]:
    first = saved.own.first
    if first is not None and any(tensor.node is not None for tensor in first.tensors):
        raise ArgumentError(
            f"{layer.name}: has no second derivatives, as get_initial_state of {layer.cell.name} has weights in it."
        )
    return [beside(x, array) for array in saved.own.states]


@defines(TimeDistributed)
def _each_step(layer: TimeDistributed, inputs: Sequence[Any], ctx: ForwardContext, saved: WrapperRun) -> Any:
    (x,), turns = inputs, len(saved.inner)
    made = []
    for part, inner in zip([x] if turns == 1 else ops.split(x, turns, axis=1), saved.inner, strict=True):
        rows, count = len(part.value), part.shape[1]
        merged = _with_rows(part, (rows * count, *part.shape[2:]), inner.ctx.rows(rows * count))
        (y,) = again(layer.layer, [merged], inner)
        made.append(_with_rows(y, (rows, count, *y.shape[1:]), part.rows))
    return made[0] if turns == 1 else ops.concatenate(made, axis=1)


def _with_rows(x: Any, shape: tuple[int, ...], rows: Rows | None) -> Any:
    """This rank's part of ``x`` in another shape, said to be these rows."""
    made = ops.reshape(local(x), shape)
    return made if rows is None else of_rows(made, rows)


@defines(Bidirectional)
def _both_ways(layer: Any, inputs: Sequence[Any], ctx: ForwardContext, saved: WrapperRun) -> Any:
    x, *given = inputs
    half, outputs, states = len(given) // 2, [], []
    for i, (part, inner) in enumerate(zip(layer.sublayers, saved.inner, strict=True)):
        y, *rest = again(part, [x, *given[i * half : (i + 1) * half]], inner)
        outputs.append(ops.flip(y, axis=1) if layer.return_sequences and part.go_backwards else y)
        states += rest
    one, other = outputs
    if layer.merge_mode is None:
        return [one, other, *states]
    merged = {
        "concat": lambda: ops.concatenate([one, other], axis=-1),
        "sum": lambda: one + other,
        "mul": lambda: one * other,
        "ave": lambda: (one + other) * 0.5,
    }[layer.merge_mode]()
    return [merged, *states]


@defines(SpectralNormalization)
def _divided(layer: SpectralNormalization, inputs: Sequence[Any], ctx: ForwardContext, saved: WrapperRun) -> Any:
    if saved.own is None:
        return again(layer.layer, inputs, saved.inner[0])
    kernel = ops.reshape(getattr(layer.layer, layer.attribute), (-1, saved.own.u.shape[1]))
    divided = kernel / ops.matmul(ops.matmul(saved.own.v, kernel), saved.own.u.T)
    with _standing_in(layer.layer, layer.attribute, ops.reshape(divided, saved.own.kernel.shape)):
        return again(layer.layer, inputs, saved.inner[0])


@contextmanager
def _standing_in(layer: Layer, attribute: str, tensor: Tensor) -> Iterator[None]:
    """Within the block a tensor stands in for the layer's kernel."""
    before = getattr(layer, attribute)
    setattr(layer, attribute, tensor)
    try:
        yield
    finally:
        setattr(layer, attribute, before)
