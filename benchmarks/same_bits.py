"""What the same bits on any number of ranks cost: ``DataParallel(reproducible_shards=V)`` beside no such wish.

    python benchmarks/same_bits.py --model mlp resnet --ranks 1 2 --shards 4 8

Times are those of a step, as in ``step_time.py``, and the processor's of rank 0, each with one thread; the peak is that
of each process.
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from itertools import product

import measuring
from contestants import distnet, machine
from workloads import WORKLOADS


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument(
        "--model", nargs="+", choices=WORKLOADS, default=["mlp", "cnn", "resnet", "lstm", "transformer"]
    )
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[1, 2])
    parser.add_argument("--shards", type=measuring.positive, nargs="+", default=[2, 4, 8])
    parser.add_argument("--batch", type=measuring.positive, help="rows of a step, over all ranks (the model's)")
    options = measuring.read(parser)
    rows, bars = [], {}
    for model, ranks in product(options.model, options.ranks):
        work = WORKLOADS[model]
        batch = options.batch or work.batch
        steps = max(2, work.steps * work.batch // batch // 4)
        arguments = ["--model", model, "--batch", str(batch), "--steps", str(2 if options.quick else steps)]
        entrants = [replace(distnet(ranks, arguments, True), name="fast")]
        entrants += [
            replace(distnet(ranks, [*arguments, "--shards", str(shards)], True), name=f"{shards} blocks")
            for shards in options.shards
            if shards >= ranks
        ]
        measuring.compete(entrants, options.rounds)
        title, fast = f"{model}, batch {batch}, {ranks} rank{'s' if ranks > 1 else ''}", entrants[0].values["ms"]
        for entrant in entrants:
            times = entrant.values["ms"]
            used = [min(each.values["processor ms"]) for each in (entrant, entrants[0])]
            told = [f"{number:.2f}" for number in (statistics.median(times), min(times), min(times) / min(fast))]
            told += [f"{used[0]:.2f}", f"{used[0] / used[1]:.2f}", f"{max(entrant.values['peak MB']):.0f}"]
            rows.append([title, entrant.name, *told])
        bars[title] = {entrant.name: entrant.values["ms"] for entrant in entrants}
    print(f"{machine(options.rounds)}\n")
    print(measuring.table(["", "", "ms, median", "least", "x fast", "processor ms", "x fast", "peak MB"], rows))
    if options.plot:
        measuring.plot(options.plot, "ms a step", bars)


if __name__ == "__main__":
    main()
