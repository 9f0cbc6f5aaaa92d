"""Images whose pixels are taken from elsewhere: between pixels, the nearest one or the weighted mean of neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError, ShapeError
from distnet.ops.compositions import composition
from distnet.ops.image.filters import gaussian_blur
from distnet.ops.image.sampling import as_batch, in_dtype, rounded
from distnet.ops.operators import PRIMITIVES
from distnet.ops.present import present
from distnet.ops.spread import gathered
from distnet.types import Array

MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
ORDERS = {"nearest": 0, "bilinear": 1}


def _inside(places: Array, extent: int, mode: str) -> tuple[Array, Array | None]:
    """Places moved to pixels of the image, and which lay in it, if that counts.

    Source: ``jax.scipy.ndimage.map_coordinates``.
    """
    if mode == "wrap":
        return places % extent, None
    if mode == "mirror":
        return _mirrored(places, extent), None
    if mode == "reflect":
        return (_mirrored(2 * places + 1, 2 * extent + 1) - 1) // 2, None
    is_inside = (places >= 0) & (places < extent) if mode == "constant" else None
    return np.clip(places, 0, extent - 1), is_inside


def _mirrored(places: Array, extent: int) -> Array:
    last = extent - 1
    return np.abs((places + last) % (2 * last) - last) if last else np.zeros_like(places)


def _neighbours(at: Any, order: int) -> list[tuple[Array, Any]]:
    """The pixels next to coordinates, and their weights."""
    numbers = np.asarray(getattr(at, "value", at))
    if order == 0:
        return [(rounded(numbers).astype(np.intp), 1.0)]
    below = np.floor(numbers)
    share = at - below.astype(numbers.dtype)
    return [(below.astype(np.intp), 1.0 - share), (below.astype(np.intp) + 1, share)]


def _sampled(
    x: Any, lead: Sequence[Array], at: Sequence[Any], order: int, mode: str, fill_value: float,
    after: Sequence[Array] = (),
) -> Any:  # fmt: skip
    """The weighted means of pixels around coordinates.

    Args:
        lead: indices of the axes before those of the coordinates.
        at: the coordinates along axes.
        after: indices of the axes after these; the others are taken whole.
    """
    x = gathered(x)
    extents = x.shape[len(lead) : len(lead) + len(at)]
    whole = [gathered(coordinate) for coordinate in at]
    trailing = (None,) * (x.ndim - len(lead) - len(at) - len(after))
    total: Any = None
    for corner in itertools.product(*(_neighbours(coordinate, order) for coordinate in whole)):
        weight: Any = 1.0
        key: list[Array] = list(lead)
        is_inside: Any = None
        for (places, share), extent in zip(corner, extents, strict=True):
            index, is_in = _inside(places, extent, mode)
            key.append(index)
            weight = share if isinstance(weight, float) else weight * share
            if is_in is not None:
                is_inside = is_in if is_inside is None else is_inside & is_in
        pixels = PRIMITIVES["GetItem"](x, (*key, *after))
        if is_inside is not None:
            pixels = PRIMITIVES["Where"](is_inside[(..., *trailing)], pixels, float(fill_value))
        part = pixels if isinstance(weight, float) else pixels * weight[(..., *trailing)]
        total = part if total is None else total + part
    return total


def _check(name: str, order: Any, mode: str) -> None:
    if order not in (0, 1) or mode not in MODES:
        raise ArgumentError(
            f"ops.image.{name}: expected an interpolation of {list(ORDERS)} (orders 0 and 1) and a fill_mode of "
            f"{MODES}, received {order!r} and {mode!r}."
        )


@composition(2, module="image")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """The entries of an array at coordinates that need not be whole.

    Args:
        coordinates: first along each axis of the array.
        order: 0 for the nearest entry, 1 for linear interpolation.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.

    Source: ``keras.ops.image.map_coordinates``.
    """
    _check("map_coordinates", order, fill_mode)
    x, at = PRIMITIVES["ConvertToTensor"](inputs), PRIMITIVES["ConvertToTensor"](coordinates)
    if at.shape[0] != x.ndim or at.ndim < 2:
        raise ShapeError(
            f"ops.image.map_coordinates: expected coordinates ({x.ndim}, ...), received {tuple(at.shape)}."
        )
    return in_dtype(_sampled(x, [], [at[i] for i in range(x.ndim)], order, fill_mode, fill_value), x, rounded)


def _numbers(count: int) -> Array:
    return np.arange(count)[:, None, None]


@composition(2, module="image")
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images whose pixel (x, y) is taken from ``(a0 x + a1 y + a2, b0 x + b1 y + b2)``.

    Args:
        transform: ``(a0, a1, a2, b0, b1, b2, c0, c1)``, for all images or for each. The last two move the channels
            against each other, by their numbers, as in Keras; they are no perspective.

    Source: ``keras.ops.image.affine_transform``.
    """
    _check("affine_transform", ORDERS.get(interpolation), fill_mode)
    x, back = as_batch("affine_transform", images, data_format)
    numbers = gathered(PRIMITIVES["ConvertToTensor"](transform))
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    row, column, channel = (
        np.arange(n, dtype=kind).reshape([-1 if i == j else 1 for j in range(3)]) for i, n in enumerate(x.shape[1:])
    )
    a0, a1, a2, b0, b1, b2, c0, c1 = (numbers[..., i, None, None, None] for i in range(8))
    at = [row * b1 + column * b0 + b2, row * a1 + column * a0 + a2]
    is_tilted = getattr(numbers, "node", None) is not None or bool(np.asarray(c0).any() or np.asarray(c1).any())
    at = [one + channel * tilt for one, tilt in zip(at, (c0, c1), strict=True)] if is_tilted else at
    at = [PRIMITIVES["BroadcastTo"](c, (*x.shape[:3], x.shape[3] if is_tilted else 1)) for c in at]
    at = at if is_tilted else [c[..., 0] for c in at]
    lead, after = [np.arange(x.shape[0])[:, None, None]], [np.arange(x.shape[3])] if is_tilted else []
    lead = [lead[0][..., None]] if is_tilted else lead
    y = _sampled(x, lead, at, ORDERS[interpolation], fill_mode, fill_value, after)
    return back(in_dtype(y, x, rounded))


