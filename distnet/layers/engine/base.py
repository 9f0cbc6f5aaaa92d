"""Layers, the placeholders that they are called on, and the calls that lie between."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

import numpy as np

from distnet.errors import ArgumentError, NotBuiltError, ShapeError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.build_config import built_as_said, has_own_build_config
from distnet.layers.engine.calling import call_on_arrays, forget_penalties
from distnet.layers.engine.keras_members import KerasMembers
from distnet.layers.engine.on_placeholders import Arithmetic
from distnet.layers.engine.on_tensors import built_in_class, call_on_tensors, penalty_of
from distnet.layers.engine.positions import take_in_keras_order
from distnet.layers.engine.structures import leaves
from distnet.layers.engine.tensor_shape import TensorShape
from distnet.old_names import accept_old_arguments
from distnet.ops.recording import is_recording
from distnet.ops.tensor import Tensor
from distnet.registry import Registry, to_json
from distnet.results import as_result
from distnet.types import Array, Json, Shape
from distnet.variables import Penalty

L = TypeVar("L", bound="type[Layer]")


@dataclass(eq=False, kw_only=True)
class Layer(KerasMembers, AbstractLayer):
    """One function of a network, with its gradient: see ``AbstractLayer`` for its arguments, and for what to override.

    Called on placeholders it becomes a node of a model, called on arrays it computes.

    Source: ``keras.layers.Layer``.
    """

    def __post_init__(self) -> None:
        self.calls: list[Call] = []
        super().__post_init__()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on placeholders, for a model, or on arrays, for their outputs.

        On arrays it is in inference mode unless told otherwise; layers that augment images are in training mode,
        as in Keras. Each such call draws other random numbers, the same on every rank.

        Args:
            args: the inputs, by position or by the names in ``call_arguments``, and what ``bind`` knows.
            kwargs: the same by name.

        Raises:
            ShapeError: inputs that the layer cannot take.
            ArgumentError: an argument is unknown.
        """
        first = self.call_arguments[0]
        if not args and first not in kwargs:
            raise ArgumentError(f"{self.name}: expected {first} to be called on, received {sorted(kwargs)}.")
        inputs, *args = args or (kwargs.pop(first),)  # type: ignore[assignment]
        tensors, options = self.bind(inputs, *args, **kwargs)
        _check_tensors(self.name, tensors, type(self).forward)
        if isinstance(tensors[0], Tensor) or (is_recording() and not isinstance(tensors[0], KerasTensor)):
            return call_on_tensors(self, tensors, options)
        if not isinstance(tensors[0], KerasTensor):
            return call_on_arrays(self, tensors, options)
        shapes = [t.shape for t in tensors]
        if "mask" in options:
            options = {**options, "mask": GivenMask.among(self, tensors, options["mask"])}
        self.build_once(shapes[0] if len(shapes) == 1 else shapes)
        call = Call(self, len(self.calls), tuple(tensors), options, (inputs, *args), kwargs)
        made = self.compute_call_shape(shapes[0] if len(shapes) == 1 else shapes, options)
        output_shapes = made if isinstance(made, list) else [made]
        has_rows = any(t.has_rows for t in tensors)
        call.outputs = tuple(KerasTensor(s, self.output_dtype, call, i, has_rows) for i, s in enumerate(output_shapes))
        call.is_masked = self.makes_masks or "mask" in options or any(t.may_be_masked for t in tensors)
        self.calls.append(call)
        forget_penalties([self])
        return self.in_form(call.outputs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes of tensors: ``super().call(inputs)`` of a class derived from a built-in layer."""
        kind = built_in_class(type(self))
        inputs, *args = args or (kwargs.pop(self.call_arguments[0]),)  # type: ignore[assignment]
        tensors, options = kind.bind(self, inputs, *args, **kwargs)
        return call_on_tensors(self, tensors, options, kind)

    def inner_layers(self) -> Iterable[tuple[str, Layer]]:
        """No layers; wrappers and models have some."""
        return ()

    @property
    def input(self) -> Any:
        """The placeholder that the layer was first called on, or the list of them.

        Raises:
            NotBuiltError: it was called on none.
        """
        tensors = self._first_call().inputs
        return tensors[0] if len(tensors) == 1 else list(tensors)

    @property
    def output(self) -> Any:
        """The placeholder that the layer's first call made, or the list of them.

        Raises:
            NotBuiltError: it was called on no placeholder.
        """
        tensors = self._first_call().outputs
        return tensors[0] if len(tensors) == 1 else list(tensors)

    @property
    def output_shape(self) -> Any:
        """The shape of the layer's output, with the batch axis, as Keras 2 has it; of several outputs a list.

        Raises:
            AttributeError: the layer is part of no model yet, or its calls give outputs of different shapes.
        """
        shapes = [tuple(tensor.shape for tensor in call.outputs) for call in self.calls]
        if not shapes or any(shape != shapes[0] for shape in shapes):
            received = f"calls with outputs of {shapes}" if shapes else "none"
            raise AttributeError(
                f"{self.name}.output_shape: expected a call on a placeholder, or several of one shape, received "
                f"{received}. Use the placeholder that a call returns: layer(x).shape."
            )
        return shapes[0][0] if len(shapes[0]) == 1 else list(shapes[0])

    def _first_call(self) -> Call:
        if not self.calls:
            raise NotBuiltError(f"{self.name}: is part of no model yet, so that it has neither input nor output.")
        return self.calls[0]

    @property
    def losses(self) -> list[Any]:
        """The penalties of the activities of the last call by hand, then that of each trained weight.

        Source: ``keras.layers.Layer.losses``.
        """
        regularized = [v for v in self.trainable_weights if v.regularizer is not None]
        of_weights = [penalty_of(v, cast(Penalty, v.regularizer)) for v in regularized]
        each = (*self._all_activity_penalties(), *of_weights)
        return [v if isinstance(v, Tensor) else as_result(np.dtype(self.dtype).type(v)) for v in each]

    def _all_activity_penalties(self) -> list[float]:
        """Its own and those of the layers within, of each layer once."""
        layers: dict[int, Layer] = {}
        waiting: list[Layer] = [self]
        while waiting:
            layer = waiting.pop()
            if layers.setdefault(id(layer), layer) is layer:
                waiting += reversed([inner for _, inner in layer.inner_layers() if id(inner) not in layers])
        return [penalty for layer in layers.values() for penalty in layer.activity_penalties]

    def as_json(self) -> Json:
        """Keras's ``{"class_name", "config"}``; with the module where Keras 3 would otherwise drop something.

        That is a list of axes, and how a user's class says that it is built.
        """
        config = cast(dict[str, Any], super().as_json())
        if not type(self).__module__.startswith("distnet."):
            config["config"] = {key: LAYERS.with_module(to_json(value)) for key, value in config["config"].items()}
        built = self.get_build_config() if has_own_build_config(self) else None
        if built is not None:
            named = {"module": None, "registered_name": config["class_name"], **config}
            return {**cast(dict[str, Json], LAYERS.with_module(named)), "build_config": to_json(built)}
        return LAYERS.with_module(config) if isinstance(config["config"].get("axis"), list) else config


@dataclass(eq=False)
class Call:
    """One call of a layer on placeholders.

    Args:
        layer: what was called.
        number: which call of this layer it is, from 0.
        inputs: the placeholders that forward gets, in order.
        options: what forward finds in ``ctx.options``.
        args, kwargs: the call as it was written, for the model's configuration.
    """

    layer: Layer
    number: int
    inputs: tuple[KerasTensor, ...]
    options: Mapping[str, Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[KerasTensor, ...] = field(default=())
    is_masked: bool = False
    """Whether what it makes may have a mask."""


@dataclass(eq=False)
class KerasTensor(Arithmetic):
    """A placeholder for an array of a model: its shape, and the call that makes it.

    Args:
        shape: with the batch axis.
        dtype: name of the dtype.
        call: makes it.
        index: which output of the call it is.
        has_rows: whether its first axis is the batch, whose rows ranks share.
    """

    shape: Shape
    dtype: str
    call: Call
    index: int = 0
    has_rows: bool = True

    def __post_init__(self) -> None:
        self.shape = TensorShape(self.shape)

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        """NumPy's functions cannot be called on it.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(
            f"{self.name}: a placeholder holds no numbers, so that NumPy cannot compute with it. Call layers on it, "
            "such as Activation, Rescaling or a layer of your own."
        )

    @property
    def may_be_masked(self) -> bool:
        """Whether a mask may come with it: a layer that makes masks lies before it."""
        return self.call.is_masked

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def get_shape(self) -> Shape:
        """The shape.

        Source: ``tensorflow.Tensor.get_shape``.
        """
        return self.shape

    @property
    def _keras_shape(self) -> Shape:
        """The shape, by its name in Keras 1 and 2."""
        return self.shape

    @property
    def name(self) -> str:
        """Name of the layer that makes it."""
        return self.call.layer.name

    def __repr__(self) -> str:
        return f"<KerasTensor {self.name}, shape={self.shape}, dtype={self.dtype}>"


