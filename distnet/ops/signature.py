"""Whether the ranks take gradients of the same weights: told in the message that sums the gradients.

An error that one rank alone met and caught, in a loop of the user's, would let it go on with another model, and another
step, than the others; sums with theirs would be wrong without a sign.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.ops.tensor import Tensor
from distnet.types import Array
from distnet.variables import Variable

_DIGITS = 8
_BASE = 16
_ENTRIES = 8

LENGTH = 2 * _DIGITS
"""Numbers of a signature."""


def signature(sources: Iterable[Any]) -> Array:
    """(LENGTH,) small integers that tell these sources from others: the digits of a checksum, and their squares."""
    checksum = 0
    for source in sources:
        if isinstance(source, Variable):
            checksum = zlib.crc32(source.value.reshape(-1)[:_ENTRIES].tobytes(), checksum)
        checksum = zlib.crc32(repr(_shape(source)).encode(), checksum)
    digits = checksum // _BASE ** np.arange(_DIGITS) % _BASE
    return np.concatenate([digits, digits**2])


def check_sums(communicator: Communicator, sums: Array) -> None:
    """Fail unless all ranks put in the same signature, of which these are the sums.

    The mean of squares is the square of the mean only where all are equal.

    Raises:
        ReplicaError: they did not.
    """
    digits, squares = sums[:_DIGITS].astype(np.float64), sums[_DIGITS:].astype(np.float64)
    if (communicator.size * squares != digits**2).any():
        raise ReplicaError(
            "tape.gradient: the ranks take gradients of different weights. Every rank must run the same loop on the "
            "same model. An error that one rank alone met and caught leaves it in another step than the others: catch "
            "errors on every rank alike. Functions of a tensor, such as ops.mean, need every rank, too: compute on "
            "all, then let one print. Make weights with a seed that all ranks share."
        )


def _shape(source: Any) -> Sequence[int]:
    return source.shape if isinstance(source, Tensor | Variable) else np.shape(source)
