"""A loss that is made ready for the predictions of every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from distnet.types import Array


class Ready(NamedTuple):
    """A loss that is ready for predictions which stand where they are.

    Args:
        write: of targets and a factor, which has the dtype of the slopes: writes the values, and the slopes times the
            factor.
        values: (N, ...), of the samples; in the dtype of the predictions, or in float64.
        slopes: their gradients, contiguous, like the predictions.
    """

    write: Callable[[Array, Any], object]
    values: Array
    slopes: Array
