"""Parallel efficiency: the time of one rank with one thread, divided by N times that of N ranks.

python benchmarks/efficiency.py --ranks 2

The one rank is measured on one core, and free to let the thread that reads its data run on another.
"""

from __future__ import annotations

import os
import shutil
import statistics
from dataclasses import replace

import measuring
from contestants import distnet, machine
from workloads import WORKLOADS

CASES = (("mlp", 512), ("cnn", 64), ("resnet", 32))


def one_core() -> list[str]:
    """What starts a command on one core.

    Raises:
        SystemExit: this machine cannot.
    """
    if shutil.which("taskset") is None:
        raise SystemExit("One rank is measured on one core, which needs taskset, of the package util-linux.")
    return ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[2])
    options = measuring.read(parser)
    rows, bars = [], {}
    for model, batch in CASES:
        work = WORKLOADS[model]
        steps = 2 if options.quick else max(2, work.steps * work.batch // batch)
        arguments = ["--model", model, "--batch", str(batch), "--steps", str(steps)]
        free, *others = [distnet(ranks, arguments, True) for ranks in (1, *options.ranks)]
        bound = replace(free, name=f"{free.name}, 1 core", command=[*one_core(), *free.command])
        entrants = [bound, free, *others]
        measuring.compete(entrants, options.rounds)
        one, beside = (statistics.median(entrant.values["ms"]) for entrant in (bound, free))
        title = f"{model}, batch {batch}"
        for ranks, entrant in zip(options.ranks, others, strict=True):
            ms = statistics.median(entrant.values["ms"])
            efficiencies = [f"{alone / (ranks * ms):.2f}" for alone in (one, beside)]
            rows.append([title, str(ranks), f"{one:.3f}", f"{beside:.3f}", f"{ms:.3f}", *efficiencies])
        bars[title] = {entrant.name: entrant.values["ms"] for entrant in entrants}
    print(f"{machine(options.rounds)}\n")
    heads = ["1 rank, 1 core", "1 rank, free", "these ranks", "efficiency to 1 core", "to free"]
    print(measuring.table(["ms/step, medians", "ranks", *heads], rows))
    if options.plot:
        measuring.plot(options.plot, "ms a step", bars)


if __name__ == "__main__":
    main()
