"""Layers called on tensors, within a user's ``call`` or while a tape is open.

A layer of the user's runs its ``call``. A built-in one is one node of the tape, with its own forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import numpy as np

from distnet import addresses
from distnet.comm.scope import communicator
from distnet.comm.shares import shard
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.call_scope import CallScope, calling, in_call, in_mode, present_call
from distnet.layers.engine.calling import forget_penalties
from distnet.layers.engine.context import BackwardContext, ForwardContext, Turn, Workspaces
from distnet.layers.engine.followed_node import FollowedCall
from distnet.ops.present import present
from distnet.ops.recording import is_recording, note_called
from distnet.ops.spread import own_rows, varied
from distnet.ops.tape import gradients, leaf
from distnet.ops.tensor import Pull, Rows, TapeNode, Tensor
from distnet.types import Array
from distnet.variables import Penalty, Variable


def as_tensor(value: Any) -> Tensor:
    """An array, a result or a tensor as a tensor, with its mask."""
    if isinstance(value, Tensor):
        return value
    followed = getattr(value, "followed", None)
    if followed is not None:
        return followed  # type: ignore[no-any-return]
    made = Tensor(np.asarray(value))
    made._keras_mask = getattr(value, "_keras_mask", None)
    return made


@contextmanager
def by_hand(first: Tensor | None) -> Iterator[CallScope]:
    """Within the block layers are called by hand, on tensors like ``first``.

    Within a step of the user's, random numbers have addresses by its number, and by the number of the call in it.
    """
    count = first.shape[0] if first is not None and first.ndim else 1
    ctx = ForwardContext(None, addresses.job_seed(), 0, 0, count, Workspaces(), turn=Turn())
    scope = CallScope(ctx, None)
    run = present()
    if run is not None:
        ctx.seed, ctx.step = int(run.address()[0]), run.step
        if ctx.turn is not None:
            ctx.turn.number = run.next_draw()
        with calling(scope):
            yield scope
        return
    with calling(scope), ctx.running(count):
        yield scope


def built_in_class(cls: Any) -> Any:
    """The class that has ``forward`` and ``backward`` by hand, which others derived from it have by their ``call``."""
    return next(c for c in cls.__mro__ if "forward" in vars(c) and "is_by_call" not in vars(c))


def call_on_tensors(layer: AbstractLayer, given: Sequence[Any], options: Mapping[str, Any], kind: Any = None) -> Any:
    """A built-in layer's outputs for tensors: those of one node.

    Args:
        kind: the class whose ``forward`` and ``backward`` it is; by default the layer's.
    """
    kind = kind or type(layer)
    tensors = [as_tensor(value) for value in given]
    scope = present_call()
    if scope is None:
        note_called(layer, options.get("training"))
        tensors = shared_out(tensors)
        forget_penalties([layer])
        with by_hand(tensors[0]) as scope:
            made = call_on_tensors(layer, tensors, options, kind)
        keep_losses(scope)
        return made
    inline = getattr(layer, "on_tensors", None)
    if inline is not None and kind is type(layer):
        with in_call(scope), in_mode(scope, options.get("training", scope.training)):
            return layer.as_given(inline(tensors, options))
    shapes = [layer.shape_to_build(t.shape) for t in tensors]
    if kind is type(layer):
        layer.build_once(shapes if len(shapes) > 1 else shapes[0])
    rows = next((t.rows for t in tensors if t.rows is not None), None)
    inputs = [in_rows(t, rows) for t in tensors]
    x = [_as_taken(layer, t.value) for t in inputs]
    mask = _masks(tensors, options.get("mask"), rows)
    training = options.get("training")
    ctx = _context(scope, scope.training if training is None else training, x, rows, mask, options)
    y, saved = kind.forward(layer, x if len(x) > 1 else x[0], ctx)
    masks_after = kind.mask_after(layer, x if len(x) > 1 else x[0], mask if len(x) > 1 else mask[0], saved)
    parts = y if isinstance(y, list) else [y]
    node = _node(layer, kind, inputs, x, parts, saved, ctx, rows) if is_recording() else None
    each = masks_after if isinstance(masks_after, list) else [masks_after] * len(parts)
    outputs = [
        _output(part, node if part.dtype.kind == "f" else None, i, rows, m)
        for i, (part, m) in enumerate(zip(parts, each, strict=True))
    ]
    if kind is type(layer):
        penalize(layer, outputs, scope)
    if kind.has_penalty is not AbstractLayer.has_penalty and kind.has_penalty.fget(layer) and layer.penalty(saved):
        raise ArgumentError(
            f"{layer.name}: penalizes activities of layers within it, which a call within another layer's call cannot."
        )
    return kind.as_given(layer, outputs)


def _masks(tensors: Sequence[Tensor], given: Any, rows: Rows | None) -> list[Array | None]:
    """The masks of a call, those given or the tensors' own, of the rows at hand."""
    masks = given if isinstance(given, list | tuple) else [given]
    if given is None:
        masks = [t._keras_mask for t in tensors]
    return [None if m is None else in_rows(as_tensor(m), rows).value.astype(bool) for m in masks]


