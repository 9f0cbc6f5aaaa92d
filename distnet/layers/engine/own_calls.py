"""Calls of layers that define ``call``: on placeholders, and by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from distnet import addresses
from distnet.layers.engine import trial
from distnet.layers.engine.base import Call, KerasTensor
from distnet.layers.engine.by_hand import as_list
from distnet.layers.engine.call_arguments import as_input, bound, build_arguments, shapes_by_name
from distnet.layers.engine.call_scope import in_call, present_call
from distnet.layers.engine.calling import forget_penalties
from distnet.layers.engine.context import BuildContext
from distnet.layers.engine.inline import has_own_mask, run
from distnet.layers.engine.input_spec import check_inputs
from distnet.layers.engine.on_tensors import as_tensor, by_hand, shared_out
from distnet.layers.engine.structures import filled, leaves, mapped, slotted
from distnet.naming import path_within, within
from distnet.ops.recording import is_recording, note_called
from distnet.ops.tape import following
from distnet.ops.tensor import Tensor
from distnet.results import as_result
from distnet.types import Array


def built(
    layer: Any,
    shapes: Mapping[str, Any],
    ctx: BuildContext | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> None:
    """Build the layer by its ``build``; layers within that it leaves unbuilt are built when they are called.

    Args:
        arguments: what ``build`` is called with; by default the shapes.
    """
    path = path_within(layer.name) if ctx is None else ctx.path
    layer._path = path
    if "_address" not in vars(layer):
        layer._address = (addresses.job_seed(), "layer", addresses.next_build_index()) if ctx is None else ctx.address
    layer._building = BuildContext(path, np.dtype(layer.dtype), layer._address, layer._variables)
    try:
        with within(path):
            layer.build(**(build_arguments(layer, shapes) if arguments is None else arguments))
    finally:
        layer._building = None
    layer.built_shape = layer.input_shape = next(iter(shapes.values()), None)
    layer.built_shapes = shapes
    initial = vars(layer).get("initial_weights")
    if initial is not None:
        layer.set_weights(as_list(initial))


def on_placeholders(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], says_shape: bool) -> Any:
    """A node of a model.

    Args:
        says_shape: whether the class has a ``compute_output_shape`` of its own.
    """
    arguments, tensors = slotted((args, kwargs), lambda leaf: isinstance(leaf, KerasTensor))
    _check_first(layer, args, kwargs)
    if layer.built_shape is None:
        built(layer, shapes_by_name(layer, args, kwargs))
        _check_first(layer, args, kwargs)
    if says_shape:
        trial.build_within(layer, trial.Tried.on(tensors, arguments))
        specs = trial.as_specs(
            layer.compute_output_shape(
                **build_arguments(layer, shapes_by_name(layer, args, kwargs), "compute_output_shape")
            ),
            layer.dtype,
        )
    else:
        specs = trial.specs(layer, trial.Tried.on(tensors, arguments))
    return as_node(layer, args, kwargs, specs)


def as_node(layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], specs: Any) -> Any:
    """The placeholders of a call on placeholders, which is known to give such tensors."""
    arguments, tensors = slotted((args, kwargs), lambda leaf: isinstance(leaf, KerasTensor))
    options: dict[str, Any] = {"arguments": arguments}
    if kwargs.get("training") is not None:
        options["training"] = kwargs["training"]
    call = Call(layer, len(layer.calls), tuple(tensors), options, args, kwargs)
    call.outputs = tuple(KerasTensor(s.shape, s.dtype, call, i) for i, s in enumerate(leaves(specs)))
    passes = layer.supports_masking or has_own_mask(layer)
    call.is_masked = any(s.is_masked for s in leaves(specs)) or (passes and any(t.may_be_masked for t in tensors))
    layer.calls.append(call)
    layer._form = mapped(lambda spec: None, specs) if trial.is_nest(specs) else None
    forget_penalties([layer])
    return layer.in_form(call.outputs)


def on_arrays(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``call`` gives for arrays or tensors; tensors where these are, or a tape records."""
    are_tensors = any(isinstance(leaf, Tensor) for leaf in leaves((args, kwargs)))
    args, kwargs = (mapped(lambda leaf: as_input(layer, leaf), part) for part in (args, kwargs))
    _check_first(layer, args, kwargs)
    if layer.built_shape is None:
        built(layer, shapes_by_name(layer, args, kwargs))
        _check_first(layer, args, kwargs)
    scope = present_call()
    if scope is not None:
        with in_call(scope):
            return run(layer, args, kwargs, scope)
    note_called(layer, kwargs.get("training"))
    args, kwargs = _shared_out(args, kwargs)
    first = next((leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Tensor)), None)
    forget_penalties([layer])
    with by_hand(first) as scope, following(is_recorded=False, is_call=True):
        y = run(layer, args, kwargs, scope)
        is_kept = are_tensors or is_recording()
    for owner, loss in scope.losses:
        owner.activity_penalties.append(loss if is_kept else float(loss.value))
    return y if is_kept else mapped(_as_result, y)


def _check_first(layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Hold the first argument to what the layer says of its inputs."""
    if layer.input_spec is not None:
        check_inputs(layer, args[0] if args else next(iter(bound(layer, args, kwargs).values()), None))


def _shared_out(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of a call by hand, of which each rank takes its rows where a tape is open."""
    template, tensors = slotted((args, kwargs), lambda leaf: isinstance(leaf, Tensor))
    return cast("tuple[Any, Any]", filled(template, shared_out(tensors)) if tensors else (args, kwargs))


def as_array(layer: Any, value: Any) -> Any:
    """A number, or lists of numbers, as an array; anything else as it is."""
    numbers = list(leaves(value))
    if numbers and all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
        array: Array = np.asarray(value)
        return array.astype(layer.dtype) if array.dtype.kind == "f" else array
    return value


def _as_result(tensor: Tensor) -> Any:
    mask = tensor._keras_mask
    return as_result(tensor.value.copy(), None if mask is None else as_tensor(mask).value)