@dataclass(frozen=True)
class GivenMask:
    """Masks given to a call by hand, which follow its inputs among the tensors.

    Args:
        inputs: how many of the tensors are inputs.
        places: for each input the number of its mask among the tensors, or None.
    """

    inputs: int
    places: tuple[int | None, ...]

    @classmethod
    def among(cls, layer: Layer, tensors: list[Any], given: Any) -> GivenMask:
        """Append the mask of the first input, or a list of one or None for each, to the tensors; says where they are.

        Raises:
            ArgumentError: a mask that is no placeholder.
            ShapeError: one that is not of the shape of its input's first axes.
        """
        inputs, places = len(tensors), []
        masks = list(given) if isinstance(given, list | tuple) else [given]
        for tensor, mask in zip(tensors[:inputs], masks, strict=False):
            places.append(None if mask is None else len(tensors))
            if mask is not None:
                _check_mask(layer, tensor, mask)
                tensors.append(mask)
        return cls(inputs, (*places, *[None] * (inputs - len(places))))


def placeholders(structure: Any) -> Iterator[KerasTensor]:
    """The placeholders in nested lists, tuples and dicts, in order."""
    return (leaf for leaf in leaves(structure) if isinstance(leaf, KerasTensor))


def _check_mask(layer: Layer, tensor: KerasTensor, mask: Any) -> None:
    if not isinstance(mask, KerasTensor):
        raise ArgumentError(
            f"{layer.name}: expected as mask a placeholder, for it is called on placeholders; received "
            f"{reprlib.repr(mask)}."
        )
    axes = layer.masked_axes(tensor.shape)
    fits = all(m is None or n is None or m == n for m, n in zip(mask.shape, axes, strict=False))
    if not fits or mask.ndim > len(axes):
        raise ShapeError(
            f"{layer.name}: expected a mask of the shape of the input's first axes, {axes}, received {mask.shape}."
        )


