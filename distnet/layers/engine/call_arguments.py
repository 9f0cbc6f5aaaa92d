"""The arguments of a user's ``call``, ``build`` and ``compute_output_shape``: which are tensors, and their names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, cast

from distnet.errors import ArgumentError
from distnet.layers.engine.on_tensors import as_tensor
from distnet.layers.engine.structures import is_nested, leaves, mapped
from distnet.ops.operators import PRIMITIVES

FROM_CONTEXT = ("training", "mask")
"""Arguments that a call may be given though the layer's ``call`` does not take them."""


def signature_of(layer: Any) -> inspect.Signature:
    """The arguments of the layer's ``call``, without self."""
    return _signature_of(cast(Any, type(layer)))


@functools.cache
def _signature_of(cls: Any) -> inspect.Signature:
    signature = inspect.signature(cls.call)
    is_bound = isinstance(inspect.getattr_static(cls, "call"), staticmethod | classmethod)
    parameters = list(signature.parameters.values())
    return signature.replace(parameters=parameters if is_bound else parameters[1:])


@functools.cache
def _plain_defaults(cls: Any) -> dict[str, Any] | None:
    """The defaults by name, or what stands for none; None where arguments are more than names in order."""
    parameters = _signature_of(cls).parameters.values()
    is_plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    return {p.name: p.default for p in parameters} if is_plain else None


def takes_masks(layer: Any) -> bool:
    """Whether the layer's ``call`` has an argument for a mask."""
    return _takes_masks(cast(Any, type(layer)))


@functools.cache
def _takes_masks(cls: Any) -> bool:
    return any(name == "mask" or name.endswith("_mask") for name in _signature_of(cls).parameters)


def bound(layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, with the defaults.

    Raises:
        ArgumentError: one is unknown or missing.
    """
    plain = _plain_defaults(cast(Any, type(layer)))
    if plain is not None and not kwargs and len(args) <= len(plain):
        given = {**plain, **dict(zip(plain, args, strict=False))}
        if all(value is not inspect.Parameter.empty for value in given.values()):
            return given
    signature = signature_of(layer)
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    known = {k: v for k, v in kwargs.items() if takes_all or k not in FROM_CONTEXT or k in signature.parameters}
    try:
        arguments = signature.bind(*args, **known)
    except TypeError as error:
        raise ArgumentError(f"{layer.name}: call{signature}: {error}.") from None
    arguments.apply_defaults()
    return dict(arguments.arguments)


def is_tensor(value: Any) -> bool:
    """Whether it has a shape and a dtype, as tensors, placeholders and arrays do."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def tensors_by_name(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that are tensors, or nests of them alone."""
    return {name: value for name, value in arguments.items() if _holds_tensors(value)}


def shapes_by_name(layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes of the tensors of a call: ``inputs_shape`` and so on.

    Source: ``keras.src.layers.layer.get_shapes_dict``.
    """
    tensors = tensors_by_name(bound(layer, args, kwargs))
    return {
        f"{name}_shape": mapped(_shape, value)
        for name, value in tensors.items()
        if name not in ("mask", "args", "kwargs") or len(tensors) == 1
    }


def build_arguments(layer: Any, shapes: Mapping[str, Any], method: str = "build") -> dict[str, Any]:
    """The shapes as ``build`` or ``compute_output_shape`` takes them: one for one, or by name.

    Raises:
        ArgumentError: it takes several, and one of them belongs to no argument of ``call``.

    Source: ``keras.src.layers.layer.update_shapes_dict_for_target_fn``.
    """
    parameters = inspect.signature(getattr(layer, method)).parameters.values()
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name != "ctx"]
    first = next(iter(shapes.values()), None)
    if len(names) <= 1:
        return dict.fromkeys(names, first)
    known = signature_of(layer).parameters
    wrong = [name for name in names if not name.endswith("_shape") or name.removesuffix("_shape") not in known]
    if wrong:
        raise ArgumentError(
            f"{layer.name}: {method}: expected one shape, or arguments named after those of call, such as "
            f"{next(iter(known))}_shape; received {wrong}."
        )
    return {name: shapes[name] for name in names if name in shapes}


def as_input(layer: Any, leaf: Any) -> Any:
    """An array or a tensor as a tensor, floating point numbers in the layer's dtype; anything else as it is."""
    if not is_tensor(leaf):
        return leaf
    tensor = as_tensor(leaf)
    if tensor.dtype.kind != "f" or tensor.dtype == layer.dtype or not layer.autocast:
        return tensor
    cast = PRIMITIVES["Cast"](tensor, layer.dtype)
    cast._keras_mask = tensor._keras_mask
    return cast


def _shape(value: Any) -> Any:
    return None if value is None else tuple(value.shape)


def _holds_tensors(value: Any) -> bool:
    if not is_nested(value):
        return is_tensor(value)
    flat = list(leaves(value))
    return any(map(is_tensor, flat)) and all(leaf is None or is_tensor(leaf) for leaf in flat)
