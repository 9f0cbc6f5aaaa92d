"""What follows from a layer's ``call``: its output's shape, its gradient, its weights.

A layer that defines ``call`` over the functions of ``distnet.ops`` needs neither ``forward`` nor ``backward``: ``call``
is run on tensors that are followed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from distnet import addresses
from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.layers.engine import trial
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.base import Call, KerasTensor, Layer
from distnet.layers.engine.by_hand import as_list
from distnet.layers.engine.call_arguments import as_input, build_arguments, shapes_by_name, signature_of
from distnet.layers.engine.call_scope import CallScope, calling, present_call
from distnet.layers.engine.calling import forget_penalties
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.declared import dtype_name
from distnet.layers.engine.inline import has_own_mask, run
from distnet.layers.engine.on_tensors import as_tensor, by_hand, call_on_tensors, shared_out
from distnet.layers.engine.structures import filled, leaves, mapped, packed, slotted
from distnet.layers.engine.tracking import new_variable, own_variables, sublayers
from distnet.naming import path_within, within
from distnet.ops import tape
from distnet.ops.operators import PRIMITIVES
from distnet.ops.recording import is_recording
from distnet.ops.spread import own_rows, varied
from distnet.ops.tape import following, node_of
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.registry.constructors import constructor_arguments
from distnet.results import as_result
from distnet.types import Array, Json, Shape
from distnet.variables import Variable

_OF_EVERY_LAYER = ("name", "trainable", "dtype", "autocast", "activity_regularizer")
"""What a configuration has though a constructor may not take it."""


@dataclass
class Recorded:
    """One run of ``call``.

    Args:
        inputs: the tensors it was called on.
        outputs: what it returned, in order, as the graph takes it.
        losses: what was added to the loss within it.
        ctx: of the run.
        is_recorded: whether gradients can be taken of it.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    losses: list[Tensor]
    ctx: ForwardContext
    is_recorded: bool


