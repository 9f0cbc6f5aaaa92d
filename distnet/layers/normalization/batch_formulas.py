"""Batch normalization's equations for each channel, as kernels take them.

Some are formulas of one entry (see ``distnet.optimizers.formulas``), others functions of whole vectors in double
precision, (C,) or several of these in one array.
"""

from __future__ import annotations

import numpy as np

from distnet.types import Array

Value = Array
Values = tuple[Array, ...]

_MOST_SHIFTED = 1e4
"""Squares of a mean by its variance up to which the sums of squares about 0 tell the variance to 12 digits."""


def told(mean: Array, squares: Array, rows: float, sums: Array) -> None:
    """Write what a rank tells of its rows: their number, their sums, and their sums of squares about 0.

    Args:
        mean, squares: of the rows, the latter about the mean.
        sums: (3, C), is overwritten.
    """
    sums[0] = rows
    sums[1] = rows * mean
    sums[2] = squares + rows * mean * mean


def pooled(sums: Array, gamma: Array, epsilon: float, statistics: Array) -> bool:
    """Write the statistics of all ranks' rows: mean, variance, inverse deviation, and gamma times that.

    Args:
        sums: (3, C), what all ranks told.
        statistics: (4, C), is overwritten.

    Returns:
        Whether they are precise: where a mean is large, the variance is a small difference of large numbers.
    """
    count = sums[0]
    mean = sums[1] / count
    shifted = count * mean * mean
    squares = sums[2] - shifted
    variance = squares / count
    inverse = 1.0 / np.sqrt(variance + epsilon)
    statistics[0] = mean
    statistics[1] = variance
    statistics[2] = inverse
    statistics[3] = gamma * inverse
    return not (shifted > _MOST_SHIFTED * squares).any()


def of_input(sums: Array, statistics: Array, divisor: Array, excess: float, vectors: Array) -> None:
    """Write what the gradient of a row has besides the scaled slope: its factor of ``x - mean``, and a constant.

    Args:
        sums: (2, C), of the slopes, and of the slopes times the normalized rows.
        divisor: (C,); see ``Statistics``, and ``excess``.
        vectors: (2, C), is overwritten.
    """
    share = -statistics[3] / divisor
    vectors[0] = sums[1] * share * statistics[2]
    vectors[1] = sums[0] * share - vectors[0] * excess * statistics[0] / divisor


def merged(mean: Value, total: Value, count: Value, own: Value, squares: Value, rows: Value, excess: Value) -> Values:
    """The mean of all ranks' rows, and the sums of squares of this rank's rows about it.

    Both terms of a sum of squares are positive, so that nothing is lost where the mean is large.

    Args:
        mean: is overwritten.
        total, count: of all rows; ``excess`` is added to their number.
        own, squares: the mean of this rank's rows, and their sums of squares about that.
    """
    count = count + excess
    mean = total / count
    step = own - mean
    return mean, count, own, squares + rows * step * step


def scaled(
    variance: Value, squares: Value, divisor: Value, inverse: Value, scale: Value, epsilon: Value, one: Value
) -> Values:
    """The variance, the inverse deviation, and what a row's distance from the mean is multiplied by.

    Args:
        variance, inverse: are overwritten.
        scale: gamma.
    """
    variance = squares / divisor
    inverse = one / np.sqrt(variance + epsilon)
    return variance, divisor, inverse, scale * inverse


def moved(
    moving_mean: Value, mean: Value, moving_variance: Value, variance: Value, momentum: Value, rest: Value
) -> Values:
    """The moving statistics once they have followed those of a batch; ``rest`` is ``1 - momentum``."""
    return momentum * moving_mean + rest * mean, momentum * moving_variance + rest * variance, variance
