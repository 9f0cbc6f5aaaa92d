"""How a layer was built, kept for one like it: Keras's ``get_build_config`` and ``build_from_config``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class HasBuildConfig(ABC):
    """The two methods; a class whose ``build`` makes other things of other facts overrides them."""

    built_shape: Any
    built_shapes: Mapping[str, Any] | None = None
    """By the names of ``build``'s arguments, where a layer was built for several."""

    @abstractmethod
    def build_once(self, shape: Any) -> None:
        """Build for inputs of ``shape``, unless that is done already."""

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that it was built for; None before it is built.

        Source: ``keras.layers.Layer.get_build_config``.
        """
        if self.built_shape is None:
            return None
        if self.built_shapes is not None and len(self.built_shapes) > 1:
            return {"shapes_dict": dict(self.built_shapes)}
        return {"input_shape": self.built_shape}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build it as the layer was built that gave this configuration.

        Source: ``keras.layers.Layer.build_from_config``.
        """
        shape = config.get("input_shape")
        if shape is None:
            shapes = list((config.get("shapes_dict") or {}).values())
            shape = shapes if len(shapes) != 1 else shapes[0]
        if shape:
            self.build_once(as_shapes(shape))


def has_own_build_config(layer: object) -> bool:
    """Whether a user's class overrides one of the two methods."""
    return overrides(layer, "get_build_config", "build_from_config")


def overrides(layer: object, *names: str) -> bool:
    """Whether one of these methods is that of a user's class."""
    methods = (getattr(type(layer), name, None) for name in names)
    return any(not getattr(method, "__module__", "distnet.").startswith("distnet.") for method in methods)


def built_as_said(layer: Any, config: Mapping[str, Any] | None) -> None:
    """Build a layer that was made of a configuration, where the user's class says how; it counts as built then.

    Source: ``keras.src.saving.serialization_lib.deserialize_keras_object``.
    """
    if config and has_own_build_config(layer) and not layer.built:
        layer.build_from_config(config)
        if layer.built_shape is None:
            layer.built_shape = as_shapes(config.get("input_shape") or ())


def as_shapes(shape: Any) -> Any:
    """Shapes read from JSON, which has no tuples."""
    if isinstance(shape, Mapping):
        return {key: as_shapes(value) for key, value in shape.items()}
    if all(part is None or isinstance(part, int) for part in shape):
        return tuple(shape)
    return [as_shapes(part) for part in shape]
