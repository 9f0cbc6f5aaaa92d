"""What a call of a model leaves on the tape of a user's own step: one node, with the gradients of a lent call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distnet.comm.scope import communicator
from distnet.layers.engine.call_scope import CallScope, present_call
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.followed_node import DEFINITIONS, FollowedCall
from distnet.layers.engine.on_tensors import in_rows
from distnet.models.lent_calls import LentCall, LentCalls
from distnet.ops.present import present
from distnet.ops.recording import STATE, is_in_call, is_recording
from distnet.ops.spread import varied
from distnet.ops.tape import leaf
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array
from distnet.variables import Variable


def on_lent_call(model: Any, given: Sequence[Tensor]) -> list[Tensor] | None:
    """The model's outputs within a user's step; None where each layer is to be called by itself.

    That is so within tapes that take gradients of gradients, in calls of layers, on masked tensors, and of models with
    users' layers or penalties of activities.
    """
    run, scope = present(), present_call()
    if run is None or run.kept is None or scope is None or scope.path is None or len(scope.path) != 1:
        return None
    is_plain = STATE.tapes < 2 and not is_in_call() and not any(t._keras_mask is not None for t in given)
    if not is_plain or not model.graph.can_be_lent or scope.ctx.turn is None:
        return None
    rows = next((t.rows for t in given if t.rows is not None), None)
    inputs = [in_rows(t, rows) for t in given]
    x = [t.value.astype(model.dtype, copy=False) if t.dtype.kind == "f" else t.value for t in inputs]
    trained = model.unfrozen_weights
    ctx = _context(scope, inputs)
    calls: LentCalls = run.kept.setdefault(model, LentCalls())
    call = calls.free(model.graph, x, ctx, trained, scope.ctx.turn.number)
    if call is None:
        return None
    try:
        made = call.outputs(x, ctx.step)
    except BaseException:
        calls.drop()
        raise
    node = _node(model, call, inputs, trained, made, ctx) if is_recording() else None
    outputs = [Tensor(part, node if part.dtype.kind == "f" else None, i, rows) for i, part in enumerate(made)]
    for output, mask in zip(outputs, call.masks, strict=True):
        output._keras_mask = None if mask is None else Tensor(mask, rows=rows)
    return outputs


def _context(scope: CallScope, inputs: Sequence[Tensor]) -> ForwardContext:
    rows = next((t.rows for t in inputs if t.rows is not None), None)
    recorded = is_recording()
    wanted = frozenset(i for i, t in enumerate(inputs) if recorded and t.node is not None and t.dtype.kind == "f")
    ctx: ForwardContext = replace(
        scope.ctx, call=scope.path, training=scope.training, options={}, is_recorded=recorded, wanted=wanted,
        first_row=0 if rows is None else rows.first, is_spread=rows is not None,
        global_rows=len(inputs[0].value) if rows is None else rows.total,
    )  # fmt: skip
    if rows is not None:
        ctx.sum_over_ranks = communicator().allreduce
    return ctx


def _node(
    model: Any, call: LentCall, inputs: Sequence[Tensor], trained: Sequence[Variable], made: Sequence[Array],
    ctx: ForwardContext,
) -> TapeNode | None:  # fmt: skip
    weights = [varied(leaf(v)) if ctx.is_spread else leaf(v) for v in trained]
    parents = [t if t.dtype.kind == "f" else None for t in inputs]
    wants_inputs = any(t is not None and t.node is not None for t in parents)
    if not weights and not wants_inputs:
        return None

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        dys = [*dys, *[None] * (len(made) - len(dys))]
        if is_followed:
            whole = [np.zeros_like(p) if dy is None else dy for dy, p in zip(dys, made, strict=True)]
            return FollowedCall(model, type(model), inputs, trained, made, ctx, None).gradients(whole)
        each = [None if dy is None else np.ascontiguousarray(dy, p.dtype) for dy, p in zip(dys, made, strict=True)]
        gradients = call.gradients(each, wants_inputs)
        return [
            None if d is None else d.astype(t.dtype, copy=False)
            for d, t in zip(gradients, (*inputs, *weights), strict=True)
        ]

    node = TapeNode([*parents, *weights], pull)
    call.lend(node)
    return node


def layer_by_layer(model: Any, inputs: Sequence[Any], ctx: Any, saved: Any) -> list[Any]:
    """What a model computes, with its states as they were before."""
    before = [(v, v.value.copy()) for v in model.variables if not v.trainable]
    made: list[Any] = model.graph.on_tensors(inputs, ctx.training)
    for variable, value in before:
        variable.value[...] = value
    return made


def define(kind: type) -> None:
    """Say how models of a kind are computed where gradients of their gradients are taken."""
    DEFINITIONS[kind] = layer_by_layer
