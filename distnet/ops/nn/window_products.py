"""Products of windows with kernels: convolution, and its gradients by the input and by the kernel.

The three are each other's gradients, so they can be differentiated any number of times. They run over the kernels that
layers use.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.kernels import patches, taps
from distnet.kernels.windows import Windows, as_volumes, of_rank
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import in_parts, is_spread, rowwise, summed
from distnet.types import Array, DType


@dataclass(frozen=True)
class Products:
    """How kernels meet the windows of an input.

    Args:
        windows: over the input.
        channels: of the input.
        kernel: shape of the kernel: taps along each axis, then C / groups and O, or, if depthwise, C and M.
        is_depthwise: whether each channel has kernels of its own.
        is_first: whether the channels are the second axis of input and output.
    """

    windows: Windows
    channels: int
    kernel: tuple[int, ...]
    is_depthwise: bool
    is_first: bool

    @property
    def rank(self) -> int:
        """Number of axes that the windows slide along."""
        return len(self.kernel) - 2

    @property
    def groups(self) -> int:
        """Parts of the channels that are convolved apart."""
        return self.channels // self.kernel[-2]

    @property
    def filters(self) -> int:
        """Channels of the output."""
        return self.kernel[-1] * (self.kernel[-2] if self.is_depthwise else 1)

    def volumes(self, x: Array) -> Array:
        """The array as contiguous volumes with the channels last."""
        return as_volumes(np.moveaxis(x, 1, -1) if self.is_first else x)

    def of_volumes(self, volumes: Array) -> Array:
        """Volumes in the user's form."""
        array = of_rank(volumes, self.rank)
        return np.moveaxis(array, -1, 1) if self.is_first else array


class _Memory(threading.local):
    """Memory for patches that the next call uses again; everything else is new."""

    def __init__(self) -> None:
        self.patches = np.empty(0, np.uint8)

    def workspace(self, name: str, shape: tuple[int, ...], dtype: DType) -> Array:
        if name != "patches":
            return np.empty(shape, dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        if self.patches.size < size:
            self.patches = np.empty(size, np.uint8)
        return self.patches[:size].view(dtype).reshape(shape)


_memory = _Memory()


def _by_first(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Rows of windows, with a kernel that all ranks have."""
    return None if is_spread(operands[1]) else rowwise(function, operands, options)


def _by_both(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A sum over the rows of both."""
    if all(map(is_spread, operands)):
        return summed(in_parts(function, operands, options))
    return None


@primitive(2, spread=_by_first)
def window_products(x: Array, kernel: Array, products: Products) -> Array:
    """The products of each window of x with the kernel."""
    volumes, kernel = products.volumes(x), np.ascontiguousarray(kernel)
    out = np.empty((len(volumes), *products.windows.shape, products.filters), volumes.dtype)
    if products.is_depthwise:
        taps.convolve(volumes, kernel, products.windows, out, _memory)
    else:
        patches.convolve(volumes, kernel, products.windows, products.groups, out, _memory)
    return products.of_volumes(out)


@primitive(2, spread=_by_first)
def window_products_back(dy: Array, kernel: Array, products: Products) -> Array:
    """The transpose: dy times the kernel, added where the windows were taken."""
    volumes, kernel = products.volumes(dy), np.ascontiguousarray(kernel)
    out = np.empty((len(volumes), *products.windows.extents, products.channels), volumes.dtype)
    if products.is_depthwise:
        taps.convolve_back(volumes, kernel, products.windows, out, _memory)
    else:
        patches.convolve_back(volumes, kernel, products.windows, products.groups, out, _memory)
    return products.of_volumes(out)


@primitive(2, spread=_by_both)
def kernel_products(x: Array, dy: Array, products: Products) -> Array:
    """The products of each window of x with dy, in the shape of the kernel."""
    volumes, gradients = products.volumes(x), products.volumes(dy)
    if products.is_depthwise:
        return taps.kernel_gradient(volumes, gradients, products.windows, products.kernel, _memory)
    return patches.kernel_gradient(volumes, gradients, products.windows, products.groups, products.kernel, _memory)


window_products.has_gradients(
    lambda dy, y, x, kernel, products: window_products_back(dy, kernel, products=products),
    lambda dy, y, x, kernel, products: kernel_products(x, dy, products=products),
)
window_products_back.has_gradients(
    lambda dx, y, dy, kernel, products: window_products(dx, kernel, products=products),
    lambda dx, y, dy, kernel, products: kernel_products(dx, dy, products=products),
)
kernel_products.has_gradients(
    lambda dkernel, y, x, dy, products: window_products_back(dy, dkernel, products=products),
    lambda dkernel, y, x, dy, products: window_products(x, dkernel, products=products),
)
