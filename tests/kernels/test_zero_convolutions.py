"""Convolutions that skip zeros, against naive loops, with guard zones: right, and taken where zeros are many alone."""

import numpy as np
import pytest

from convolutions import assert_near, cases, naive_backward, naive_forward, naive_kernel_gradient, numbers
from distnet import kernels
from distnet.comm import threads
from distnet.kernels import direct, teamwork
from distnet.kernels.windows import Windows, slide
from guarded import Guarded

SIMPLE = Windows.over(slide(9, 3, 1, 1, "same"), slide(20, 3, 1, 1, "same"))
CHANNELS = 32


@pytest.fixture
def tiles():
    pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
    return kernels.load("numba").tiles


@pytest.fixture
def skips_always(monkeypatch):
    """Whatever the size and the numbers."""
    for name, value in (("LEAST_PRODUCTS", 1), ("_MOST_KEPT", 1.0), ("_MOST_KEPT_OF_GRADIENT", 1.0)):
        monkeypatch.setattr(f"distnet.kernels.zero_convolutions.{name}", value)


@pytest.fixture
def fails_unless_zeros_are_skipped(monkeypatch):
    def fail(*_):
        raise AssertionError("zeros were not skipped")

    monkeypatch.setattr("distnet.kernels.tile_loops.correlate", fail)
    monkeypatch.setattr("distnet.kernels.tile_loops.correlate_gradient", fail)


def sparse(rng, shape, kept, dtype):
    return numbers(rng, shape, dtype) * (rng.random(shape) < kept).astype(dtype)


def arrays(windows, kept, dtype, memory, channels=CHANNELS, filters=CHANNELS, volumes=3):
    """x, kernel, dz, and memory for the results forward and backward; of x and dz a part is not zero."""
    rng = np.random.default_rng(4)
    shape = *(axis.taps for axis in windows), channels, filters
    x, dz = (volumes, *windows.extents, channels), (volumes, *windows.shape, filters)
    made = [sparse(rng, x, kept, dtype), numbers(rng, shape, dtype), sparse(rng, dz, kept, dtype)]
    return [*map(memory.copied, made), *(memory.workspace("", s, np.dtype(dtype)) for s in (dz, x))]


def compute(tiles, windows, memory, x, kernel, dz, out, dx):
    direct.convolve(tiles, x, kernel, windows, 1, out, memory)()
    direct.convolve_back(tiles, dz, kernel, windows, 1, dx, memory)()
    return out, direct.kernel_gradient(tiles, x, dz, windows, 1, kernel.shape, memory)(), dx


def check(tiles, windows, kept, dtype, *sizes):
    memory = Guarded()
    x, kernel, dz, out, dx = arrays(windows, kept, dtype, memory, *sizes)
    results = compute(tiles, windows, memory, x, kernel, dz, out, dx)
    expected = (
        naive_forward(x, kernel, windows, 1), naive_kernel_gradient(x, dz, windows, 1, kernel.shape),
        naive_backward(dz, kernel, windows, 1, x.shape[-1]),
    )  # fmt: skip
    for what, actual, wanted in zip(("forward", "kernel gradient", "backward"), results, expected, strict=True):
        assert_near(actual, wanted, dtype, f"{what} of {windows}, {sizes}, {kept}")
    memory.check()


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "seed"), [("float32", 1), ("float64", 2)])
def test_they_are_right_whatever_their_geometry_and_where_the_zeros_are(
    tiles, skips_always, fails_unless_zeros_are_skipped, dtype, seed
):
    rng = np.random.default_rng(seed)
    for windows, _, _, _, volumes in cases(24, seed):
        channels, filters = (16 * int(n) for n in rng.integers(1, 5, 2))
        check(tiles, windows, rng.choice((0.0, 0.1, 0.5, 1.0)), dtype, channels, filters, max(volumes, 1))


@pytest.mark.slow
def test_filters_need_not_fill_registers_where_their_gradients_are_summed(tiles, skips_always):
    check(tiles, SIMPLE, 0.2, "float32", 32, 21)
    check(tiles, SIMPLE, 0.2, "float32", 13, 16)


@pytest.mark.parametrize("kept", [0.1, 0.9])
def test_zeros_are_skipped_where_they_are_many(tiles, monkeypatch, kept):
    called = []
    for name in ("correlate", "correlate_gradient"):
        monkeypatch.setattr(f"distnet.kernels.zero_window_loops.{name}", lambda *_, name=name: called.append(name))
    memory = Guarded()
    windows = Windows.over(slide(20, 3, 1, 1, "same"), slide(20, 3, 1, 1, "same"))
    compute(tiles, windows, memory, *arrays(windows, kept, "float32", memory))
    assert called == (["correlate", "correlate", "correlate_gradient"] if kept < 0.5 else [])


@pytest.mark.parametrize("stranger", [np.inf, np.nan])
def test_a_zero_times_what_is_not_finite_is_nan(tiles, skips_always, stranger):
    memory = Guarded()
    x, kernel, dz, out, dx = arrays(SIMPLE, 0.0, "float32", memory)
    kernel[0, 1, 1, 3, 5] = stranger
    results = compute(tiles, SIMPLE, memory, x, kernel, dz, out, dx)
    assert np.isnan(results[0][..., 5]).all()
    assert np.isnan(results[2][..., 3]).all()
    kernel[:] = 1
    x[1, 0, 4, 4, 7] = stranger
    assert np.isnan(compute(tiles, SIMPLE, memory, x, kernel, dz, out, dx)[1][0, 1, 1, 7]).all()


def test_the_bits_do_not_depend_on_the_number_of_threads(tiles, skips_always, monkeypatch):
    memory = Guarded()
    made = arrays(SIMPLE, 0.2, "float32", memory)
    alone = [result.copy() for result in compute(tiles, SIMPLE, memory, *made)]
    monkeypatch.setattr(threads.OF_THIS_PROCESS, "count", lambda: 3)
    for name in ("LEAST_NS", "_LEAST_PART_NS"):
        monkeypatch.setattr(teamwork, name, 1)
    for one, several in zip(alone, compute(tiles, SIMPLE, memory, *made), strict=True):
        np.testing.assert_array_equal(several, one)


def test_a_volume_has_the_same_result_in_any_batch_that_goes_the_same_way(tiles, skips_always):
    memory = Guarded()
    x, kernel, dz, out, dx = arrays(SIMPLE, 0.2, "float32", memory)
    compute(tiles, SIMPLE, memory, x, kernel, dz, out, dx)
    one, _, back = compute(tiles, SIMPLE, memory, x[1:2], kernel, dz[1:2], out[:1].copy(), dx[:1].copy())
    np.testing.assert_array_equal(one[0], out[1])
    np.testing.assert_array_equal(back[0], dx[1])


@pytest.mark.parametrize("channels", [16, 64, 96])
def test_a_sample_sees_all_channels(tiles, channels):
    from distnet.kernels.zero_window_loops import share_of_nonzeros

    x = np.ones((4, 1, 16, 16, channels), np.float32)
    x[..., channels // 2 :] = 0
    assert share_of_nonzeros(x) == pytest.approx(0.5, abs=0.1)
    assert share_of_nonzeros(x[..., :1].copy()) == 1
    assert share_of_nonzeros(np.zeros((1, 1, 1, 1, 3), np.float32)) == 1  # too few to say