def homography(start: Any, end: Any) -> Any:
    """(N, 8): what takes the end points to the start points."""
    start_x, start_y, end_x, end_y = start[..., 0], start[..., 1], end[..., 0], end[..., 1]
    zeros, ones = PRIMITIVES["ZerosLike"](end_x), PRIMITIVES["OnesLike"](end_x)
    of_x = [end_x, end_y, ones, zeros, zeros, zeros, -(start_x * end_x), -(start_x * end_y)]
    of_y = [zeros, zeros, zeros, end_x, end_y, ones, -(start_y * end_x), -(start_y * end_y)]
    rows = [PRIMITIVES["Stack"](each, axis=-1) for each in (of_x, of_y)]
    target = PRIMITIVES["Concatenate"]([start_x, start_y], axis=-1)
    equations = PRIMITIVES["Concatenate"](rows, axis=1)
    return PRIMITIVES["Solve"](equations, PRIMITIVES["ExpandDims"](target, -1))[..., 0]


@composition(3, module="image")
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images seen from elsewhere, so that four points lie where four others did.

    Args:
        start_points: (4, 2) of x and y, or for each image.
        end_points: like ``start_points``.

    Source: ``keras.ops.image.perspective_transform``.
    """
    _check("perspective_transform", ORDERS.get(interpolation), "constant")
    x, back = as_batch("perspective_transform", images, data_format)
    points = [gathered(PRIMITIVES["ConvertToTensor"](p)) for p in (start_points, end_points)]
    if any(p.shape[-2:] != (4, 2) or p.ndim not in (2, 3) for p in points) or points[0].shape != points[1].shape:
        raise ShapeError(
            "ops.image.perspective_transform: expected points (4, 2) or (N, 4, 2), received "
            f"{tuple(points[0].shape)} and {tuple(points[1].shape)}."
        )
    points = [p if p.dtype.kind == "f" else PRIMITIVES["Cast"](p, "float32") for p in points]
    start, end = (PRIMITIVES["ExpandDims"](p, 0) if p.ndim == 2 else p for p in points)
    numbers = homography(start, end)
    row = np.arange(x.shape[1], dtype=numbers.dtype)[:, None]
    column = np.arange(x.shape[2], dtype=numbers.dtype)
    t = [numbers[:, i, None, None] for i in range(8)]
    below = t[6] * column + t[7] * row + 1.0
    at = [(t[3] * column + t[4] * row + t[5]) / below, (t[0] * column + t[1] * row + t[2]) / below]
    at = [PRIMITIVES["BroadcastTo"](c, tuple(x.shape[:3])) for c in at]
    y = _sampled(x, [_numbers(x.shape[0])], at, ORDERS[interpolation], "constant", fill_value)
    return back(in_dtype(y, x, rounded))


@composition(module="image")
def elastic_transform(
    images: Any, alpha: float = 20.0, sigma: float = 5.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
    fill_value: float = 0.0, seed: Any = None, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images whose pixels are moved at random, neighbours alike; every rank draws the same numbers.

    Args:
        alpha: how far pixels are moved.
        sigma: how smooth the moves are, in pixels.
        seed: an integer, or a ``SeedGenerator``; by default another one at each call.

    Source: P. Simard et al. (2003), "Best practices for convolutional neural networks";
    ``keras.ops.image.elastic_transform``.
    """
    _check("elastic_transform", ORDERS.get(interpolation), fill_mode)
    x, back = as_batch("elastic_transform", images, data_format)
    size = int(6 * float(sigma)) | 1
    draw = addresses.generator("elastic_transform", *_address(seed)).normal
    moves = []
    for _ in range(2):
        noise = draw(size=(*x.shape[:3], 1)).astype(x.dtype if x.dtype.kind == "f" else "float32") * sigma
        moves.append(np.asarray(gaussian_blur(noise, (size, size), (sigma, sigma), "channels_last"))[..., 0] * alpha)
    return back(in_dtype(moved(x, moves[1], moves[0], interpolation, fill_mode, fill_value), x, rounded))


def moved(x: Any, down: Array, right: Array, interpolation: str, fill_mode: str, fill_value: float) -> Any:
    """Images (N, H, W, C) whose pixels are taken from so far down and to the right, (N, H, W) each."""
    at = [np.arange(x.shape[1])[:, None] + down, np.arange(x.shape[2]) + right]
    return _sampled(x, [_numbers(x.shape[0])], at, ORDERS[interpolation], fill_mode, fill_value)


def _address(seed: Any) -> tuple[int | str, ...]:
    """Where the numbers of a draw are."""
    run = present()
    if isinstance(seed, int | np.integer):
        return (int(seed),)
    if seed is not None:
        return tuple(int(word) for word in seed.next())
    if run is not None:
        return (*run.address(), run.step, run.next_draw())
    return addresses.job_seed(), addresses.next_call_index()
