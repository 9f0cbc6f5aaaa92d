"""A value that one rank of each node made, with large arrays in it, given to all ranks of the node through memory."""

from __future__ import annotations

import pickle
from typing import TypeVar, cast

import numpy as np

from distnet.comm.base import Communicator

T = TypeVar("T")

_LENGTHS, _BYTES = np.dtype(np.int64), np.dtype(np.uint8)


def of_first_on_node(communicator: Communicator, value: T | None) -> T | None:
    """The value of the node's rank 0 on each of its ranks; all ranks of the job call this.

    Each rank may write to the arrays that it receives: they are its own.

    Args:
        communicator: the ranks.
        value: of the node's rank 0; None on the others.

    Returns:
        None on all ranks where ranks of a node can share no memory.
    """
    is_first = communicator.local_rank == 0
    arrays: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(value, protocol=5, buffer_callback=arrays.append)
    parts = [np.frombuffer(each.raw(), _BYTES) for each in arrays]
    begin = pickle.dumps((pickled, [part.size for part in parts]))
    lengths = communicator.shared_arrays([(2, _LENGTHS)])
    if lengths is None:
        return None
    if is_first:
        lengths[0][:] = len(begin), len(begin) + sum(part.size for part in parts)
    communicator.local_barrier()
    begin_bytes, all_bytes = map(int, lengths[0])
    shared = communicator.shared_arrays([(all_bytes, _BYTES)])
    if shared is None:
        return None
    if is_first:
        np.concatenate([np.frombuffer(begin, _BYTES), *parts], out=shared[0])
    communicator.local_barrier()
    if is_first:
        return value
    pickled, sizes = pickle.loads(shared[0][:begin_bytes].tobytes())  # noqa: S301 - from a rank of this very job
    given = np.split(shared[0], np.cumsum([begin_bytes, *sizes]))[1:-1]
    return cast(T, pickle.loads(pickled, buffers=[each.copy() for each in given]))  # noqa: S301 - as above