class ByCall(Layer):
    """The methods of a layer that defines ``call``: each class that does is given those it does not override."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "calls" not in vars(self):
            raise ArgumentError(f"{type(self).__name__}: its __init__ must call super().__init__() first.")
        kinds = {type(leaf) for leaf in leaves((args, kwargs))}
        if any(issubclass(kind, KerasTensor) for kind in kinds):
            return _on_placeholders(self, args, kwargs)
        return _on_arrays(self, args, kwargs)

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        if self.built_shape is not None:
            return
        _build(self, {f"{_first_name(self)}_shape": shape}, ctx)

    def compute_output_shape(self, shape: Any) -> Any:
        """Computed by a trial of ``call``."""
        return self.compute_call_shape(shape, {})

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        shapes = _shapes(shape)
        last = (
            self.calls[-1].inputs if self.calls and len(self.calls[-1].inputs) == len(shapes) else [None] * len(shapes)
        )
        inputs = [
            trial.Spec(s, self.dtype) if t is None else trial.Spec(s, t.dtype, t.may_be_masked)
            for s, t in zip(shapes, last, strict=True)
        ]
        specs = trial.specs(self, trial.Tried(inputs, _arguments(options, len(shapes))))
        found = [spec.shape for spec in leaves(specs)]
        return found if len(found) > 1 or trial.is_nest(specs) else found[0]

    def in_form(self, outputs: Sequence[Any]) -> Any:
        form = vars(self).get("_form")
        return Layer.in_form(self, outputs) if form is None else packed(form, outputs)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Recorded]:
        arrays = x if isinstance(x, list) else [x]
        saved = _recorded(self, arrays, replace(ctx), ctx.is_recorded)
        if ctx.turn is not None:
            ctx.turn.penalties += [(self, float(loss.value)) for loss in saved.losses]
        made = [output.value for output in saved.outputs]
        return made if len(made) > 1 else made[0], saved

    def backward(self, dy: Any, saved: Recorded, ctx: BackwardContext) -> Any:
        if not saved.is_recorded:
            saved = _recorded(self, [t.value for t in saved.inputs], saved.ctx, True)
        if not ctx.needs_input_gradient:
            for tensor in saved.inputs:
                tensor.node = None  # so that none is computed
        dys = dy if isinstance(dy, list) else [dy]
        results = [(t, d) for t, d in zip(saved.outputs, dys, strict=True) if d is not None]
        results += [(t, np.ones_like(t.value)) for t in saved.losses]
        trained = ctx.workspaces.once((self, "trained"), lambda: [v for v in self.trainable_weights if v.is_trained])
        sources = [(node_of(v), 0) for v in trained]
        wanted = [(t.node, 0) for t in saved.inputs if t.node is not None]
        made = tape.gradients(results, [*sources, *wanted])
        is_first = communicator().rank == 0 or not saved.ctx.is_spread
        for variable, key in zip(trained, sources, strict=True):
            if key in made.own:
                ctx.add(variable, made.own[key])
            if key in made.shared and is_first:
                ctx.add(variable, made.shared[key])
        dxs = [None if t.node is None else made.shared.get((t.node, 0)) for t in saved.inputs]
        return dxs if len(dxs) > 1 else dxs[0]

    def mask_after(self, x: Any, mask: Any, saved: Recorded) -> Any:
        masks = [None if t._keras_mask is None else as_tensor(t._keras_mask).value for t in saved.outputs]
        if all(m is None for m in masks):
            return None
        return masks if len(masks) > 1 else masks[0]

    def penalty(self, saved: Recorded) -> float:
        is_first = communicator().rank == 0 or not saved.ctx.is_spread
        return float(sum(loss.value for loss in saved.losses)) if is_first else 0.0

    @property
    def has_penalty(self) -> bool:
        return True

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        return any(np.dtype(t.dtype).kind != "f" for call in self.calls for t in call.inputs)

    def inner_layers(self) -> list[tuple[str, Layer]]:
        return cast("list[tuple[str, Layer]]", sublayers(self))

    @property
    def variables(self) -> list[Variable]:
        return _each_once(own_variables(self), *(layer.variables for _, layer in sublayers(self)))

    @property
    def trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return []
        own = [v for v in own_variables(self) if v.trainable]
        return _each_once(own, *(layer.trainable_weights for _, layer in sublayers(self)))

    @property
    def non_trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return self.variables
        own = [v for v in own_variables(self) if not v.trainable]
        return _each_once(own, *(layer.non_trainable_weights for _, layer in sublayers(self)))

    def all_weights(self) -> list[Variable]:
        return _each_once(own_variables(self), *(layer.weights for _, layer in sublayers(self)))

    @property
    def built(self) -> bool:
        """Whether ``build`` has run."""
        return self.built_shape is not None

    @built.setter
    def built(self, value: bool) -> None:
        """Keras 1's and 2's layers say it themselves."""

    def get_config(self) -> dict[str, Json]:
        """The arguments of the constructor, with name, ``trainable`` and dtype.

        Raises:
            ArgumentError: an argument has no JSON form.

        Source: ``keras.Operation.get_config``.
        """
        base = Layer.get_config(self)
        return (
            base if is_dataclass_of_its_own(type(self)) else {**base, **constructor_arguments(self, self.constructed)}
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Make the layer; name, ``trainable`` and dtype are set if its constructor does not take them."""
        config = {key: value for key, value in config.items() if key != "quantization_config" or value is not None}
        parameters = inspect.signature(cls).parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) or is_dataclass_of_its_own(cls):
            return super(AbstractLayer, cls).from_config(config)
        later = {key: config[key] for key in _OF_EVERY_LAYER if key in config and key not in parameters}
        made = cls(**{key: value for key, value in config.items() if key not in later})
        for key, value in later.items():
            setattr(made, key, dtype_name(value, made.name, made.dtypes) if key == "dtype" else value)
        return made

    def add_weight(
        self, *args: Any, shape: Any = None, initializer: Any = None, dtype: Any = None, trainable: bool = True,
        regularizer: Any = None, constraint: Any = None, name: str | None = None, **ignored: Any,
    ) -> Variable:  # fmt: skip
        """A new weight.

        Args:
            args: the shape, or, as in Keras 1 and 2, the name and the shape; then the initializer.
            shape: of the array; () for a number, by default.
            initializer: by default ``"glorot_uniform"``; of integers ``"zeros"``.
            dtype: the layer's by default.
            trainable: whether it has a gradient; a layer's state has none.
            regularizer, constraint: as layers' arguments are.
            name: within the layer.
            ignored: Keras's arguments that say how TensorFlow keeps it.

        Raises:
            ArgumentError: the shape is not known.

        Source: ``keras.layers.Layer.add_weight``.
        """
        given = list(args)
        if given and (given[0] is None or isinstance(given[0], str)):
            name = given.pop(0)
        if given:
            shape = given.pop(0)
        if given and isinstance(given[0], str | np.dtype | type) and _is_dtype(given[0]):
            dtype = given.pop(0)
        if given:
            initializer = given.pop(0)
        return new_variable(self, name, shape, initializer, dtype, trainable, regularizer, constraint)

    def add_loss(self, losses: Any, *args: Any, **kwargs: Any) -> None:
        """Add to the loss what was computed within ``call``: a number, or numbers whose sum counts.

        Source: ``keras.layers.Layer.add_loss``.
        """
        scope = present_call()
        for loss in leaves(losses):
            made = loss() if callable(loss) else loss
            total = PRIMITIVES["Sum"](as_tensor(made)) if np.ndim(made) else as_tensor(made)
            if scope is None:
                self.activity_penalties.append(total)  # type: ignore[arg-type]
            else:
                scope.losses.append((self, total))


