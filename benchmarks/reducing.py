"""A contestant, on ranks: how a step ends in distnet, beside raw MPI_Allreduce of as many bytes."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from measuring import take_turns
from mpi4py import MPI

import distnet as keras
from distnet.comm import world
from distnet.parallel.slices import exchange_of
from distnet.variables import Variable, VariableStore

WAYS = ("distnet's sum and update", "MPI_Allreduce and update", "MPI_Allreduce")


def microseconds(call: Callable[[], object], seconds: float) -> list[float]:
    """The median time of calls that take about these seconds, on rank 0; all ranks make as many."""
    ranks = MPI.COMM_WORLD
    start = time.perf_counter()
    call()
    count = ranks.bcast(max(3, int(seconds / max(time.perf_counter() - start, 1e-6))))
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(1e6 * (time.perf_counter() - start))
    return [statistics.median(times)] if ranks.rank == 0 else []


def ways(size: int, training: ExitStack) -> list[Callable[[], object]]:
    """The ways to sum messages of so many bytes, all with SGD's update but the last.

    Args:
        training: ranks share weights until it is closed, as they do within ``fit``.
    """
    optimizer = keras.optimizers.SGD(1e-9)
    store = VariableStore([Variable("w", "w", np.zeros(size // 4, np.float32))], np.dtype(np.float32))
    optimizer.build(store)
    exchange = exchange_of(world(), store, optimizer, 0, lambda spans, part: None)
    training.enter_context(exchange.weights_in_place())
    other = VariableStore([Variable("w", "w", np.zeros(size // 4, np.float32))], np.dtype(np.float32))
    raw = keras.optimizers.SGD(1e-9)
    raw.build(other)
    message = np.zeros_like(other.gradients)

    def ours() -> None:
        exchange.sum_and_update(optimizer)

    def theirs() -> None:
        MPI.COMM_WORLD.Allreduce(message, other.gradients)
        raw.apply(other)

    return [ours, theirs, lambda: MPI.COMM_WORLD.Allreduce(message, other.gradients)]


def main() -> None:
    """Measure all sizes in each turn, each way beside the others."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=int, nargs="+", required=True)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each number")
    options = parser.parse_args()

    def measure() -> dict[str, list[float]]:
        return {
            f"{size}/{way}": microseconds(call, options.seconds)
            for size, each in calls.items()
            for way, call in zip(WAYS, each, strict=True)
        }

    with ExitStack() as training:
        calls = {size: ways(size, training) for size in options.bytes}
        take_turns(measure)


if __name__ == "__main__":
    main()
