"""Convolutions in register blocks against naive loops, with guard zones around all memory."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_name

from distnet import kernels
from distnet.errors import ArgumentError
from distnet.kernels import direct
from distnet.kernels.windows import Axis, Windows, slide
from guarded import Guarded

POINT = Axis(1, 1, 1)
ERROR = {"float32": 2e-6, "float64": 4e-15}
PADDINGS = ("valid", "same", "causal")
COLUMNS = (4, 6, 7, 13)
"""Windows side by side, few numbers: each size of a block is compiled."""


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


def cases(count, seed):
    """Windows, channels, filters, groups, volumes."""
    rng = np.random.default_rng(seed)
    made = []
    while len(made) < count:
        axes = []
        for extent in (int(rng.integers(1, 4)), int(rng.integers(1, 12)), int(rng.choice((*COLUMNS, 40)))):
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


@pytest.fixture
def tiles():
    return kernels.load("numba").tiles


def numbers(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def assert_near(actual, expected, dtype):
    assert actual.dtype == dtype
    scale = max(np.max(np.abs(expected), initial=0), 1e-3)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=scale * ERROR[np.dtype(dtype).name])


def check(tiles, windows, channels, filters, groups, volumes, dtype):
    rng, memory = np.random.default_rng(channels * 71 + filters), Guarded()
    x = memory.copied(numbers(rng, (volumes, *windows.extents, channels), dtype))
    shape = (*(axis.taps for axis in windows), channels // groups, filters)
    kernel = memory.copied(numbers(rng, shape, dtype))
    dz = memory.copied(numbers(rng, (volumes, *windows.shape, filters), dtype))
    out, dx = memory.workspace("", dz.shape, dtype), memory.workspace("", x.shape, dtype)
    direct.convolve(tiles, x, kernel, windows, groups, out, memory)
    assert_near(out, naive_forward(x, kernel, windows, groups), dtype)
    total = direct.kernel_gradient(tiles, x, dz, windows, groups, shape, memory)
    assert_near(total, naive_kernel_gradient(x, dz, windows, groups, shape), dtype)
    direct.convolve_back(tiles, dz, kernel, windows, groups, dx, memory)
    assert_near(dx, naive_backward(dz, kernel, windows, groups, channels), dtype)
    memory.check()


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "seed"), [("float32", 1), ("float64", 2)])
def test_convolutions_are_sums_of_products_whatever_their_geometry(tiles, dtype, seed):
    for case in cases(24, seed):
        try:
            check(tiles, *case, dtype)
        except AssertionError as error:
            raise AssertionError(f"{case}: {error}") from None


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequences_are_rows(tiles, dtype):
    x, kernel = np.empty((2, 1, 13, 1, 9), dtype), (3, 9, 17)
    for windows in (Windows.over(slide(13, 3, 2, 1, "same")), Windows(slide(4, 3, 1, 1, "same"), *SEQUENCE[1:])):
        assert direct.tiles_for(windows, kernel, 1, x) is tiles
        check(tiles, windows, 9, 17, 1, 2, dtype)


SEQUENCE = Windows.over(slide(13, 3, 1, 2, "causal"))
SIMPLE = Windows.over(slide(5, 3, 1, 1, "same"), slide(6, 3, 1, 1, "same"))


def simple(dtype, volumes=3, channels=9, filters=18):
    rng = np.random.default_rng(5)
    x = numbers(rng, (volumes, *SIMPLE.extents, channels), dtype)
    return x, numbers(rng, (1, 3, 3, channels, filters), dtype), numbers(rng, (volumes, *SIMPLE.shape, filters), dtype)


def test_a_volume_has_the_same_result_in_any_batch(tiles):
    x, kernel, dz = simple("float32")
    memory, out, dx = Guarded(), np.empty_like(dz), np.empty_like(x)
    direct.convolve(tiles, x, kernel, SIMPLE, 1, out, memory)
    direct.convolve_back(tiles, dz, kernel, SIMPLE, 1, dx, memory)
    for n in range(len(x)):
        one, back = np.empty_like(dz[:1]), np.empty_like(x[:1])
        direct.convolve(tiles, x[n : n + 1], kernel, SIMPLE, 1, one, memory)
        direct.convolve_back(tiles, dz[n : n + 1], kernel, SIMPLE, 1, back, memory)
        np.testing.assert_array_equal(one[0], out[n])
        np.testing.assert_array_equal(back[0], dx[n])


def test_a_long_sum_is_as_exact_as_that_of_blas(tiles):
    windows = Windows.over(slide(1, 1, 1, 1, "valid"), slide(4000, 1, 1, 1, "valid"))
    rng = np.random.default_rng(6)
    x, dz = (rng.random((4, *windows.extents, 16)).astype("float32") for _ in range(2))
    total = direct.kernel_gradient(tiles, x, dz, windows, 1, (1, 1, 1, 16, 16), Guarded())
    expected = naive_kernel_gradient(x, dz, windows, 1, total.shape)
    assert np.max(np.abs(total / expected - 1)) < 4e-6  # in one chain of single precision it is 1e-4


@pytest.mark.parametrize("wrong", ["shape", "dtype", "strides"])
def test_arrays_that_do_not_fit_are_refused_before_anything_is_written(tiles, wrong):
    x, kernel, dz = simple("float32")
    out = {"shape": dz[:, :, 1:], "dtype": dz.astype(float), "strides": np.asfortranarray(dz)}[wrong]
    with pytest.raises(ArgumentError, match="expected contiguous arrays of one dtype"):
        direct.convolve(tiles, x, kernel, SIMPLE, 1, out, Guarded())


def test_patches_serve_where_they_are_faster_and_where_dtypes_differ(tiles):
    x, kernel, dz = simple("float32")
    few = SIMPLE._replace(columns=slide(6, 3, 3, 1, "same"))
    assert direct.tiles_for(SIMPLE, kernel.shape, 1, x, kernel, dz) is tiles
    assert direct.tiles_for(few, kernel.shape, 1, x, kernel, dz) is None
    assert direct.tiles_for(SIMPLE, kernel.shape, 1, x, kernel.astype(float), dz) is None
    assert direct.tiles_for(SIMPLE, (1, 3, 3, 3, 18), 1, x, kernel, dz, is_backward=True) is None


BLOCK = """
import numpy as np
from distnet.kernels.blocks import _compiled_block
print(_compiled_block(np.dtype("float32"), 2, 1).cache_hits)
"""


@pytest.mark.slow
def test_of_processes_that_start_together_one_compiles_and_the_others_load(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", BLOCK], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert sorted(process.communicate(timeout=100)[0] for process in started) == ["0\n", "1\n", "1\n"]


@pytest.mark.slow
def test_code_for_other_registers_is_not_loaded_though_numba_gives_their_cpus_one_name(tmp_path):
    """NUMBA_CPU_NAME asks for narrow registers, even with the name of the CPU at hand."""
    program, made = f"{BLOCK}from distnet.kernels.vector_code import REGISTERS\nprint(REGISTERS)", []
    for asked in ({}, {"NUMBA_CPU_NAME": get_host_cpu_name()}):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **asked}
        made.append(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True))
    (first, wide), (second, narrow) = (process.stdout.split(b"\n", 1) for process in made)
    assert first == b"0"
    assert second == (b"1" if wide == narrow else b"0")