def take_call(cls: Any) -> None:
    """Give a class whose ``call`` comes before any ``forward`` the methods that follow from it."""
    order = cls.__mro__
    first = next((c for c in order if "call" in vars(c)), None)
    if first is None or not cls.follows_call:
        return
    built_in = next(c for c in order if c is Layer or ("forward" in vars(c) and "is_by_call" not in vars(c)))
    own = order[: order.index(built_in)]
    if first not in own:
        return
    cls.is_by_call = True
    for name, value in vars(ByCall).items():
        is_given = name in ("forward", "backward") or not any(name in vars(c) for c in own)
        if (name == "__call__" or not name.startswith("_")) and is_given:
            setattr(cls, name, value)


AbstractLayer.take_call = staticmethod(take_call)


def is_dataclass_of_its_own(cls: type) -> bool:
    """Whether the class's fields are its constructor."""
    return "__dataclass_fields__" in vars(cls)


def _build(layer: Any, shapes: Mapping[str, Any], ctx: BuildContext | None = None) -> None:
    """Build the layer by its ``build``; layers within that it leaves unbuilt are built when they are called."""
    path = path_within(layer.name) if ctx is None else ctx.path
    layer._path = path
    if "_address" not in vars(layer):
        layer._address = (addresses.job_seed(), "layer", addresses.next_build_index()) if ctx is None else ctx.address
    layer._building = BuildContext(path, np.dtype(layer.dtype), layer._address, layer._variables)
    try:
        with within(path):
            layer.build(**build_arguments(layer, shapes))
    finally:
        layer._building = None
    layer.built_shape = layer.input_shape = next(iter(shapes.values()), None)
    initial = vars(layer).get("initial_weights")
    if initial is not None:
        layer.set_weights(as_list(initial))


