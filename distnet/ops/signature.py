"""Whether the ranks take gradients of the same weights: told in the message that sums the gradients.

An error that one rank alone met and caught, in a loop of the user's, would let it go on with another model, and another
step, than the others; sums with theirs would be wrong without a sign.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias, cast

import numpy as np

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.late_rooms import fetched
from distnet.ops.recording import STATE
from distnet.ops.tensor import Tensor
from distnet.types import Array
from distnet.variables import Variable

_DIGITS = 8
_BASE = 16
_ENTRIES = 8

_SETTINGS = "the settings of what was called"
_WEIGHTS = "the weights"

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


def told_of(held: Checksums, sources: Sequence[Any]) -> Checksums:
    """What this rank tells of the settings of what was called, of what was used, and of weights."""
    if STATE.checks is None:
        (room,) = fetched("tape checks")
        STATE.checks = cast(Any, room).TapeChecks()
    settings, weights = STATE.checks.tell(STATE.called, sources)
    return ((_SETTINGS, settings), *held, (_WEIGHTS, zlib.crc32(repr((of_sources(sources), *weights)).encode())))


def signature(told: Checksums) -> Array:
    """(LENGTH,) small integers that tell these checksums from others: the digits of one of all, and their squares."""
    checksum = zlib.crc32(repr([each for _, each in told]).encode())
    digits = checksum // _BASE ** np.arange(_DIGITS) % _BASE
    return np.concatenate([digits, digits**2])


def check_sums(communicator: Communicator, sums: Array, told: Checksums, sources: Sequence[Any]) -> None:
    """Fail unless all ranks put in the same signature, of which these are the sums.

    The mean of squares is the square of the mean only where all are equal. Where they are not, the facts decide: after
    an error that was caught, ranks may tell of the same weights in other steps.

    Args:
        told: what this rank's signature is of.

    Raises:
        ReplicaError: the ranks differ; the message names what differs, and the ranks.
    """
    digits, squares = sums[:_DIGITS].astype(np.float64), sums[_DIGITS:].astype(np.float64)
    if (communicator.size * squares == digits**2).all():
        return
    each = communicator.allgather_object((told, of_sources(sources)))
    if len({dict(theirs)[_SETTINGS] for theirs, _ in each}) > 1:
        STATE.checks.compare_settings(communicator, STATE.called)
    used = [[one for one in theirs if one[0] not in (_SETTINGS, _WEIGHTS)] for theirs, _ in each]
    for parts in zip_longest(*used):
        if len(set(parts)) > 1:
            raise ReplicaError(
                f"tape.gradient: the ranks take gradients of different things: {_name(parts)} differs on "
                f"{_others(parts)} from rank 0's. Give every rank the same, whole batches, from one seed, and the same "
                "functions; distnet itself gives each its share of the rows."
            )
    first = STATE.checks.differing(communicator, STATE.called, sources)
    of_each = [numbers for _, numbers in each]
    if first is not None or len(set(of_each)) > 1:
        where = "" if first is None else f", first of {first}"
        raise ReplicaError(
            f"tape.gradient: the ranks take gradients of different weights, {_others(of_each)} than rank 0{where}. "
            "Every rank must run the same loop on the same model, and change weights alike. An error that one rank "
            "alone met and caught leaves it in another step than the others: catch errors on every rank alike. "
            "Functions of a tensor, such as ops.mean, need every rank, too: compute on all, then let one print. Make "
            "weights with a seed that all ranks share."
        )


def _name(parts: Sequence[tuple[str, int] | None]) -> str:
    return next(part[0] for part in parts if part is not None)


def _others(held: Sequence[object]) -> str:
    """The ranks that hold something else than rank 0; all others, where all hold the same."""
    others = [rank for rank, theirs in enumerate(held) if theirs != held[0]] or list(range(1, len(held)))
    return f"rank{'s' if len(others) > 1 else ''} {', '.join(map(str, others))}"


def _shape(source: Any) -> Sequence[int]:
    return source.shape if isinstance(source, Tensor | Variable) else np.shape(source)
