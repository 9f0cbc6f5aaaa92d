"""The MLP in PyTorch, eager, in the usual loop: alone, or several processes under DistributedDataParallel."""

from __future__ import annotations

import os
import tempfile
import time

import torch
import workload
from torch import distributed, multiprocessing, nn
from workload import WORKLOADS

WORK = WORKLOADS["mlp"]


def build() -> nn.Sequential:
    """The model; its softmax is in the loss, as is usual in PyTorch."""
    sizes = (WORK.features, *WORK.hidden)
    layers: list[nn.Module] = []
    for inputs, outputs, rate in zip(sizes, WORK.hidden, WORK.dropout, strict=False):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(rate)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], WORK.outputs))


def train(model: nn.Module, batch: int, steps: int, rank: int, processes: int) -> list[float]:
    """Seconds of each epoch; ``batch`` rows a step over all processes."""
    x, y = map(torch.from_numpy, WORK.data(batch * steps))
    optimizer = torch.optim.RMSprop(
        model.parameters(), workload.LEARNING_RATE, alpha=workload.RHO, eps=workload.EPSILON
    )
    cross_entropy = nn.CrossEntropyLoss()
    share = batch // processes
    epoch_s = []
    for _ in range(1 + workload.MEASURED_EPOCHS):
        start = time.perf_counter()
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch):
            mine = rows[rank * share : (rank + 1) * share]
            optimizer.zero_grad()
            loss = cross_entropy(model(x[mine]), y[mine])
            loss.backward()
            optimizer.step()
            total += loss.item()
        epoch_s.append(time.perf_counter() - start)
    return epoch_s


def train_replica(rank: int, store: str, batch: int, steps: int, processes: int) -> None:
    """One process of DistributedDataParallel, on its share of the cores."""
    torch.set_num_threads(max(1, workload.cores() // processes))
    torch.manual_seed(0)
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=processes)
    epoch_s = train(nn.parallel.DistributedDataParallel(build()), batch, steps, rank, processes)
    if rank == 0:
        workload.report(epoch_s, steps)
    distributed.barrier()
    distributed.destroy_process_group()


def main() -> None:
    """Train and report."""
    parser = workload.parser()
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if options.processes == 1:
        torch.set_num_threads(workload.cores())
        workload.report(train(build(), options.batch, options.steps, 0, 1), options.steps)
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments = (os.path.join(folder, "store"), options.batch, options.steps, options.processes)
        multiprocessing.spawn(train_replica, arguments, nprocs=options.processes)


if __name__ == "__main__":
    main()
