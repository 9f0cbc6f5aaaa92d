"""Batch normalization's equations for each channel, as kernels take them: see ``distnet.optimizers.formulas``."""

from __future__ import annotations

import numpy as np

from distnet.types import Array

Value = Array
Values = tuple[Array, ...]


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
