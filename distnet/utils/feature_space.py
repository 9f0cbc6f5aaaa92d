"""Structured data, one column a feature -> one vector a row, or a dict of encoded features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet import layers
from distnet.arguments import check_option
from distnet.errors import ArgumentError, NotBuiltError
from distnet.layers import Layer
from distnet.layers.engine.base import KerasTensor
from distnet.naming import unique_name
from distnet.results import as_result

_ENCODED = ("int", "one_hot", "float")


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


class FeatureSpace:
    """Encodes columns of data by layers of preprocessing, as Keras's ``FeatureSpace`` does.

    A model made of ``get_inputs`` and ``get_encoded_features`` keeps all of it in its own files.

    Args:
        features: name of a column -> its kind, such as ``"float_normalized"`` or ``FeatureSpace.string_categorical()``.
        output_mode: ``"concat"`` for one vector, features in the order of their names and crosses behind them; or
            ``"dict"``.
        crosses: tuples of names of features that are combined.
        crossing_dim: bins of a cross.
        hashing_dim: bins of hashed features.
        num_discretization_bins: ranges of features that are divided.
        name: its name.

    Source: ``keras.utils.FeatureSpace``.
    """

    def __init__(
        self,
        features: Mapping[str, str | Feature],
        output_mode: str = "concat",
        crosses: Iterable[Cross | Iterable[str]] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        self.name = name or unique_name("FeatureSpace")
        if not features:
            raise ArgumentError(f"{self.name}: features: expected some, received {features!r}.")
        check_option(f"{self.name}: output_mode", output_mode, ("dict", "concat"))
        self.output_mode, self.crossing_dim = output_mode, crossing_dim
        self.hashing_dim, self.num_discretization_bins = hashing_dim, num_discretization_bins
        self.features = {key: self._feature(key, kind) for key, kind in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crossers = {c.name: layers.HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, Layer] = {}
        self._is_adapted = not self._adapting()
        self._inputs: dict[str, KerasTensor] | None = None
        self._encoded: Any = None

    @classmethod
    def cross(cls, feature_names: Iterable[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Several features as one."""
        return Cross(tuple(feature_names), crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Layer, output_mode: str) -> Feature:
        """A feature with a layer of the user's choice."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", layers.Identity(name=_layer_name(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times ``scale``, plus ``offset``."""
        own = layers.Rescaling(scale, offset, name=_layer_name(name, "float_rescaled"))
        return Feature("float32", own, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers brought to mean 0 and variance 1."""
        return Feature("float32", layers.Normalization(-1, name=_layer_name(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """The ranges in which numbers lie."""
        own = layers.Discretization(bin_boundaries, num_bins, name=_layer_name(name, "float_discretized"))
        return Feature("float32", own, output_mode)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Integers that are categories."""
        own = layers.IntegerLookup(max_tokens, num_oov_indices, name=_layer_name(name, "integer_categorical"))
        return Feature("int32", own, output_mode)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Strings that are categories."""
        own = layers.StringLookup(max_tokens, num_oov_indices, name=_layer_name(name, "string_categorical"))
        return Feature("string", own, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings by their hashes."""
        return Feature("string", layers.Hashing(num_bins, name=_layer_name(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers by their hashes."""
        return Feature("int32", layers.Hashing(num_bins, name=_layer_name(name, "integer_hashed")), output_mode)

    def adapt(self, dataset: Mapping[str, Any]) -> None:
        """Let the layers learn from data; every rank must pass the same.

        Args:
            dataset: a dict of arrays or lists, or a data frame, with a column for each feature.

        Raises:
            ArgumentError: a column is missing.
        """
        for name in self._adapting():
            if name not in dataset:
                raise ArgumentError(f"{self.name}: adapt: expected a column {name!r}, received {list(dataset)}.")
            layer: Any = self.preprocessors[name]
            layer.adapt(_column(dataset[name]))
        self._is_adapted, self._encoded = True, None

    def get_inputs(self) -> dict[str, KerasTensor]:
        """A placeholder for each feature, by its name.

        Raises:
            NotBuiltError: ``adapt`` was not called.
        """
        self.get_encoded_features()
        return dict(self._inputs or {})

    def get_encoded_features(self) -> Any:
        """The placeholder of the vector, or a dict of placeholders.

        Raises:
            NotBuiltError: ``adapt`` was not called.
        """
        self._check_adapted()
        if self._encoded is None:
            self._inputs = {key: layers.Input((1,), dtype=f.dtype, name=key) for key, f in self.features.items()}
            self._encoded = self._encode(self._inputs)
        return self._encoded

    def __call__(self, data: Mapping[str, Any]) -> Any:
        """Encode a dict of columns, or of the values of one row.

        Raises:
            ArgumentError: it is no dict, or a column is missing.
            NotBuiltError: ``adapt`` was not called.
        """
        self._check_adapted()
        if not isinstance(data, Mapping) or not self.features.keys() <= data.keys():
            received = list(data) if isinstance(data, Mapping) else f"{data!r:.100}"
            raise ArgumentError(f"{self.name}: expected a dict with {sorted(self.features)}, received {received}.")
        is_row = all(np.ndim(data[name]) == 0 for name in self.features)
        made = self._encode({name: _column(data[name]) for name in self.features})
        if is_row:
            return {key: value[0] for key, value in made.items()} if isinstance(made, dict) else made[0]
        return made

    def _encode(self, columns: Mapping[str, Any]) -> Any:
        """The encoded features of columns, which are arrays or placeholders."""
        made = {name: self.preprocessors[name](column) for name, column in columns.items()}
        crossed = {c.name: self.crossers[c.name]([made[name] for name in c.feature_names]) for c in self.crosses}
        modes = {name: feature.output_mode for name, feature in self.features.items()}
        modes |= {cross.name: cross.output_mode for cross in self.crosses}
        order = [*sorted(made), *sorted(crossed)]
        each = {name: self._one_hot(name, modes[name], (made | crossed)[name]) for name in order}
        if self.output_mode == "dict":
            return each
        bare = [name for name in order if modes[name] == "int"]
        if bare:
            raise ArgumentError(
                f"{self.name}: {bare} are integers, which one vector cannot hold. Use output_mode='one_hot' for them, "
                "or 'dict' for all."
            )
        parts = list(each.values())
        if any(isinstance(part, KerasTensor) for part in parts):
            return parts[0] if len(parts) == 1 else layers.Concatenate()(parts)
        return as_result(np.concatenate([np.asarray(part, "float32") for part in parts], axis=-1))

    def _one_hot(self, name: str, mode: str, value: Any) -> Any:
        if mode != "one_hot":
            return value
        if name not in self.one_hot_encoders:
            layer = self.preprocessors.get(name) or self.crossers[name]
            self.one_hot_encoders[name] = layers.CategoryEncoding(_cardinality(self.name, name, layer))
        return self.one_hot_encoders[name](value)

    def _adapting(self) -> list[str]:
        """The features whose layers learn from data."""
        names = []
        for name, layer in self.preprocessors.items():
            has_statistics = isinstance(layer, layers.Normalization) and layer.input_mean is not None
            has_ranges = isinstance(layer, layers.Discretization) and layer.num_bins is None
            lookup = getattr(layer, "lookup", layer)
            if hasattr(layer, "adapt") and not (has_statistics or has_ranges or getattr(lookup, "vocabulary", None)):
                names.append(name)
        return names

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            raise NotBuiltError(f"{self.name}: has not seen data yet. Call adapt(data) before.")

    def _feature(self, name: str, kind: str | Feature) -> Feature:
        if isinstance(kind, Feature):
            return kind
        of_size: dict[str, Any] = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        check_option(f"{self.name}: {name}", kind, _KINDS)
        make = getattr(self, kind)
        made: Feature = make(of_size[kind], name=name) if kind in of_size else make(name=name)
        return made

    def _cross(self, cross: Cross | Iterable[str]) -> Cross:
        made = cross if isinstance(cross, Cross) else Cross(tuple(cross), self.crossing_dim)
        unknown = [name for name in made.feature_names if name not in self.features]
        if unknown:
            raise ArgumentError(f"{self.name}: crosses: expected names of features, received {unknown}.")
        return made


_KINDS = (
    "float", "float_normalized", "float_rescaled", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip


def _layer_name(name: str | None, kind: str) -> str:
    return f"{name or unique_name(kind)}_preprocessor"


def _column(values: Any) -> Any:
    """A column as an array (N, 1)."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, list | tuple | str):
        first = values if isinstance(values, str) or not values else values[0]
        values = np.asarray(values, object if isinstance(first, str) else None)
    array = np.asarray(values)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def _cardinality(where: str, name: str, layer: Any) -> int:
    """How many integers a layer can give.

    Raises:
        ArgumentError: nobody knows.
    """
    if isinstance(layer, layers.IntegerLookup | layers.StringLookup):
        return layer.vocabulary_size()
    size = getattr(layer, "num_tokens", None) or getattr(layer, "num_bins", None)
    if size is None and isinstance(layer, layers.Discretization):
        size = len(layer.bin_boundaries or ()) + 1
    if size is None:
        raise ArgumentError(
            f"{where}: {name}: output_mode='one_hot' needs a layer that gives integers of a known number, received "
            f"{layer!r:.100}. Use output_mode='int'."
        )
    return int(size)
