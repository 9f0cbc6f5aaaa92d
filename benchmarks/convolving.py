"""A contestant: convolutions of 3 x 3 by one thread, forward and both gradients, by distnet or by PyTorch."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from measuring import take_turns

TAPS = 3


class Shape(NamedTuple):
    """A batch of images and a convolution of them."""

    size: int
    channels: int
    filters: int
    strides: int
    padding: str

    def __str__(self) -> str:
        strides = f", stride {self.strides}" if self.strides > 1 else ""
        return f"{self.size}x{self.size}, {self.channels} -> {self.filters}{strides}"


BATCH = 32
SHAPES = [
    Shape(28, 1, 32, 1, "valid"),
    Shape(26, 32, 64, 1, "valid"),
    Shape(32, 16, 16, 1, "same"),
    Shape(32, 16, 32, 2, "same"),
    Shape(16, 32, 32, 1, "same"),
    Shape(8, 64, 64, 1, "same"),
]
WAYS = ("forward", "kernel gradient", "input gradient")

Calls = tuple[tuple[int, ...], list[Callable[[], object]]]
"""The shape of the output, channels last; the three ways."""


def by_distnet(shape: Shape) -> Calls:
    """By the layer; a gradient is that of a layer, or of an input, where the other is not wanted."""
    from distnet import layers
    from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext, Workspaces

    rng, workspaces = np.random.default_rng(0), Workspaces()
    x = rng.random((BATCH, shape.size, shape.size, shape.channels), np.float32)
    layer = layers.Conv2D(shape.filters, TAPS, shape.strides, shape.padding, use_bias=False)
    layer.build(x.shape, BuildContext("layer", np.dtype(np.float32), (0,)))
    forward = ForwardContext(True, 0, 0, 0, BATCH, workspaces)
    y, saved = layer.forward(x, forward)
    dy, kernel = rng.random(y.shape, np.float32), layer.kernel
    kernel.grad = np.zeros_like(kernel.value)

    def back(needs_input: bool) -> None:
        kernel.frozen = needs_input
        layer.backward(dy, saved, BackwardContext(workspaces, needs_input_gradient=needs_input))

    return y.shape, [lambda: layer.forward(x, forward), lambda: back(False), lambda: back(True)]


def by_torch(shape: Shape, is_channels_last: bool) -> Calls:
    """By its functions."""
    import torch

    torch.set_num_threads(1)
    order = torch.channels_last if is_channels_last else torch.contiguous_format
    x = torch.rand(BATCH, shape.channels, shape.size, shape.size).contiguous(memory_format=order)
    w = torch.rand(shape.filters, shape.channels, TAPS, TAPS).contiguous(memory_format=order)
    padding = [0, 0] if shape.padding == "valid" else [TAPS // 2] * 2
    strides = [shape.strides] * 2
    dy = torch.rand_like(torch.conv2d(x, w, None, strides, padding))

    def back(*wanted: bool) -> Any:
        both = torch.ops.aten.convolution_backward
        return both(dy, x, w, None, strides, padding, [1, 1], False, [0, 0], 1, [*wanted, False])

    batch, filters, height, width = dy.shape

    def forward() -> Any:
        return torch.conv2d(x, w, None, strides, padding)

    return (batch, height, width, filters), [forward, lambda: back(False, True), lambda: back(True, False)]


def gflops(call: Callable[[], object], operations: float, seconds: float) -> float:
    """The least time of calls that take these seconds, as 10^9 operations a second."""
    call()
    end, least = time.perf_counter() + seconds, np.inf
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - start)
    return float(operations / least / 1e9)


def main() -> None:
    """Measure all shapes in each turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--framework", choices=("distnet", "torch"), required=True)
    parser.add_argument("--channels-last", action="store_true", help="PyTorch's other memory format")
    parser.add_argument("--seconds", type=float, default=0.1, help="for each number")
    options = parser.parse_args()
    of_torch = options.framework == "torch"
    calls = {shape: by_torch(shape, options.channels_last) if of_torch else by_distnet(shape) for shape in SHAPES}

    def measure() -> dict[str, list[float]]:
        if of_torch:
            import torch

            torch.set_grad_enabled(False)
        return {
            f"{shape}/{way}": [gflops(call, 2.0 * np.prod(y) * TAPS**2 * shape.channels, options.seconds)]
            for shape, (y, ways) in calls.items()
            for way, call in zip(WAYS, ways, strict=True)
        }

    take_turns(measure)


if __name__ == "__main__":
    main()
