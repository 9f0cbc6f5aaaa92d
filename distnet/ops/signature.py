"""Whether the ranks take gradients of the same weights: told in the message that sums the gradients.

An error that one rank alone met and caught, in a loop of the user's, would let it go on with another model, and another
step, than the others; sums with theirs would be wrong without a sign.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

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


Checksums: TypeAlias = tuple[tuple[str, int], ...]
"""What a rank used, and its checksum."""


def of_sources(sources: Iterable[Any]) -> int:
    """A checksum that tells these sources from others."""
    checksum = 0
    for source in sources:
        if isinstance(source, Variable):
            checksum = zlib.crc32(source.value.reshape(-1)[:_ENTRIES].tobytes(), checksum)
        checksum = zlib.crc32(repr(_shape(source)).encode(), checksum)
    return checksum


def signature(told: Checksums) -> Array:
    """(LENGTH,) small integers that tell these checksums from others: the digits of one of all, and their squares."""
    checksum = zlib.crc32(repr([each for _, each in told]).encode())
    digits = checksum // _BASE ** np.arange(_DIGITS) % _BASE
    return np.concatenate([digits, digits**2])


def check_sums(communicator: Communicator, sums: Array, told: Checksums) -> None:
    """Fail unless all ranks put in the same signature, of which these are the sums.

    The mean of squares is the square of the mean only where all are equal.

    Args:
        told: what this rank's signature is of.

    Raises:
        ReplicaError: they did not; the message names what differs, and the ranks.
    """
    digits, squares = sums[:_DIGITS].astype(np.float64), sums[_DIGITS:].astype(np.float64)
    if (communicator.size * squares == digits**2).all():
        return
    each = communicator.allgather_object(told)
    differing = [parts for parts in zip(*each, strict=False) if len(set(parts)) > 1]
    ranks = [rank for rank, theirs in enumerate(each) if theirs != each[0]]
    if not differing or any(what == "the weights" for what, _ in differing[0]):
        raise ReplicaError(
            f"tape.gradient: the ranks take gradients of different weights, {_ranks(ranks)} than rank 0. Every rank "
            "must run the same loop on the same model. An error that one rank alone met and caught leaves it in "
            "another step than the others: catch errors on every rank alike. Functions of a tensor, such as ops.mean, "
            "need every rank, too: compute on all, then let one print. Make weights with a seed that all ranks share."
        )
    raise ReplicaError(
        f"tape.gradient: the ranks take gradients of different things: {differing[0][0][0]} differs on "
        f"{_ranks(ranks)} from rank 0's. Give every rank the same, whole batches, from one seed, and the same "
        "functions; distnet itself gives each its share of the rows."
    )


def _ranks(numbers: Sequence[int]) -> str:
    return f"rank{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _shape(source: Any) -> Sequence[int]:
    return source.shape if isinstance(source, Tensor | Variable) else np.shape(source)
