"""How columns of structured data are encoded: by a layer each, or several together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from distnet.arguments import check_option
from distnet.errors import ArgumentError
from distnet.layers import LAYERS, Layer
from distnet.registry import to_json
from distnet.types import Json

_ENCODED = ("int", "one_hot", "float")
_MODULE = "keras.src.layers.preprocessing.feature_space"
_OWN_IDENTITY = "TFDIdentity"
"""Keras's private class for columns of plain numbers: it makes integers real, as Identity does here."""


@dataclass(frozen=True)
class Feature:
    """How one column is encoded.

    Args:
        dtype: of the column: ``"string"``, ``"int32"`` or ``"float32"``.
        preprocessor: is called on the column, of shape (N, 1).
        output_mode: ``"float"`` or ``"int"`` for what that gives, ``"one_hot"`` for vectors of its integers.
    """

    dtype: str
    preprocessor: Layer
    output_mode: str

    def __post_init__(self) -> None:
        check_option("FeatureSpace: output_mode of a feature", self.output_mode, _ENCODED)

    def get_config(self) -> dict[str, Json]:
        """The arguments as JSON, the layer with its module."""
        layer = cast(dict[str, Json], LAYERS.with_module(to_json(self.preprocessor)))
        layer.setdefault("build_config", to_json(self.preprocessor.get_build_config() or {}))
        if layer["class_name"] == "Identity" and self.dtype == "float32":
            layer |= {"module": _MODULE, "class_name": _OWN_IDENTITY, "registered_name": _OWN_IDENTITY}
        return {"dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from what ``get_config`` gave, here or in Keras."""
        spec = config["preprocessor"]
        if isinstance(spec, Mapping) and spec.get("class_name") == _OWN_IDENTITY:
            spec = {**spec, "module": "keras.layers", "class_name": "Identity", "registered_name": None}
        return cls(**{**config, "preprocessor": LAYERS.get(spec)})


@dataclass(frozen=True)
class Cross:
    """Features whose combination is one more.

    Args:
        feature_names: of the features.
        crossing_dim: number of bins.
        output_mode: ``"one_hot"`` or ``"int"``.
    """

    feature_names: tuple[str, ...]
    crossing_dim: int
    output_mode: str = "one_hot"

    def __post_init__(self) -> None:
        check_option("FeatureSpace: output_mode of a cross", self.output_mode, _ENCODED[:2])

    @property
    def name(self) -> str:
        """The names of its features, joined."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Json]:
        """The arguments as JSON."""
        names: list[Json] = list(self.feature_names)
        return {"feature_names": names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from what ``get_config`` gave."""
        return cls(**{**config, "feature_names": tuple(config["feature_names"])})


def described(part: Feature | Cross) -> dict[str, Json]:
    """A feature or a cross as Keras's files have it."""
    name = type(part).__name__
    return {"module": _MODULE, "class_name": name, "config": part.get_config(), "registered_name": name}


def from_description(spec: object) -> object:
    """What a file describes; anything else as it is.

    Raises:
        ArgumentError: the description lacks something.
    """
    kinds: dict[object, type[Feature] | type[Cross]] = {"Feature": Feature, "Cross": Cross}
    if not isinstance(spec, Mapping) or spec.get("class_name") not in kinds:
        return spec
    kind = kinds[spec["class_name"]]
    try:
        return kind.from_config(spec["config"])
    except (KeyError, TypeError) as error:
        raise ArgumentError(
            f"FeatureSpace: expected what describes a {kind.__name__}, received {spec!r:.200}."
        ) from error
