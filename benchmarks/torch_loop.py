"""A contestant: PyTorch, eager, in the usual loop; alone, or several processes under DistributedDataParallel."""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import torch
import torch_models
from measuring import MEASURED_EPOCHS, STARTED, cores, peak_mb, shared_mb, take_turns
from torch import distributed, multiprocessing, nn
from workloads import EPSILON, LEARNING_RATE, RHO, WORKLOADS


def train(options: argparse.Namespace, model: nn.Module, rank: int) -> None:
    """Train in each turn; ``options.batch`` is the rows of a step over all processes."""
    work = WORKLOADS[options.model]
    x, labels = map(torch.from_numpy, work.data(options.batch * options.steps))
    x = x.permute(0, 3, 1, 2) if x.ndim == 4 else x  # the channels stay last in memory
    optimizer = torch_models.optimizer(work.optimizer, model, LEARNING_RATE, RHO, EPSILON)
    cross_entropy, share = nn.CrossEntropyLoss(), options.batch // options.processes
    first_s: list[float] = []

    def epoch() -> float:
        start, total, right = time.perf_counter(), 0.0, 0
        for batch in torch.randperm(len(x)).split(options.batch):
            mine = batch[rank * share : (rank + 1) * share]
            optimizer.zero_grad()
            y = model(x[mine])
            loss = cross_entropy(y, labels[mine])
            loss.backward()
            optimizer.step()
            total += loss.item()
            right += int((y.argmax(1) == labels[mine]).sum())
        return time.perf_counter() - start

    def measure() -> dict[str, list[float]]:
        epoch()
        is_first = not first_s
        first_s.append(time.time() - float(os.environ[STARTED]))
        seconds = [epoch() for _ in range(MEASURED_EPOCHS)]
        own = {"ms": [1e3 * s / options.steps for s in seconds], "first epoch s": first_s[:1] if is_first else []}
        return {**(own if rank == 0 else {}), "peak MB": [peak_mb()], "shared MB": [shared_mb()]}

    take_turns(measure)


def train_replica(rank: int, store: str, options: argparse.Namespace) -> None:
    """One process of DistributedDataParallel, on its share of the cores."""
    torch.set_num_threads(max(1, cores() // options.processes))
    torch.manual_seed(0)
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=options.processes)
    train(options, nn.parallel.DistributedDataParallel(torch_models.built(options.model)), rank)
    distributed.barrier()
    distributed.destroy_process_group()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=WORKLOADS, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if options.processes == 1:
        train(options, torch_models.built(options.model), 0)
        return
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(train_replica, (os.path.join(folder, "store"), options), nprocs=options.processes)


if __name__ == "__main__":
    main()
