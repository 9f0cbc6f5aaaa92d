"""Pooling over sliding windows, and into a wanted number of windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet import kernels
from distnet.errors import ShapeError
from distnet.kernels import window_means
from distnet.kernels.windows import Windows, as_volumes, of_rank, slide
from distnet.ops.compositions import composition
from distnet.ops.dtypes import floating
from distnet.ops.nn.convs import has_channels_first, numbers_for, padding_of
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import primitive
from distnet.ops.spread import rowwise
from distnet.types import Array


@dataclass(frozen=True)
class Pools:
    """How windows slide over an input.

    Args:
        windows: over the volumes.
        rank: number of axes that they slide along.
        is_first: whether the channels are the second axis.
    """

    windows: Windows
    rank: int
    is_first: bool

    def volumes(self, x: Array) -> Array:
        """The array as contiguous volumes with the channels last."""
        return as_volumes(np.moveaxis(x, 1, -1) if self.is_first else x)

    def of_volumes(self, volumes: Array) -> Array:
        """Volumes in the user's form."""
        array = of_rank(volumes, self.rank)
        return np.moveaxis(array, -1, 1) if self.is_first else array

    def pooled(self, volumes: Array, dtype: Any = None) -> Array:
        """Memory for what is made of the volumes."""
        return np.empty((len(volumes), *self.windows.shape, volumes.shape[-1]), dtype or volumes.dtype)

    def unpooled(self, pooled: Array) -> Array:
        """Memory for the volumes that it was made of."""
        return np.empty((len(pooled), *self.windows.extents, pooled.shape[-1]), pooled.dtype)


def _pools(where: str, x: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Pools:
    rank, is_first = len(x.shape) - 2, has_channels_first(where, data_format)
    if rank not in (1, 2, 3):
        raise ShapeError(
            f"ops.{where}: expected an input with one to three axes between rows and channels, received the shape "
            f"{x.shape}."
        )
    taps, name = numbers_for(where, pool_size, rank), padding_of(where, padding)
    steps = taps if strides is None else numbers_for(where, strides, rank)
    extents = x.shape[2:] if is_first else x.shape[1:-1]
    axes = [slide(n, tap, step, 1, name) for n, tap, step in zip(extents, taps, steps, strict=True)]
    if not all(axis.windows for axis in axes):
        raise ShapeError(
            f'ops.{where}: pool {taps} exceeds the input {tuple(extents)}. Use padding="same" or a smaller pool.'
        )
    return Pools(Windows.over(*axes), rank, is_first)


@primitive(1, spread=rowwise, returns_many=True)
def window_maxima(x: Array, pools: Pools) -> list[Array]:
    """The largest entry of each window, and the number of the first tap that holds it; padding never wins."""
    volumes = pools.volumes(floating(x))
    y, winners = pools.pooled(volumes), pools.pooled(volumes, np.min_scalar_type(pools.windows.taps))
    kernels.current().max_pool(volumes, pools.windows, y, winners)
    return [pools.of_volumes(y), pools.of_volumes(winners)]


@primitive(2, spread=rowwise)
def window_maxima_back(dy: Array, winners: Array, pools: Pools) -> Array:
    """Each window's gradient, added to its winner."""
    volumes = pools.volumes(dy)
    dx = pools.unpooled(volumes)
    kernels.current().max_pool_gradient(volumes, pools.volumes(np.asarray(winners)), pools.windows, dx)
    return pools.of_volumes(dx)


@primitive(2, spread=rowwise)
def window_winners(x: Array, winners: Array, pools: Pools) -> Array:
    """The entries that won, of another array: what ``window_maxima_back`` is the transpose of."""
    volumes, won = pools.volumes(x), pools.volumes(np.asarray(winners))
    y = pools.pooled(volumes)
    for tap, of, at in pools.windows.overlaps():
        np.copyto(y[:, *of], volumes[:, *at], where=won[:, *of] == tap)
    return pools.of_volumes(y)


window_maxima.has_gradients(lambda dy, y, x, pools: window_maxima_back(dy[0], y[1], pools=pools))
window_maxima_back.has_gradients(lambda dx, y, dy, winners, pools: window_winners(dx, winners, pools=pools), None)
window_winners.has_gradients(lambda dy, y, x, winners, pools: window_maxima_back(dy, winners, pools=pools), None)


@primitive(1, spread=rowwise)
def window_averages(x: Array, pools: Pools) -> Array:
    """The mean of the entries of each window that lie inside."""
    volumes = pools.volumes(floating(x))
    y = pools.pooled(volumes)
    window_means.means(volumes, pools.windows, y)
    return pools.of_volumes(y)


@primitive(1, spread=rowwise)
def window_averages_back(dy: Array, pools: Pools) -> Array:
    """The transpose of ``window_averages``."""
    volumes = pools.volumes(dy)
    dx = pools.unpooled(volumes)
    window_means.means_back(volumes, pools.windows, window_means.shares_of(pools.windows, volumes.dtype), dx)
    return pools.of_volumes(dx)


window_averages.has_gradients(lambda dy, y, x, pools: window_averages_back(dy, pools=pools))
window_averages_back.has_gradients(lambda dx, y, dy, pools: window_averages(dx, pools=pools))


@composition(1, kind="MaxPool", module="nn")
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The largest entry of each window; the gradient of ties goes to the first.

    Source: ``keras.ops.max_pool``.
    """
    pools = _pools("max_pool", inputs, pool_size, strides, padding, data_format)
    return window_maxima(inputs, pools=pools)[0]


@composition(1, kind="AveragePool", module="nn")
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """The mean of each window; padding does not count.

    Source: ``keras.ops.average_pool``.
    """
    pools = _pools("average_pool", inputs, pool_size, strides, padding, data_format)
    return window_averages(inputs, pools=pools)


def spans(extent: int, windows: int) -> list[slice]:
    """Where each of so many windows lies: from ``floor(o n / O)`` to before ``ceil((o + 1) n / O)``."""
    return [slice(o * extent // windows, -(-(o + 1) * extent // windows)) for o in range(windows)]


def _places(where: str, x: Any, output_size: Any, data_format: Any) -> list[tuple[int, int]]:
    """The axes pooled along, with the number of windows along each."""
    rank, is_first = len(x.shape) - 2, has_channels_first(where, data_format)
    sizes = numbers_for(where, output_size, rank)
    return [(axis + (2 if is_first else 1), size) for axis, size in enumerate(sizes)]


@composition(1, module="nn")
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The mean of each of so many windows, which cover the input.

    Source: ``keras.ops.adaptive_average_pool``.
    """
    x = inputs
    for axis, size in _places("adaptive_average_pool", x, output_size, data_format):
        shares = np.zeros((x.shape[axis], size), x.dtype)
        for o, span in enumerate(spans(x.shape[axis], size)):
            shares[span, o] = 1 / (span.stop - span.start)
        last = PRIMITIVES["Moveaxis"](x, axis, -1)
        x = PRIMITIVES["Moveaxis"](PRIMITIVES["Matmul"](last, shares), -1, axis)
    return x


@composition(1, module="nn")
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """The largest entry of each of so many windows, which cover the input.

    Source: ``keras.ops.adaptive_max_pool``.
    """
    x = inputs
    for axis, size in _places("adaptive_max_pool", x, output_size, data_format):
        each = spans(x.shape[axis], size)
        widest = max(span.stop - span.start for span in each)
        entries = np.array([np.minimum(np.arange(s.start, s.start + widest), s.stop - 1) for s in each])
        x = PRIMITIVES["Max"](PRIMITIVES["Take"](x, entries, axis=axis), axis=axis + 1)
    return x
