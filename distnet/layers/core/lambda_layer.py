"""A layer made of a function."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from distnet import ops
from distnet.errors import ArgumentError
from distnet.layers.engine import user_call  # noqa: F401 - gives Lambda what follows from call
from distnet.layers.engine.base import Layer, register_layer
from distnet.registry import is_describing, known_custom_objects, registered_name, to_json
from distnet.registry.code import LAMBDA, as_code, of_code
from distnet.types import Json

_OF_KERAS_2 = ("function_type", "module", "output_shape_type", "output_shape_module")


@register_layer()
class Lambda(Layer):
    """A function of tensors as a layer.

    >>> import distnet
    >>> square = distnet.layers.Lambda(lambda x: x ** 2)
    >>> square([[2.0, 3.0]]).tolist()
    [[4.0, 9.0]]

    Args:
        function: of the inputs, over ``distnet.ops``, ``distnet.backend`` and operators; it may take ``mask`` and
            ``training``.
        output_shape: saved for Keras; here the shape is that of what the function gives.
        mask: the output's mask, or a function ``(inputs, mask) -> mask``.
        arguments: of the function, by name.

    Source: ``keras.layers.Lambda``.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentError(f"{self.name}: expected a function, received {function!r:.100}.")
        self.function, self.mask, self.arguments = function, mask, dict(arguments or {})
        self._given_shape = output_shape
        self.supports_masking = mask is not None  # type: ignore[misc]
        parameters = inspect.signature(function).parameters
        self._takes = [name for name in ("mask", "training") if name in parameters and name not in self.arguments]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._takes})

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return self.mask(x, mask) if callable(self.mask) else self.mask

    def copy(self) -> Self:
        """A layer of the same function, by the same name."""
        return type(self)(
            self.function, self._given_shape, self.mask, self.arguments, name=self.name, trainable=self.trainable,
            dtype=self.dtype,
        )  # fmt: skip

    def get_config(self) -> dict[str, Json]:
        """As Keras 3 writes it: a function by its name, a lambda as code."""
        config: dict[str, Json] = {**Layer.get_config(self), "function": _described(self.function)}
        if self._given_shape is not None:
            config["output_shape"] = _described(self._given_shape)
        if self.mask is not None:
            config["mask"] = _described(self.mask)
        return {**config, "arguments": to_json(self.arguments)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the layer; code in the configuration is run only with ``safe_mode=False``.

        Raises:
            ArgumentError: the function is not known, or is code.
        """
        known = {key: value for key, value in config.items() if key not in _OF_KERAS_2}
        for key in ("function", "output_shape", "mask"):
            if known.get(key) is not None:
                known[key] = _function_of(known[key], str(config.get("name")))
        return cls(**known)


def _described(function: Any) -> Json:
    if not callable(function) or is_describing():
        return to_json(function)
    if getattr(function, "__name__", None) == "<lambda>":
        return as_code(function)
    name = registered_name(function)
    module = getattr(function, "module", function.__module__)  # Keras's, of a function of ops
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def _function_of(value: Any, where: str) -> Any:
    """The function that a configuration describes, by this Keras or an older one; a shape as it is.

    Raises:
        ArgumentError: nothing has its name.
    """
    if isinstance(value, Mapping) and value.get("class_name") == LAMBDA:
        return of_code(value["config"], _names())
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], str):
        code, defaults, closure = value
        return of_code({"code": code, "defaults": defaults, "closure": closure}, _names())
    if not isinstance(value, str | Mapping):
        return tuple(value) if isinstance(value, list) else value
    name = value if isinstance(value, str) else value.get("registered_name") or value.get("config")
    custom = known_custom_objects()
    for key in (name, value.get("config") if isinstance(value, Mapping) else None):
        if key in custom:
            return custom[key]
    if isinstance(value, Mapping) and str(value.get("module")).startswith("keras.") and hasattr(ops, str(name)):
        return getattr(ops, str(name))
    raise ArgumentError(
        f"{where}: its function {name!r} is not known. Pass custom_objects={{{name!r}: ...}}, or register it with "
        "register_keras_serializable."
    )


def _names() -> dict[str, Any]:
    """What code finds as global names, besides what is registered or among the custom objects."""
    return {"__builtins__": builtins, "np": np, "ops": ops, **known_custom_objects()}
