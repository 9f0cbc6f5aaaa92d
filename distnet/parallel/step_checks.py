"""What ranks must have alike in a step: told by two numbers in the step's own message.

Rank 0 sends a checksum times minus the number of the other ranks, each of which sends its own: the sum is 0 where all
are equal, and where the ranks fall into two camps, whichever they are, it is not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from distnet import config
from distnet.checksums import checksum
from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.optimizers import Optimizer
from distnet.parallel.differences import first_difference, listed
from distnet.parallel.global_draws import WHAT, draws_differ
from distnet.parallel.replicas import are_equal
from distnet.types import Array

Checksums = tuple[tuple[str, int], ...]
"""What was looked at, such as "y", and its checksum."""

_EXACT_BITS = 24
"""Of integers that float32 holds."""
_WEIGHTS = 1024
"""Entries looked at in a step: over many steps all."""
_REMEDY = (
    "Every rank must be given the same, whole batches, and change weights and settings alike: make random choices from "
    "one seed on every rank, and set weights and learning rate on every rank, or in a callback."
)


class StepChecks:
    """One rank's part of the comparison.

    Args:
        communicator: the ranks.
    """

    def __init__(self, communicator: Communicator) -> None:
        self.communicator = communicator
        others = communicator.size - 1
        self._factor = -others if communicator.rank == 0 else 1
        self._bits = _EXACT_BITS - max(others, 1).bit_length()
        self._told: Checksums = ()

    def tell(self, checksums: Checksums, optimizer: Optimizer, weights: Array, step: int) -> tuple[float, float]:
        """What this rank puts into the message of a step: of its batch, the learning rate and some of the weights."""
        if self.communicator.size == 1:
            return 0.0, 0.0
        of_replica = (of_weights(weights, step),) if config.checks_replicas() else ()
        self._told = (*checksums, of_numbers(optimizer.scalars), *of_replica)
        whole = zlib.crc32(b"".join([each.to_bytes(4, "little") for _, each in self._told]))
        mask = (1 << self._bits) - 1
        return float(self._factor * (whole & mask)), float(self._factor * (whole >> (32 - self._bits) & mask))

    def hear(self, sums: tuple[float, float], step: int) -> None:
        """Fail unless the sums say that all told the same; every rank has the same sums.

        Raises:
            ReplicaError: they do not; the message names what differs, and the ranks.
        """
        if self.communicator.size == 1 or not any(sums):
            return
        each = self.communicator.allgather_object(dict(self._told))
        for what in dict.fromkeys(what for theirs in each for what in theirs):
            held = [theirs.get(what) for theirs in each]
            if len(set(held)) > 1:
                if what == WHAT:
                    raise draws_differ(held)
                told = [each and f"checksum {each:08x}" for each in held]
                raise ReplicaError(
                    f"the ranks do not train the same thing: in step {step}, {what} differs: {listed(told)}. {_REMEDY}"
                )
        raise ReplicaError(f"the ranks do not train the same thing: in step {step} their messages differ. {_REMEDY}")


class BatchLog:
    """The checksums of the batches of an evaluation or prediction, compared at its end.

    Args:
        communicator: the ranks.
    """

    def __init__(self, communicator: Communicator) -> None:
        self.communicator = communicator
        self._batches: list[Checksums] = []

    def add(self, checksums: Checksums) -> None:
        """Take the next batch's."""
        if checksums:
            self._batches.append(checksums)

    def compare(self, drawn: int = 0) -> None:
        """Fail unless all ranks had the same batches, and drew the same; every rank calls it.

        Args:
            drawn: the checksum of ``GlobalDraws``.

        Raises:
            ReplicaError: they had not; the message names the batch, and the ranks.
        """
        if self.communicator.size == 1 or are_equal(
            self.communicator, zlib.crc32(repr((self._batches, drawn)).encode())
        ):
            return
        gathered = self.communicator.allgather_object((self._batches, drawn))
        each, draws = [batches for batches, _ in gathered], [theirs for _, theirs in gathered]
        if len(set(draws)) > 1:
            raise draws_differ(draws)
        held = [[dict(batch) for batch in theirs] for theirs in each]
        where, values = first_difference(held) or ("", [None])
        raise ReplicaError(
            f"the ranks do not evaluate the same thing: of the data, batch {where}, is {listed(values)}. {_REMEDY}"
        )


def of_weights(weights: Array, step: int) -> tuple[str, int]:
    """The checksum of some weights, others in each step."""
    start = step * _WEIGHTS % max(1, weights.size)
    return "a part of the weights", checksum(weights[start : start + _WEIGHTS])


def of_numbers(numbers: Mapping[str, float]) -> tuple[str, int]:
    """The checksum of an optimizer's numbers: its learning rate, and how many steps it took."""
    return "the learning rate or step of the optimizer", zlib.crc32(struct.pack(f"{len(numbers)}d", *numbers.values()))
