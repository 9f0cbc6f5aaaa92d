"""Structured data, one column a feature -> one vector a row, or a dict of encoded features."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, cast

import numpy as np

from distnet import layers
from distnet.arguments import check_option
from distnet.errors import ArgumentError, NotBuiltError
from distnet.layers import LAYERS, Layer
from distnet.layers.engine.base import KerasTensor, register_layer
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.naming import snake_case, unique_name
from distnet.registry import to_json
from distnet.results import as_result
from distnet.saving.layer_files import save_layer
from distnet.types import Array, DType, Json
from distnet.utils.feature_columns import FeatureColumns, as_column
from distnet.utils.feature_kinds import Cross, Feature, described, from_description
from distnet.variables import Variable


@register_layer()
class FeatureSpace(ArrayLayer):
    """Encodes columns of data by layers of preprocessing, as Keras's ``FeatureSpace`` does.

    ``save`` writes it to a file for ``load_model``. A model made of ``get_inputs`` and ``get_encoded_features`` keeps
    all of it in its own files.

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

    keras_module: ClassVar[str] = "keras.utils"
    takes_strings: ClassVar[bool] = True
    has_own_files: ClassVar[bool] = True

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Iterable[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=cast(str, name))
        if not features or not isinstance(features, Mapping):
            raise ArgumentError(f"{self.name}: features: expected some in a dict, received {features!r:.200}.")
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

    @property
    def built(self) -> bool:
        """Whether it can encode: its layers have seen data, or need none."""
        return self._is_adapted

    @property
    def variables(self) -> list[Variable]:
        """Those of the features' layers."""
        return [variable for layer in self.preprocessors.values() for variable in layer.variables]

    @property
    def own_variables(self) -> list[Variable]:
        """None: all are the features' layers'."""
        return []

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The features' layers by their classes, as in Keras's files."""
        numbers: Counter[str] = Counter()
        paths = []
        for layer in self.preprocessors.values():
            kind = snake_case(type(layer).__name__)
            paths.append((f"preprocessors/{kind}_{numbers[kind]}" if numbers[kind] else f"preprocessors/{kind}", layer))
            numbers[kind] += 1
        return paths

    def adapt(self, dataset: Any) -> None:
        """Let the layers learn from data; every rank must pass the same.

        Args:
            dataset: a dict of arrays or lists, or a data frame, with a column for each feature; or a dataset,
                ``PyDataset`` or generator of dicts, which are batches or rows.

        Raises:
            ArgumentError: a column is missing, or the data have another form.
        """
        columns = FeatureColumns(self.name, dataset)
        for name in self._adapting():
            layer: Any = self.preprocessors[name]
            layer.adapt(columns.batches(name))
        self._is_adapted, self._encoded = True, None
        self.one_hot_encoders = {}

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
        made = self._encode({name: as_column(data[name]) for name in self.features})
        if is_row:
            return {key: value[0] for key, value in made.items()} if isinstance(made, dict) else made[0]
        return made

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        """The vectors for columns in the order of ``features``."""
        return np.asarray(self._encode(dict(zip(self.features, arrays, strict=True))))

    def get_config(self) -> dict[str, Json]:
        """The arguments of the constructor; what was learned is among the weights and assets of a file."""
        return {
            "features": {name: described(feature) for name, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [described(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from what ``get_config`` gave, here or in Keras.

        Raises:
            ArgumentError: the configuration is another thing's.
        """
        if not isinstance(config.get("features"), Mapping):
            raise ArgumentError(
                f"FeatureSpace: expected a configuration with features, received {dict(config)!r:.200}."
            )
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any]:
        """How the features' layers were built."""
        return {name: layer.get_build_config() or {} for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build the features' layers; what they have learned is to follow."""
        for name, layer in self.preprocessors.items():
            how = config.get(name)
            if not isinstance(how, Mapping):
                raise ArgumentError(f"{self.name}: {name}: expected how its layer was built, received {how!r:.100}.")
            if not layer.built and how:
                layer.build_from_config(how)
        self._is_adapted = True

    def as_json(self) -> Json:
        """As every layer's, with how it was built."""
        spec = cast(dict[str, Json], LAYERS.with_module(super().as_json()))
        return {**spec, "build_config": to_json(self.get_build_config())}

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write it to a ``.keras`` file, which ``load_model`` reads, here and in Keras.

        Raises:
            CheckpointError: it has not seen data yet, the name ends otherwise, or the file cannot be written.

        Source: ``keras.utils.FeatureSpace.save``.
        """
        save_layer(self, filepath)

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

    def _feature(self, name: str, given: Any) -> Feature:
        kind = from_description(given)
        if isinstance(kind, Feature):
            return kind
        of_size: dict[str, Any] = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        check_option(f"{self.name}: {name}", kind, _KINDS)
        chosen = str(kind)
        make = getattr(self, chosen)
        made: Feature = make(of_size[chosen], name=name) if chosen in of_size else make(name=name)
        return made

    def _cross(self, given: Any) -> Cross:
        cross: Any = from_description(given)
        if isinstance(cross, str) or not isinstance(cross, Cross | Iterable):
            raise ArgumentError(f"{self.name}: crosses: expected tuples of names of features, received {cross!r:.100}.")
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
