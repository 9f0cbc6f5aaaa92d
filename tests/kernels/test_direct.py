"""Convolutions in register blocks against naive loops, with guard zones around all memory."""

import os
import subprocess
import sys

import numpy as np
import pytest

from convolutions import cases, check, failure, naive_kernel_gradient, numbers
from distnet import kernels
from distnet.errors import ArgumentError
from distnet.kernels import direct
from distnet.kernels.windows import Windows, slide
from guarded import Guarded

llvm = pytest.importorskip("llvmlite.binding", reason="numba is optional: pip install 'distnet[fast]'")


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "seed"), [("float32", 1), ("float64", 2)])
def test_convolutions_are_sums_of_products_whatever_their_geometry(tiles, dtype, seed):
    assert not [text for case in cases(24, seed) if (text := failure(case, dtype, tiles))]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequences_are_rows(tiles, dtype):
    x, kernel = np.empty((2, 1, 13, 1, 9), dtype), (3, 9, 17)
    for windows in (Windows.over(slide(13, 3, 2, 1, "same")), Windows(slide(4, 3, 1, 1, "same"), *SEQUENCE[1:])):
        assert direct.tiles_for(windows, kernel, 1, x) is tiles
        check(tiles, windows, 9, 17, 1, 2, dtype)


@pytest.fixture
def tiles():
    return kernels.load("numba").tiles


SEQUENCE = Windows.over(slide(13, 3, 1, 2, "causal"))
SIMPLE = Windows.over(slide(5, 3, 1, 1, "same"), slide(6, 3, 1, 1, "same"))


def simple(dtype, volumes=3, channels=9, filters=18):
    rng = np.random.default_rng(5)
    x = numbers(rng, (volumes, *SIMPLE.extents, channels), dtype)
    return x, numbers(rng, (1, 3, 3, channels, filters), dtype), numbers(rng, (volumes, *SIMPLE.shape, filters), dtype)


def test_a_volume_has_the_same_result_in_any_batch(tiles):
    x, kernel, dz = simple("float32")
    memory, out, dx = Guarded(), np.empty_like(dz), np.empty_like(x)
    direct.convolve(tiles, x, kernel, SIMPLE, 1, out, memory)()
    direct.convolve_back(tiles, dz, kernel, SIMPLE, 1, dx, memory)()
    for n in range(len(x)):
        one, back = np.empty_like(dz[:1]), np.empty_like(x[:1])
        direct.convolve(tiles, x[n : n + 1], kernel, SIMPLE, 1, one, memory)()
        direct.convolve_back(tiles, dz[n : n + 1], kernel, SIMPLE, 1, back, memory)()
        np.testing.assert_array_equal(one[0], out[n])
        np.testing.assert_array_equal(back[0], dx[n])


def test_a_long_sum_is_as_exact_as_that_of_blas(tiles):
    windows = Windows.over(slide(1, 1, 1, 1, "valid"), slide(4000, 1, 1, 1, "valid"))
    rng = np.random.default_rng(6)
    x, dz = (rng.random((4, *windows.extents, 16)).astype("float32") for _ in range(2))
    total = direct.kernel_gradient(tiles, x, dz, windows, 1, (1, 1, 1, 16, 16), Guarded())()
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
print(_compiled_block(np.dtype("float32"), 2, 1, 1, 0).cache_hits)
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
    plain = {key: value for key, value in os.environ.items() if key != "NUMBA_CPU_NAME"}
    for asked in ({}, {"NUMBA_CPU_NAME": llvm.get_host_cpu_name()}):
        environment = {**plain, "NUMBA_CACHE_DIR": str(tmp_path), **asked}
        made.append(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True))
    (first, wide), (second, narrow) = (process.stdout.split(b"\n", 1) for process in made)
    assert first == b"0"
    assert second == (b"1" if wide == narrow else b"0")
