"""What follows from a layer's ``call``: its output's shape, its gradient, its weights.

A layer that defines ``call`` over the functions of ``distnet.ops`` needs neither ``forward`` nor ``backward``: ``call``
is run on tensors that are followed.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, cast

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.layers.engine import added_metrics, trial
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.base import KerasTensor, Layer
from distnet.layers.engine.build_config import as_shapes
from distnet.layers.engine.call_arguments import signature_of
from distnet.layers.engine.call_scope import present_call
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.declared import dtype_name
from distnet.layers.engine.on_tensors import as_tensor, call_on_tensors
from distnet.layers.engine.own_calls import as_array, built, on_arrays, on_placeholders
from distnet.layers.engine.recorded_call import Recorded, arguments_of, recorded
from distnet.layers.engine.structures import filled, leaves, packed
from distnet.layers.engine.tracking import new_variable, own_variables, sublayers
from distnet.ops.operators import PRIMITIVES
from distnet.ops.routes import Route
from distnet.ops.tape import node_of
from distnet.ops.tensor import Tensor
from distnet.registry.constructors import constructor_arguments
from distnet.types import STRING, Json, Shape
from distnet.variables import Variable

_OF_EVERY_LAYER = ("name", "trainable", "dtype", "autocast", "activity_regularizer")
"""What a configuration has though a constructor may not take it."""


class ByCall(Layer):
    """The methods of a layer that defines ``call``: each class that does is given those it does not override."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "calls" not in vars(self):
            raise ArgumentError(f"{type(self).__name__}: its __init__ must call super().__init__() first.")
        args = tuple(as_array(self, arg) for arg in args)
        kinds = {type(leaf) for leaf in leaves((args, kwargs))}
        if any(issubclass(kind, KerasTensor) for kind in kinds):
            says_shape = type(self).compute_output_shape is not ByCall.compute_output_shape
            return on_placeholders(self, args, kwargs, says_shape)
        return on_arrays(self, args, kwargs)

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        if self.built_shape is not None:
            return
        built(self, {f"{_first_name(self)}_shape": shape}, ctx)

    def build_with(self, arguments: Mapping[str, Any]) -> None:
        """Build it by arguments of the user's own ``build``, of which those named after shapes are shapes."""
        named = {key: value for key, value in arguments.items() if key != "self"}
        shapes = {key: value for key, value in named.items() if key.endswith("shape")} or {"input_shape": ()}
        built(self, shapes, arguments=named)

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        shapes = config.get("shapes_dict")
        if shapes and self.built_shape is None:
            built(self, as_shapes(shapes))
        else:
            AbstractLayer.build_from_config(self, config)

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
        specs = trial.specs(self, trial.Tried(inputs, arguments_of(options, len(shapes))))
        made = [spec.shape for spec in leaves(specs)]
        return made if len(made) > 1 or trial.is_nest(specs) else made[0]

    def in_form(self, outputs: Sequence[Any]) -> Any:
        form = vars(self).get("_form")
        return Layer.in_form(self, outputs) if form is None else packed(form, outputs)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Recorded]:
        arrays = x if isinstance(x, list) else [x]
        saved = recorded(self, arrays, copy(ctx), ctx.is_recorded)
        if ctx.turn is not None:
            ctx.turn.penalties += [(self, float(loss.value)) for loss in saved.losses]
        made = [output.value for output in saved.outputs]
        return made if len(made) > 1 else made[0], saved

    def backward(self, dy: Any, saved: Recorded, ctx: BackwardContext) -> Any:
        if not saved.is_recorded:
            saved = recorded(self, [t.value for t in saved.inputs], saved.ctx, True)
        if not ctx.needs_input_gradient:
            for tensor in saved.inputs:
                tensor.node = None  # so that none is computed
        dys = dy if isinstance(dy, list) else [dy]
        results = [(t, d) for t, d in zip(saved.outputs, dys, strict=True) if d is not None]
        results += [(t, np.ones_like(t.value)) for t in saved.losses]
        trained = ctx.workspaces.once((self, "trained"), lambda: [v for v in self.unfrozen_weights if v.is_trained])
        sources = [(node_of(v), 0) for v in trained]
        for variable, (node, _) in zip(trained, sources, strict=True):
            node.memory = ctx.memory_for(variable)
        wanted = [*sources, *[(t.node, 0) for t in saved.inputs if t.node is not None]]
        made = ctx.workspaces.once((self, ctx.call, "route"), Route).gradients(results, wanted, saved.trail)
        is_first = not saved.ctx.is_spread or communicator().rank == 0
        idle = []
        for variable, key in zip(trained, sources, strict=True):
            key[0].memory = None
            if not _add_parts(ctx, variable, made.own.get(key), made.shared.get(key), is_first):
                idle.append(variable.path)
        is_called_once = len(self.calls) < 2  # else another call may use them
        if idle and results and is_called_once and not vars(self).get("_has_warned"):
            self._has_warned = True
            _warn_of_idle(self, idle)
        dxs = [None if t.node is None else made.shared.get((t.node, 0)) for t in saved.inputs]
        return dxs if len(dxs) > 1 else dxs[0]

    def mask_after(self, x: Any, mask: Any, saved: Recorded) -> Any:
        masks = [None if t._keras_mask is None else as_tensor(t._keras_mask).value for t in saved.outputs]
        if not any(m is not None for m in masks):
            return None
        return masks if len(masks) > 1 else masks[0]

    def penalty(self, saved: Recorded) -> float:
        if not saved.losses or (saved.ctx.is_spread and communicator().rank != 0):
            return 0.0
        return float(sum(loss.value for loss in saved.losses))

    @property
    def has_penalty(self) -> bool:
        return True

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        return any(t.dtype == STRING or np.dtype(t.dtype).kind != "f" for call in self.calls for t in call.inputs)

    def inner_layers(self) -> list[tuple[str, Layer]]:
        return cast("list[tuple[str, Layer]]", sublayers(self))

    @property
    def variables(self) -> list[Variable]:
        return _each_once(own_variables(self), *(layer.variables for _, layer in sublayers(self)))

    @property
    def unfrozen_weights(self) -> list[Variable]:
        own = [v for v in own_variables(self) if v.trainable and self.trainable]
        return _each_once(own, *(layer.unfrozen_weights for _, layer in sublayers(self)))

    @property
    def trainable_weights(self) -> list[Variable]:
        return self.unfrozen_weights if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return self.variables
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.all_weights() if id(v) not in trained]

    def all_weights(self) -> list[Variable]:
        return _each_once(own_variables(self), *(layer.weights for _, layer in sublayers(self)))

    @property
    def trainable(self) -> bool:
        """Whether training updates its weights; setting it sets that of the layers within, as in Keras."""
        return bool(vars(self).get("_is_trainable", True))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        vars(self)["_is_trainable"] = bool(value)
        for _, layer in sublayers(self) if "calls" in vars(self) else ():
            layer.trainable = bool(value)

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

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = None) -> None:
        """Average what is computed within ``call`` over the batches, under a name in the logs.

        Args:
            value: a number, or numbers whose mean counts; what a call of a metric returned stands for that metric.
            name: the key.
            aggregation: "mean".

        Raises:
            ArgumentError: there is no name, or another aggregation.

        Source: ``keras.layers.Layer.add_metric`` of Keras 2.
        """
        added_metrics.add(self, value, name, aggregation)


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
    cls.repeats = False  # whatever the built-in class before it says of its own forward
    for name, value in vars(ByCall).items():
        is_given = name in ("forward", "backward") or not any(name in vars(c) for c in own)
        if (name == "__call__" or not name.startswith("_")) and is_given:
            setattr(cls, name, value)


