"""Functions that compare, which have no gradients."""

from __future__ import annotations

import numpy as np

from distnet.ops.primitive import primitive
from distnet.ops.spread import elementwise
from distnet.types import Array, ArrayLike


@primitive(2, spread=elementwise)
def equal(x1: ArrayLike, x2: ArrayLike) -> Array:
    """Where the entries are equal."""
    return np.asarray(np.equal(x1, x2))


@primitive(2, spread=elementwise)
def greater(x1: ArrayLike, x2: ArrayLike) -> Array:
    """Where ``x1 > x2``."""
    return np.asarray(np.greater(x1, x2))
