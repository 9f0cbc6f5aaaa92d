"""Sliding windows: their geometry, and every kernel set against naive loops over them."""

import itertools

import numpy as np
import pytest

from distnet import kernels
from distnet.kernels.windows import Axis, Windows, slide, spread
from kernel_sets import KERNEL_SETS

pytestmark = pytest.mark.slow

AXES = [
    slide(n, taps, stride, dilation, padding)
    for n, taps, stride, dilation, padding in itertools.product(
        (5, 6), (1, 2, 3), (1, 2, 3), (1, 2), ("valid", "same", "causal")
    )
]
WINDOWS = [
    Windows.over(slide(7, 3, 2, 1, "same"), slide(6, 2, 1, 1, "valid")),
    Windows.over(slide(5, 2, 1, 2, "same"), slide(4, 3, 1, 1, "same")),
    Windows.over(slide(6, 2, 3, 1, "valid"), slide(5, 2, 2, 1, "same")),
    Windows.over(slide(6, 3, 1, 2, "causal")),
    Windows.over(slide(3, 1, 1, 1, "valid"), slide(4, 1, 1, 1, "valid")),
    Windows.over(slide(5, 2, 2, 1, "same"), slide(4, 3, 1, 1, "same"), slide(5, 2, 1, 2, "valid")),
]
N, C = 3, 2


@pytest.fixture(params=KERNEL_SETS)
def kernel(request):
    return kernels.load(request.param)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


def entries(axis, window):
    """The tap and the entry of each tap of a window that meets the image."""
    found = [(k, window * axis.stride + k * axis.dilation - axis.before) for k in range(axis.taps)]
    return [(k, at) for k, at in found if 0 <= at < axis.extent]


def meetings(windows):
    """The window, the tap, the place wherever a tap meets the volume, taps in row-major order."""
    for window in itertools.product(*(range(axis.windows) for axis in windows)):
        along = (entries(axis, at) for axis, at in zip(windows, window, strict=True))
        for meeting in itertools.product(*along):
            yield window, tuple(tap for tap, _ in meeting), tuple(at for _, at in meeting)


def volumes(windows, dtype, seed=0):
    shape = (N, *windows.extents, C)
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def number_of(tap, windows):
    return np.ravel_multi_index(tap, [axis.taps for axis in windows])


def naive_patches(x, windows):
    out = np.zeros((len(x), *windows.shape, *(axis.taps for axis in windows), x.shape[-1]), x.dtype)
    for window, tap, at in meetings(windows):
        out[:, *window, *tap] = x[:, *at]
    return out.reshape(-1, *out.shape[3:])


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_overlaps_are_where_taps_meet_the_image(axis):
    for tap, (start, stop) in itertools.product(range(axis.taps), [(0, axis.windows), (1, axis.windows), (0, 1)]):
        of_windows, at = axis.overlap(tap, start, stop)
        pairs = [(o - start, e) for o in range(start, stop) for k, e in entries(axis, o) if k == tap]
        found = zip(range(stop - start)[of_windows], range(axis.extent)[at], strict=True)
        assert list(found) == pairs


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((28, 3, 1, 1, "valid"), Axis(28, 26, 3, 1, 1, 0)),
        ((7, 3, 2, 1, "same"), Axis(7, 4, 3, 2, 1, 1)),
        ((6, 3, 2, 1, "same"), Axis(6, 3, 3, 2, 1, 0)),
        ((6, 2, 1, 1, "same"), Axis(6, 6, 2, 1, 1, 0)),
        ((5, 1, 3, 1, "same"), Axis(5, 2, 1, 3, 1, 0)),
        ((6, 3, 1, 2, "causal"), Axis(6, 6, 3, 1, 2, 4)),
        ((2, 3, 1, 1, "valid"), Axis(2, 0, 3, 1, 1, 0)),
    ],
)
def test_the_smaller_half_of_the_padding_is_in_front(arguments, expected):
    assert slide(*arguments) == expected


def test_what_is_spread_slides_back_to_where_it_came_from():
    for windows, taps, stride, padding in itertools.product((1, 4), (1, 2, 3), (1, 2, 3), ("valid", "same")):
        made = spread(windows, taps, stride, 1, padding, None)
        assert slide(made.extent, taps, stride, 1, padding) == made


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
@pytest.mark.parametrize("part", [(0, None), (1, -1), (2, 3)], ids=str)
def test_im2col_copies_windows_and_zeros(kernel, dtype, windows, part):
    x = volumes(windows, dtype)
    expected = naive_patches(x, windows)[part[0] : part[1]]
    out = np.full_like(expected, 9)
    kernel.im2col(x, windows, part[0], 0, out)
    np.testing.assert_array_equal(out, expected)
    of_one_channel = np.full_like(expected[..., :1], 9)
    kernel.im2col(x, windows, part[0], 1, of_one_channel)
    np.testing.assert_array_equal(of_one_channel, expected[..., 1:])


