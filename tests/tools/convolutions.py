"""Convolutions of any geometry in every way they are computed, against naive loops, between guard zones.

``python tests/tools/convolutions.py --count 2000 --seed 1`` tries as many cases, each in both precisions; a case that
fails is printed, and the exit status is 1.
"""

import argparse
import math
import sys

import numpy as np

from distnet import kernels
from distnet.kernels import direct, patches, taps
from distnet.kernels.windows import POINT, Windows, slide
from guarded import Guarded

ERROR = {"float32": 2e-6, "float64": 4e-15}
PADDINGS = ("valid", "same", "causal")
COLUMNS = (4, 6, 7, 13)
"""Windows side by side, few numbers: each size of a block is compiled."""


MOSTLY = 0.8
"""How many cases have few rows of windows, which say as much as many, and take less time."""


def naive_forward(x, kernel, windows, groups):
    """Sums of products in float64, tap by tap."""
    out = np.zeros((len(x), *windows.shape, kernel.shape[-1]))
    for of_x, of_out, of_kernel in parts(x, kernel, groups):
        for tap, of, at in windows.overlaps():
            entries = x[:, *at, of_x].astype(float)
            out[:, *of, of_out] += entries @ kernel.reshape(windows.taps, *kernel.shape[-2:])[tap, :, of_kernel]
    return out


def naive_kernel_gradient(x, dz, windows, groups, shape):
    total = np.zeros((windows.taps, *shape[-2:]))
    for of_x, of_out, of_kernel in parts(x, total, groups):
        for tap, of, at in windows.overlaps():
            entries, gradient = x[:, *at, of_x].astype(float), dz[:, *of, of_out]
            total[tap, :, of_kernel] += np.einsum("ndhwc,ndhwo->co", entries, gradient)
    return total.reshape(shape)


def naive_backward(dz, kernel, windows, groups, channels):
    out = np.zeros((len(dz), *windows.extents, channels))
    for of_x, of_out, of_kernel in parts(out, kernel, groups):
        for tap, of, at in windows.overlaps():
            weights = kernel.reshape(windows.taps, *kernel.shape[-2:])[tap, :, of_kernel]
            out[:, *at, of_x] += dz[:, *of, of_out].astype(float) @ weights.T
    return out


def parts(x, kernel, groups):
    channels, filters = x.shape[-1] // groups, kernel.shape[-1] // groups
    for group in range(groups):
        of_filters = slice(group * filters, (group + 1) * filters)
        yield slice(group * channels, (group + 1) * channels), of_filters, of_filters