def _check_tensors(where: str, tensors: Sequence[Any], forward: Callable[..., Any]) -> None:
    """Fail unless these can be what a layer is called on.

    Args:
        where: the layer's name.
        tensors: what it is called on.
        forward: the layer's; one that is annotated to take an Array takes no list.

    Raises:
        ArgumentError: nothing, or placeholders beside arrays.
        ShapeError: several tensors, where ``forward`` takes one array.
    """
    kinds = {isinstance(t, KerasTensor) for t in tensors}
    if len(kinds) != 1:
        other = next((t for t in tensors if not isinstance(t, KerasTensor)), None)
        received = f"also {reprlib.repr(other)}" if kinds else "none"
        raise ArgumentError(f"{where}: expected placeholders alone, or arrays alone, received {received}.")
    if len(tensors) > 1 and forward.__annotations__.get("x") in ("Array", Array):
        raise ShapeError(
            f"{where}: is called on one tensor, received a list of {len(tensors)}. Merge them first, for example with "
            "Concatenate."
        )


class _Layers(Registry[Layer]):
    """Layers, which a configuration may also tell how to build."""

    def _from_json(self, spec: Mapping[str, Any]) -> Layer:
        made = super()._from_json(spec)
        built_as_said(made, spec.get("build_config"))
        return made


LAYERS: Registry[Layer] = _Layers(
    "layer",
    Layer,  # type: ignore[type-abstract]
    module="keras.layers",
)


def register_layer(*aliases: str) -> Callable[[L], L]:
    """Decorate a layer class: saved models find it by its name and by ``aliases``."""
    register = LAYERS.register(*aliases)

    def decorate(cls: L) -> L:
        take_in_keras_order(cls)
        accept_old_arguments(cls)
        return register(cls)

    return decorate
