"""Parallel efficiency: the time of one rank with one thread, divided by N times that of N ranks.

python benchmarks/efficiency.py --ranks 2
"""

from __future__ import annotations

import statistics

import measuring
from contestants import distnet, machine
from workloads import WORKLOADS

CASES = (("mlp", 512), ("cnn", 64), ("resnet", 32))


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
        alone, *others = entrants = [distnet(ranks, arguments, True) for ranks in (1, *options.ranks)]
        measuring.compete(entrants, options.rounds)
        one = statistics.median(alone.values["ms"])
        title = f"{model}, batch {batch}"
        for ranks, entrant in zip(options.ranks, others, strict=True):
            ms = statistics.median(entrant.values["ms"])
            rows.append([title, str(ranks), f"{one:.3f}", f"{ms:.3f}", f"{one / (ranks * ms):.2f}"])
        bars[title] = {entrant.name: entrant.values["ms"] for entrant in entrants}
    print(f"{machine(options.rounds)}\n")
    print(measuring.table(["ms/step, medians", "ranks", "1 rank", "these ranks", "efficiency"], rows))
    if options.plot:
        measuring.plot(options.plot, "ms a step", bars)


if __name__ == "__main__":
    main()
