"""Features normalized to mean 0 and variance 1 by statistics known before training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from distnet import config
from distnet.arguments import as_numbers, is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.normalization.axes import known_extents, positive_axes
from distnet.layers.preprocessing.adapting import as_on_root, on_every_rank
from distnet.registry import LEFT_OUT, to_json
from distnet.types import Array, ArrayLike, Json, Shape
from distnet.variables import Variable


@register_layer()
@dataclass(eq=False)
class Normalization(Layer):
    """``y = (x - mean) / sqrt(variance)`` for each position along ``axis``.

    Mean and variance are given, or computed by ``adapt``; training does not change them.

    Shapes:
        (N, ...) -> the same.

    Args:
        axis: axes that have statistics of their own, without the batch axis; None for one mean and variance for all.
        mean: a number, or an array over the last axes of ``axis``; given together with ``variance``. As attributes
            both are the statistics in use, to broadcast against inputs, or None while their shape is not known.
        variance: of the same shape as ``mean``.
        invert: ``y = x sqrt(variance) + mean`` instead.

    Source: ``keras.layers.Normalization``.
    """

    supports_masking: ClassVar[bool] = True
    takes_integers: ClassVar[bool] = True

    axis: int | list[int] | None = -1
    mean: ArrayLike | None = None
    variance: ArrayLike | None = None
    invert: bool = False
    input_mean: ArrayLike | None = field(init=False, repr=False, metadata=LEFT_OUT)
    """The constructor's ``mean``."""
    input_variance: ArrayLike | None = field(init=False, repr=False, metadata=LEFT_OUT)

    def validate(self) -> None:
        axes = () if self.axis is None else (self.axis,) if isinstance(self.axis, int) else tuple(self.axis)
        if not all(map(is_integer, axes)):
            raise ArgumentError(f"{self.name}: axis: expected an integer, integers or None, received {self.axis!r}.")
        self.axis = list(axes)
        if (self.input_mean is None) != (self.input_variance is None):
            raise ArgumentError(
                f"{self.name}: expected mean and variance together, received {self.input_mean!r} and "
                f"{self.input_variance!r}."
            )
        self._given: tuple[Array, Array] | None = None
        if self.input_mean is None:
            return
        mean, variance = self._numbers("mean", self.input_mean), self._numbers("variance", self.input_variance)
        if mean.shape != variance.shape or mean.ndim > len(axes):
            raise ArgumentError(
                f"{self.name}: expected mean and variance of one shape, with at most as many axes as axis={self.axis} "
                f"has, received {mean.shape} and {variance.shape}."
            )
        self._given = mean, variance
        self.input_mean, self.input_variance = mean.tolist(), variance.tolist()

    def get_config(self) -> dict[str, Json]:
        return {**super().get_config(), "mean": to_json(self.input_mean), "variance": to_json(self.input_variance)}

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        extents = known_extents(self._kept(shape), shape, self.name)
        if self._given is not None:
            self._of_rows(self._given[0], extents)
            return
        self.adapt_mean = ctx.variable("mean", extents, "zeros", trainable=False)
        self.adapt_variance = ctx.variable("variance", extents, "ones", trainable=False)
        # Keras 3 keeps the count for the files of Keras 2, and leaves it 0.
        self.count: Variable = ctx.variable("count", (), "zeros", trainable=False, stored_as="int32")

    def check_shape(self, shape: Shape) -> None:
        if known_extents(self._kept(shape), shape, self.name) != self.adapt_mean.shape:
            super().check_shape(shape)

    def compute_output_shape(self, shape: Shape) -> Shape:
        self._kept(shape)
        return shape

    def adapt(self, data: Any) -> None:
        """Compute mean and variance from data; every rank must pass the same data, all of it.

        Args:
            data: an array, a ``PyDataset`` or an iterable of batches; of a tuple ``(x, y)``, ``x`` counts.

        Raises:
            ArgumentError: the layer was given a mean, or there are no data.
            ShapeError: the data do not fit the layer.
            ReplicaError: the ranks' data differ.
        """
        if self._given is not None:
            raise ArgumentError(
                f"{self.name}: adapt: expected a layer without mean and variance, received one created with them. "
                "Leave them out."
            )
        on_every_rank(self.name, lambda: self._measure(data))
        measured = as_on_root(self.name, np.stack([self.adapt_mean.value, self.adapt_variance.value]))
        self.adapt_mean.assign(measured[0])
        self.adapt_variance.assign(measured[1])

    def finalize_state(self) -> None:
        """Use the mean and variance in the weights, which is so at any time; Keras needs the call after ``assign``.

        Source: ``keras.layers.Normalization.finalize_state``.
        """

    def _measure(self, data: Any) -> None:
        """Mean and variance of this rank's data: sums over all batches, whatever their sizes."""
        count, mean, squares = 0, cast(Any, 0.0), cast(Any, 0.0)
        for batch in self._batches(data):
            self.build_once((None, *batch.shape[1:]))
            kept = self._kept(batch.shape)
            reduced = tuple(axis for axis in range(batch.ndim) if axis not in kept)
            added = math.prod(batch.shape[axis] for axis in reduced)
            if not added:
                continue
            of_batch = batch.mean(axis=reduced, dtype=np.float64)
            around = np.expand_dims(of_batch, reduced)
            step, share = of_batch - mean, added / (count + added)
            squares = squares + np.square(batch - around).sum(axis=reduced) + step**2 * count * share
            mean, count = mean + step * share, count + added
        if not count:
            raise ArgumentError(f"{self.name}: adapt: expected data, received none.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, Array]:
        mean, deviation = self._statistics(x.shape)
        y = ctx.workspace("y", x.shape, np.dtype(self.dtype))
        if self.invert:
            np.multiply(x, deviation, out=y, dtype=y.dtype)
            y += mean
        else:
            np.subtract(x, mean, out=y, dtype=y.dtype)
            y /= deviation
        return y, deviation

    def backward(self, dy: Array, saved: Array, ctx: BackwardContext) -> Array:
        dx = ctx.workspace("dx", dy.shape, dy.dtype)
        return np.multiply(dy, saved, out=dx) if self.invert else np.divide(dy, saved, out=dx)

    def _statistics(self, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Mean and standard deviation, to broadcast against an input of ``shape``."""
        mean, variance = self._statistic(0, shape), self._statistic(1, shape)
        return mean, np.maximum(np.sqrt(variance), np.dtype(self.dtype).type(config.epsilon()))

    def _statistic(self, place: int, shape: Shape) -> Array:
        """The mean, 0, or the variance, 1, to broadcast against an input of ``shape``."""
        kept = self._kept(shape)
        if self._given is None:
            value = (self.adapt_mean, self.adapt_variance)[place].value
        else:
            value = self._of_rows(self._given[place], [cast(int, shape[axis]) for axis in kept])
        wide = [cast(int, n) if axis in kept else 1 for axis, n in enumerate(shape)]
        return value.astype(self.dtype).reshape(wide)

    def _of_rows(self, given: Array, extents: Iterable[int]) -> Array:
        try:
            return np.broadcast_to(given, tuple(extents))
        except ValueError:
            raise ShapeError(
                f"{self.name}: expected inputs that fit a mean of shape {given.shape}, received {tuple(extents)} along "
                f"the axes {self.axis}."
            ) from None

    def _kept(self, shape: Shape) -> list[int]:
        return positive_axes(cast("list[int]", self.axis), shape, self.name)

    def _numbers(self, name: str, value: Any) -> Array:
        """An array; Keras 3 writes it as ``{"class_name": "__numpy__", "config": {"value": ...}}``."""
        if isinstance(value, Mapping):
            value = value.get("config", value).get("value")
        return as_numbers(f"{self.name}: {name}", value, np.float64)

    def _batches(self, data: Any) -> Iterator[Array]:
        """The data as arrays of ``float64``."""
        is_list_of_numbers = isinstance(data, list) and data and not any(hasattr(one, "shape") for one in data)
        if hasattr(data, "__array__") or is_list_of_numbers:
            yield self._batch(data)
        elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
            yield from (self._batch(data[i]) for i in range(len(data)))
        elif isinstance(data, Iterable):
            yield from map(self._batch, data)
        else:
            raise ArgumentError(f"{self.name}: adapt: expected an array or batches, received {data!r}.")

    def _batch(self, batch: Any) -> Array:
        return as_numbers(f"{self.name}: adapt", batch[0] if isinstance(batch, tuple) else batch, np.float64)


def _in_use(place: int, argument: str) -> property:
    """An attribute that the constructor's argument sets, and that gives the statistic in use."""

    def get(layer: Normalization) -> Array | None:
        return None if layer.built_shape is None else layer._statistic(place, layer.built_shape)

    return property(get, lambda layer, value: setattr(layer, argument, value))


Normalization.mean = _in_use(0, "input_mean")  # type: ignore[assignment]
Normalization.variance = _in_use(1, "input_variance")  # type: ignore[assignment]