def _on_placeholders(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A node of a model."""
    arguments, tensors = slotted((args, kwargs), lambda leaf: isinstance(leaf, KerasTensor))
    options: dict[str, Any] = {"arguments": arguments}
    if kwargs.get("training") is not None:
        options["training"] = kwargs["training"]
    if layer.built_shape is None:
        _build(layer, shapes_by_name(layer, args, kwargs))
    if type(layer).compute_output_shape is not ByCall.compute_output_shape:
        trial.build_within(layer, trial.Tried.on(tensors, arguments))
        specs = trial.as_specs(
            layer.compute_output_shape(
                **build_arguments(layer, shapes_by_name(layer, args, kwargs), "compute_output_shape")
            ),
            layer.dtype,
        )
    else:
        specs = trial.specs(layer, trial.Tried.on(tensors, arguments))
    call = Call(layer, len(layer.calls), tuple(tensors), options, args, kwargs)
    call.outputs = tuple(KerasTensor(s.shape, s.dtype, call, i) for i, s in enumerate(leaves(specs)))
    passes = layer.supports_masking or has_own_mask(layer)
    call.is_masked = any(s.is_masked for s in leaves(specs)) or (passes and any(t.may_be_masked for t in tensors))
    layer.calls.append(call)
    layer._form = mapped(lambda spec: None, specs) if trial.is_nest(specs) else None
    forget_penalties([layer])
    return layer.in_form(call.outputs)


def _on_arrays(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``call`` gives for arrays or tensors; tensors where these are, or a tape records."""
    are_tensors = any(isinstance(leaf, Tensor) for leaf in leaves((args, kwargs)))
    args, kwargs = (mapped(lambda leaf: as_input(layer, leaf), part) for part in (args, kwargs))
    if layer.built_shape is None:
        _build(layer, shapes_by_name(layer, args, kwargs))
    scope = present_call()
    if scope is not None:
        return run(layer, args, kwargs, scope)
    args, kwargs = _shared_out(args, kwargs)
    first = next((leaf for leaf in leaves((args, kwargs)) if isinstance(leaf, Tensor)), None)
    forget_penalties([layer])
    with by_hand(first) as scope, following(is_recorded=False, is_call=True):
        y = run(layer, args, kwargs, scope)
        is_kept = are_tensors or is_recording()
    for owner, loss in scope.losses:
        owner.activity_penalties.append(loss if is_kept else float(loss.value))
    return y if is_kept else mapped(_as_result, y)


def call_of_node(
    layer: Any, tensors: Sequence[Tensor], options: Mapping[str, Any], training: bool | None, masks: Any
) -> list[Tensor]:
    """What a call in a graph gives for tensors.

    Args:
        layer: what is called.
        tensors: its inputs, in order.
        options: of the call.
        training: the mode.
        masks: given to the call by hand, one or None for each input; None where none were given.
    """
    if getattr(type(layer), "forward", None) is ByCall.forward:
        args, kwargs = filled(_arguments(options, len(tensors)), tensors)
        made = layer(*args, **{**kwargs, **({} if training is None else {"training": training})})
    else:
        given = {key: value for key, value in options.items() if key not in ("training", "mask")}
        given.update({} if training is None else {"training": training})
        given.update({} if masks is None else {"mask": masks})
        made = call_on_tensors(layer, tensors, given)
    return list(leaves(made))


def _shared_out(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of a call by hand, of which each rank takes its rows where a tape is open."""
    template, tensors = slotted((args, kwargs), lambda leaf: isinstance(leaf, Tensor))
    return cast("tuple[Any, Any]", filled(template, shared_out(tensors)) if tensors else (args, kwargs))


def _as_result(tensor: Tensor) -> Any:
    mask = tensor._keras_mask
    return as_result(tensor.value.copy(), None if mask is None else as_tensor(mask).value)


def _recorded(layer: Any, arrays: list[Array], ctx: ForwardContext, is_recorded: bool) -> Recorded:
    """One run of ``call`` on a rank's rows, as part of a graph."""
    rows = ctx.rows(len(arrays[0]))
    places = range(len(arrays)) if ctx.wanted is None else ctx.wanted
    has_gradient = [is_recorded and i in places and a.dtype.kind == "f" for i, a in enumerate(arrays)]
    inputs = [Tensor(a, TapeNode() if h else None, rows=rows) for a, h in zip(arrays, has_gradient, strict=True)]
    masks = ctx.mask if isinstance(ctx.mask, list) else [ctx.mask]
    for tensor, mask in zip(inputs, masks, strict=False):
        tensor._keras_mask = None if mask is None else Tensor(np.asarray(mask), rows=rows)
    args, kwargs = filled(_arguments(ctx.options, len(inputs)), inputs)
    scope = CallScope(ctx, ctx.training)
    with calling(scope), ctx.running(len(arrays[0])), following(is_recorded, is_call=True):
        y = run(layer, args, kwargs, scope, is_penalized=False)
        outputs = [_as_part(t, rows, layer.dtype) for t in leaves(y)]
    return Recorded(inputs, outputs, [loss for _, loss in scope.losses], ctx, is_recorded)


def _as_part(output: Tensor, rows: Rows | None, dtype: str) -> Tensor:
    """What the graph takes of an output: this rank's rows, or, of what has no rows, the whole."""
    if rows is None or output.rows is not None:
        return output
    part: Tensor = own_rows(output, rows) if output.shape[:1] == (rows.total,) else varied(output)
    part._keras_mask = output._keras_mask
    return part


def _arguments(options: Mapping[str, Any], count: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``call`` is called with, slots for the tensors."""
    given = options.get("arguments")
    if given is not None:
        return cast("tuple[tuple[Any, ...], dict[str, Any]]", given)
    first, _ = slotted([None] * count, lambda leaf: True)
    kwargs = {} if options.get("training") is None else {"training": options["training"]}
    return (first if count > 1 else first[0],), kwargs


def _shapes(shape: Any) -> list[Shape]:
    """The shapes of the tensors, in order."""
    if isinstance(shape, Mapping):
        return [tuple(s) for _, s in sorted(shape.items())]
    if isinstance(shape, list | tuple) and shape and isinstance(shape[0], list | tuple):
        return [tuple(s) for s in shape]
    return [tuple(shape)]


def _first_name(layer: Any) -> str:
    return next(iter(signature_of(layer).parameters), "inputs")


def _is_dtype(value: Any) -> bool:
    try:
        np.dtype(value)
    except TypeError:
        return False
    return True


def _each_once(*lists: Sequence[Variable]) -> list[Variable]:
    return list({id(v): v for variables in lists for v in variables}.values())
