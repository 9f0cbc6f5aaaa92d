"""Images blurred, their edges, and how alike two are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.compositions import composition
from distnet.ops.image.sampling import along, as_batch, in_floats
from distnet.ops.operators import PRIMITIVES
from distnet.types import Array


def sliding(kernel: Sequence[float] | Array, extent: int, is_same: bool = True) -> Array:
    """The matrix that correlates an axis with a kernel; outside there are zeros, if the result has as many entries."""
    weights = np.asarray(kernel)
    before = (len(weights) - 1) // 2 if is_same else 0
    count = extent if is_same else extent - len(weights) + 1
    at = np.arange(extent) - np.arange(count)[:, None] + before
    inside = (at >= 0) & (at < len(weights))
    return np.asarray(np.where(inside, weights[np.clip(at, 0, len(weights) - 1)], 0))


def bell(size: int, sigma: float) -> Array:
    """The weights of a Gaussian, which sum to 1."""
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


@composition(module="image")
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Images blurred by a Gaussian.

    Args:
        kernel_size: its columns and rows.
        sigma: its standard deviations along these.

    Source: ``keras.ops.image.gaussian_blur``, whose first numbers belong to the columns.
    """
    x, back = as_batch("gaussian_blur", images, data_format)
    widths = [float(s) for s in np.asarray(getattr(sigma, "value", sigma)).reshape(-1)]
    rows, columns = bell(int(kernel_size[1]), widths[1]), bell(int(kernel_size[0]), widths[0])
    return back(along(x, sliding(rows, x.shape[1]), sliding(columns, x.shape[2])))


@composition(module="image")
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """How images change along their rows and their columns, by Sobel's filters.

    Shapes:
        (N, H, W, C) -> (N, H, W, C, 2): down, and to the right.

    Source: ``keras.ops.image.sobel_edges``.
    """
    x, back = as_batch("sobel_edges", images, data_format)
    smooth, slope = [1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]
    down, right = (
        along(x, sliding(rows, x.shape[1]), sliding(columns, x.shape[2]))
        for rows, columns in ((slope, smooth), (smooth, slope))
    )
    return PRIMITIVES["Stack"]([back(down), back(right)], axis=-1)


@composition(2, module="image", kind="SSIM")
def ssim(
    image1: Any, image2: Any, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, data_format: str | None = None,
) -> Any:  # fmt: skip
    """The structural similarity of images: 1 for equal ones.

    Args:
        max_val: the range of pixels.
        filter_size: of the windows that are compared.
        filter_sigma: of their weights.

    Source: Z. Wang et al. (2004), "Image quality assessment", equation 13; ``keras.ops.image.ssim``.
    """
    a, _ = as_batch("ssim", image1, data_format)
    b, _ = as_batch("ssim", image2, data_format)
    if a.shape != b.shape or min(a.shape[1:3]) < filter_size:
        raise ArgumentError(
            f"ops.image.ssim: expected images of one shape, {filter_size} by {filter_size} pixels at least, received "
            f"{tuple(a.shape)} and {tuple(b.shape)}."
        )
    kind, a, b = a.dtype, in_floats(a), in_floats(b)
    weights = bell(filter_size, filter_sigma)
    rows, columns = (sliding(weights, extent, is_same=False) for extent in a.shape[1:3])

    def mean(x: Any) -> Any:
        return along(x, rows, columns)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, cov = (
        mean(a * a) - mean_a * mean_a, mean(b * b) - mean_b * mean_b, mean(a * b) - mean_a * mean_b
    )  # fmt: skip
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    share = (2.0 * mean_a * mean_b + c1) * (2.0 * cov + c2)
    share = share / ((mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2))
    each = PRIMITIVES["Mean"](share, axis=(1, 2, 3))
    each = each if np.ndim(image1) == 4 else each[0]
    return each if kind.kind == "f" else PRIMITIVES["Cast"](each, kind.name)
