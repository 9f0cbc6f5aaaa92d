"""One run of a user's ``call``: its mode, its masks, and what it returns, checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, DistnetError
from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.call_arguments import FROM_CONTEXT, bound, signature_of, takes_masks, tensors_by_name
from distnet.layers.engine.call_scope import CallScope, in_mode
from distnet.layers.engine.on_tensors import as_tensor, penalize
from distnet.layers.engine.structures import is_nested, leaves, mapped
from distnet.naming import within
from distnet.ops.operators import PRIMITIVES
from distnet.ops.tape import leaf
from distnet.ops.tensor import Tensor
from distnet.results import ResultArray
from distnet.variables import Variable


def run(
    layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], scope: CallScope, is_penalized: bool = True
) -> Any:
    """What ``call`` returns for tensors, as tensors, with masks.

    Args:
        is_penalized: whether the activity's penalty is added to the losses here.

    Raises:
        ArgumentError: ``call`` returns nothing, or something that is no tensor.
    """
    given = bound(layer, args, kwargs)
    parameters = signature_of(layer).parameters
    training = kwargs.get("training")
    if training is None:
        training = scope.training
    if training is None:
        training = given.get("training")
    keywords = {k: v for k, v in kwargs.items() if k not in FROM_CONTEXT or k in parameters}
    if "training" in parameters and not _is_positional("training", args, parameters):
        keywords["training"] = training
    if takes_masks(layer):
        _give_masks(given, args, keywords, parameters)
    with in_mode(scope, training), within(layer._path):
        y = _called(layer, args, keywords)
        outputs = _checked(layer, y) if type(y) is Tensor else mapped(partial(_checked, layer), y)
        if layer.supports_masking or has_own_mask(layer):
            first, mask = next(iter(given.values()), None), keywords.get("mask")
            _set_masks(layer, first, mapped(_mask, first) if mask is None else mask, outputs)
        if is_penalized and layer.activity_regularizer is not None:
            penalize(layer, list(leaves(outputs)), scope)
    return outputs


def _called(layer: Any, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    try:
        return layer.call(*args, **keywords)
    except DistnetError as error:
        text = str(error)
        if text.startswith(f"{layer.name}:") or getattr(error, "is_named", False):
            raise
        named = type(error)(f"{layer.name}: in call: {text}")
        named.is_named = True  # type: ignore[attr-defined]
        raise named from error
    except Exception as error:
        error.add_note(f"This came from {layer.name}: in the call() of {type(layer).__name__}.")
        raise


def _checked(layer: Any, part: Any) -> Tensor:
    if isinstance(part, Variable):
        part = leaf(part)
    elif isinstance(part, ResultArray):
        part = as_tensor(part)
    if not isinstance(part, Tensor):
        received = "None" if part is None else f"{type(part).__name__}"
        raise ArgumentError(
            f"{layer.name}: call returned {received}. Expected a tensor, or a list, tuple or dict of tensors, made by "
            "functions of distnet.ops or by layers."
        )
    if part.dtype.kind == "f" and part.dtype != layer.dtype:
        mask = part._keras_mask
        part = PRIMITIVES["Cast"](part, layer.dtype)
        part._keras_mask = mask
    return part  # type: ignore[no-any-return]


def _is_positional(name: str, args: tuple[Any, ...], parameters: Mapping[str, Any]) -> bool:
    return name in list(parameters)[: len(args)]


def _give_masks(
    given: Mapping[str, Any], args: tuple[Any, ...], keywords: dict[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Pass the tensors' masks to a ``call`` that takes them, unless it is given some.

    Source: ``keras.layers.Layer.__call__``.
    """
    tensors = {name: value for name, value in tensors_by_name(given).items() if name not in ("mask", "kwargs")}
    single = len(tensors) == 1
    for name, value in tensors.items():
        expected = "mask" if single else f"{name}_mask"
        if expected in parameters and keywords.get(expected) is None and not _is_positional(expected, args, parameters):
            keywords[expected] = mapped(_mask, value)
    if "mask" in parameters and not _is_positional("mask", args, parameters):
        keywords.setdefault("mask", None)


def _mask(tensor: Any) -> Any:
    mask = getattr(tensor, "_keras_mask", None)
    return None if mask is None else as_tensor(mask)


def has_own_mask(layer: Any) -> bool:
    """Whether its class says what becomes of masks."""
    return type(layer).compute_mask is not AbstractLayer.compute_mask


def _set_masks(layer: Any, first: Any, mask: Any, outputs: Any) -> None:
    """The outputs' masks: ``compute_mask`` says them."""
    made = layer.compute_mask(first, mask)
    flat = list(leaves(outputs))
    masks = list(made) if isinstance(made, list | tuple) else [made] * len(flat)
    if is_nested(first) and len(masks) != len(flat):
        masks = [masks[0] if len(masks) == 1 else None] * len(flat)
    for tensor, own in zip(flat, masks, strict=False):
        if own is not None and tensor._keras_mask is None:
            tensor._keras_mask = as_tensor(own) if not isinstance(own, np.ndarray) else Tensor(own, rows=tensor.rows)
