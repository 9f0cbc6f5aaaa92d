"""A layer made of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from distnet.errors import ArgumentError
from distnet.layers.engine import user_call  # noqa: F401 - gives Lambda what follows from call
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.described_functions import described_function, function_of_config
from distnet.registry import to_json
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
        config: dict[str, Json] = {**Layer.get_config(self), "function": described_function(self.function)}
        if self._given_shape is not None:
            config["output_shape"] = described_function(self._given_shape)
        if self.mask is not None:
            config["mask"] = described_function(self.mask)
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
                known[key] = function_of_config(known[key], str(config.get("name")))
        return cls(**known)