AbstractLayer.take_call = staticmethod(take_call)


def is_dataclass_of_its_own(cls: type) -> bool:
    """Whether the class's fields are its constructor."""
    return "__dataclass_fields__" in vars(cls)


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
        args, kwargs = filled(arguments_of(options, len(tensors)), tensors)
        made = layer(*args, **{**kwargs, **({} if training is None else {"training": training})})
    else:
        given = {key: value for key, value in options.items() if key not in ("training", "mask")}
        given.update({} if training is None else {"training": training})
        given.update({} if masks is None else {"mask": masks})
        made = call_on_tensors(layer, tensors, given)
    return list(leaves(made))


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


def _add_parts(ctx: BackwardContext, variable: Variable, own: Any, shared: Any, is_first: bool) -> bool:
    """Add a weight's gradient: this rank's part, and, on the first rank, what all ranks have. Whether there is any.

    What lies in the gradient's own memory already comes first.
    """
    parts = [part for part in (own, shared if is_first else None) if part is not None]
    if len(parts) > 1 and shared is variable.grad:
        parts.reverse()
    for part in parts:
        ctx.add(variable, part)
    if not parts:
        ctx.add_nothing(variable)
    return own is not None or shared is not None


def _warn_of_idle(layer: Any, names: Sequence[str]) -> None:
    if communicator().rank == 0:
        warnings.warn(
            f"{layer.name}: no gradient flows to {names}: what call returns does not depend on them, or they were used "
            "through NumPy. They stay as they are.",
            stacklevel=2,
        )


def _each_once(*lists: Sequence[Variable]) -> list[Variable]:
    return list({id(v): v for variables in lists for v in variables}.values())