@pytest.mark.parametrize("windows", WINDOWS, ids=str)
@pytest.mark.parametrize("part", [(0, None), (1, -1), (2, 3)], ids=str)
@pytest.mark.parametrize("channels", [slice(0, 2), slice(1, 2)], ids=str)
def test_col2im_is_the_transpose_of_im2col(kernel, windows, part, channels):
    x, copied = volumes(windows, "f8"), naive_patches(volumes(windows, "f8"), windows)[part[0] : part[1], ..., channels]
    patches = np.random.default_rng(1).standard_normal(copied.shape)
    out = np.zeros_like(x)
    kernel.col2im(patches, windows, part[0], channels.start, out)
    np.testing.assert_allclose(np.vdot(out, x), np.vdot(patches, copied), rtol=1e-12)
    again = out.copy()
    kernel.col2im(patches, windows, part[0], channels.start, again)
    np.testing.assert_allclose(again, 2 * out, rtol=1e-12, atol=1e-14)


APART = Windows.over(slide(6, 2, 2, 1, "valid"), slide(9, 3, 3, 1, "valid"))


@pytest.mark.parametrize("windows", [*WINDOWS[:3], WINDOWS[5], APART], ids=str)
def test_max_pool_finds_the_first_of_the_largest(kernel, dtype, windows):
    x = np.round(volumes(windows, dtype))
    y, winners = np.empty((N, *windows.shape, C), dtype), np.empty((N, *windows.shape, C), np.uint8)
    kernel.max_pool(x, windows, y, winners)
    expected, first = np.full_like(y, -np.inf), np.full_like(winners, 99)
    gradient = np.zeros_like(x)
    for window, tap, at in meetings(windows):
        better = x[:, *at] > expected[:, *window]
        expected[:, *window][better] = x[:, *at][better]
        first[:, *window][better] = number_of(tap, windows)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(winners, first)
    dy, out = np.random.default_rng(1).standard_normal(y.shape).astype(dtype), np.full_like(x, 9)
    for window, tap, at in meetings(windows):
        gradient[:, *at] += np.where(winners[:, *window] == number_of(tap, windows), dy[:, *window], 0)
    kernel.max_pool_gradient(dy, winners, windows, out)
    np.testing.assert_allclose(out, gradient, rtol=1e-6)


@pytest.mark.parametrize("windows", [WINDOWS[0], APART], ids=str)
@pytest.mark.parametrize("bias", [np.array([0.1, -0.7]), None], ids=["bias", "none"])
def test_max_pool_of_a_relu_that_is_applied_on_the_way(kernel, dtype, windows, bias):
    x, bias = volumes(windows, dtype), None if bias is None else bias.astype(dtype)
    y, winners = np.empty((N, *windows.shape, C), dtype), np.empty((N, *windows.shape, C), np.uint8)
    kernel.max_pool(x, windows, y, winners, bias, "relu")
    expected, first = np.empty_like(y), np.empty_like(winners)
    kernel.max_pool(np.maximum(x if bias is None else x + bias, 0), windows, expected, first)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(winners[y > 0], first[y > 0])
    assert (y == 0).any()
    assert (y > 0).any()


def test_windows_are_apart_where_each_entry_is_in_one():
    assert APART.are_apart
    whole, left_over, overlapping = slide(6, 2, 2, 1, "valid"), slide(7, 2, 2, 1, "valid"), slide(6, 2, 1, 1, "same")
    assert not Windows.over(whole, left_over).are_apart
    assert not Windows.over(whole, overlapping).are_apart
    assert not Windows.over(whole, slide(7, 2, 2, 1, "same")).are_apart
    assert not Windows.over(whole, slide(6, 1, 2, 1, "valid")).are_apart


def test_max_pool_knows_nan_and_minus_infinity(kernel):
    windows = Windows.over(slide(3, 2, 2, 1, "same"), slide(3, 2, 1, 1, "same"))
    x = np.full((1, 1, 3, 3, 1), -np.inf)
    y, winners = np.empty((1, *windows.shape, 1)), np.empty((1, *windows.shape, 1), np.uint8)
    kernel.max_pool(x, windows, y, winners)
    assert (y == -np.inf).all()
    assert not winners.any()
    x[0, 0, 1, 1] = np.nan
    kernel.max_pool(x, windows, y, winners)
    np.testing.assert_array_equal(np.isnan(y[0, 0, :, :, 0]), [[True, True, False], [False, False, False]])


def test_no_images_are_no_work(kernel):
    windows = WINDOWS[0]
    x = np.empty((0, *windows.extents, C))
    y = np.empty((0, *windows.shape, C))
    winners = np.empty(y.shape, np.uint8)
    kernel.max_pool(x, windows, y, winners)
    kernel.max_pool_gradient(y, winners, windows, x)
    kernel.im2col(x, windows, 0, 0, np.empty((0, windows.shape[2], 1, 3, 2, C)))
