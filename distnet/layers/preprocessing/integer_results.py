"""Layers that give integers, bins, in a dtype that they are told, or vectors in the model's."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.errors import ArgumentError
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.types import Array, Json

_INTEGERS = ("int32", "int64")


class IntegerResults(ArrayLayer):
    """A layer whose argument ``dtype`` is that of its bins where ``output_mode="int"``."""

    dtypes: ClassVar[tuple[str, ...]] = (*ArrayLayer.dtypes, *_INTEGERS)

    output_mode: str

    def __post_init__(self) -> None:
        given: Any = self.dtype
        super().__post_init__()
        self._of_bins = self.dtype if self.dtype in _INTEGERS else "int64"
        if self.output_mode == "int" and given is not None and self.dtype not in _INTEGERS:
            raise ArgumentError(f"{self.name}: dtype: expected one of {_INTEGERS} for bins, received {given!r}.")
        if self.dtype in _INTEGERS:
            self.dtype = config.floatx()  # of a model around

    def as_bins(self, numbers: Array) -> Array:
        """Hashes below 2^63 in the layer's integers."""
        return numbers.astype(np.dtype(self._of_bins))

    @property
    def output_dtype(self) -> str:
        """Of its placeholders."""
        return self._of_bins if self.output_mode == "int" else self.dtype

    def get_config(self) -> dict[str, Json]:
        config = super().get_config()
        return {**config, "dtype": self._of_bins} if self.output_mode == "int" else config
