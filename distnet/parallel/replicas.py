"""Checks that all ranks hold the same model, settings and data."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from distnet.checksums import checksum
from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.parallel.differences import first_difference, listed, ranks_told
from distnet.parallel.global_draws import draws_differ
from distnet.types import Array
from distnet.variables import Variable, VariableStore


def compare(communicator: Communicator, facts: Callable[[], Mapping[str, object]]) -> None:
    """Fail unless every rank passes the same facts.

    Args:
        communicator: the ranks.
        facts: returns them by name, where there is another rank; they are written as JSON to be compared. The names of
            those that describe data end in "data".

    Raises:
        ReplicaError: a fact differs; the message names it, the part of it that differs, and what each rank has there.
    """
    if communicator.size == 1:
        return
    here = as_text(facts())
    if are_equal(communicator, zlib.crc32(here.encode()) << 20 | len(here) & 0xFFFFF):
        return
    told = communicator.allgather_object((here, (os.getpid(), os.getppid())))
    each, processes = [json.loads(theirs) for theirs, _ in told], [numbers for _, numbers in told]
    for name in dict.fromkeys(name for theirs in each for name in theirs):
        difference = first_difference([theirs.get(name) for theirs in each], processes)
        if difference is not None:
            where, values = difference
            place = f"{name}, {where}," if where else name
            raise ReplicaError(f"the ranks do not train the same thing: {place} is {listed(values)}. {remedy(name)}")


def as_text(facts: Mapping[str, object]) -> str:
    """Facts as JSON, as ranks compare them."""
    return json.dumps(facts, default=_kind)


def are_equal(communicator: Communicator, number: int) -> bool:
    """Whether every rank passes the same number, of 64 bits: one message, as long for any number of ranks.

    N numbers are equal where N times the sum of their squares is the square of their sum (Cauchy and Schwarz). It is
    taken of 16 bits at once, so that sums over 32,768 ranks stay exact.
    """
    parts = [number >> shift & 0xFFFF for shift in (0, 16, 32, 48)]
    sums = np.array([parts, [part * part for part in parts]], np.int64)
    communicator.allreduce(sums)
    return all(communicator.size * squares == total * total for total, squares in sums.T.tolist())


def compare_weights(
    communicator: Communicator, store: VariableStore, others: Sequence[Variable] = (), drawn: int = 0
) -> None:
    """Fail unless every rank holds the same weights, bit for bit, and drew the same numbers.

    Of weights that the ranks of a node share, each rank looks at those that it updates.

    Args:
        communicator: the ranks.
        store: holds the weights.
        others: variables that must be the same besides, such as the states of a recurrent layer.
        drawn: the checksum of ``GlobalDraws``.

    Raises:
        ReplicaError: they differ; the message names two ranks.
    """
    if communicator.size == 1:
        return
    place, own = (0, slice(None)) if store.own is None else (communicator.local_rank, store.own)
    digests = [_digest(array) for array in (store.frozen, store.weights[own], *(other.value for other in others))]
    first: dict[int, tuple[int, object]] = {}
    gathered = communicator.allgather_object((place, digests, drawn))
    draws = [theirs for _, _, theirs in gathered]
    if len(set(draws)) > 1:
        raise draws_differ(draws)
    for rank, (theirs, held, _) in enumerate(gathered):
        other, expected = first.setdefault(theirs, (rank, held))
        if held != expected:
            raise ReplicaError(
                f"the weights of rank {rank} differ from rank {other}'s. Change weights and states with set_weights, "
                "assign or reset_states, in a callback or on every rank alike, never in place; unlike machines in one "
                "job can also drift apart."
            )


def agree_on_weights(communicator: Communicator, variables: Sequence[Variable]) -> None:
    """Give every rank the weights of rank 0, where a rank has others; rank 0 warns then, and says which."""
    if communicator.size == 1:
        return
    sums = [checksum(variable.value) for variable in variables]
    if are_equal(communicator, checksum(np.array(sums, np.int64))):
        return
    each = communicator.allgather_object(sums)
    broadcast_weights(communicator, variables)
    if communicator.rank == 0:
        others = [rank for rank, theirs in enumerate(each) if theirs != sums]
        path = next(v.path for i, v in enumerate(variables) if any(theirs[i] != sums[i] for theirs in each))
        warnings.warn(
            f"{ranks_told(others)} held other weights than rank 0, first in {path}: all ranks now have rank 0's. Set "
            "weights on every rank alike; initializers of your own need a seed.",
            stacklevel=5,
        )


def broadcast_weights(communicator: Communicator, variables: Sequence[Variable], root: int = 0) -> None:
    """Give every rank the weights of one."""
    if communicator.size == 1:
        return
    for variable in variables:
        weights = np.ascontiguousarray(variable.value)
        communicator.broadcast(weights, root)
        variable.value[...] = weights


def _digest(array: Array) -> str:
    return hashlib.blake2b(np.ascontiguousarray(array).data, digest_size=16).hexdigest()


def remedy(name: str) -> str:
    """What to do where the ranks differ in a fact of this name."""
    if not name.endswith("data"):
        return "Give every rank the same script, data and seed; distnet itself gives each its share of every batch."
    return (
        "Every rank needs the same, whole data; distnet itself gives each its share of every batch. mpirun starts the "
        "script once on each rank, so what it draws by chance differs: start it with 'distnet run -n N script.py', "
        "which gives numpy.random and random the same seed on every rank; or call np.random.seed(0), and "
        "random.seed(0) where Python's random is used, at the top of the script, before the first draw; or make the "
        "data in a program of their own, started without mpirun, and let the ranks load its file."
    )


def _kind(value: object) -> str:
    """Stands for a value that has no JSON: its text may hold an address, which differs."""
    return f"{type(value).__module__}.{type(value).__qualname__}"
