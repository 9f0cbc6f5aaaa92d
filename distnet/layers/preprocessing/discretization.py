"""Numbers -> the ranges in which they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distnet.arguments import POSITIVE_FRACTION, as_numbers, check_option, number, whole_number
from distnet.errors import ArgumentError, NotBuiltError
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing import quantile_summaries
from distnet.layers.preprocessing.adapting import as_on_root, batches, on_every_rank
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.layers.preprocessing.category_vectors import MODES, vectors, vectors_shape
from distnet.types import Array, DType, Json, Shape


@register_layer()
@dataclass(eq=False)
class Discretization(ArrayLayer):
    """The number of the range in which each number lies: ``k`` for ``boundaries[k-1] <= x < boundaries[k]``.

    >>> import distnet
    >>> distnet.layers.Discretization(bin_boundaries=[0.0, 1.0])([-0.5, 0.0, 2.0]).tolist()
    [0, 1, 2]

    Shapes:
        any shape -> the same of integers; for ``"one_hot"`` (N, 1) -> (N, bins), (N, T) -> (N, T, bins); else
        (N, T) -> (N, bins).

    Args:
        bin_boundaries: numbers in order.
        num_bins: how many ranges ``adapt`` makes, in place of ``bin_boundaries``.
        epsilon: how exact quantiles are: 0.01 for hundredths.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: Keras's on TensorFlow; here arrays are dense.

    Source: ``keras.layers.Discretization``.
    """

    bin_boundaries: Sequence[float] | None = None
    num_bins: int | None = whole_number(None, 0)
    epsilon: float = number(0.01, POSITIVE_FRACTION)
    output_mode: str = "int"
    sparse: bool = False

    def validate(self) -> None:
        check_option(f"{self.name}: output_mode", self.output_mode, ("int", *MODES))
        if self.sparse:
            raise ArgumentError(f"{self.name}: sparse=True: expected False, for distnet's arrays are dense.")
        if (self.num_bins is None) == (self.bin_boundaries is None):
            received = f"{self.num_bins!r} and {self.bin_boundaries!r}"
            raise ArgumentError(f"{self.name}: expected num_bins or bin_boundaries, received {received}.")
        if self.bin_boundaries is not None:
            self.bin_boundaries = self._checked(self.bin_boundaries)
        self.summary = quantile_summaries.NOTHING

    def _checked(self, boundaries: Any) -> list[float]:
        numbers = as_numbers(f"{self.name}: bin_boundaries", boundaries, np.float64)
        if numbers.ndim != 1 or (np.diff(numbers) < 0).any():
            raise ArgumentError(
                f"{self.name}: bin_boundaries: expected numbers in order, received {boundaries!r:.100}."
            )
        return list(numbers.tolist())

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn ranges that hold about equally many of the data; every rank must pass the same data.

        Args:
            data: an array; or batches: a list of arrays, a ``PyDataset``, a generator, an iterable.
            steps: most batches to take; None for all.

        Raises:
            ArgumentError: the layer was created with ``bin_boundaries``, or there are no data.
            ReplicaError: the ranks' data differ.

        Source: ``keras.layers.Discretization.adapt``.
        """
        if self.num_bins is None:
            raise ArgumentError(
                f"{self.name}: adapt: expected a layer with num_bins, received one with bin_boundaries."
            )
        on_every_rank(self.name, lambda: self._summarize(data, steps))
        self.summary = as_on_root(self.name, self.summary)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take a batch into account."""
        own = quantile_summaries.summary_of(as_numbers(f"{self.name}: adapt", data, np.float32), self.epsilon)
        self.summary = quantile_summaries.joined(own, self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Make the ranges of what was seen."""
        if self.num_bins is not None:
            self.bin_boundaries = quantile_summaries.boundaries(self.summary, self.num_bins).tolist()

    def reset_state(self) -> None:
        """Forget what was seen, not the ranges."""
        self.summary = quantile_summaries.NOTHING

    @property
    def output_dtype(self) -> str:
        """Of its placeholders: integers for numbers of ranges."""
        return "int32" if self.output_mode == "int" else self.dtype

    def compute_output_shape(self, shape: Shape) -> Shape:
        if self.output_mode == "int":
            return shape
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return vectors_shape(tuple(shape), self.output_mode, depth)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        if self.bin_boundaries is None:
            raise NotBuiltError(f"{self.name}: has no ranges yet. Call adapt(data), or pass bin_boundaries.")
        limits = np.array(self.bin_boundaries, self.dtype)
        places = np.searchsorted(limits, arrays[0].astype(self.dtype), side="right")
        if self.output_mode == "int":
            return places.astype(np.int32)
        return vectors(places, self.output_mode, len(limits) + 1, np.dtype(self.dtype))

    def get_config(self) -> dict[str, Json]:
        """The keys that Keras's constructor takes, which ``trainable`` is not among."""
        return {key: value for key, value in super().get_config().items() if key != "trainable"}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the layer that ``get_config`` described: one that adapted has both ``num_bins`` and ranges."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return super().from_config(config)
        made = super().from_config({**config, "bin_boundaries": None})
        made.bin_boundaries = made._checked(config["bin_boundaries"])
        return made

    def _summarize(self, data: Any, steps: int | None) -> None:
        self.reset_state()
        for batch in batches(self.name, data, steps, lambda given: not given):
            self.update_state(batch)
        if not self.summary.size:
            raise ArgumentError(f"{self.name}: adapt: expected data, received none.")
