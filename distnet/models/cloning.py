"""Copies of models, with new layers: ``clone_model``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from distnet.errors import ArgumentError, ShapeError
from distnet.layers import LAYERS, Input, InputLayer, Lambda, Layer
from distnet.layers.engine.base import KerasTensor, placeholders
from distnet.layers.engine.structures import leaves, mapped, packed
from distnet.layers.operations import Operation
from distnet.models.composite import Composite
from distnet.models.functional import Functional
from distnet.models.model import Model
from distnet.models.sequential import Sequential
from distnet.registry import custom_object_scope, registered_name
from distnet.registry.constructors import is_like

M = TypeVar("M", bound=Model)


def clone_model(
    model: M,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> M:
    """A model with the same layers and new weights, compiled like the original.

    Args:
        input_tensors: placeholders at which the clone begins, in the form of ``model.input``; by default new ones.
        clone_function: maps each layer to its clone; by default a layer with the same configuration.
        call_function: calls a layer on its arguments, ``call_function(layer, *args, **kwargs)``; or on others.
        recursive: whether models among the layers are cloned in the same way instead of by ``clone_function``.

    Raises:
        ArgumentError: not a model, not placeholders, or a ``call_function`` for a Sequential.
        ShapeError: ``input_tensors`` have another form.

    Source: ``keras.models.clone_model``.
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"clone_model: expected a model, received {model!r}.")
    for function in (clone_function, call_function):
        if function is not None and not callable(function):
            raise ArgumentError(f"clone_model: expected a function, received {function!r}.")
    if isinstance(model, Sequential) and call_function is not None:
        raise ArgumentError("clone_model: call_function is for functional models; a Sequential lists its layers.")
    if not model.is_graph:
        return cast(M, _of_own_call(model))
    made = _Cloning(clone_function, call_function, recursive).clone(model, input_tensors)
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return cast(M, made)


def _same(layer: Layer) -> Layer:
    """A layer with the same configuration."""
    if isinstance(layer, Operation):
        return layer.anew()
    if isinstance(layer, Lambda):
        return layer.copy()
    with custom_object_scope({registered_name(type(layer)): type(layer)}):
        return LAYERS.get(layer.as_json())


def _of_own_call(model: Any) -> Model:
    """A model with the same configuration, built and compiled like the original."""
    made = cast(Model, _same(model))
    if model.built:
        cast(Any, made).build_from_config(model.get_build_config())
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


class _Cloning:
    """Clones each layer once, even if it is used several times."""

    def __init__(
        self, clone_function: Callable[[Layer], Layer] | None, call_function: Callable[..., Any] | None, deep: bool
    ) -> None:
        self.clone_function = clone_function or _same
        self.call_function = call_function
        self.deep = deep
        self._made: dict[Layer, Layer] = {}

    def clone(self, model: Model, input_tensors: Any) -> Model:
        if isinstance(model, Sequential):
            return self._sequential(model, input_tensors)
        return self._functional(cast(Functional, model), input_tensors)

    def _layer(self, layer: Layer) -> Layer:
        if layer not in self._made:
            is_inner = self.deep and isinstance(layer, Composite) and layer.is_graph
            self._made[layer] = self.clone(cast(Model, layer), None) if is_inner else self.clone_function(layer)
        return self._made[layer]

    def _sequential(self, model: Sequential, input_tensors: Any) -> Model:
        entry: list[KerasTensor] = []
        if input_tensors is not None:
            given = _checked(input_tensors, model.input)
            if not isinstance(given[0].call.layer, InputLayer):
                raise ArgumentError("clone_model: a Sequential begins at an Input(...): call the clone on the tensor.")
            entry = given
        elif model.built:
            entry = [_entry(model.inputs[0])]
        layers: list[Layer | KerasTensor] = [*entry, *(self._layer(layer) for layer in model.layers)]
        kind = type(model) if is_like(type(model), Sequential) else Sequential
        return kind(layers, name=model.name, trainable=model.trainable)

    def _functional(self, model: Functional, input_tensors: Any) -> Model:
        if input_tensors is None:
            inputs = [_entry(tensor) for tensor in model.inputs]
        else:
            inputs = _checked(input_tensors, model.input)
        new: dict[KerasTensor, Any] = dict(zip(model.inputs, inputs, strict=True))

        def renewed(structure: Any) -> Any:
            return mapped(lambda leaf: new.get(leaf, leaf) if isinstance(leaf, KerasTensor) else leaf, structure)

        for call in model.whole_trace.calls:
            layer, args, kwargs = self._layer(call.layer), renewed(call.args), renewed(call.kwargs)
            result = (
                layer(*args, **kwargs) if self.call_function is None else self.call_function(layer, *args, **kwargs)
            )
            new.update(zip(call.outputs, placeholders(result), strict=True))
        kind = type(model) if is_like(type(model), Functional) else Functional
        copied = kind(packed(model.input, inputs), renewed(model.output), name=model.name)
        copied.graph.as_in_keras_2 = model.graph.as_in_keras_2
        copied.add_ends((name, new[tensor]) for name, tensor in model.added_ends)
        return copied


def _entry(tensor: KerasTensor) -> KerasTensor:
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _checked(given: Any, wanted: Any) -> list[KerasTensor]:
    tensors, expected = list(leaves(given)), list(leaves(wanted))
    if not all(isinstance(tensor, KerasTensor) for tensor in tensors):
        raise ArgumentError(f"clone_model: input_tensors: expected placeholders of Input(...), received {given!r}.")
    if len(tensors) != len(expected):
        raise ShapeError(f"clone_model: input_tensors: expected {len(expected)} placeholders, received {len(tensors)}.")
    return tensors
