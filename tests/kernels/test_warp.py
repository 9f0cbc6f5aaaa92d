from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from distnet.kernels.warp import MODES, warp, warp_gradient

SHAPES = [(5, 7, 9, 1), (3, 8, 5, 3), (2, 1, 4, 1), (2, 6, 1, 2)]


def case(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.random(shape) * 255).astype(dtype)
    maps = rng.normal(size=(shape[0], 2, 3))
    maps[:, :, 2] *= 8
    return x, maps


def by_scipy(x, maps, order, mode, cval):
    y = np.empty_like(x)
    for n, c in np.ndindex(x.shape[0], x.shape[3]):
        y[n, :, :, c] = ndimage.affine_transform(
            x[n, :, :, c], maps[n, :, :2], maps[n, :, 2], order=order, mode=mode, cval=cval
        )
    return y


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_it_equals_scipy(mode, order, shape):
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-7), (np.uint8, 0)):
        x, maps = case(shape, dtype)
        y = warp(x, maps, order, mode, 3.0)
        np.testing.assert_allclose(y, by_scipy(x, maps, order, mode, 3.0), rtol=tolerance, atol=tolerance)
        assert y.dtype == dtype


@pytest.mark.parametrize("mode", MODES)
def test_the_identity_changes_no_bit(mode):
    x, _ = case((3, 6, 5, 2), np.float32)
    maps = np.tile(np.eye(3)[:2], (3, 1, 1))
    np.testing.assert_array_equal(warp(x, maps, 1, mode), x)


def test_many_images_are_as_each_alone():
    x, maps = case((40, 32, 30, 1), np.float32)
    alone = [warp(x[n : n + 1], maps[n : n + 1]) for n in range(40)]
    np.testing.assert_array_equal(warp(x, maps), np.concatenate(alone))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_its_gradient_is_its_transpose(mode, order):
    x, maps = case((3, 5, 6, 2), np.float64)
    dy = np.random.default_rng(1).normal(size=x.shape)
    dx = warp_gradient(dy, maps, order, mode)
    np.testing.assert_allclose(np.vdot(dx, x), np.vdot(dy, warp(x, maps, order, mode)), rtol=1e-12)


def test_no_images_are_no_trouble():
    x, maps = np.empty((0, 4, 4, 1), np.float32), np.empty((0, 2, 3))
    assert warp(x, maps).shape == warp_gradient(x, maps).shape == (0, 4, 4, 1)
