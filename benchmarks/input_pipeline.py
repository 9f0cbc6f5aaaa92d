"""Rows a second that are trained on: from arrays, and from a sequence that augments images in Python.

python benchmarks/input_pipeline.py --workers 1 2 --peer keras-jax
"""

from __future__ import annotations

import statistics

import measuring
from contestants import add_peers, chosen_peers, distnet, machine, peer
from measuring import Contestant
from workloads import WORKLOADS


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument("--model", choices=("cnn", "resnet"), default="cnn")
    parser.add_argument("--batch", type=measuring.positive, default=64)
    parser.add_argument("--workers", type=measuring.positive, nargs="+", default=[1, 2])
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[1, 2])
    add_peers(parser, ["keras-jax", "keras-tensorflow", "keras-torch"])
    options = measuring.read(parser)
    work = WORKLOADS[options.model]
    options.batch, steps = (
        (4, 2) if options.quick else (options.batch, max(2, work.steps * work.batch // options.batch))
    )
    arguments = ["--model", options.model, "--batch", str(options.batch), "--steps", str(steps)]
    peers, entrants = chosen_peers(options), []
    for workers in (0, *options.workers):
        given = [*arguments, "--workers", str(workers)]
        group: list[Contestant] = [distnet(ranks, given) for ranks in options.ranks]
        group += [peer(name, options.peer_python, given) for name in peers]
        for entrant in group:
            entrant.name += f", {workers} worker{'s' if workers > 1 else ''}" if workers else ", arrays"
        entrants += group
    measuring.compete(entrants, options.rounds)
    speeds = {each.name: [1e3 * options.batch / ms for ms in each.values["ms"]] for each in entrants}
    print(f"{options.model}, batch {options.batch}, {machine(options.rounds)}\n")
    rows = [[name, f"{statistics.median(values):.0f}"] for name, values in speeds.items()]
    print(measuring.table(["rows a second", "median"], rows))
    if options.plot:
        measuring.plot(options.plot, "rows a second", {options.model: speeds})


if __name__ == "__main__":
    main()