def shared_out(tensors: Sequence[Tensor]) -> list[Tensor]:
    """This rank's rows of what every rank has whole, where a tape is open; the tensors as they are elsewhere.

    So loops of the user's that call models on whole batches are shared by the ranks.
    """
    ranks = communicator()
    lengths = {t.shape[0] if t.ndim else 0 for t in tensors}
    if ranks.size == 1 or not is_recording() or len(lengths) != 1 or not all(lengths):
        return list(tensors)
    if any(t.rows is not None for t in tensors):
        return list(tensors)
    part = shard(tensors[0].shape[0], ranks.rank, ranks.size)
    rows = Rows(tensors[0].shape[0], part.start, part.stop - part.start)
    return [_share(tensor, rows) for tensor in tensors]


def _share(tensor: Tensor, rows: Rows) -> Tensor:
    made = own_rows(tensor, rows)
    part = Tensor(made.value, made.node, made.index, rows)
    if tensor._keras_mask is not None:
        part._keras_mask = _share(as_tensor(tensor._keras_mask), rows)
    return part


def keep_losses(scope: CallScope) -> None:
    """Keep on each layer what it added to the loss, for the attribute ``losses``."""
    for owner, loss in scope.losses:
        owner.activity_penalties.append(loss if is_recording() else float(loss.value))


def penalize(layer: AbstractLayer, outputs: Sequence[Any], scope: CallScope) -> None:
    """Add the penalty of the layer's activity to the losses of the call."""
    regularizer = layer.activity_regularizer
    if regularizer is None:
        return
    for output in outputs:
        rows = output.rows
        scale = layer.activity_scale(output.shape[0]) if output.ndim and output.shape[0] else 1.0
        if regularizer.is_differentiated:
            scope.losses.append((layer, regularizer(output) * scale))
            continue
        value = np.asarray(regularizer.value(output.value) * scale, output.dtype)
        if rows is not None:
            communicator().allreduce(value)
        pull = _penalty_pull(regularizer, output, scale)
        node = TapeNode((output,), pull) if is_recording() and output.node is not None else None
        scope.losses.append((layer, Tensor(value, node)))


def penalty_of(variable: Variable, regularizer: Penalty) -> Any:
    """The penalty of a weight; a tensor while a tape is open."""
    value = regularizer.value(variable.value)
    if not is_recording():
        return value

    weight = leaf(variable)

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        if is_followed:
            return [_followed_slope(regularizer, weight, dys[0])]
        return [np.asarray(dys[0] * regularizer.gradient(variable.value), variable.dtype)]

    return Tensor(np.asarray(value, variable.dtype), TapeNode((weight,), pull))


def _penalty_pull(regularizer: Any, output: Tensor, scale: float) -> Pull:
    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        if is_followed:
            return [_followed_slope(regularizer, output, dys[0] * scale)]
        return [np.asarray(dys[0] * (regularizer.gradient(output.value) * scale), output.dtype)]

    return pull


def _followed_slope(regularizer: Any, x: Tensor, dy: Any) -> Any:
    """The gradient of a penalty on ``x``, by its definition over functions of ``ops``."""
    source = cast(TapeNode, x.node), x.index
    return gradients([(regularizer.penalty(x), dy)], [source]).shared.get(source)