def cases(count, seed, columns=(*COLUMNS, 40)):
    """Windows, channels, filters, groups, volumes."""
    rng = np.random.default_rng(seed)
    made = []
    while len(made) < count:
        axes = []
        rows = rng.integers(1, 12) if rng.random() < MOSTLY else rng.integers(12, 41)
        for extent in (int(rng.integers(1, 4)), int(rows), int(rng.choice(columns))):
            taps, stride, dilation = (int(n) for n in rng.integers(1, 4, 3))
            axes.append(slide(extent, taps, stride, dilation, PADDINGS[rng.integers(3)]))
        if rng.random() < 0.7:
            axes[0] = POINT
        groups = int(rng.choice((1, 1, 2, 3)))
        channels, filters = (int(n) * groups for n in rng.integers(1, 71 // groups, 2))
        windows = Windows(*axes)
        if math.prod(windows.shape):
            made.append((windows, channels, filters, groups, int(rng.integers(0, 4))))
    return made


def numbers(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def assert_near(actual, expected, dtype, what):
    assert actual.dtype == dtype
    scale = max(np.max(np.abs(expected), initial=0), 1e-3)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=scale * ERROR[np.dtype(dtype).name], err_msg=what)


def check(tiles, windows, channels, filters, groups, volumes, dtype):
    """Compare register blocks, patches and taps with naive loops.

    Args:
        tiles: the register blocks; None to leave them out.
    """
    rng, memory = np.random.default_rng(channels * 71 + filters), Guarded()
    x = memory.copied(numbers(rng, (volumes, *windows.extents, channels), dtype))
    shape = (*(axis.taps for axis in windows), channels // groups, filters)
    kernel = memory.copied(numbers(rng, shape, dtype))
    dz = memory.copied(numbers(rng, (volumes, *windows.shape, filters), dtype))
    expected = (
        naive_forward(x, kernel, windows, groups), naive_kernel_gradient(x, dz, windows, groups, shape),
        naive_backward(dz, kernel, windows, groups, channels),
    )  # fmt: skip
    made = {"patches": (
        patches.convolve(x, kernel, windows, groups, memory.workspace("", dz.shape, dtype), memory),
        patches.kernel_gradient(x, dz, windows, groups, shape, memory),
        patches.convolve_back(dz, kernel, windows, groups, memory.workspace("", x.shape, dtype), memory),
    )}  # fmt: skip
    if tiles is not None:
        out, dx = memory.workspace("", dz.shape, dtype), memory.workspace("", x.shape, dtype)
        direct.convolve(tiles, x, kernel, windows, groups, out, memory)()
        direct.convolve_back(tiles, dz, kernel, windows, groups, dx, memory)()
        made["blocks"] = out, direct.kernel_gradient(tiles, x, dz, windows, groups, shape, memory)(), dx
    for way, results in made.items():
        for what, actual, wanted in zip(("forward", "kernel gradient", "backward"), results, expected, strict=True):
            assert_near(actual, wanted, dtype, f"{way}, {what}")
    memory.check()


def check_depthwise(windows, channels, multiple, volumes, dtype):
    """Compare a convolution of each channel by itself with sums of products in float64, tap by tap."""
    rng, memory = np.random.default_rng(channels), Guarded()
    x = memory.copied(numbers(rng, (volumes, *windows.extents, channels), dtype))
    kernel = memory.copied(numbers(rng, (*(axis.taps for axis in windows), channels, multiple), dtype))
    dz = memory.copied(numbers(rng, (volumes, *windows.shape, channels * multiple), dtype))
    results = (
        taps.convolve(x, kernel, windows, memory.workspace("", dz.shape, dtype), memory),
        taps.kernel_gradient(x, dz, windows, kernel.shape, memory),
        taps.convolve_back(dz, kernel, windows, memory.workspace("", x.shape, dtype), memory),
    )
    weights, slopes = (
        kernel.reshape(windows.taps, channels, multiple).astype(float),
        dz.reshape(*dz.shape[:-1], channels, multiple),
    )
    out, total, dx = np.zeros(slopes.shape), np.zeros(weights.shape), np.zeros(x.shape)
    for tap, of, at in windows.overlaps():
        entries, gradient = x[:, *at].astype(float), slopes[:, *of].astype(float)
        out[:, *of] += entries[..., np.newaxis] * weights[tap]
        total[tap] = np.einsum("ndhwc,ndhwcm->cm", entries, gradient)
        dx[:, *at] += (gradient * weights[tap]).sum(axis=-1)
    expected = out.reshape(dz.shape), total.reshape(kernel.shape), dx
    for what, actual, wanted in zip(("forward", "kernel gradient", "backward"), results, expected, strict=True):
        assert_near(actual, wanted, dtype, f"depthwise, {what}")
    memory.check()


def failure(case, dtype, tiles):
    """What is wrong with a case, as text; None if nothing is."""
    windows, channels, _, _, volumes = case
    try:
        check(tiles, *case, dtype)
        check_depthwise(windows, channels, 1 + max(channels % 4 - 1, 0), volumes, dtype)
    except AssertionError as error:
        return f"{case} in {dtype}: {error}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failures, tiles = 0, kernels.current().tiles
    for case in cases(arguments.count, arguments.seed, range(1, 41)):
        for dtype in ("float32", "float64"):
            text = failure(case, dtype, tiles)
            if text is not None:
                failures += 1
                print(text)
    print(f"{arguments.count} cases, {failures} failures, with the {kernels.current().name} kernels")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
