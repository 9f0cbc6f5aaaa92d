"""What it costs that ranks may die: ``DataParallel(elastic=True)`` beside ranks that share slots and divide the update.

    python benchmarks/elastic.py --model mlp table --ranks 2      under Open MPI 5, of the Python that runs this

Times are those of a step, as in ``step_time.py``, with one thread a rank.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from itertools import product

import measuring
from contestants import distnet, machine
from measuring import Contestant
from workloads import WORKLOADS


def elastic(ranks: int, arguments: list[str]) -> Contestant:
    """Ranks that go on when others die."""
    one = distnet(ranks, [*arguments, "--elastic"], True)
    start = list(one.command)
    at = start.index("-n")
    return replace(one, name="elastic", command=[*start[:at], "--elastic", *start[at:]])


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument("--model", nargs="+", choices=WORKLOADS, default=["mlp", "cnn", "resnet", "table"])
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[2])
    options = measuring.read(parser)
    rows = []
    for model, ranks in product(options.model, options.ranks):
        work = WORKLOADS[model]
        arguments = ["--model", model, "--batch", str(work.batch), "--steps", str(2 if options.quick else work.steps)]
        entrants = [replace(distnet(ranks, arguments, True), name="in slices"), elastic(ranks, arguments)]
        measuring.compete(entrants, options.rounds)
        for entrant in entrants:
            times = entrant.values["ms"]
            told = [f"{number:.2f}" for number in (statistics.median(times), min(times))]
            rows.append([f"{model}, batch {work.batch}, {ranks} ranks", entrant.name, *told])
    print(f"{machine(options.rounds)}\n")
    print(measuring.table(["", "", "ms, median", "least"], rows))


if __name__ == "__main__":
    main()
