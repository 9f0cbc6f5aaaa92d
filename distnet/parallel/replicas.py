"""Checks that all ranks hold the same model, settings and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.types import Array
from distnet.variables import Variable, VariableStore

_SAMPLED_ROWS = 16


def compare(communicator: Communicator, facts: Callable[[], Mapping[str, object]]) -> None:
    """Fail unless every rank passes the same facts.

    Args:
        communicator: the ranks.
        facts: returns them by name, where there is another rank; they are written as JSON to be compared. The names of
            those that describe data end in "data".

    Raises:
        ReplicaError: a fact differs; the message names it, two ranks and their values.
    """
    if communicator.size == 1:
        return
    mine = {name: json.dumps(value, default=str) for name, value in facts().items()}
    for rank, theirs in enumerate(communicator.allgather_object(mine)):
        for name in dict.fromkeys((*mine, *theirs)):
            if mine.get(name) != theirs.get(name):
                raise ReplicaError(
                    f"the ranks do not train the same thing: {name} is {_brief(mine.get(name))} on rank "
                    f"{communicator.rank} and {_brief(theirs.get(name))} on rank {rank}. {_remedy(name)}"
                )


def compare_if_different(communicator: Communicator, facts: Callable[[], Mapping[str, object]]) -> None:
    """Like ``compare``, but with one small message if all ranks agree: for use at every step."""
    if communicator.size == 1:
        return
    here = facts()
    digest = hashlib.blake2b(json.dumps(here, default=str).encode(), digest_size=8).digest()
    digests = np.zeros(communicator.size, np.int64)
    digests[communicator.rank] = int.from_bytes(digest, "little", signed=True)
    communicator.allreduce(digests)
    if (digests != digests[0]).any():
        compare(communicator, lambda: here)


def compare_weights(communicator: Communicator, store: VariableStore) -> None:
    """Fail unless every rank holds the same weights, bit for bit.

    Of weights that the ranks of a node share, each rank looks at those that it updates.

    Raises:
        ReplicaError: they differ; the message names two ranks.
    """
    if communicator.size == 1:
        return
    place, own = (0, slice(None)) if store.own is None else (communicator.local_rank, store.own)
    mine = place, _digest(store.frozen), _digest(store.weights[own])
    first: dict[int, tuple[int, object]] = {}
    for rank, (theirs, *digests) in enumerate(communicator.allgather_object(mine)):
        other, expected = first.setdefault(theirs, (rank, digests))
        if digests != expected:
            raise ReplicaError(
                f"the weights of rank {rank} differ from rank {other}'s. Change weights with set_weights or assign, in "
                "a callback or on every rank alike, never in place; unlike machines in one job can also drift apart."
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


def describe_array(array: Array) -> dict[str, object]:
    """Shape, dtype and a digest of some rows, evenly spaced: enough to tell another data set."""
    picked = np.linspace(0, len(array) - 1, min(len(array), _SAMPLED_ROWS)).astype(np.int64)
    sample = np.ascontiguousarray(array[picked])
    digest = hashlib.blake2b(sample.tobytes(), digest_size=8).hexdigest() if sample.dtype != object else ""
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sampled rows": digest}


def describe_arrays(arrays: Sequence[Array]) -> list[dict[str, object]]:
    """``describe_array`` of each."""
    return [describe_array(array) for array in arrays]


def _remedy(name: str) -> str:
    if not name.endswith("data"):
        return "Give every rank the same script, data and seed; distnet itself gives each its share of every batch."
    return (
        "Every rank needs the same, whole data; distnet itself gives each its share of every batch. mpirun starts the "
        "script once on each rank, so what it draws by chance differs: start it with 'distnet run -n N script.py', "
        "which gives numpy.random and random the same seed on every rank; or call np.random.seed(0), and "
        "random.seed(0) where Python's random is used, at the top of the script, before the first draw; or make the "
        "data in a program of their own, started without mpirun, and let the ranks load its file."
    )


def _brief(text: str | None) -> str:
    return "absent" if text is None else text if len(text) <= 200 else f"{text[:200]}..."