def in_rows(tensor: Tensor, rows: Rows | None) -> Tensor:
    """This rank's rows of a tensor, beside others of which it has only these."""
    if rows is None or tensor.rows is not None:
        return tensor
    if tensor.shape[:1] != (rows.total,):
        raise ShapeError(f"expected inputs of equally many rows, received {rows.total} and {tensor.shape}.")
    part: Tensor = own_rows(tensor, rows)
    return part


def _as_taken(layer: AbstractLayer, a: Array) -> Array:
    """The array in a dtype and a layout that the layer takes."""
    keeps = "iu" if layer.takes_integers else ""
    cast = a if a.dtype.kind in keeps or a.dtype == layer.dtype else a.astype(layer.dtype)
    return cast if layer.takes_views else np.ascontiguousarray(cast)


def _context(
    scope: CallScope, training: bool | None, x: list[Array], rows: Rows | None, mask: list[Any],
    options: Mapping[str, Any],
) -> ForwardContext:  # fmt: skip
    ctx: ForwardContext = replace(
        scope.ctx, call=scope.next_path(), training=training, options=dict(options), logits=frozenset(), wanted=None,
        mask=mask if len(x) > 1 else mask[0], first_row=0 if rows is None else rows.first,
        global_rows=len(x[0]) if rows is None else rows.total, is_spread=rows is not None,
    )  # fmt: skip
    if rows is None:
        ctx.sum_over_ranks = _of_one_rank
    else:
        ctx.sum_over_ranks = communicator().allreduce
    return ctx


def _of_one_rank(array: Array) -> None:
    """The sum over ranks of what all of them have."""


def _output(part: Array, node: TapeNode | None, index: int, rows: Rows | None, mask: Any) -> Tensor:
    made = Tensor(part, node, index, rows)
    if mask is not None:
        made._keras_mask = Tensor(np.asarray(mask), rows=rows)
    return made


def _node(
    layer: AbstractLayer, kind: Any, inputs: Sequence[Tensor], x: list[Array], parts: list[Array], saved: Any,
    ctx: ForwardContext, rows: Rows | None,
) -> TapeNode | None:  # fmt: skip
    """The node of one call, whose parents are the inputs and the trained weights."""
    trained = layer.unfrozen_weights
    weights = [leaf(v) if rows is None else varied(leaf(v)) for v in trained]
    parents = [t if t.dtype.kind == "f" else None for t in inputs]
    if not weights and all(t is None or t.node is None for t in parents):
        return None

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        dys = [*dys, *[None] * (len(parts) - len(dys))]
        if is_followed:
            given = [np.zeros_like(p) if dy is None else dy for dy, p in zip(dys, parts, strict=True)]
            return FollowedCall(layer, kind, inputs, trained, parts, ctx, saved).gradients(given)
        whole = [
            np.zeros_like(p) if dy is None else np.ascontiguousarray(dy, p.dtype)
            for dy, p in zip(dys, parts, strict=True)
        ]
        back = BackwardContext(
            ctx.workspaces, ctx.sum_over_ranks, any(t is not None and t.node is not None for t in parents), ctx.call,
            ctx.options, kernels=ctx.kernels,
        )  # fmt: skip
        dx, dws = _collected(
            trained, back, lambda: kind.backward(layer, whole if len(whole) > 1 else whole[0], saved, back)
        )
        dxs = dx if isinstance(dx, list) else [dx] * len(inputs) if dx is None else [dx]
        return [*(None if d is None else np.array(d, t.dtype) for d, t in zip(dxs, inputs, strict=True)), *dws]

    return TapeNode([*parents, *weights], pull)


def _collected(
    trained: Sequence[Variable], back: BackwardContext, run: Callable[[], Any]
) -> tuple[Any, list[Array | None]]:
    """What the run gives, and the gradients of the weights, which it adds to none that exist.

    Whether a weight was frozen when its model was laid out does not matter: what the layer says now does.
    """
    before = [(v.grad, v.frozen) for v in trained]
    for v in trained:
        v.grad, v.frozen = np.empty_like(v.value), False  # the first part overwrites it
    try:
        dx = run()
        return dx, [v.grad if id(v) in back.written else None for v in trained]
    finally:
        for v, kept in zip(trained, before, strict=True):
            v.grad, v.frozen = kept
