"""Reductions of rows that numbers sort into segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import in_parts, is_spread, summed
from distnet.types import Array, ArrayLike


def _segments(segment_ids: Any, num_segments: int | None) -> tuple[Array, Array, int]:
    """The segment of each row, which rows lie in one, and how many segments there are."""
    numbers = np.asarray(getattr(segment_ids, "value", segment_ids))
    count = int(numbers.max(initial=-1)) + 1 if num_segments is None else int(num_segments)
    return numbers, (numbers >= 0) & (numbers < count), count


def _reduced(function: np.ufunc, start: Any, data: Any, segment_ids: Any, num_segments: int | None) -> Array:
    rows = converted(data)
    numbers, is_in, count = _segments(segment_ids, num_segments)
    y = np.full((count, *rows.shape[1:]), start(rows.dtype), rows.dtype)
    function.at(y, numbers[is_in], rows[is_in])
    return y


def _looked_up(dy: Any, segment_ids: Any, num_segments: int | None) -> Any:
    """For each row the entries of its segment; zeros for a row that lies in none."""
    numbers, is_in, count = _segments(segment_ids, num_segments)
    if not count:
        return np.zeros((len(numbers), *dy.shape[1:]), dy.dtype)
    each = dy[np.where(is_in, numbers, 0)]
    is_shown = is_in.reshape((-1,) + (1,) * (dy.ndim - 1))
    return each if is_in.all() else PRIMITIVES["Where"](is_shown, each, 0.0)


def _summing(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The sums of the ranks' sums, where the number of segments is known."""
    if options["num_segments"] is None or not all(is_spread(operand) for operand in operands):
        return None
    return summed(in_parts(function, operands, options))


@primitive(2, module="math", spread=_summing)
def segment_sum(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The sums of the rows of each segment.

    Shapes:
        (N, ...), (N,) -> (num_segments, ...).

    Args:
        segment_ids: the segment of each row; rows with a number out of range are left out.
        num_segments: by default one more than the largest number.
        sorted: unused.

    Source: ``keras.ops.segment_sum``.
    """
    return _reduced(np.add, lambda dtype: 0, data, segment_ids, num_segments)


segment_sum.has_gradients(
    lambda dy, y, data, segment_ids, num_segments, sorted: _looked_up(dy, segment_ids, num_segments), None
)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


@primitive(2, module="math")
def segment_max(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The largest entries of the rows of each segment; of a segment without rows the lowest number there is.

    Source: ``keras.ops.segment_max``.
    """
    return _reduced(np.maximum, _lowest, data, segment_ids, num_segments)


@primitive(2, module="math")
def segment_min(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The smallest entries of the rows of each segment; of a segment without rows the highest number there is.

    Source: ``keras.ops.segment_min``.
    """
    return _reduced(np.minimum, _highest, data, segment_ids, num_segments)


def _of_extreme(dy: Any, y: Any, data: Any, segment_ids: Any, num_segments: int | None, sorted: bool) -> Any:
    """The rows that have the extreme share its gradient."""
    given = getattr(y, "value", y), getattr(data, "value", data)
    wins = np.asarray(_looked_up(given[0], segment_ids, num_segments) == given[1])
    count = _reduced(np.add, lambda dtype: 0, wins.astype(given[1].dtype), segment_ids, num_segments)
    return _looked_up(dy / np.maximum(count, 1), segment_ids, num_segments) * wins.astype(given[1].dtype)


for _extreme in (segment_max, segment_min):
    _extreme.has_gradients(_of_extreme, None)


@primitive(2, module="math")
def segment_prod(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Array:
    """The products of the rows of each segment.

    Source: ``keras.ops.segment_prod``.
    """
    return _reduced(np.multiply, lambda dtype: 1, data, segment_ids, num_segments)


def _of_prod(dy: Any, y: Any, data: Any, segment_ids: Any, num_segments: int | None, sorted: bool) -> Any:
    """The product of the segment's other rows, which one row of 0 does not hide."""
    is_zero = np.asarray(getattr(data, "value", data) == 0)
    others = segment_prod(PRIMITIVES["Where"](is_zero, 1.0, data), segment_ids, num_segments)
    zeros = _reduced(np.add, lambda dtype: 0, is_zero.astype(np.int64), segment_ids, num_segments)
    each, count = (_looked_up(part, segment_ids, num_segments) for part in (dy * others, zeros))
    hidden = np.asarray(count) - is_zero > 0
    return PRIMITIVES["Where"](hidden, 0.0, each / PRIMITIVES["Where"](is_zero, 1.0, data))


segment_prod.has_gradients(_of_prod, None)
